// SPDX-License-Identifier: Apache-2.0
//
// The resident schedule's statistics: sums of v and of (v - centre)^2 as integers in fixed point. Integer additions
// commute, so the result is the same bit for bit in whatever order the bands arrive; and each word tells both its part
// of the sum and whether that is complete: no second memory operation has to be ordered with it.
#pragma once

#include <device/resident.cuh>

#ifdef CS_HAS_SM90A

// Of a word, bits 0-47 are a sum of signed numbers, 48-55 count what was no number, 56-63 count the bands that are in;
// a negative sum borrows from what stands above it.
constexpr uint64_t RESIDENT_BAND = 1ull << 56, RESIDENT_INVALID = 1ull << 48, RESIDENT_HALF = RESIDENT_INVALID / 2;

// Values from 0 to 1 need one word for either sum, of 1 / args.resident.scale a unit. Others need digits of so many
// bits, a word each: 3 for sums of values up to 2^64, 5 for those of their squares (2^47 units are a mean of 1).
constexpr int RESIDENT_DIGIT = 38;

__device__ __forceinline__ constexpr double resident_unit(int digit) {
    double unit = 1.0;
    for (int i = 0; i < digit; ++i)
        unit *= 1ull << RESIDENT_DIGIT;
    return unit;
}

// Values from 0 to 1 are squared as far as they are from 1/2.
template <class S> __device__ __forceinline__ constexpr double resident_centre() {
    return S::square_words == 1 ? 0.5 : 0.0;
}

// Adds a band's sum, in units, to the WORDS words of the sample's, which are `apart`.
template <int WORDS> __device__ __forceinline__ void publish(uint64_t *words, int apart, double units) {
    const bool valid = fabs(units) < (WORDS == 1 ? static_cast<double>(RESIDENT_HALF) : resident_unit(WORDS));
    const uint64_t counts = RESIDENT_BAND + (valid ? 0 : RESIDENT_INVALID);
    double left = valid ? units : 0.0;
#pragma unroll
    for (int i = WORDS - 1; i >= 0; --i) {
        const double digit = i > 0 ? trunc(left / resident_unit(i)) : rint(left);
        left -= digit * resident_unit(i);
        reduce_add_global(words + i * apart, counts + static_cast<uint64_t>(static_cast<int64_t>(digit)));
    }
}

// WORDS words of a sample's sum as they are at the moment.
template <int WORDS> struct resident_number {
    uint64_t words[WORDS];
    __device__ __forceinline__ resident_number(const uint64_t *from, int apart) {
#pragma unroll
        for (int i = 0; i < WORDS; ++i)
            words[i] = load_relaxed_global(from + i * apart) + RESIDENT_HALF;
    }
    __device__ __forceinline__ bool has(int bands) const {
        bool all = true;
#pragma unroll
        for (int i = 0; i < WORDS; ++i)
            all = all && words[i] / RESIDENT_BAND == static_cast<uint64_t>(bands);
        return all;
    }
    // In units.
    __device__ __forceinline__ double value() const {
        double total = words[0] % RESIDENT_BAND < RESIDENT_INVALID ? 0.0 : static_cast<double>(NAN);
#pragma unroll
        for (int i = WORDS - 1; i >= 0; --i)
            total += static_cast<double>(static_cast<int64_t>(words[i] % RESIDENT_INVALID - RESIDENT_HALF)) *
                     resident_unit(i);
        return total;
    }
};

// How the moments of the computers' warps, pair by pair, become those of the band. (Pairwise merging: Chan, Golub and
// LeVeque, 1979.) What depends on counts only is the same for all samples.
struct resident_merge {
    struct pair {
        float share, spread; // of n and m values together: m / (n + m) and n m / (n + m)
    } pairs[RESIDENT_COMPUTERS - 1];
    float count; // of the band's values, of a channel

    __device__ __forceinline__ void load(const float *warp_counts) {
        float counts[RESIDENT_COMPUTERS];
#pragma unroll
        for (int i = 0; i < RESIDENT_COMPUTERS; ++i)
            counts[i] = warp_counts[i];
        int at = 0;
#pragma unroll
        for (int step = 1; step < RESIDENT_COMPUTERS; step *= 2)
#pragma unroll
            for (int i = 0; i < RESIDENT_COMPUTERS; i += 2 * step) {
                const float both = counts[i] + counts[i + step];
                const float share = both > 0.0f ? counts[i + step] / both : 0.0f;
                pairs[at++] = {share, counts[i] * share};
                counts[i] = both;
            }
        count = counts[0];
    }

    // moments: of the first warp; the next one's lie `stride` further on.
    __device__ __forceinline__ cs_moments of(const cs_moments *moments, int stride) const {
        cs_moments all[RESIDENT_COMPUTERS];
#pragma unroll
        for (int i = 0; i < RESIDENT_COMPUTERS; ++i)
            all[i] = moments[i * stride];
        int at = 0;
#pragma unroll
        for (int step = 1; step < RESIDENT_COMPUTERS; step *= 2)
#pragma unroll
            for (int i = 0; i < RESIDENT_COMPUTERS; i += 2 * step) {
                const float difference = all[i + step].mean - all[i].mean;
                all[i].mean += difference * pairs[at].share;
                all[i].m2 += all[i + step].m2 + difference * difference * pairs[at].spread;
                ++at;
            }
        return all[0];
    }
};

