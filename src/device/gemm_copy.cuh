// SPDX-License-Identifier: Apache-2.0
//
// x as the copy engine wants it: [n][h * w][copy_channels], the channels contiguous; those beyond C_in are zero. Or in
// planes, [n][C_in][plane], whose rows are args.gemm.line apart; pixels that x does not have are zero.
#pragma once

#include <cstring>
#include <device/tile.cuh>

constexpr int COPY_CHANNELS = 64, COPY_PIXELS = 64; // of a block

__device__ __forceinline__ f16 as_operand(f16 value, f16) { return value; }
__device__ __forceinline__ bf16 as_operand(bf16 value, bf16) { return value; }
__device__ __forceinline__ tf32 as_operand(float value, tf32) { return from_float<tf32>(value); }

// COUNT neighbouring elements, that lie at a multiple of their size.
template <int COUNT, class E> struct neighbours {
    E at[COUNT];
    __device__ __forceinline__ explicit neighbours(const E *from) {
        if constexpr (sizeof at == 16) {
            const float4 v = load_global_16(reinterpret_cast<const float *>(from));
            memcpy(at, &v, sizeof at);
        } else if constexpr (sizeof at == 8) {
            const float2 v = load_global_8(reinterpret_cast<const float *>(from));
            memcpy(at, &v, sizeof at);
        } else {
#pragma unroll
            for (int i = 0; i < COUNT; ++i)
                at[i] = load_global(from + i);
        }
    }
};

// A block's part of the copy: COPY_PIXELS pixels and COPY_CHANNELS channels of a sample.
template <class Tensor, class Operand, int C_IN> struct channels_last_copy {
    static constexpr int WORD = 4 / sizeof(Operand); // operands of a word, neighbouring channels
    static constexpr int LANES = COPY_CHANNELS / WORD;

    const cs_conv_args &args;
    int64_t n;
    int pixels, first, first_channel;
    uint32_t *const staged; // [pixels][LANES words], LANES + 1 words apart

    // Block b: of b % pixel blocks, b / pixel blocks % channel blocks and so on.
    __device__ __forceinline__ explicit channels_last_copy(const cs_conv_args &args)
        : args(args), pixels(args.h * args.w), staged(shared_memory<uint32_t>()) {
        const int pixel_blocks = (pixels + COPY_PIXELS - 1) / COPY_PIXELS;
        const int channel_blocks = (args.gemm.copy_channels + COPY_CHANNELS - 1) / COPY_CHANNELS;
        const int64_t block = block_index();
        if (block == 0 && args.gemm.copied < args.n)
            for (int i = thread_index(); i <= args.n; i += CS_COPY_THREADS)
                args.gemm.marks[i] = 0;
        first = static_cast<int>(block % pixel_blocks) * COPY_PIXELS;
        first_channel = static_cast<int>(block / pixel_blocks % channel_blocks) * COPY_CHANNELS;
        n = block / pixel_blocks / channel_blocks;
    }

    // Brings words of channels, COUNT pixels at a time that are neighbours in x.
    template <int COUNT> __device__ __forceinline__ void stage() const {
        constexpr int ACROSS = COPY_PIXELS / COUNT, STEP = CS_COPY_THREADS / ACROSS;
        const int at = thread_index() % ACROSS * COUNT, p = first + at;
        const Tensor *const from = static_cast<const Tensor *>(args.x) + n * args.x_strides[0] +
                                   p / args.w * args.x_strides[2] + p % args.w * args.x_strides[3];
#pragma unroll
        for (int word = thread_index() / ACROSS; word < LANES; word += STEP) {
            uint32_t bits[COUNT] = {};
#pragma unroll
            for (int i = 0; i < WORD; ++i) {
                const int channel = first_channel + word * WORD + i;
                if (p >= pixels || channel >= C_IN)
                    continue;
                const neighbours<COUNT, Tensor> run(from + channel * args.x_strides[1]);
#pragma unroll
                for (int k = 0; k < COUNT; ++k)
                    bits[k] |= static_cast<uint32_t>(as_operand(run.at[k], Operand{}).bits) << (32 / WORD * i);
            }
#pragma unroll
            for (int k = 0; k < COUNT; ++k)
                staged[(at + k) * (LANES + 1) + word] = bits[k];
        }
    }

    // The same from pixels whose channels lie together.
    __device__ __forceinline__ void stage_pixels() const {
        constexpr int STEP = CS_COPY_THREADS / LANES;
        const int word = thread_index() % LANES, channel = first_channel + word * WORD;
        const Tensor *const from = static_cast<const Tensor *>(args.x) + n * args.x_strides[0] + channel;
#pragma unroll 4
        for (int at = thread_index() / LANES; at < COPY_PIXELS; at += STEP) {
            const int p = first + at;
            const int64_t place = p / args.w * args.x_strides[2] + p % args.w * args.x_strides[3];
            uint32_t bits = 0;
#pragma unroll
            for (int i = 0; i < WORD; ++i)
                if (p < pixels && channel + i < C_IN)
                    bits |= static_cast<uint32_t>(as_operand(load_global(from + place + i), Operand{}).bits)
                            << (32 / WORD * i);
            staged[at * (LANES + 1) + word] = bits;
        }
    }

    // Writes the staged pixels, four words of channels at a time; there are no fewer.
    __device__ __forceinline__ void write() const {
        constexpr int ACROSS = LANES / 4, STEP = CS_COPY_THREADS / ACROSS;
        const int word = thread_index() % ACROSS * 4;
        if (first_channel + word * WORD >= args.gemm.copy_channels)
            return;
        Operand *const to = static_cast<Operand *>(args.gemm.copy) + (n * pixels + first) * args.gemm.copy_channels +
                            first_channel + word * WORD;
#pragma unroll
        for (int i = thread_index() / ACROSS; i < COPY_PIXELS; i += STEP) {
            float4 four;
            uint32_t words[4];
#pragma unroll
            for (int k = 0; k < 4; ++k)
                words[k] = staged[i * (LANES + 1) + word + k];
            memcpy(&four, words, sizeof four);
            if (first + i < pixels)
                store_global_16_kept(to + static_cast<int64_t>(i) * args.gemm.copy_channels, four);
        }
    }
};

