// SPDX-License-Identifier: Apache-2.0
//
// The sums of a tile of the generic CUDA kernels, as a product of matrices: weights [tap][channel] and inputs
// [tap][pixel], which are gathered from x, go through shared memory, two stages of them in turns. The packed weight is
// [group][tap][weight_room], weight_room being a group's channels rounded up to a multiple of 4.
#pragma once

#include <device/generic_tile.cuh>

// Where a tap's input lies, from a pixel's place on.
struct generic_tap {
    int64_t x;
    int row, col;
};

// What a block has in shared memory; values take the stages' place once the sums are complete.
template <class S> struct generic_memory {
    static constexpr int pitch = S::pixels + 4; // rows of inputs begin at multiples of 16 bytes, in different banks
    struct stage {
        float weights[S::taps][S::channels], inputs[S::taps][pitch];
    };
    union {
        stage stages[2];
        float values[S::channels * S::pitch];
    };
    generic_pixel pixels[S::pixels];
    generic_tap taps[2][S::taps];
};

// One thread's tap, counted on from chunk to chunk.
struct tap_counter {
    int c, kx, ky;

    __device__ __forceinline__ tap_counter(const cs_generic_weight &w, int tap)
        : c(tap % w.group_in), kx(tap / w.group_in % w.kw), ky(tap / w.group_in / w.kw) {}

    __device__ __forceinline__ void advance(const cs_generic_weight &w, int taps) {
        for (c += taps; c >= w.group_in; c -= w.group_in)
            if (++kx == w.kw) {
                kx = 0;
                ++ky;
            }
    }

    __device__ __forceinline__ generic_tap place(const cs_generic_args &args) const {
        const int64_t row = static_cast<int64_t>(ky) * args.dilation_h,
                      col = static_cast<int64_t>(kx) * args.dilation_w;
        return {c * args.conv.x_strides[1] + row * args.conv.x_strides[2] + col * args.conv.x_strides[3],
                static_cast<int>(row), static_cast<int>(col)};
    }
};

// What a thread brings to a stage: it is loaded into registers first, and stored while others compute.
template <class S, class E> struct generic_load {
    static constexpr int inputs = S::taps * S::pixels / CS_GENERIC_THREADS;
    static constexpr int weight_lanes = S::channels / 4; // that load 4 weights of a tap each
    static constexpr int weight_rows = CS_GENERIC_THREADS / weight_lanes;
    static constexpr int weights = (S::taps + weight_rows - 1) / weight_rows;
    using memory = generic_memory<S>;
    float input[inputs];
    float4 weight[weights];

    // Neighbouring threads load neighbouring pixels of one tap, or neighbouring taps of one pixel.
    static __device__ __forceinline__ int tap_of(bool taps_fastest, int i) {
        constexpr int rows = CS_GENERIC_THREADS / S::pixels;
        return taps_fastest ? thread_index() % S::taps : thread_index() / S::pixels + i * rows;
    }
    static __device__ __forceinline__ int pixel_of(bool taps_fastest, int i) {
        constexpr int cols = CS_GENERIC_THREADS / S::taps;
        return taps_fastest ? thread_index() / S::taps + i * cols : thread_index() % S::pixels;
    }

    // Taps `first` to first + left of the group whose x begins at `x`; there may be fewer than a stage holds.
    __device__ __forceinline__ void load(const cs_generic_args &args, const memory &m, const E *x,
                                         const generic_tap *taps, int left, const float *weights_of, int room) {
        const bool taps_fastest = args.x_channels_fastest != 0;
#pragma unroll
        for (int i = 0; i < inputs; ++i) {
            const int k = tap_of(taps_fastest, i);
            const generic_pixel &pixel = m.pixels[pixel_of(taps_fastest, i)];
            const generic_tap tap = taps[k];
            const uint32_t row = static_cast<uint32_t>(pixel.row) + static_cast<uint32_t>(tap.row);
            const uint32_t col = static_cast<uint32_t>(pixel.col) + static_cast<uint32_t>(tap.col);
            const bool inside =
                k < left && row < static_cast<uint32_t>(args.conv.h) && col < static_cast<uint32_t>(args.conv.w);
            input[i] = inside ? to_float(load_global(x + pixel.x + tap.x)) : 0.0f;
        }
        const int lane = thread_index() % weight_lanes * 4;
#pragma unroll
        for (int i = 0; i < weights; ++i) {
            const int k = thread_index() / weight_lanes + i * weight_rows;
            weight[i] = {0.0f, 0.0f, 0.0f, 0.0f};
            if (k < left && k < S::taps && lane < room)
                weight[i] = load_global_16(weights_of + static_cast<int64_t>(k) * args.weight_room + lane);
        }
    }

    __device__ __forceinline__ void store(const cs_generic_args &args, typename memory::stage &stage) const {
        const bool taps_fastest = args.x_channels_fastest != 0;
#pragma unroll
        for (int i = 0; i < inputs; ++i)
            stage.inputs[tap_of(taps_fastest, i)][pixel_of(taps_fastest, i)] = input[i];
#pragma unroll
        for (int i = 0; i < weights; ++i) {
            const int k = thread_index() / weight_lanes + i * weight_rows;
            if (k < S::taps)
                store_shared_16(&stage.weights[k][thread_index() % weight_lanes * 4], weight[i]);
        }
    }
};