// The band's sums, channel by channel, from the moments that the computers' warps left. By one warp.
template <class S>
__device__ __forceinline__ void add_warps(const resident_memory<S> &memory, const resident_merge &merge) {
    const double count = static_cast<double>(merge.count);
    for (int c = thread_index() % 32; c < S::c_out; c += 32) {
        const cs_moments moments = merge.of(memory.warp_moments + c, S::n);
        const double mean = static_cast<double>(moments.mean), centred = mean - resident_centre<S>();
        memory.sums[c] = {count * mean, static_cast<double>(moments.m2) + count * centred * centred};
    }
}

// A group's sums of the band, times `factor`.
template <class S>
__device__ __forceinline__ resident_sums add_channels(const resident_memory<S> &memory, int group, int channels,
                                                      double factor) {
    resident_sums total = {0.0, 0.0};
    for (int c = group * channels; c < (group + 1) * channels; ++c) {
        total.sum += memory.sums[c].sum;
        total.squares += memory.sums[c].squares;
    }
    return {total.sum * factor, total.squares * factor};
}

// A group's words of a sample, those of its sum first, are args.groups apart: lanes with a group each read them
// together.
template <class S> __device__ __forceinline__ uint64_t *words_of(const cs_conv_args &args, int n, int group) {
    return args.resident.sums + static_cast<size_t>(n) * (S::sum_words + S::square_words) * args.groups + group;
}

// Adds a group's sums of the band, in units, to the sample's.
template <class S>
__device__ __forceinline__ void publish_group(const cs_conv_args &args, int n, int group, const resident_sums &sums) {
    uint64_t *const words = words_of<S>(args, n, group);
    publish<S::sum_words>(words, args.groups, sums.sum);
    publish<S::square_words>(words + S::sum_words * args.groups, args.groups, sums.squares);
}

// Waits until all bands have added a group's sums; these times `factor`.
template <class S>
__device__ __forceinline__ resident_sums await_bands(const cs_conv_args &args, int n, int group, double factor) {
    const uint64_t *const from = words_of<S>(args, n, group);
    for (;;) {
        const resident_number<S::sum_words> sum(from, args.groups);
        const resident_number<S::square_words> squares(from + S::sum_words * args.groups, args.groups);
        if (sum.has(args.resident.bands) && squares.has(args.resident.bands))
            return {sum.value() * factor, squares.value() * factor};
    }
}

// Biased variance, as PyTorch's GroupNorm, of values whose means are given.
template <class S> __device__ __forceinline__ resident_group group_statistics(const resident_sums &means, float eps) {
    const double mean = means.sum, centred = mean - resident_centre<S>();
    const double variance = means.squares - centred * centred;
    const double safe = variance > 0.0 ? variance : variance - variance; // zero, or NaN
    return {mean, 1.0f / sqrtf(static_cast<float>(safe) + eps)};
}

// Waits for the moments that the computers leave, and adds them up; of the first sample, their counts too.
template <class S>
__device__ __forceinline__ void await_band(const resident_memory<S> &memory, int parity, bool first,
                                           resident_merge &merge) {
    mbarrier_wait(memory.moments_full, parity);
    if (first)
        merge.load(memory.warp_counts);
    add_warps(memory, merge);
    mbarrier_arrive(memory.moments_empty);
    sync_warp();
}

// Where samples have several bands: adds this one's words to the others'.
template <class S>
__device__ __forceinline__ void run_publisher(const resident_memory<S> &memory, const cs_conv_args &args,
                                              const resident_band &band) {
    if (args.resident.bands == 1)
        return;
    const int channels = S::c_out / args.groups;
    resident_merge merge = {};
    int parity = 0;
    for (int n = band.first; n < args.n; n += band.step, parity ^= 1) {
        await_band(memory, parity, n == band.first, merge);
        for (int group = thread_index() % 32; group < args.groups; group += 32)
            publish_group<S>(args, n, group, add_channels(memory, group, channels, args.resident.scale));
        sync_warp();
    }
}

// Makes each sample's normalisation once its sums are complete. A band that is all there is of its sample needs neither
// a publisher nor global memory.
template <class S>
__device__ __forceinline__ void run_merger(const resident_memory<S> &memory, const cs_conv_args &args,
                                           const resident_band &band) {
    const int channels = S::c_out / args.groups, lane = thread_index() % 32;
    const bool alone = args.resident.bands == 1;
    const double share =
        1.0 / (static_cast<double>(channels) * args.h_out * args.w_out); // of a value in its group's mean
    const double factor = share / args.resident.scale;
    resident_ring ring;
    resident_merge merge = {};
    int parity = 0;
    for (int n = band.first; n < args.n; n += band.step, ring.advance(2), parity ^= 1) {
        if (alone)
            await_band(memory, parity, n == band.first, merge);
        for (int group = lane; group < args.groups; group += 32) {
            const resident_sums means =
                alone ? add_channels(memory, group, channels, share) : await_bands<S>(args, n, group, factor);
            memory.groups[group] = group_statistics<S>(means, args.eps);
        }
        sync_warp();
        mbarrier_wait(memory.normalisation_empty + ring.index, ring.parity ^ 1);
        for (int c = lane; c < S::c_out; c += 32) {
            const resident_group group = memory.groups[c / channels];
            const float a = group.rstd * memory.scales[c].a;
            const double b = static_cast<double>(memory.scales[c].b) - group.mean * static_cast<double>(a);
            memory.normalisation[ring.index * S::n + c] = {a, static_cast<float>(b)};
        }
        mbarrier_arrive(memory.normalisation_full + ring.index);
        sync_warp();
    }
}

#endif
