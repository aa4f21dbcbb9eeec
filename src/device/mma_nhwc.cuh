// SPDX-License-Identifier: Apache-2.0
//
// Tensors with contiguous channels for the tensor-core kernels: x is staged as [row][column][channel], so that the k of
// a lane's inputs lie together, and y is written in runs of channels. Shapes are those with by_pixel.
#pragma once

#include <device/mma.cuh>
#include <device/nhwc.cuh>

// As mma_step and mma_step_pairs. The inputs of outputs below each other are LINE elements apart, those of neighbours
// APART.
template <class S, int LINE, int APART>
__device__ __forceinline__ void
mma_step_pixels(typename S::accumulators &d, const typename S::cut &cut, const mma_weights<S::m, S::pieces> &weights,
                const typename S::element *x, int low, bool low_valid, int high, bool high_valid) {
    static_assert(S::by_pixel, "a lane's columns are eight apart");
#pragma unroll
    for (int n = 0; n < S::n; ++n) {
        const typename S::element *const pixel = x + n / 4 * LINE + n % 4 * 8 * APART;
        if constexpr (sizeof(typename S::element) == 4) {
            mma_products<S>(d, n, cut, weights, low_valid ? pixel[low] : 0.0f, high_valid ? pixel[high] : 0.0f);
        } else {
            const uint32_t b[2] = {low_valid ? load_shared_4(pixel + low) : 0u,
                                   high_valid ? load_shared_4(pixel + high) : 0u};
#pragma unroll
            for (int m = 0; m < S::m; ++m)
                mma_m16n8k16<typename S::element>(d[m][n], weights.a[m][0], b);
        }
    }
}

// From one staged pixel of y to the next: a warp's stores fall into different banks.
template <class S> __device__ __forceinline__ constexpr int staged_pixel() { return S::tile_c + 4; }

// Leaves a warp's values in `staging`, [tile_h][tile_w][staged_pixel].
template <class S>
__device__ __forceinline__ void stage_pixels(const typename S::accumulators &values, float *staging) {
    const mma_lane at;
    const mma_unit<S> unit(at.warp);
    const int first = unit.row * S::tile_w + unit.col + mma_first_column<S>(at.k());
    float *const to = staging + first * staged_pixel<S>() + unit.part * S::m * 16 + at.channel();
#pragma unroll
    for (int c = 0; c < S::m * 2; ++c)
#pragma unroll
        for (int n = 0; n < S::n; ++n)
#pragma unroll
            for (int i = 0; i < 2; ++i)
                to[(n / 4 * S::tile_w + mma_column<S>(n, i)) * staged_pixel<S>() + c * 8] =
                    values[c / 2][n][c % 2 * 2 + i];
}

// As write_outputs: what is written at a time is 16 bytes of a pixel's channels.
template <class S, int C_OUT, bool NORMALISE, class Behind = nothing_behind>
__device__ __forceinline__ void write_pixels(const cs_conv_args &args, const conv_tile &tile,
                                             const typename S::accumulators &values, float *staging) {
    using E = typename S::element;
    constexpr int VECTOR = 16 / sizeof(E), PARTS = S::tile_c / VECTOR;
    static_assert(S::threads % PARTS == 0, "a thread keeps its channels and walks over the pixels");
    stage_pixels<S>(values, staging);
    sync_threads();
    const int part = thread_index() % PARTS * VECTOR;
    const int channel = tile.channel + part, count = C_OUT - channel;
    if (count <= 0)
        return;
    const bool whole = count >= VECTOR && pixels_are_aligned<VECTOR>(args.y, args.y_strides);
    cs_affine norms[VECTOR];
    load_normalisations<C_OUT, NORMALISE>(norms, args, tile, channel);
#pragma unroll 2
    for (int pixel = thread_index() / PARTS; pixel < S::tile_h * S::tile_w; pixel += S::threads / PARTS) {
        const int row = pixel / S::tile_w, col = pixel % S::tile_w;
        if (row >= tile.rows || col >= tile.cols)
            continue;
        const int64_t place = pixel_place(args, tile, row, col) + channel;
        float results[VECTOR];
#pragma unroll
        for (int i = 0; i < VECTOR; i += 4) {
            const float4 four = load_shared_16(staging + pixel * staged_pixel<S>() + part + i);
            memcpy(results + i, &four, sizeof four);
        }
#pragma unroll
        for (int i = 0; i < VECTOR; ++i)
            if (i < count)
                results[i] = finished_value<NORMALISE, Behind>(args, results[i], norms[i], channel + i, place + i);
        write_channels<E>(static_cast<E *>(args.y) + place, results, whole, count);
    }
}
