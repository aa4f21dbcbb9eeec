// SPDX-License-Identifier: Apache-2.0
//
// Kernels of one input channel an output channel on tensors with contiguous channels: a lane is CHANNELS neighbours, 32
// bits of them or one; a thread computes ROWS x COLS pixels of each, straight from x, which the caches keep between
// neighbours.
#pragma once

#include <device/moments.cuh>
#include <device/nhwc.cuh>
#include <device/split.cuh>

// C_OUT channels of y, MULTIPLE of them to one of x.
template <class E, int CHANNELS, int C_OUT, int MULTIPLE, int ROWS, int COLS, int WARPS, int KH, int KW, int DILATION_H,
          int DILATION_W, class W>
struct depthwise_pixels {
    using element = E;
    using window = W;
    static constexpr int channels = CHANNELS, c_out = C_OUT, multiple = MULTIPLE;
    static constexpr int rows = ROWS, cols = COLS, warps = WARPS;
    static constexpr int kh = KH, kw = KW, dilation_h = DILATION_H, dilation_w = DILATION_W;
    static constexpr int tile_c = 32 * CHANNELS;
    static constexpr int reach_h = (ROWS - 1) * W::stride_h + (KH - 1) * DILATION_H + 1; // of all its pixels
    static constexpr int reach_w = (COLS - 1) * W::stride_w + (KW - 1) * DILATION_W + 1;
    using accumulators = float[CHANNELS][ROWS][COLS];
    // Which channel of x one of y is made of; lanes without a channel take the last one's.
    static __device__ __forceinline__ int input_of(int channel) { return min(channel, C_OUT - 1) / MULTIPLE; }
};

// Whether each lane's channels are 32 bits of a tensor of C_OUT channels, at a multiple of as much, and pixels lie next
// to each other, so that the compiler knows what is between them.
template <class S> __device__ __forceinline__ bool has_words(const void *tensor, const int64_t (&strides)[4]) {
    const uint32_t all = static_cast<uint32_t>(strides[0] | strides[2]);
    return S::channels > 1 && S::c_out % S::channels == 0 && strides[3] == S::c_out &&
           (all % S::channels | global_address(tensor) % 4) == 0;
}

// A lane's inputs of one row that its pixels touch, from `channel` of the pixel at x on, pixels being `step` bytes
// apart; zeros for columns that x does not have, and all where the row is none of x. WORDS: they are loaded 32 bits at
// a time; INSIDE: x has all of them.
template <class S, bool WORDS, bool INSIDE> struct input_row {
    using element = typename S::element;
    float value[S::channels][S::reach_w];
    __device__ __forceinline__ input_row(const char *x, int64_t step, int width, int channel, int left, bool has_row) {
#pragma unroll
        for (int i = 0; i < S::reach_w; ++i, x += step) {
            const bool real = INSIDE || (has_row && is_index(left + i, width));
            if constexpr (WORDS) {
                const uint32_t word = real ? load_global(reinterpret_cast<const uint32_t *>(x)) : 0;
#pragma unroll
                for (int c = 0; c < S::channels; ++c)
                    value[c][i] = to_float(element_of<element>(word, c));
            } else {
                const element *const from = reinterpret_cast<const element *>(x);
#pragma unroll
                for (int c = 0; c < S::channels; ++c)
                    value[c][i] =
                        real ? to_float(load_global(from + S::input_of(channel + c) - S::input_of(channel))) : 0.0f;
            }
        }
    }
};

// Adds what a row of inputs, `down` rows below the first, gives to each pixel. tap(c, ky, kx) is a weight.
template <class S, class Row, class F>
__device__ __forceinline__ void add_row(typename S::accumulators &z, const Row &in, int down, const F &tap) {
#pragma unroll
    for (int row = 0; row < S::rows; ++row) {
        const int below = down - row * S::window::stride_h, ky = below / S::dilation_h;
        if (below < 0 || below % S::dilation_h != 0 || ky >= S::kh)
            continue;
#pragma unroll
        for (int kx = 0; kx < S::kw; ++kx)
#pragma unroll
            for (int c = 0; c < S::channels; ++c) {
                const float weight = tap(c, ky, kx);
#pragma unroll
                for (int col = 0; col < S::cols; ++col)
                    z[c][row][col] += weight * in.value[c][col * S::window::stride_w + kx * S::dilation_w];
            }
    }
}

// Adds z of a warp's pixels of sample n, whose inputs begin at (top, left); of channels of y from `channel` on.
template <class S, bool WORDS, bool INSIDE, class F>
__device__ __forceinline__ void add_pixels(typename S::accumulators &z, const cs_conv_args &args, int n, int top,
                                           int left, int channel, const F &tap) {
    const int64_t line = args.x_strides[2] * sizeof(typename S::element);
    const int64_t step = (WORDS ? S::c_out : args.x_strides[3]) * sizeof(typename S::element);
    const int64_t corner = n * args.x_strides[0] + S::input_of(channel);
    const char *const x = reinterpret_cast<const char *>(static_cast<const typename S::element *>(args.x) + corner) +
                          top * line + left * step;
#pragma unroll
    for (int down = 0; down < S::reach_h; ++down) {
        const input_row<S, WORDS, INSIDE> in(x + down * line, step, args.w, channel, left,
                                             is_index(top + down, args.h));
        add_row<S>(z, in, down, tap);
    }
}

