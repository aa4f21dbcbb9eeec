// SPDX-License-Identifier: Apache-2.0
//
// x as the copy engine wants it (device/gemm_copy.cuh), made while other samples are multiplied: by warps of the
// loading group, of all samples from args.gemm.copied on. The launch before has copied those in front, and cleared the
// marks: marks[0] counts the units that are taken, marks[1 + n] those of sample n that are done.
//
// A unit is 64 channels of 128 bytes of their pixels. A warp takes the next one that nobody has, so that no block waits
// for one that has not begun.
#pragma once

#include <device/gemm.cuh>
#include <device/gemm_copy.cuh>

#ifdef CS_HAS_SM90A

template <class S> class gemm_copier {
    using tensor = typename S::tensor;
    using operand = typename S::operand;
    static constexpr int PIXELS = 128 / sizeof(tensor), VECTOR = 16 / sizeof(tensor); // of a unit, of 16 bytes of it
    static constexpr int PER_WORD = 4 / sizeof(tensor);                               // pixels
    static constexpr int CHANNELS = 16 / sizeof(operand);                             // of 16 bytes of the copy
    static constexpr int PIECES = COPY_CHANNELS / CHANNELS;                           // of those for a pixel
    static_assert(GEMM_UNIT == COPY_CHANNELS * 128, "a unit's shared memory");

    const cs_conv_args &args_;
    const int lane_, pixels_, pixel_blocks_, channel_blocks_;

    // What a unit is of.
    struct place {
        int n, pixel, channel;
    };

  public:
    __device__ __forceinline__ explicit gemm_copier(const cs_conv_args &args)
        : args_(args), lane_(thread_index() % 32), pixels_(args.h * args.w),
          pixel_blocks_((pixels_ + PIXELS - 1) / PIXELS),
          channel_blocks_((args.gemm.copy_channels + COPY_CHANNELS - 1) / COPY_CHANNELS) {}

    __device__ __forceinline__ int units_of_sample() const { return pixel_blocks_ * channel_blocks_; }

    // By a whole warp. `staged`: [COPY_CHANNELS][128 bytes].
    __device__ __forceinline__ void run(unsigned char *staged) const {
        const int units = (args_.n - args_.gemm.copied) * units_of_sample();
        if (units == 0)
            return; // nor are there any marks
        for (int unit = take(); unit < units;) {
            const place at = place_of(unit);
            stage(at, staged);
            unit = take();
            cp_async_wait<0>();
            sync_warp();
            write(at, staged);
            tell(at.n);
        }
    }

  private:
    __device__ __forceinline__ int take() const {
        int unit = 0;
        if (lane_ == 0)
            unit = static_cast<int>(fetch_add_global(args_.gemm.marks, 1));
        return warp_uniform(unit);
    }

    // That a unit of sample n is written. Then its place in shared memory is free, too.
    __device__ __forceinline__ void tell(int n) const {
        fence_async_global();
        sync_warp();
        if (lane_ == 0)
            fetch_add_global(args_.gemm.marks + 1 + n, 1);
    }

    __device__ __forceinline__ place place_of(int unit) const {
        const int blocks = unit / pixel_blocks_;
        return {args_.gemm.copied + blocks / channel_blocks_, unit % pixel_blocks_ * PIXELS,
                blocks % channel_blocks_ * COPY_CHANNELS};
    }

    // Where the 16 bytes `part` of a row are staged: rows that a warp reads together lie in different banks.
    static __device__ __forceinline__ int staged_part(int row, int part) {
        return row * 128 + (part ^ (row / CHANNELS % 8)) * 16;
    }

    __device__ __forceinline__ void stage(const place &at, unsigned char *staged) const {
        const int part = lane_ % 8, pixel = at.pixel + part * VECTOR, channel = at.channel + lane_ / 8;
        const tensor *from =
            static_cast<const tensor *>(args_.x) + at.n * args_.x_strides[0] + channel * args_.x_strides[1] + pixel;
#pragma unroll 4
        for (int row = 0; row < COPY_CHANNELS; row += 4) {
            cp_async_16(staged + staged_part(lane_ / 8 + row, part), from, pixel < pixels_ && channel + row < S::c_in);
            from += 4 * args_.x_strides[1];
        }
        cp_async_commit();
    }

    // 16 bytes of pixel `pixel` of a word; words[i] is of channel i.
    static __device__ __forceinline__ float4 piece(const uint32_t (&words)[CHANNELS], int pixel) {
        uint32_t bits[4];
#pragma unroll
        for (int i = 0; i < 4; ++i)
            if constexpr (sizeof(operand) == 2)
                bits[i] = pixel == 0 ? (words[2 * i] & 0xffff) | words[2 * i + 1] << 16
                                     : words[2 * i] >> 16 | (words[2 * i + 1] & 0xffff0000);
            else
                bits[i] = as_operand(to_float(tf32{words[i]}), operand{}).bits;
        float4 four;
        memcpy(&four, bits, sizeof four);
        return four;
    }

    __device__ __forceinline__ void write(const place &at, const unsigned char *staged) const {
        const int row = lane_ % PIECES * CHANNELS, channels = args_.gemm.copy_channels;
        if (at.channel + row >= channels)
            return;
        int pixel = at.pixel + lane_ / PIECES * PER_WORD;
        operand *to = static_cast<operand *>(args_.gemm.copy) +
                      (static_cast<int64_t>(at.n) * pixels_ + pixel) * channels + at.channel + row;
#pragma unroll 2
        for (int word = lane_ / PIECES; word < 32; word += 32 / PIECES) {
            const unsigned char *const from = staged + staged_part(row, word / 4) + word % 4 * 4;
            uint32_t words[CHANNELS];
#pragma unroll
            for (int i = 0; i < CHANNELS; ++i)
                words[i] = load_shared_4(from + i * 128);
#pragma unroll
            for (int i = 0; i < PER_WORD; ++i)
                if (pixel + i < pixels_)
                    store_global_16_kept(to + i * channels, piece(words, i));
            pixel += 32 / PIECES * PER_WORD;
            to += 32 / PIECES * PER_WORD * channels;
        }
    }
};

// Waits until a sample is copied; remembers the last one that it waited for.
template <class S> class gemm_copy_awaited {
    const cs_conv_args &args_;
    const uint64_t units_;
    int known_ = -1;

  public:
    __device__ __forceinline__ explicit gemm_copy_awaited(const cs_conv_args &args)
        : args_(args), units_(static_cast<uint64_t>(gemm_copier<S>(args).units_of_sample())) {}

    __device__ __forceinline__ void operator()(int n) {
        if (n < args_.gemm.copied || n == known_)
            return;
        while (load_relaxed_global(args_.gemm.marks + 1 + n) < units_) {
        }
        fence_async_global();
        known_ = n;
    }
};

#endif