// 16 or 8 bytes of a plane at a time where all planes are contiguous and begin and end at multiples of as much.
template <class Tensor, class Operand, int C_IN>
__device__ __forceinline__ void copy_channels_last(const cs_conv_args &args) {
    constexpr int VECTOR = 16 / sizeof(Tensor);
    const channels_last_copy<Tensor, Operand, C_IN> copy(args);
    const bool contiguous = args.x_strides[3] == 1 && args.x_strides[2] == args.w;
    const uint32_t strides = static_cast<uint32_t>(args.x_strides[0] | args.x_strides[1] | copy.pixels);
    const auto come_in = [&](int count) {
        return contiguous && (strides % count | global_address(args.x) % (count * sizeof(Tensor))) == 0;
    };
    if (come_in(VECTOR))
        copy.template stage<VECTOR>();
    else if (come_in(VECTOR / 2))
        copy.template stage<VECTOR / 2>();
    else
        copy.template stage<1>();
    sync_threads();
    copy.write();
}

// The same of x whose channels are contiguous already, but not as the copy engine or the products want them.
template <class Tensor, class Operand, int C_IN>
__device__ __forceinline__ void copy_pixels_on(const cs_conv_args &args) {
    const channels_last_copy<Tensor, Operand, C_IN> copy(args);
    copy.stage_pixels();
    sync_threads();
    copy.write();
}

// In planes; blocks are numbered alike.
template <class Tensor, int C_IN> __device__ __forceinline__ void copy_planes(const cs_conv_args &args) {
    const int pixels = args.gemm.plane, line = args.gemm.line;
    const int pixel_blocks = (pixels + COPY_PIXELS - 1) / COPY_PIXELS;
    constexpr int CHANNEL_BLOCKS = (C_IN + COPY_CHANNELS - 1) / COPY_CHANNELS;
    const int64_t block = block_index(), n = block / pixel_blocks / CHANNEL_BLOCKS;
    const int first_channel = static_cast<int>(block / pixel_blocks % CHANNEL_BLOCKS) * COPY_CHANNELS;
    const int p = static_cast<int>(block % pixel_blocks) * COPY_PIXELS + thread_index() % COPY_PIXELS;
    if (p >= pixels)
        return;
    const bool real = p / line < args.h && p % line < args.w;
    const Tensor *const from = static_cast<const Tensor *>(args.x) + n * args.x_strides[0] +
                               p / line * args.x_strides[2] + p % line * args.x_strides[3];
    Tensor *const to = static_cast<Tensor *>(args.gemm.copy) + n * C_IN * pixels + p;
    const int end = min(C_IN, first_channel + COPY_CHANNELS);
#pragma unroll 8
    for (int c = first_channel + thread_index() / COPY_PIXELS; c < end; c += CS_COPY_THREADS / COPY_PIXELS)
        store_global(to + static_cast<int64_t>(c) * pixels,
                     real ? load_global(from + c * args.x_strides[1]) : Tensor{});
}