// A thread's 4 x 4 sums and its place in the tile.
template <class S> struct generic_sums {
    static constexpr int columns = S::pixels / 4, threads = CS_GENERIC_THREADS / S::slices;
    float sum[4][4] = {};

    static __device__ __forceinline__ int slice() { return thread_index() / threads; }
    static __device__ __forceinline__ int channel() { return thread_index() % threads / columns * 4; }
    static __device__ __forceinline__ int pixel() { return thread_index() % columns * 4; }

    // Adds the products of the slice's 16 taps.
    __device__ __forceinline__ void add(const typename generic_memory<S>::stage &stage) {
#pragma unroll
        for (int i = 0; i < 16; ++i) {
            const int k = slice() * 16 + i;
            const float4 w = load_shared_16(&stage.weights[k][channel()]);
            const float4 x = load_shared_16(&stage.inputs[k][pixel()]);
            const float ws[4] = {w.x, w.y, w.z, w.w}, xs[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
            for (int c = 0; c < 4; ++c)
#pragma unroll
                for (int p = 0; p < 4; ++p)
                    sum[c][p] += ws[c] * xs[p];
        }
    }

    // Adds up the slices, in order. Ends with a barrier.
    __device__ __forceinline__ void write(float *values) const {
        for (int s = 0; s < S::slices; ++s) {
            if (slice() == s)
#pragma unroll
                for (int c = 0; c < 4; ++c)
#pragma unroll
                    for (int p = 0; p < 4; ++p) {
                        float *const to = values + (channel() + c) * S::pitch + pixel() + p;
                        *to = s == 0 ? sum[c][p] : *to + sum[c][p];
                    }
            sync_threads();
        }
    }
};

// The sums of a tile, whose pixels are located, into memory.values. `group` is that of the convolution.
template <class S, class E>
__device__ __forceinline__ void generic_products(const cs_generic_args &args, const generic_place &place,
                                                 generic_memory<S> &memory) {
    const cs_generic_weight &w = args.weight;
    const int group = place.channel / w.group_out, first = place.channel - group * w.group_out;
    const E *const x =
        static_cast<const E *>(args.conv.x) + static_cast<int64_t>(group) * w.group_in * args.conv.x_strides[1];
    const float *weights = static_cast<const float *>(args.conv.packed) + group * w.taps * args.weight_room + first;
    const int room = args.weight_room - first;
    const int counted = min(thread_index(), S::taps - 1);
    tap_counter counter(w, counted);
    const auto list_taps = [&](int slot) {
        if (thread_index() < S::taps)
            memory.taps[slot][thread_index()] = counter.place(args);
        counter.advance(w, S::taps);
    };
    const auto left = [&](int64_t tap) { return static_cast<int>(w.taps - tap < S::taps ? w.taps - tap : S::taps); };

    generic_load<S, E> load;
    generic_sums<S> sums;
    list_taps(0);
    list_taps(1);
    sync_threads();
    load.load(args, memory, x, memory.taps[0], left(0), weights, room);
    load.store(args, memory.stages[0]);
    sync_threads();
    int current = 0;
    for (int64_t tap = S::taps; tap < w.taps; tap += S::taps, current ^= 1) {
        weights += static_cast<int64_t>(S::taps) * args.weight_room;
        load.load(args, memory, x, memory.taps[current ^ 1], left(tap), weights, room);
        sums.add(memory.stages[current]);
        load.store(args, memory.stages[current ^ 1]);
        list_taps(current); // of the next round; this round's were in the other slot
        sync_threads();
    }
    sums.add(memory.stages[current]);
    sync_threads();
    sums.write(memory.values);
}

// One value of the next function: where its inputs and weights are, and its sum.
template <class E> struct direct_value {
    const E *x;
    const float *weight;
    int row, col;
    float sum;

    // Adds the products of a tap's channels.
    __device__ __forceinline__ void add(const cs_generic_args &args, int ky, int kx) {
        const int64_t down = static_cast<int64_t>(ky) * args.dilation_h;
        const int64_t right = static_cast<int64_t>(kx) * args.dilation_w;
        if (row + down < 0 || row + down >= args.conv.h || col + right < 0 || col + right >= args.conv.w)
            return;
        const E *from = x + down * args.conv.x_strides[2] + right * args.conv.x_strides[3];
        const float *w =
            weight + (ky * static_cast<int64_t>(args.weight.kw) + kx) * args.weight.group_in * args.weight_room;
        for (int c = 0; c < args.weight.group_in; ++c, from += args.conv.x_strides[1], w += args.weight_room)
            sum += load_global(w) * to_float(load_global(from));
    }
};

// The same for groups of so few channels that there is nothing to share: each thread sums its own values, four at a
// time.
template <class S, class E>
__device__ __forceinline__ void generic_direct(const cs_generic_args &args, const generic_place &place,
                                               generic_memory<S> &memory) {
    constexpr int count = 4;
    const cs_generic_weight &w = args.weight;
    const generic_share share = share_of_thread<S>(args.x_channels_fastest != 0);
    for (int begin = 0; begin < S::values; begin += count) {
        direct_value<E> values[count];
#pragma unroll
        for (int i = 0; i < count; ++i) {
            const int pixel = share.pixel + (begin + i) * share.next_pixel;
            const int channel = share.channel + (begin + i) * share.next_channel;
            const int real = place.channel + min(channel, place.channels - 1), group = real / w.group_out;
            const generic_pixel &at = memory.pixels[pixel]; // those behind the last lie outside of x
            values[i] = {static_cast<const E *>(args.conv.x) + at.x +
                             static_cast<int64_t>(group) * w.group_in * args.conv.x_strides[1],
                         static_cast<const float *>(args.conv.packed) + group * w.taps * args.weight_room +
                             (real - group * w.group_out),
                         at.row, at.col, 0.0f};
        }
        for (int ky = 0; ky < w.kh; ++ky)
            for (int kx = 0; kx < w.kw; ++kx)
#pragma unroll
                for (int i = 0; i < count; ++i)
                    values[i].add(args, ky, kx);
#pragma unroll
        for (int i = 0; i < count; ++i)
            memory.values[(share.channel + (begin + i) * share.next_channel) * S::pitch + share.pixel +
                          (begin + i) * share.next_pixel] = values[i].sum;
    }
    sync_threads();
}
