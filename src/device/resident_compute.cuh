// SPDX-License-Identifier: Apache-2.0
//
// The resident schedule's computers: warpgroups that take the band's tiles in turn. A thread has two pixels of a tile,
// eight apart, and S::n / 4 channels: pairs of neighbours, eight apart.
#pragma once

#include <device/resident.cuh>

#ifdef CS_HAS_SM90A

// Products of one tile: a row is a pixel, a column a channel.
template <class S> using resident_tile = float[S::n / 2];

// The operands in shared memory. Places are counted in pixels from a band's first, 16 bytes each.
template <class S> struct resident_operands {
    const uint64_t inputs, weights;
    const int plane, piece, width; // pixels of a plane, of a piece, and of a row

    __device__ __forceinline__ resident_operands(const resident_memory<S> &memory, int plane, int width)
        : inputs(wgmma_operand(memory.operands, 0, 128)), weights(wgmma_operand(memory.weights, 0, 128)), plane(plane),
          piece(memory.piece_pixels), width(width) {}
};

// Adds the products of step STEP for the tile that begins at place `tile`: the step's k are the 16 bytes at `low` and
// those at `high` from there.
template <class S, int STEP>
__device__ __forceinline__ void resident_step(resident_tile<S> &z, const resident_operands<S> &from, int tile, int low,
                                              int high) {
    constexpr int step_size = 2 * S::n;
    const uint64_t x = wgmma_moved(from.inputs, tile + low, high - low);
    const uint64_t w = wgmma_moved(from.weights, STEP * step_size, S::n);
    wgmma<typename S::operand, S::n>(z, x, w, STEP > 0);
    if (S::pieces == 2) {
        wgmma<typename S::operand, S::n>(z, wgmma_moved(x, from.piece, 0), w, true);
        wgmma<typename S::operand, S::n>(z, x, wgmma_moved(w, S::steps * step_size, 0), true);
    }
}

// Where a thread's values belong.
template <class S> struct resident_places {
    static constexpr int channels = S::n / 4, FLOAT = sizeof(float);
    const int lane, warp, group; // warp and group among the computers
    int offset[S::tiles][2];     // in a buffer, in bytes, of its pixels of its first channel; negative: there is none
    unsigned end;                // of kernels in parts: behind the offsets that the part has
    float count;                 // pixels of the warp in the band
    int last_tile;               // of the band, or of a part
    int pivot;                   // which of the warp's first 16 pixels is the first that counts

    // Of kernels in parts: for a whole part, without a lead.
    __device__ __forceinline__ resident_places(const cs_conv_args &args, const resident_band &band, int warp)
        : lane(thread_index() % 32), warp(warp), group(warp_uniform(warp / 4)) {
        const resident_band whole = {band.first, band.step, band.place, S::in_parts ? args.resident.part : band.places};
        resident_walk<S> walk(args, band);
        const int lead = S::in_parts ? 0 : walk.run().lead;
        last_tile = (whole.places - 1) / RESIDENT_TILE;
#pragma unroll
        for (int i = 0; i < S::tiles; ++i)
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const int at = pixel(i, half * 8 + lane / 4);
                const int value = values_before<S>(args, whole.place + at) - walk.band.first + lead;
                offset[i][half] = counts(args, whole, at) ? first_channel() + value * FLOAT : -1;
            }
        pivot = 0;
        while (pivot < 15 && !counts(args, whole, pixel(0, pivot)))
            ++pivot;
        int mine = 0;
        do {
            begin(walk.run());
#pragma unroll
            for (int i = 0; i < S::tiles; ++i)
                mine += has(i, 0) + has(i, 1);
            walk.advance();
        } while (!walk.at_first());
        count = static_cast<float>(mine);
        for (int mask = 4; mask < 32; mask *= 2)
            count += shuffle_xor(count, mask);
    }

    // Of kernels in parts: the part that has these values.
    __device__ __forceinline__ void begin(const resident_run &run) { end = first_channel() + run.count * FLOAT; }

    // Whether the thread's pixel of tile i is one of y's.
    __device__ __forceinline__ bool has(int i, int half) const {
        return S::in_parts ? static_cast<unsigned>(offset[i][half]) < end : offset[i][half] >= 0;
    }
    __device__ __forceinline__ int first_channel() const { return lane % 4 * 2 * S::pitch * FLOAT; }
    __device__ __forceinline__ int tile(int i) const { return i * RESIDENT_GROUPS + group; }
    // Where tile i begins; a tile that the band does not have is computed as its last one, and dropped.
    __device__ __forceinline__ int place_of(int i) const { return min(tile(i), last_tile) * RESIDENT_TILE; }
    __device__ __forceinline__ int pixel(int i, int row) const { return tile(i) * RESIDENT_TILE + warp % 4 * 16 + row; }
    // Whether a pixel of the band is one of y's.
    static __device__ __forceinline__ bool counts(const cs_conv_args &args, const resident_band &band, int pixel) {
        return pixel < band.places && (band.place + pixel) % width_of<S>(args) < args.w_out;
    }
    // The k-th of the thread's channels, how far it is from the first one, and where its values are in a tile: [half of
    // the pixels].
    __device__ __forceinline__ int channel(int k) const { return lane % 4 * 2 + channel_step(k); }
    static constexpr __device__ int channel_step(int k) { return k / 2 * 8 + k % 2; }
    static constexpr __device__ int value(int k, int half) { return k / 2 * 4 + half * 2 + k % 2; }
    static constexpr __device__ int channel_of(int value) { return value / 4 * 2 + value % 2; }
};

