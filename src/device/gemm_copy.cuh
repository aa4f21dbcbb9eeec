// SPDX-License-Identifier: Apache-2.0
//
// x as the copy engine wants it: [n][h * w][copy_channels], the channels contiguous; those beyond C_in are zero.
#pragma once

#include <device/args.h>
#include <device/ptx.cuh>

constexpr int COPY_CHANNELS = 64, COPY_PIXELS = 64, COPY_THREADS = CS_COPY_THREADS; // of a block
constexpr int COPY_PITCH = COPY_PIXELS + 1;

__device__ __forceinline__ f16 as_operand(f16 value, f16) { return value; }
__device__ __forceinline__ bf16 as_operand(bf16 value, bf16) { return value; }
__device__ __forceinline__ tf32 as_operand(float value, tf32) { return from_float<tf32>(value); }

// Block b copies pixels from b % pixel_blocks * COPY_PIXELS on of channels (b / pixel_blocks) % channel_blocks *
// COPY_CHANNELS on of a sample, for each C_IN channels of x.
template <class Tensor, class Operand, int C_IN>
__device__ __forceinline__ void copy_channels_last(const cs_conv_args &args) {
    Operand *const staged = shared_memory<Operand>(); // [COPY_CHANNELS][COPY_PITCH]
    const int pixels = args.h * args.w;
    const int pixel_blocks = (pixels + COPY_PIXELS - 1) / COPY_PIXELS;
    const int channel_blocks = (args.gemm.copy_channels + COPY_CHANNELS - 1) / COPY_CHANNELS;
    const int64_t block = block_index();
    const int first = static_cast<int>(block % pixel_blocks) * COPY_PIXELS;
    const int first_channel = static_cast<int>(block / pixel_blocks % channel_blocks) * COPY_CHANNELS;
    const int64_t n = block / pixel_blocks / channel_blocks;

    const int p = first + thread_index() % COPY_PIXELS;
    const Tensor *const from = static_cast<const Tensor *>(args.x) + n * args.x_strides[0] +
                               p / args.w * args.x_strides[2] + p % args.w * args.x_strides[3];
#pragma unroll 8
    for (int c = thread_index() / COPY_PIXELS; c < COPY_CHANNELS; c += COPY_THREADS / COPY_PIXELS) {
        const bool real = p < pixels && first_channel + c < C_IN;
        staged[c * COPY_PITCH + p - first] =
            real ? as_operand(load_global(from + (first_channel + c) * args.x_strides[1]), Operand{}) : Operand{};
    }
    sync_threads();
    const int c = thread_index() % COPY_CHANNELS;
    Operand *const to =
        static_cast<Operand *>(args.gemm.copy) + (n * pixels + first) * args.gemm.copy_channels + first_channel + c;
    if (first_channel + c < args.gemm.copy_channels)
#pragma unroll 8
        for (int i = thread_index() / COPY_CHANNELS; i < COPY_PIXELS; i += COPY_THREADS / COPY_CHANNELS)
            if (first + i < pixels)
                store_global(to + static_cast<int64_t>(i) * args.gemm.copy_channels, staged[c * COPY_PITCH + i]);
}
