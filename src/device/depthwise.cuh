// SPDX-License-Identifier: Apache-2.0
//
// Kernels of one input channel an output channel: nothing is shared between the channels of y, so that each warp works
// alone. Its lanes are WIDTH neighbours, in 32 / WIDTH groups below each other; a thread computes ROWS pixels, one
// below the other, of COLS columns: one, or two neighbours whose elements make a word.
#pragma once

#include <device/moments.cuh>
#include <device/split.cuh>
#include <device/tile.cuh>

// W: a conv_window. STAGED_ROWS lines of PITCH inputs are staged for a tile, PLANE elements a warp.
template <class E, int WIDTH, int COLS, int ROWS, int WARPS, int STAGED_ROWS, int PITCH, int PLANE, class W>
struct depthwise_shape {
    using element = E;
    using window = W;
    static constexpr int width = WIDTH, cols = COLS, rows = ROWS, warps = WARPS;
    static constexpr int tile_h = 32 / WIDTH * ROWS;
    static constexpr int staged_rows = STAGED_ROWS, pitch = PITCH, plane = PLANE;
    using column = float[ROWS];
    using accumulators = column[COLS];
};

// A lane's first pixel in its warp's tile, and what of its pixels lies in the image.
template <class S> struct depthwise_lane {
    int row, col;
    __device__ __forceinline__ depthwise_lane()
        : row(thread_index() % 32 / S::width * S::rows), col(thread_index() % S::width * S::cols) {}
    __device__ __forceinline__ bool has(const conv_tile &tile, int i, int j) const {
        return row + i < tile.rows && col + j < tile.cols;
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
    const int lane = thread_index() % 32;
    const auto copy = [&](auto each, const auto &copy_one) { // `each` elements at a time
        constexpr int EACH = decltype(each)::value, LINE = S::pitch / EACH;
        constexpr int LANES = LINE < 32 ? LINE : 32, STEP = 32 / LANES; // of a line; lines at a time
        constexpr int ROUNDS = (S::staged_rows + STEP - 1) / STEP;
        const int first = lane / LANES;
        for (int col = lane % LANES * EACH; col < S::pitch; col += LANES * EACH) {
            const bool has_col = first < STEP && is_index(left + col, args.w);
            const E *from = plane + (top + first) * args.x_strides[2] + left + col;
            E *const to = stage + first * S::pitch + col;
#pragma unroll 4
            for (int i = 0; i < ROUNDS; ++i, from += STEP * args.x_strides[2]) {
                const int row = first + i * STEP;
                const bool real = has_col && is_index(top + row, args.h);
                if (first < STEP && row < S::staged_rows)
                    copy_one(to + i * STEP * S::pitch, real ? from : plane, real);
            }
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
    depthwise_column() = default;
    __device__ __forceinline__ explicit depthwise_column(const typename S::element *x) {
#pragma unroll
        for (int i = 0; i < COUNT; ++i)
            value[i] = to_float(x[i * S::pitch]);
    }
};

// The same of two neighbouring columns, in words.
template <class S, int COUNT> struct depthwise_words {
    uint32_t word[COUNT];
    __device__ __forceinline__ explicit depthwise_words(const typename S::element *x) {
#pragma unroll
        for (int i = 0; i < COUNT; ++i)
            word[i] = load_shared_4(x + i * S::pitch);
    }
    __device__ __forceinline__ depthwise_column<S, COUNT> column(int half) const {
        depthwise_column<S, COUNT> one;
#pragma unroll
        for (int i = 0; i < COUNT; ++i)
            one.value[i] = to_float(element_of<typename S::element>(word[i], half));
        return one;
    }
};

// One tap: `weight` times the inputs from `x` down.
template <class S> __device__ __forceinline__ void depthwise_tap(typename S::column &z, float weight, const float *x) {
#pragma unroll
    for (int i = 0; i < S::rows; ++i)
        z[i] += weight * x[i * S::window::stride_h];
}

// All taps of two neighbouring columns of outputs, the first one's beginning at x[EARLY], which x is even with. tap(kx,
// ky) is a weight.
template <class S, int COUNT, int KH, int KW, int DILATION_H, int EARLY, class F>
__device__ __forceinline__ void depthwise_taps_of_words(typename S::accumulators &z, const typename S::element *x,
                                                        const F &tap) {
#pragma unroll
    for (int column = 0; column < EARLY + KW + 1; column += 2) {
        const depthwise_words<S, COUNT> words(x + column);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const depthwise_column<S, COUNT> in = words.column(half);
#pragma unroll
            for (int j = 0; j < 2; ++j) {
                const int kx = column + half - EARLY - j;
                if (kx < 0 || kx >= KW)
                    continue;
#pragma unroll
                for (int ky = 0; ky < KH; ++ky)
                    depthwise_tap<S>(z[j], tap(kx, ky), in.value + ky * DILATION_H);
            }
        }
    }
}

// The moments of a warp's tile: of its pixels first, then over the lanes.
template <class S, int C_OUT>
__device__ __forceinline__ void depthwise_write_moments(const cs_conv_args &args, const conv_tile &tile, int channel,
                                                        const typename S::accumulators &values) {
    const depthwise_lane<S> at;
    float sum = 0.0f, m2 = 0.0f;
#pragma unroll
    for (int i = 0; i < S::rows * S::cols; ++i)
        if (at.has(tile, i % S::rows, i / S::rows))
            sum += values[i / S::rows][i % S::rows];
    const float mean = sum_over_lanes<32>(sum) / static_cast<float>(tile.rows * tile.cols);
#pragma unroll
    for (int i = 0; i < S::rows * S::cols; ++i)
        if (at.has(tile, i % S::rows, i / S::rows)) {
            const float deviation = values[i / S::rows][i % S::rows] - mean;
            m2 += deviation * deviation;
        }
    m2 = sum_over_lanes<32>(m2);
    const size_t tiles = static_cast<size_t>(args.tiles_h) * args.tiles_w;
    if (thread_index() % 32 == 0)
        args.moments[(static_cast<size_t>(tile.n) * C_OUT + channel) * tiles + tile.index] = {mean, m2};
}

// Two values as a word of y; of a single one there is none.
template <class E> __device__ __forceinline__ void store_word(E *y, const float (&values)[2]) {
    store_global(reinterpret_cast<uint32_t *>(y), pack_elements<E>(values[0], values[1]));
}
template <class E> __device__ __forceinline__ void store_word(E *, const float (&)[1]) {}

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
    const auto write = [&](auto words, auto whole) { // whole: all rows lie in y
        constexpr bool WORDS = decltype(words)::value, WHOLE = decltype(whole)::value;
        if (lane.col >= tile.cols)
            return;
        int64_t at = lane.row * args.y_strides[2] + lane.col;
#pragma unroll
        for (int i = 0; i < S::rows; ++i, at += args.y_strides[2]) {
            if (!WHOLE && lane.row + i >= tile.rows)
                continue;
            float results[S::cols] = {};
#pragma unroll
            for (int j = 0; j < S::cols; ++j)
                if (WORDS || lane.has(tile, i, j))
                    results[j] = behind(NORMALISE ? values[j][i] * norm.a + norm.b : values[j][i], at + j);
            if constexpr (WORDS) {
                store_word(plane + at, results);
            } else {
#pragma unroll
                for (int j = 0; j < S::cols; ++j)
                    if (lane.has(tile, i, j))
                        store_global(plane + at + j, from_float<E>(results[j]));
            }
        }
    };
    // Lanes have both of their columns or none.
    const bool words = S::cols == 2 && (global_address(plane) % 4 | args.y_strides[2] % 2 | tile.cols % 2) == 0;
    if (words && tile.rows == S::tile_h)
        write(constant<true>(), constant<true>());
    else if (words)
        write(constant<true>(), constant<false>());
    else
        write(constant<false>(), constant<false>());
}