template <class S, class F>
__device__ __forceinline__ void convolve_pixels(typename S::accumulators &z, const cs_conv_args &args,
                                                const conv_tile &tile, int first, int channel, const F &tap) {
    using W = typename S::window;
    const int top = (tile.row + first) * W::stride_h - W::pad_h, left = tile.col * W::stride_w - W::pad_w;
    const bool inside = top >= 0 && top + S::reach_h <= args.h && left >= 0 && left + S::reach_w <= args.w;
    const int last = min(channel, S::c_out - S::channels); // that a word begins with
    if (S::multiple != 1 || !has_words<S>(args.x, args.x_strides))
        add_pixels<S, false, false>(z, args, tile.n, top, left, channel, tap);
    else if (inside)
        add_pixels<S, true, true>(z, args, tile.n, top, left, last, tap);
    else
        add_pixels<S, true, false>(z, args, tile.n, top, left, last, tap);
}

// The moments of the block's tile. `scratch`: warps * tile_c entries of shared memory.
template <class S>
__device__ __forceinline__ void write_moments_of_pixels(const cs_conv_args &args, const conv_tile &tile,
                                                        const typename S::accumulators &values, cs_moments *scratch) {
    const int warp = thread_index() / 32, lane = thread_index() % 32;
    const int rows = rows_of_warp<S::rows>(tile, warp);
    const float count = static_cast<float>(rows * tile.cols), inverse = count > 0.0f ? 1.0f / count : 0.0f;
#pragma unroll
    for (int c = 0; c < S::channels; ++c) {
        float sum = 0.0f, m2 = 0.0f;
#pragma unroll
        for (int i = 0; i < S::rows * S::cols; ++i)
            if (i / S::cols < rows && i % S::cols < tile.cols)
                sum += values[c][i / S::cols][i % S::cols];
        const float mean = sum * inverse;
#pragma unroll
        for (int i = 0; i < S::rows * S::cols; ++i)
            if (i / S::cols < rows && i % S::cols < tile.cols) {
                const float deviation = values[c][i / S::cols][i % S::cols] - mean;
                m2 += deviation * deviation;
            }
        scratch[warp * S::tile_c + lane * S::channels + c] = {mean, m2};
    }
    write_tile_moments<S::warps, S::rows, S::tile_c, S::c_out>(args, tile, scratch);
}

// Writes a lane's channels of one pixel: all at once where they are `words`, else the first `count` one by one.
template <class E>
__device__ __forceinline__ void write_lane(E *to, const float (&values)[1], bool /* words */, int /* count */) {
    store_global(to, from_float<E>(values[0]));
}
template <class E> __device__ __forceinline__ void write_lane(E *to, const float (&values)[2], bool words, int count) {
    if (words) {
        store_global(reinterpret_cast<uint32_t *>(to), pack_elements<E>(values[0], values[1]));
    } else {
#pragma unroll
        for (int c = 0; c < 2; ++c)
            if (c < count)
                store_global(to + c, from_float<E>(values[c]));
    }
}

// Normalises (NORMALISE) a warp's pixels, takes them through what stands behind that, and writes those that lie in y.
template <class S, bool NORMALISE, class Behind = nothing_behind>
__device__ __forceinline__ void write_single_pixels(const cs_conv_args &args, const conv_tile &tile, int first,
                                                    int channel, const typename S::accumulators &values) {
    using E = typename S::element;
    const int count = S::c_out - channel; // of the lane's channels, those below it
    if (count <= 0)
        return;
    cs_affine norms[S::channels];
    load_normalisations<S::c_out, NORMALISE>(norms, args, tile, channel);
    const auto write = [&](auto words) {
        constexpr bool WORDS = decltype(words)::value;
        const int64_t step = WORDS ? S::c_out : args.y_strides[3];
#pragma unroll
        for (int row = 0; row < S::rows; ++row) {
            if (first + row >= tile.rows)
                continue;
            const int64_t place = pixel_place(args, tile, first + row, 0) + channel;
            E *const to = static_cast<E *>(args.y) + place;
#pragma unroll
            for (int col = 0; col < S::cols; ++col)
                if (col < tile.cols) {
                    float results[S::channels] = {};
#pragma unroll
                    for (int c = 0; c < S::channels; ++c)
                        if (WORDS || c < count)
                            results[c] = finished_value<NORMALISE, Behind>(args, values[c][row][col], norms[c],
                                                                           channel + c, place + col * step + c);
                    write_lane(to + col * step, results, WORDS, count);
                }
        }
    };
    if (has_words<S>(args.y, args.y_strides))
        write(constant<true>());
    else
        write(constant<false>());
}
