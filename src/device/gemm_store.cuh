// SPDX-License-Identifier: Apache-2.0
//
// From the values of a tile (device/gemm.cuh) to y by the copy engine: they are staged in shared memory as a box of y,
// what is no output at the ends of its rows, and the engine leaves out what lies beyond y.
#pragma once

#include <device/gemm_epilogue.cuh>

#ifdef CS_HAS_SM90A

// Two neighbouring values as elements, and how they are staged.
template <class E> struct staged_pair {
    uint32_t elements;
    __device__ __forceinline__ staged_pair(float first, float second) : elements(pack_elements<E>(first, second)) {}
    __device__ __forceinline__ void store(E *to) const { store_shared_4(to, elements); }
};
template <> struct staged_pair<float> {
    float2 elements;
    __device__ __forceinline__ staged_pair(float first, float second) : elements{first, second} {}
    __device__ __forceinline__ void store(float *to) const { store_shared_8(to, elements); }
};

// Writes a warp's channels of a tile to planes of y, as many at once as the staging has room for:
// [row][channel][width].
template <class S>
__device__ __forceinline__ void gemm_store_planes(const cs_conv_args &args, const conv_tile &tile,
                                                  const gemm_pairs &pairs, const gemm_values<S> &z, float *staging) {
    using tensor = typename S::tensor;
    constexpr int CHANNELS = CS_STORED_PLANES(sizeof(tensor)), HALVES = CHANNELS / 8;
    const gemm_lane at;
    const int width = args.gemm.width;
    tensor *const staged = reinterpret_cast<tensor *>(staging);
#pragma unroll
    for (int first = 0; first < 2; first += HALVES) {
        bulk_wait_read<0>();
        sync_warp();
        const uint32_t inside = pairs.inside(0), begins = pairs.begins();
        tensor *to[2] = {staged + at.row * width + at.pair * 2, staged + (at.row + 8) * width + at.pair * 2};
#pragma unroll
        for (int j = 0; j < S::n / 8; ++j)
#pragma unroll
            for (int half = 0; half < HALVES; ++half) {
                const float *const values = z + 4 * j + 2 * (first + half);
                const staged_pair<tensor> pair(values[0], values[1]);
                to[half] += begins >> j & 1 ? CHANNELS * width - args.gemm.pitch : 0;
                if (inside >> j & 1)
                    pair.store(to[half] + j * 8);
            }
        fence_async_shared();
        sync_warp();
        if (at.thread % 32 == 0)
#pragma unroll 1
            for (int row = 0; row < tile.rows; ++row)
                tensor_store(args.gemm.outputs, staged + row * CHANNELS * width, tile.col, tile.row + row,
                             tile.channel + at.channel(first), tile.n);
        bulk_commit();
    }
}

// Writes a tile's pixels to y, all at once; by a computing group, elements of 16 bits. They are staged one after the
// other, 64 channels each, swizzled: a warp has two of the eight parts of 16 bytes.
template <class S>
__device__ __forceinline__ void gemm_store_pixels(const cs_conv_args &args, const conv_tile &tile,
                                                  const gemm_values<S> &z, float *staging) {
    using tensor = typename S::tensor;
    const gemm_lane at;
    const int pixel = at.thread % 8, half = at.thread / 8 % 2, eight = at.thread / 16 % 2; // of what a step writes
    unsigned char *const to = reinterpret_cast<unsigned char *>(staging) + (eight * 8 + pixel) * CS_STORED_BYTES +
                              ((at.warp * 2 + half) ^ pixel) * 16;
    const auto packed = [&](int j, int half) {
        return pack_elements<tensor>(z[4 * j + 2 * half], z[4 * j + 2 * half + 1]);
    };
    const auto sync = [&] { sync_some_threads(1 + at.thread / GEMM_GROUP, GEMM_GROUP); };
    bulk_wait_read<0>();
    sync();
#pragma unroll
    for (int j = 0; j < S::n / 8; j += 2)
        store_matrices_transposed(to + j * 8 * CS_STORED_BYTES,
                                  {packed(j, 0), packed(j, 1), packed(j + 1, 0), packed(j + 1, 1)});
    fence_async_shared();
    sync();
    if (at.thread % GEMM_GROUP == 0)
        tensor_store(args.gemm.outputs, staging, tile.channel, tile.col, tile.row, tile.n);
    bulk_commit();
}

#endif
