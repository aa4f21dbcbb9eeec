// SPDX-License-Identifier: Apache-2.0
//
// Kernels of one input channel an output channel on tensors with contiguous channels: a lane is a channel, a thread
// computes ROWS x COLS pixels of it, straight from x, which the caches keep between neighbours.
#pragma once

#include <device/moments.cuh>
#include <device/nhwc.cuh>

template <class E, int ROWS, int COLS, int WARPS, int KH, int KW, int DILATION_H, int DILATION_W, class W>
struct depthwise_pixels {
    using element = E;
    using window = W;
    static constexpr int rows = ROWS, cols = COLS, warps = WARPS, kh = KH, kw = KW;
    static constexpr int dilation_h = DILATION_H, dilation_w = DILATION_W;
    static constexpr int reach_h = (ROWS - 1) * W::stride_h + (KH - 1) * DILATION_H + 1; // of all its pixels
    static constexpr int reach_w = (COLS - 1) * W::stride_w + (KW - 1) * DILATION_W + 1;
    using accumulators = float[ROWS][COLS];
};

// The inputs of one row that a thread's pixels touch, those at x on; zeros for columns that x does not have, and all
// where the row is none of x.
template <class S> struct input_row {
    float value[S::reach_w];
    __device__ __forceinline__ input_row(const typename S::element *x, const cs_conv_args &args, int left,
                                         bool has_row) {
#pragma unroll
        for (int i = 0; i < S::reach_w; ++i)
            value[i] = has_row && is_index(left + i, args.w) ? to_float(load_global(x + i * args.x_strides[3])) : 0.0f;
    }
};

// Adds what a row of inputs, `down` rows below the first, gives to each pixel. tap(ky, kx) is a weight.
template <class S, class F>
__device__ __forceinline__ void add_row(typename S::accumulators &z, const input_row<S> &in, int down, const F &tap) {
#pragma unroll
    for (int row = 0; row < S::rows; ++row) {
        const int below = down - row * S::window::stride_h, ky = below / S::dilation_h;
        if (below < 0 || below % S::dilation_h != 0 || ky >= S::kh)
            continue;
#pragma unroll
        for (int kx = 0; kx < S::kw; ++kx) {
            const float weight = tap(ky, kx);
#pragma unroll
            for (int col = 0; col < S::cols; ++col)
                z[row][col] += weight * in.value[col * S::window::stride_w + kx * S::dilation_w];
        }
    }
}

// z of a warp's pixels, whose first row in the tile is `first`; of `channel` of x.
template <class S, class F>
__device__ __forceinline__ void convolve_pixels(typename S::accumulators &z, const cs_conv_args &args,
                                                const conv_tile &tile, int first, int channel, const F &tap) {
    using W = typename S::window;
    const int top = (tile.row + first) * W::stride_h - W::pad_h, left = tile.col * W::stride_w - W::pad_w;
    const typename S::element *const x = static_cast<const typename S::element *>(args.x) + tile.n * args.x_strides[0] +
                                         left * args.x_strides[3] + channel;
#pragma unroll
    for (int down = 0; down < S::reach_h; ++down)
        add_row<S>(z, input_row<S>(x + (top + down) * args.x_strides[2], args, left, is_index(top + down, args.h)),
                   down, tap);
}

// The moments of the block's tile. `scratch`: warps * 32 entries of shared memory.
template <class S, int C_OUT>
__device__ __forceinline__ void write_moments_of_pixels(const cs_conv_args &args, const conv_tile &tile,
                                                        const typename S::accumulators &values, cs_moments *scratch) {
    const int warp = thread_index() / 32, lane = thread_index() % 32;
    const int rows = rows_of_warp<S::rows>(tile, warp);
    const float count = static_cast<float>(rows * tile.cols), inverse = count > 0.0f ? 1.0f / count : 0.0f;
    float sum = 0.0f, m2 = 0.0f;
#pragma unroll
    for (int i = 0; i < S::rows * S::cols; ++i)
        if (i / S::cols < rows && i % S::cols < tile.cols)
            sum += values[i / S::cols][i % S::cols];
    const float mean = sum * inverse;
#pragma unroll
    for (int i = 0; i < S::rows * S::cols; ++i)
        if (i / S::cols < rows && i % S::cols < tile.cols) {
            const float deviation = values[i / S::cols][i % S::cols] - mean;
            m2 += deviation * deviation;
        }
    scratch[warp * 32 + lane] = {mean, m2};
    write_tile_moments<S::warps, S::rows, 32, C_OUT>(args, tile, scratch);
}

// Normalises (NORMALISE) a warp's pixels, takes them through what stands behind that, and writes those that lie in y.
template <class S, int C_OUT, bool NORMALISE, class Behind = nothing_behind>
__device__ __forceinline__ void write_single_pixels(const cs_conv_args &args, const conv_tile &tile, int first,
                                                    int channel, const typename S::accumulators &values) {
    using E = typename S::element;
    if (channel >= C_OUT)
        return;
    cs_affine norm = {1.0f, 0.0f};
    if (NORMALISE)
        norm = normalisation<C_OUT>(args, tile, channel);
#pragma unroll
    for (int row = 0; row < S::rows; ++row)
#pragma unroll
        for (int col = 0; col < S::cols; ++col)
            if (first + row < tile.rows && col < tile.cols) {
                const int64_t place = pixel_place(args, tile, first + row, col) + channel;
                store_global(static_cast<E *>(args.y) + place, from_float<E>(finished_value<NORMALISE, Behind>(
                                                                   args, values[row][col], norm, channel, place)));
            }
}
