// SPDX-License-Identifier: Apache-2.0
//
// The tiles of the generic CUDA kernels: some channels of y times some pixels, which are counted through all samples.
// A tile's values go through shared memory, so that they can be computed, and be written, by whichever threads lie
// best.
#pragma once

#include <device/generic_args.h>
#include <device/ptx.cuh>

#define CS_GENERIC_THREADS 256

// CHANNELS x PIXELS, a thread computes 4 x 4 of them for each SLICES-th part of the taps.
template <int CHANNELS, int PIXELS, int SLICES> struct generic_shape {
    static constexpr int channels = CHANNELS, pixels = PIXELS, slices = SLICES;
    static constexpr int taps = 16 * SLICES;                              // that are in shared memory at a time
    static constexpr int pitch = PIXELS + 1;                              // of a channel's values
    static constexpr int values = CHANNELS * PIXELS / CS_GENERIC_THREADS; // of a thread
    static_assert(CHANNELS * PIXELS / 16 * SLICES == CS_GENERIC_THREADS, "each thread has 16 sums");
    static_assert(PIXELS <= CS_GENERIC_THREADS, "a thread locates one pixel");
};

// Where a pixel lies: in x (of the first channel, under the first tap, perhaps outside), in a tensor like y, and among
// the values; of the row and column in x. Pixels behind the last one lie above all rows.
struct generic_pixel {
    int64_t x, y, value;
    int row, col;
    int64_t n;
};

struct generic_place {
    int64_t pixel; // the first one
    int pixels, channel, channels;
};

// Fills in the places of a tile's pixels.
template <class S>
__device__ __forceinline__ void locate_pixels(const cs_generic_args &args, const generic_place &place,
                                              generic_pixel *pixels) {
    const int i = thread_index();
    if (i >= S::pixels)
        return;
    generic_pixel p = {0, 0, 0, INT32_MIN, 0, 0};
    if (i < place.pixels) {
        const cs_conv_args &conv = args.conv;
        const int64_t pixel = place.pixel + i;
        p.n = pixel / args.pixels;
        const int64_t in_sample = pixel - p.n * args.pixels;
        const int64_t row = in_sample / conv.w_out, col = in_sample - row * conv.w_out;
        p.row = static_cast<int>(row * args.stride_h - args.pad_h);
        p.col = static_cast<int>(col * args.stride_w - args.pad_w);
        p.x = p.n * conv.x_strides[0] + p.row * conv.x_strides[2] + p.col * conv.x_strides[3];
        p.y = p.n * conv.y_strides[0] + row * conv.y_strides[2] + col * conv.y_strides[3];
        p.value = p.n * args.weight.c_out * args.pixels + in_sample;
    }
    pixels[i] = p;
}

// A thread's values of a tile: value i is of pixel pixel + i * next_pixel and channel channel + i * next_channel.
// Neighbouring threads have neighbouring pixels or channels.
struct generic_share {
    int pixel, channel, next_pixel, next_channel;
};

template <class S> __device__ __forceinline__ generic_share share_of_thread(bool channels_fastest) {
    const int thread = thread_index();
    if (channels_fastest)
        return {thread / S::channels, thread % S::channels, CS_GENERIC_THREADS / S::channels, 0};
    return {thread % S::pixels, thread / S::pixels, 0, CS_GENERIC_THREADS / S::pixels};
}
