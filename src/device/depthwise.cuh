// SPDX-License-Identifier: Apache-2.0
//
// Kernels of one input channel an output channel: nothing is shared between the channels of y, so that each warp works
// alone. Its lanes are WIDTH neighbouring columns, in 32 / WIDTH groups below each other; a thread computes ROWS
// pixels, one below the other.
#pragma once

#include <device/moments.cuh>
#include <device/tile.cuh>

// W: a conv_window. STAGED_ROWS lines of PITCH inputs are staged for a tile, PLANE elements a warp.
template <class E, int WIDTH, int ROWS, int WARPS, int STAGED_ROWS, int PITCH, int PLANE, class W>
struct depthwise_shape {
    using element = E;
    using window = W;
    static constexpr int width = WIDTH, rows = ROWS, warps = WARPS;
    static constexpr int tile_h = 32 / WIDTH * ROWS;
    static constexpr int staged_rows = STAGED_ROWS, pitch = PITCH, plane = PLANE;
    using accumulators = float[ROWS];
};

// A lane's first pixel in its warp's tile, and what of its pixels lies in the image.
template <class S> struct depthwise_lane {
    int row, col;
    __device__ __forceinline__ depthwise_lane()
        : row(thread_index() % 32 / S::width * S::rows), col(thread_index() % S::width) {}
    __device__ __forceinline__ bool has(const conv_tile &tile, int i) const {
        return row + i < tile.rows && col < tile.cols;
    }
};

// Starts copying a warp's tile of `channel` of x to `stage`, zeros for what lies outside x; 16 bytes at a time where
// all lines begin at multiples of as much. To be committed and waited for by the warp.
template <class S>
__device__ __forceinline__ void copy_plane(typename S::element *stage, const cs_conv_args &args, const conv_tile &tile,
                                           int channel) {
    using E = typename S::element;
    using W = typename S::window;
    constexpr int VECTOR = 16 / sizeof(E);
    static_assert(S::pitch % VECTOR == 0 && S::plane % VECTOR == 0 && W::lead % VECTOR == 0, "lines begin aligned");
    const E *const plane = static_cast<const E *>(args.x) + tile.n * args.x_strides[0] + channel * args.x_strides[1];
    const int top = tile.row * W::stride_h - W::pad_h, left = tile.col * W::stride_w - W::lead;
    const auto copy = [&](auto each, const auto &copy_one) { // `each` elements at a time
        constexpr int EACH = decltype(each)::value, LINE = S::pitch / EACH;
#pragma unroll 4
        for (int i = thread_index() % 32; i < S::staged_rows * LINE; i += 32) {
            const int row = i / LINE, col = i % LINE * EACH;
            const bool real = is_index(top + row, args.h) && is_index(left + col, args.w);
            copy_one(stage + row * S::pitch + col, real ? plane + (top + row) * args.x_strides[2] + left + col : plane,
                     real);
        }
    };
    if (x_is_aligned<VECTOR>(args))
        copy(constant<VECTOR>(), [](E *to, const E *from, bool real) { cp_async_16(to, from, real); });
    else
        copy(constant<1>(), [](E *to, const E *from, bool real) { copy_element(to, from, real); });
}

// The COUNT inputs of one column that the taps of a thread's outputs touch.
template <class S, int COUNT> struct depthwise_column {
    float value[COUNT];
    __device__ __forceinline__ explicit depthwise_column(const typename S::element *x) {
#pragma unroll
        for (int i = 0; i < COUNT; ++i)
            value[i] = to_float(x[i * S::pitch]);
    }
};

// One tap: `weight` times the inputs from `x` down.
template <class S>
__device__ __forceinline__ void depthwise_tap(typename S::accumulators &z, float weight, const float *x) {
#pragma unroll
    for (int i = 0; i < S::rows; ++i)
        z[i] += weight * x[i * S::window::stride_h];
}

// The moments of a warp's tile: of its pixels first, then over the lanes.
template <class S, int C_OUT>
__device__ __forceinline__ void depthwise_write_moments(const cs_conv_args &args, const conv_tile &tile, int channel,
                                                        const typename S::accumulators &values) {
    const depthwise_lane<S> at;
    float sum = 0.0f, m2 = 0.0f;
#pragma unroll
    for (int i = 0; i < S::rows; ++i)
        if (at.has(tile, i))
            sum += values[i];
    const float mean = sum_over_lanes<32>(sum) / static_cast<float>(tile.rows * tile.cols);
#pragma unroll
    for (int i = 0; i < S::rows; ++i)
        if (at.has(tile, i))
            m2 += (values[i] - mean) * (values[i] - mean);
    m2 = sum_over_lanes<32>(m2);
    const size_t tiles = static_cast<size_t>(args.tiles_h) * args.tiles_w;
    if (thread_index() % 32 == 0)
        args.moments[(static_cast<size_t>(tile.n) * C_OUT + channel) * tiles + tile.index] = {mean, m2};
}

// Normalises (NORMALISE) a warp's tile, takes it through what stands behind that, and writes the part of it that lies
// in y.
template <class S, int C_OUT, bool NORMALISE, class Behind = nothing_behind>
__device__ __forceinline__ void depthwise_write_outputs(const cs_conv_args &args, const conv_tile &tile, int channel,
                                                        const typename S::accumulators &values) {
    using E = typename S::element;
    const depthwise_lane<S> lane;
    cs_affine norm = {1.0f, 0.0f};
    if (NORMALISE)
        norm = normalisation<C_OUT>(args, tile, channel);
    E *const plane = output_plane<E>(args, tile, channel);
    const Behind behind(args, channel, plane - static_cast<const E *>(args.y));
#pragma unroll
    for (int i = 0; i < S::rows; ++i)
        if (lane.has(tile, i)) {
            const int64_t at = (lane.row + i) * args.y_strides[2] + lane.col;
            store_global(plane + at, from_float<E>(behind(NORMALISE ? values[i] * norm.a + norm.b : values[i], at)));
        }
}
