// SPDX-License-Identifier: Apache-2.0
//
// Tensors with contiguous channels for the plain fp32 kernels, which compute on planes.
#pragma once

#include <device/ffma.cuh>
#include <device/nhwc.cuh>

// As copy_inputs, neighbouring threads copying neighbouring channels.
template <int C_IN, int CHANNELS, int ROWS, int COLS, int PITCH, int PLANE, int THREADS, class W = plain_window>
__device__ __forceinline__ void copy_inputs_nhwc(float *stage, const cs_conv_args &args, const conv_tile &tile,
                                                 int first, int base = 0) {
    const float *const sample = static_cast<const float *>(args.x) + tile.n * args.x_strides[0] + base;
    const int top = tile.row * W::stride_h - W::pad_h, left = tile.col * W::stride_w - W::pad_w;
    for (int i = thread_index(); i < CHANNELS * ROWS * COLS; i += THREADS) {
        const int channel = i % CHANNELS, col = i / CHANNELS % COLS, row = i / (CHANNELS * COLS);
        const bool inside = first + channel < C_IN && is_index(top + row, args.h) && is_index(left + col, args.w);
        const int64_t from = (top + row) * args.x_strides[2] + (left + col) * args.x_strides[3] + first + channel;
        cp_async_4(stage + channel * PLANE + row * PITCH + col, sample + (inside ? from : 0), inside);
    }
}

// As ffma_write_outputs, four channels of a pixel at a time.
template <class S, int C_OUT, bool NORMALISE, class Behind = nothing_behind>
__device__ __forceinline__ void ffma_write_pixels(const cs_conv_args &args, const conv_tile &tile,
                                                  const typename S::accumulators &values) {
    const int warp = thread_index() / 32, lane = thread_index() % 32;
    const bool aligned = pixels_are_aligned<4>(args.y, args.y_strides);
#pragma unroll
    for (int c = 0; c < S::channels; c += 4) {
        const int channel = tile.channel + c, count = C_OUT - channel;
        cs_affine norms[4];
        load_normalisations<C_OUT, NORMALISE>(norms, args, tile, channel);
#pragma unroll
        for (int i = 0; i < S::rows; ++i) {
            const int row = warp * S::rows + i;
            if (row >= tile.rows || lane >= tile.cols)
                continue;
            const int64_t place = pixel_place(args, tile, row, lane) + channel;
            float results[4];
#pragma unroll
            for (int j = 0; j < 4; ++j)
                results[j] = j < count ? finished_value<NORMALISE, Behind>(args, values[c + j][i], norms[j],
                                                                           channel + j, place + j)
                                       : 0.0f;
            write_channels<float>(static_cast<float *>(args.y) + place, results, aligned && count >= 4, count);
        }
    }
}
