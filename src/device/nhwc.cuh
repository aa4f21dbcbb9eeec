// SPDX-License-Identifier: Apache-2.0
//
// Tensors with contiguous channels (NHWC): bringing a tile's part of x into shared memory pixel by pixel, and writing
// the channels of a pixel in runs.
#pragma once

#include <device/tile.cuh>

// Whether every VECTOR channels of a pixel, from its first on, begin at a multiple of 16 bytes.
template <int VECTOR>
__device__ __forceinline__ bool pixels_are_aligned(const void *tensor, const int64_t (&strides)[4]) {
    return (static_cast<uint32_t>(strides[0] | strides[2] | strides[3]) % VECTOR | global_address(tensor) % 16) == 0;
}

// Starts copying CHANNELS channels, from `first` on, of ROWS lines of PITCH pixels at the tile's corner to
// stage[ROWS][PITCH][PIXEL]. What lies outside x is zero, and so are channels that x does not have. 16 bytes at a time
// where all pixels begin at multiples of as much. The C_IN channels are those of a group, which begin at `base` in x.
// To be committed and waited for.
template <int C_IN, int CHANNELS, int ROWS, int PITCH, int PIXEL, int THREADS, class W = plain_window, class E>
__device__ __forceinline__ void copy_pixels(E *stage, const cs_conv_args &args, const conv_tile &tile, int first,
                                            int base = 0) {
    constexpr int VECTOR = 16 / sizeof(E);
    const E *const sample = static_cast<const E *>(args.x) + tile.n * args.x_strides[0] + base;
    const int top = tile.row * W::stride_h - W::pad_h, left = tile.col * W::stride_w - W::pad_w;
    const auto copy = [&](auto each, const auto &copy_one) { // `each` elements at a time
        constexpr int EACH = decltype(each)::value, PARTS = CHANNELS / EACH;
#pragma unroll 2
        for (int i = thread_index(); i < ROWS * PITCH * PARTS; i += THREADS) {
            const int c = i % PARTS * EACH, pixel = i / PARTS, row = pixel / PITCH, col = pixel % PITCH;
            const bool real = (C_IN % CHANNELS == 0 || first + c < C_IN) && is_index(top + row, args.h) &&
                              is_index(left + col, args.w);
            const E *const from =
                sample + (top + row) * args.x_strides[2] + (left + col) * args.x_strides[3] + first + c;
            copy_one(stage + pixel * PIXEL + c, real ? from : sample, real);
        }
    };
    if constexpr (C_IN % VECTOR == 0 && CHANNELS % VECTOR == 0 && PIXEL % VECTOR == 0)
        if (pixels_are_aligned<VECTOR>(args.x, args.x_strides)) {
            copy(constant<VECTOR>(), [](E *to, const E *from, bool real) { cp_async_16(to, from, real); });
            return;
        }
    copy(constant<1>(), [](E *to, const E *from, bool real) { copy_element(to, from, real); });
}

// Writes the values of VECTOR neighbouring channels of one pixel, 16 bytes where `whole`, else the first `count` one by
// one.
template <class E, int VECTOR>
__device__ __forceinline__ void write_channels(E *to, const float (&values)[VECTOR], bool whole, int count) {
    static_assert(VECTOR == 16 / sizeof(E), "16 bytes at a time");
    if (whole) {
        store_global_16(to, packed_vector<E>(values));
    } else {
#pragma unroll
        for (int i = 0; i < VECTOR; ++i)
            if (i < count)
                store_global(to + i, from_float<E>(values[i]));
    }
}

// One value of y on its way there: normalised (NORMALISE), then through what stands behind that.
template <bool NORMALISE, class Behind>
__device__ __forceinline__ float finished_value(const cs_conv_args &args, float value, cs_affine norm, int channel,
                                                int64_t place) {
    return Behind(args, channel, place)(NORMALISE ? value * norm.a + norm.b : value, 0);
}

// The normalisation of COUNT channels from `channel` on; of those that y has.
template <int C_OUT, bool NORMALISE, int COUNT>
__device__ __forceinline__ void load_normalisations(cs_affine (&norms)[COUNT], const cs_conv_args &args,
                                                    const conv_tile &tile, int channel) {
#pragma unroll
    for (int i = 0; i < COUNT; ++i) {
        norms[i] = {1.0f, 0.0f};
        if (NORMALISE && channel + i < C_OUT)
            norms[i] = normalisation<C_OUT>(args, tile, channel + i);
    }
}

// Where y has the first channel of a pixel of a tile.
__device__ __forceinline__ int64_t pixel_place(const cs_conv_args &args, const conv_tile &tile, int row, int col) {
    return tile.n * args.y_strides[0] + (tile.row + row) * args.y_strides[2] + (tile.col + col) * args.y_strides[3];
}
