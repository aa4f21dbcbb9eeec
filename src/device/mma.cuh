// SPDX-License-Identifier: Apache-2.0
//
// The tile of the tensor-core kernels: weights are the rows (channels) of m16n8k8 products, pixels their columns.
#pragma once

#include <cstring>
#include <device/moments.cuh>
#include <device/tile.cuh>

// A block: M channel tiles of 16, and WARPS warps of N pixel tiles of 8 each; the pixel tiles of a block fill rows of
// WIDTH columns, warp after warp.
template <int M, int N, int WARPS, int WIDTH> struct mma_shape {
    static constexpr int m = M, n = N, warps = WARPS;
    static constexpr int tiles_in_row = WIDTH / 8;
    static constexpr int warp_rows = N / tiles_in_row;
    static_assert(WIDTH % 8 == 0 && N % tiles_in_row == 0, "a warp's pixel tiles fill whole rows");
    static constexpr int fragment = 32 * 4; // floats of one 16 x 8 tile of packed weights: a lane's four lie together
    using accumulators = float[M][N][4];

    static constexpr __device__ int row(int n_tile) { return n_tile / tiles_in_row; }
    static constexpr __device__ int col(int n_tile) { return n_tile % tiles_in_row * 8; }
};

// This thread's place in the fragments: row (channel) and column pair (pixels) of d, k of a and b.
struct mma_lane {
    int warp, lane;
    __device__ __forceinline__ mma_lane() : warp(thread_index() / 32), lane(thread_index() % 32) {}
    __device__ __forceinline__ int k() const { return lane % 4; }
    __device__ __forceinline__ int pixel() const { return lane / 4; }          // of b
    __device__ __forceinline__ int channel() const { return lane / 4; }        // of d, and 8 more
    __device__ __forceinline__ int pixel_pair() const { return lane % 4 * 2; } // of d, and 1 more
};

// One step of eight k: two quads of four, whose inputs for this lane begin at `low` and `high`. A lane that a quad has
// no k for (low_valid, high_valid) contributes zero, whatever lies there.
template <class S, int PITCH>
__device__ __forceinline__ void mma_step(typename S::accumulators &d, const float *weights, const float *low,
                                         bool low_valid, const float *high, bool high_valid) {
    uint32_t b[S::n][2];
#pragma unroll
    for (int n = 0; n < S::n; ++n) {
        const int offset = S::row(n) * PITCH + S::col(n);
        b[n][0] = low_valid ? tf32_round(low[offset]) : 0u;
        b[n][1] = high_valid ? tf32_round(high[offset]) : 0u;
    }
#pragma unroll
    for (int m = 0; m < S::m; ++m) {
        const float4 fragment = load_global_16(weights + m * S::fragment);
        uint32_t a[4];
        memcpy(a, &fragment, sizeof a);
#pragma unroll
        for (int n = 0; n < S::n; ++n)
            mma_m16n8k8_tf32(d[m][n], a, b[n]);
    }
}

// The moments of the block's tile, a channel at a time: of each warp's pixels first, then over the warps in order.
// `scratch`: warps * m * 16 entries of shared memory that nothing else uses.
template <class S, int C_OUT>
__device__ __forceinline__ void mma_write_moments(const cs_conv_args &args, const conv_tile &tile,
                                                  const typename S::accumulators &values, cs_moments *scratch) {
    constexpr int tile_c = S::m * 16;
    const mma_lane at;
    const int rows = rows_of_warp<S::warp_rows>(tile, at.warp);
    const float count = static_cast<float>(rows * tile.cols);
    const float inverse = count > 0.0f ? 1.0f / count : 0.0f;
#pragma unroll
    for (int m = 0; m < S::m; ++m)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            float sum = 0.0f, m2 = 0.0f;
#pragma unroll
            for (int i = 0; i < S::n * 2; ++i)
                if (S::row(i / 2) < rows && S::col(i / 2) + at.pixel_pair() + i % 2 < tile.cols)
                    sum += values[m][i / 2][half * 2 + i % 2];
            const float mean = sum_over_lanes<4>(sum) * inverse;
#pragma unroll
            for (int i = 0; i < S::n * 2; ++i)
                if (S::row(i / 2) < rows && S::col(i / 2) + at.pixel_pair() + i % 2 < tile.cols) {
                    const float deviation = values[m][i / 2][half * 2 + i % 2] - mean;
                    m2 += deviation * deviation;
                }
            m2 = sum_over_lanes<4>(m2);
            if (at.k() == 0)
                scratch[at.warp * tile_c + m * 16 + half * 8 + at.channel()] = {mean, m2};
        }
    write_tile_moments<S::warps, S::warp_rows, tile_c, C_OUT>(args, tile, scratch);
}

// Normalises (NORMALISE) the block's tile and writes the part of it that lies in y.
template <class S, int C_OUT, bool NORMALISE>
__device__ __forceinline__ void mma_write_outputs(const cs_conv_args &args, const conv_tile &tile,
                                                  const typename S::accumulators &values) {
    const mma_lane at;
#pragma unroll
    for (int m = 0; m < S::m; ++m)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int channel = tile.channel + m * 16 + half * 8 + at.channel();
            if (channel >= C_OUT)
                continue;
            cs_affine norm = {1.0f, 0.0f};
            if (NORMALISE)
                norm = normalisation<C_OUT>(args, tile, channel);
            float *const plane = output_plane<C_OUT>(args, tile, channel);
#pragma unroll
            for (int i = 0; i < S::n * 2; ++i) {
                const int row = at.warp * S::warp_rows + S::row(i / 2);
                const int col = S::col(i / 2) + at.pixel_pair() + i % 2;
                const float value = values[m][i / 2][half * 2 + i % 2];
                if (row < tile.rows && col < tile.cols)
                    store_global(plane + static_cast<size_t>(row) * args.w_out + col,
                                 NORMALISE ? value * norm.a + norm.b : value);
            }
        }
}