// Sums of v - p and (v - p)^2 for each of a thread's channels, p being a value of the channel that the warp has itself.
// Then sum (v - p)^2 = M2 + count (mean - p)^2 is at most count * M2: M2's relative error stays below count, at most
// 128, times that of a float. (Shifted data: Chan, Golub and LeVeque, 1983.)
template <class S> struct resident_moments {
    static constexpr int channels = resident_places<S>::channels;
    float pivot[channels], sum[channels], squares[channels];

    // From the warp's first tile of the band.
    __device__ __forceinline__ void begin(const resident_places<S> &places, const resident_tile<S> &values) {
        const int source = places.pivot % 8 * 4 + places.lane % 4;
#pragma unroll
        for (int k = 0; k < channels; ++k) {
            const float mine = places.pivot < 8 ? values[places.value(k, 0)] : values[places.value(k, 1)];
            pivot[k] = shuffle(mine, source);
            sum[k] = squares[k] = 0.0f;
        }
    }

    // Adds tile i, as far as its pixels count.
    __device__ __forceinline__ void add(const resident_places<S> &places, int i, const resident_tile<S> &values) {
#pragma unroll
        for (int half = 0; half < 2; ++half)
            if (places.has(i, half))
#pragma unroll
                for (int k = 0; k < channels; ++k) {
                    const float deviation = values[places.value(k, half)] - pivot[k];
                    sum[k] += deviation;
                    squares[k] += deviation * deviation;
                }
    }

    // Adds up over the lanes with the same channels, and leaves each channel's moments for the publisher.
    __device__ __forceinline__ void write(const resident_places<S> &places, const resident_memory<S> &memory) const {
        cs_moments *const to = memory.warp_moments + places.warp * S::n;
        if (places.lane == 0)
            memory.warp_counts[places.warp] = places.count;
        const float inverse = places.count > 0.0f ? 1.0f / places.count : 0.0f;
        float p[kept], s[kept], q[kept];
        gather(places, pivot, p, [](float mine, float) { return mine; });
        gather(places, sum, s, [](float mine, float other) { return mine + other; });
        gather(places, squares, q, [](float mine, float other) { return mine + other; });
#pragma unroll
        for (int i = 0; i < kept; ++i)
            to[places.channel(first_kept(places) + i)] =
                places.count > 0.0f ? cs_moments{p[i] + s[i] * inverse, q[i] - s[i] * s[i] * inverse}
                                    : cs_moments{0.0f, 0.0f};
    }

  private:
    // Eight lanes have the same channels. In three rounds each gives half of what it has left to a partner and takes
    // the other half from it (the last channel stays with both): then `kept` of them are all its own.
    static constexpr int kept = channels > 8 ? channels / 8 : 1;

    static __device__ __forceinline__ int first_kept(const resident_places<S> &places) {
        int first = 0;
        for (int mask = 16, left = channels; mask >= 4; mask /= 2)
            if (left > 1) {
                left /= 2;
                first += places.lane & mask ? left : 0;
            }
        return first;
    }

    template <int COUNT, int MASK, class Merge>
    static __device__ __forceinline__ void fold(int lane, float (&left)[channels], Merge merge) {
        constexpr int half = COUNT / 2, remaining = half > 0 ? half : 1;
        const bool upper = (lane & MASK) != 0;
#pragma unroll
        for (int k = 0; k < remaining; ++k) {
            const float keep = upper ? left[k + half] : left[k], give = upper ? left[k] : left[k + half];
            left[k] = merge(keep, shuffle_xor(give, MASK));
        }
        if constexpr (MASK > 4)
            fold<remaining, MASK / 2>(lane, left, merge);
    }

    template <class Merge>
    static __device__ __forceinline__ void gather(const resident_places<S> &places, const float (&values)[channels],
                                                  float (&mine)[kept], Merge merge) {
        float left[channels];
#pragma unroll
        for (int k = 0; k < channels; ++k)
            left[k] = values[k];
        fold<channels, 16>(places.lane, left, merge);
#pragma unroll
        for (int i = 0; i < kept; ++i)
            mine[i] = left[i];
    }
};

// Leaves a warp's values of tiles FIRST to LAST - 1 in a buffer, [c_out][S::pitch].
template <class S, int FIRST, int LAST>
__device__ __forceinline__ void keep_tiles(const resident_places<S> &places, const resident_tile<S> (&values)[S::tiles],
                                           float *buffer) {
#pragma unroll
    for (int k = 0; k < places.channels; ++k) {
        if (places.channel(k) >= S::c_out)
            continue;
        char *const to = reinterpret_cast<char *>(buffer + places.channel_step(k) * S::pitch);
#pragma unroll
        for (int i = FIRST; i < LAST; ++i)
#pragma unroll
            for (int half = 0; half < 2; ++half)
                if (places.has(i, half))
                    *reinterpret_cast<float *>(to + places.offset[i][half]) = values[i][places.value(k, half)];
    }
}

#endif
