// SPDX-License-Identifier: Apache-2.0
//
// The resident schedule's stagers: a sample's inputs as operands of products. An operand's row is a pixel, and 16 bytes
// of k of it lie together: 4 (tf32) or 8 (16-bit) neighbouring input channels, or as many neighbouring columns.
//
// The next sample's inputs wait in registers, so that they are under way while this one's products are computed.
#pragma once

#include <cstring>
#include <device/resident.cuh>
#include <device/split.cuh>
#include <device/tile.cuh>

#ifdef CS_HAS_SM90A

// S::lanes: the values that a plane uses of its 16 bytes at most, the others being zero. By channel, plane p is
// channels p * K and following (K values to 16 bytes); by column, a channel is one plane.
template <class S> struct resident_stager {
    using tensor = typename S::tensor;
    using operand = typename S::operand;
    static constexpr int K = 16 / sizeof(operand);
    static constexpr int PIXELS = 4 / sizeof(tensor); // neighbours that a thread takes, 32 bits
    static constexpr int THREADS = S::stagers * 32;
    static constexpr int ROUNDS = S::rounds;   // of THREADS * PIXELS neighbouring pixels of a plane: a batch
    static constexpr int BATCHES = 2 / PIXELS; // that wait in registers
    static constexpr int SIZE = ROUNDS * THREADS * PIXELS; // of a batch, in pixels
    using batch = uint32_t[ROUNDS][K];

    const cs_conv_args &args;
    const resident_memory<S> &memory;
    const resident_band &band;
    const size_t plane_size;
    const int thread;               // among the stagers'
    const int inputs;               // pixels of each plane that the band needs
    const int first_row, first_col; // of the band
    const float width_inverse;
    const int batches_of_plane;
    const bool whole_words; // whether neighbouring pixels can be loaded at once

    __device__ __forceinline__ resident_stager(const resident_memory<S> &memory, const cs_conv_args &args,
                                               const resident_band &band)
        : args(args), memory(memory), band(band), plane_size(static_cast<size_t>(args.h) * args.w),
          thread(thread_index() - RESIDENT_COMPUTERS * 32), inputs(inputs_of(args, band)),
          first_row(band.place / width_of<S>(args)), first_col(band.place % width_of<S>(args)),
          width_inverse(1.0f / static_cast<float>(width_of<S>(args))), batches_of_plane((inputs + SIZE - 1) / SIZE),
          whole_words(PIXELS == 1 || (S::by_channel && args.w % PIXELS == 0 && global_address(args.x) % 4 == 0)) {}

    // Those of the band's last place that is one of y's are the last.
    static __device__ __forceinline__ int inputs_of(const cs_conv_args &args, const resident_band &band) {
        const int last_col = (band.place + band.places - 1) % width_of<S>(args);
        const int dropped = max(0, last_col + 1 - args.w_out);
        return band.places - dropped + (S::kh - 1) * width_of<S>(args) + S::kw - 1;
    }

    __device__ __forceinline__ int plane_of(int index) const { return S::planes == 1 ? 0 : index / batches_of_plane; }
    __device__ __forceinline__ int pixel_of(int index) const {
        return index % batches_of_plane * SIZE + thread * PIXELS;
    }

    // Whether the plane has a k-th value.
    static __device__ __forceinline__ bool has(int plane, int k) {
        if (S::by_channel)
            return S::c_in % K == 0 || plane * K + k < S::c_in;
        return k < S::lanes;
    }

    // The first channel of x that a plane has values of.
    __device__ __forceinline__ const tensor *channel_of(int n, int plane) const {
        const int channel = S::by_channel ? plane * K : plane;
        return static_cast<const tensor *>(args.x) + (static_cast<size_t>(n) * S::c_in + channel) * plane_size;
    }

    __device__ __forceinline__ void load(batch &values, int n, int index) const {
        if constexpr (S::pad_h + S::pad_w > 0)
            load_padded(values, n, index);
        else
            load_plain(values, n, index);
    }

    // Where x has a value for a pixel of the band; -1 where it is padding, or none of the band.
    __device__ __forceinline__ int padded_place(int pixel) const {
        const int right = first_col + pixel;
        const int down = static_cast<int>((static_cast<float>(right) + 0.5f) * width_inverse); // of 2^20 at most: exact
        const int row = first_row + down - S::pad_h, col = right - down * width_of<S>(args) - S::pad_w;
        return pixel < inputs && is_index(row, args.h) && col >= 0 ? row * args.w + col : -1;
    }

    __device__ __forceinline__ void load_padded(batch &values, int n, int index) const {
        const int plane = plane_of(index), pixel = pixel_of(index);
        const tensor *const from = channel_of(n, plane);
#pragma unroll
        for (int i = 0; i < ROUNDS; ++i)
#pragma unroll
            for (int k = 0; k < K; ++k) {
                values[i][k] = 0;
#pragma unroll
                for (int p = 0; p < PIXELS; ++p) {
                    const int place = padded_place(pixel + i * THREADS * PIXELS + p + (S::by_channel ? 0 : k));
                    if (plane < S::planes && has(plane, k) && place >= 0)
                        values[i][k] |= element_bits(load_global(from + (S::by_channel ? k * plane_size : 0) + place))
                                        << (p * 16);
                }
            }
    }

    __device__ __forceinline__ void load_plain(batch &values, int n, int index) const {
        const int plane = plane_of(index), pixel = pixel_of(index);
        const size_t step = S::by_channel ? plane_size : 1; // from one value of a plane's 16 bytes to the next
        const tensor *const from = channel_of(n, plane) + band.place + pixel;
        const int inside = plane < S::planes ? inputs - pixel : 0;
        const bool full = inside + thread * PIXELS >= SIZE + (S::by_channel ? 0 : K); // for all threads
#pragma unroll
        for (int k = 0; k < K; ++k) {
            const int readable = !has(plane, k) ? 0 : S::by_channel ? inside : inside - k;
            const tensor *const at = from + k * step;
            if (full && whole_words && has(plane, k)) {
#pragma unroll
                for (int i = 0; i < ROUNDS; ++i)
                    values[i][k] = load_word(at + i * THREADS * PIXELS);
            } else {
#pragma unroll
                for (int i = 0; i < ROUNDS; ++i)
                    values[i][k] = load_some(at + i * THREADS * PIXELS, readable - i * THREADS * PIXELS);
            }
        }
    }

    static __device__ __forceinline__ uint32_t load_word(const tensor *from) {
        return load_global(reinterpret_cast<const uint32_t *>(from));
    }

    // As many of a word's pixels as are left; zeros for the others.
    static __device__ __forceinline__ uint32_t load_some(const tensor *from, int left) {
        uint32_t word = 0;
#pragma unroll
        for (int p = 0; p < PIXELS; ++p)
            if (p < left)
                word |= element_bits(load_global(from + p)) << (p * 16);
        return word;
    }

    __device__ __forceinline__ void store(const batch &values, int index) const {
        const int plane = plane_of(index), pixel = pixel_of(index);
        char *const to = memory.operands + (plane * args.resident.pixels + pixel) * 16;
        const int piece_size = memory.piece_pixels * 16;
        const int inside = plane < S::planes ? inputs - pixel : 0;
#pragma unroll
        for (int i = 0; i < ROUNDS; ++i)
#pragma unroll
            for (int p = 0; p < PIXELS; ++p)
#pragma unroll
                for (int piece = 0; piece < S::pieces; ++piece) {
                    const int place = i * THREADS * PIXELS + p;
                    operand of_pixel[K];
#pragma unroll
                    for (int k = 0; k < K; ++k)
                        of_pixel[k] = input_piece<S::pieces>(element_of<tensor>(values[i][k], p), piece);
                    if (place < inside)
                        store_operand(to + place * 16 + piece * piece_size, of_pixel);
                }
    }

    static __device__ __forceinline__ void store_operand(char *to, const operand (&values)[K]) {
        float4 bits;
        memcpy(&bits, values, sizeof bits);
        store_shared_16(reinterpret_cast<float *>(to), bits);
    }

    // While a batch of a sample is stored, the next one's values are not under way yet, but while its products are
    // computed they are: a sample of BATCHES or fewer is waited for once.
    __device__ __forceinline__ void run() const {
        const int total = S::planes * batches_of_plane;
        batch values[BATCHES];
        int n = band.first, first = 0, parity = 1;
        const auto load_all = [&] {
#pragma unroll
            for (int i = 0; i < BATCHES; ++i)
                load(values[i], n, first + i);
        };
        if (n < args.n)
            load_all();
        while (n < args.n) {
            if (first == 0)
                mbarrier_wait(memory.inputs_empty, parity);
#pragma unroll
            for (int i = 0; i < BATCHES; ++i)
                store(values[i], first + i);
            first += BATCHES;
            if (first >= total) {
                fence_async_shared();
                mbarrier_arrive(memory.inputs_full);
                first = 0;
                parity ^= 1;
                n += band.step;
            }
            if (n < args.n)
                load_all();
        }
    }
};

#endif
