// SPDX-License-Identifier: Apache-2.0
//
// The resident schedule's statistics: sums of v and of (v - 1/2)^2, for values v from 0 to 1, as 64-bit integers in
// fixed point. Integer additions commute, so the result is the same bit for bit in whatever order the bands arrive; and
// one word tells both the sum and whether it is complete: no second memory operation has to be ordered with it.
#pragma once

#include <device/resident.cuh>

#ifdef CS_HAS_SM90A

// Of a word, bits 0-47 are the sum, 48-55 count what was no number, 56-63 count the bands that are in.
constexpr uint64_t RESIDENT_BAND = 1ull << 56, RESIDENT_INVALID = 1ull << 48, RESIDENT_SUM = RESIDENT_INVALID - 1;

__device__ __forceinline__ uint64_t fixed_point(double sum, double scale) {
    return sum >= 0.0 ? static_cast<uint64_t>(sum * scale + 0.5) : RESIDENT_INVALID;
}

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

// The band's words, channel by channel, from the moments that the computers' warps left. By one warp.
template <class S>
__device__ __forceinline__ void add_warps(const resident_memory<S> &memory, const cs_conv_args &args,
                                          const resident_merge &merge) {
    const double count = static_cast<double>(merge.count);
    for (int c = thread_index() % 32; c < S::c_out; c += 32) {
        const cs_moments moments = merge.of(memory.warp_moments + c, S::n);
        const double mean = static_cast<double>(moments.mean), centred = mean - 0.5;
        const double squares = static_cast<double>(moments.m2) + count * centred * centred;
        memory.words[c] = {fixed_point(count * mean, args.resident.scale), fixed_point(squares, args.resident.scale)};
    }
}

// A group's words of the band; what is no number counts once, however many channels have it.
template <class S>
__device__ __forceinline__ resident_words add_channels(const resident_memory<S> &memory, int group, int channels) {
    resident_words total = {0, 0};
    for (int c = group * channels; c < (group + 1) * channels; ++c) {
        total.sum += memory.words[c].sum;
        total.squares += memory.words[c].squares;
    }
    const auto once = [](uint64_t word) {
        return word < RESIDENT_INVALID ? word : (word & RESIDENT_SUM) + RESIDENT_INVALID;
    };
    return {once(total.sum), once(total.squares)};
}

__device__ __forceinline__ uint64_t *sums_of(const cs_conv_args &args, int n, int group) {
    return args.resident.sums + (static_cast<size_t>(n) * args.groups + group) * 2;
}

// Adds a band's words to the sample's.
__device__ __forceinline__ void publish(const cs_conv_args &args, int n, int group, const resident_words &words) {
    reduce_add_global(sums_of(args, n, group), RESIDENT_BAND + words.sum);
    reduce_add_global(sums_of(args, n, group) + 1, RESIDENT_BAND + words.squares);
}

// Waits until all bands have added their words.
__device__ __forceinline__ resident_words await_bands(const cs_conv_args &args, int n, int group) {
    const uint64_t *const from = sums_of(args, n, group);
    const uint64_t complete = static_cast<uint64_t>(args.resident.bands);
    resident_words words;
    do {
        words.sum = load_relaxed_global(from);
        words.squares = load_relaxed_global(from + 1);
    } while (words.sum / RESIDENT_BAND != complete || words.squares / RESIDENT_BAND != complete);
    return {words.sum % RESIDENT_BAND, words.squares % RESIDENT_BAND};
}

// Biased variance, as PyTorch's GroupNorm. `factor`: one over (the fixed point's scale times the group's values).
__device__ __forceinline__ resident_group group_statistics(const resident_words &words, double factor, float eps) {
    const auto number = [factor](uint64_t word) {
        return word < RESIDENT_INVALID ? static_cast<double>(word) * factor : static_cast<double>(NAN);
    };
    const double mean = number(words.sum), centred = mean - 0.5;
    const double variance = number(words.squares) - centred * centred;
    const double safe = variance > 0.0 ? variance : variance - variance; // zero, or NaN
    return {mean, 1.0f / sqrtf(static_cast<float>(safe) + eps)};
}

// Waits for the moments that the computers leave, and adds them up; of the first sample, their counts too.
template <class S>
__device__ __forceinline__ void await_band(const resident_memory<S> &memory, const cs_conv_args &args, int parity,
                                           bool first, resident_merge &merge) {
    mbarrier_wait(memory.moments_full, parity);
    if (first)
        merge.load(memory.warp_counts);
    add_warps(memory, args, merge);
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
        await_band(memory, args, parity, n == band.first, merge);
        for (int group = thread_index() % 32; group < args.groups; group += 32)
            publish(args, n, group, add_channels(memory, group, channels));
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
    const double factor = 1.0 / (args.resident.scale * channels * args.h_out * args.w_out);
    resident_ring ring;
    resident_merge merge = {};
    int parity = 0;
    for (int n = band.first; n < args.n; n += band.step, ring.advance(2), parity ^= 1) {
        if (alone)
            await_band(memory, args, parity, n == band.first, merge);
        for (int group = lane; group < args.groups; group += 32) {
            const resident_words words = alone ? add_channels(memory, group, channels) : await_bands(args, n, group);
            memory.groups[group] = group_statistics(words, factor, args.eps);
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
