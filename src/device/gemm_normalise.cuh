// SPDX-License-Identifier: Apache-2.0
//
// The normalisation within the launch that convolves: a computing group publishes the moments of its tile, keeps the
// values in its registers, and waits for the moments of the sample's other tiles while the block's other group
// multiplies.
//
// All moments that are waited for come, if all blocks are on the device at once and a sample has at most two tiles a
// block. Let tile t be the first one whose moments never come, b blocks. It is computed by the group that had tile
// t - 2b, after the products of the block's other group, of tile t - b; these come, and with them the turn, since a
// group gives it away before it waits. So that group still waits for a sample that ends behind t - 1 and has tile t -
// 2b: one of more than 2b tiles.
#pragma once

#include <device/gemm_epilogue.cuh>

#ifdef CS_HAS_SM90A

// Where the moments of a sample's tiles are published, one word for each: those of neighbouring channels together, from
// `channel` on. M2 stands there with its sign changed, so that no word is 0: that is what they are before.
template <class S> __device__ __forceinline__ uint64_t *gemm_published(const cs_conv_args &args, int n, int channel) {
    const int joined = args.gemm.joined;
    const size_t place = static_cast<size_t>(n) * (S::c_out >> joined) + (channel >> joined);
    return reinterpret_cast<uint64_t *>(args.moments) + place * (args.tiles_h * args.tiles_w);
}

// The moments of a thread's two channels become those of 2^args.gemm.joined neighbouring channels.
__device__ __forceinline__ void gemm_join_moments(const cs_conv_args &args, const conv_tile &tile,
                                                  cs_moments (&moments)[2]) {
    float half_count = 0.5f * static_cast<float>(tile.rows * tile.cols);
#pragma unroll
    for (int i = 0; i < CS_MOST_JOINED; ++i) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            cs_moments &mine = moments[half];
            const cs_moments other = {shuffle_xor(mine.mean, 4 << i), shuffle_xor(mine.m2, 4 << i)};
            const float delta = other.mean - mine.mean;
            if (i < args.gemm.joined)
                mine = {0.5f * (mine.mean + other.mean), mine.m2 + other.m2 + delta * delta * half_count};
        }
        half_count *= 2.0f;
    }
}

// moments: joined.
template <class S>
__device__ __forceinline__ void gemm_publish_moments(const cs_conv_args &args, const conv_tile &tile,
                                                     const cs_moments (&moments)[2]) {
    const gemm_lane at;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const int channel = tile.channel + at.channel(half);
        const cs_moments negated = {moments[half].mean, -moments[half].m2};
        uint64_t word;
        memcpy(&word, &negated, sizeof word);
        if (at.thread % (4 << args.gemm.joined) == 0 && channel < S::c_out)
            store_relaxed_global(gemm_published<S>(args, tile.n, channel) + tile.index, word);
    }
}

// The moments of some of a group's values, their mean less a pivot, one of the means: nothing is lost where all are
// alike.
struct gemm_union {
    float count;
    cs_moments moments;

    __device__ __forceinline__ void add(float other_count, cs_moments other) {
        moments = merge_moments(count, moments, other_count, other);
        count += other_count;
    }

    // What so many neighbouring lanes have, a power of two.
    __device__ __forceinline__ void add_lanes(int lanes) {
#pragma unroll
        for (int mask = 16; mask > 0; mask /= 2) {
            const float other_count = shuffle_xor(count, mask);
            const cs_moments other = {shuffle_xor(moments.mean, mask), shuffle_xor(moments.m2, mask)};
            const cs_moments none = {moments.mean, 0.0f}; // another group's may be NaN
            add(mask < lanes ? other_count : 0.0f, mask < lanes ? other : none);
        }
    }
};

constexpr int GEMM_AWAITED = 2; // moments that a lane waits for at once, for each of its two channels

// The words `begin`, `begin` + `step` and so on of two groups that both have `count` of them. Waits until they are
// there.
struct gemm_words {
    uint64_t of[GEMM_AWAITED][2] = {};

    __device__ __forceinline__ gemm_words(const uint64_t *const (&from)[2], int begin, int step, int count) {
        bool complete;
        do {
            complete = true;
#pragma unroll
            for (int i = 0; i < GEMM_AWAITED; ++i)
#pragma unroll
                for (int half = 0; half < 2; ++half)
                    if (begin + i * step < count && of[i][half] == 0)
                        of[i][half] = load_relaxed_global(from[half] + begin + i * step);
#pragma unroll
            for (int i = 0; i < GEMM_AWAITED; ++i)
                complete &= begin + i * step >= count || (of[i][0] != 0 && of[i][1] != 0);
        } while (!complete);
    }

    __device__ __forceinline__ cs_moments less(float pivot, int i, int half) const {
        cs_moments moments;
        memcpy(&moments, &of[i][half], sizeof moments);
        return {moments.mean - pivot, -moments.m2};
    }
};

// Values of the channels of word `index` of a group. (Where there is nothing to divide, nothing is.)
__device__ __forceinline__ float gemm_count_of(const cs_conv_args &args, int words, int index) {
    const unsigned across = static_cast<unsigned>(args.tiles_w), tiles = static_cast<unsigned>(args.tiles_h) * across;
    const unsigned tile = static_cast<unsigned>(words) == tiles ? index : index % tiles;
    const bool lowest = tile >= tiles - across, rightmost = across == 1 || tile % across == across - 1;
    const int rows = lowest ? args.h_out - (args.tiles_h - 1) * args.gemm.rows : args.gemm.rows;
    const int cols = rightmost ? args.w_out - (args.tiles_w - 1) * args.gemm.cols : args.gemm.cols;
    return static_cast<float>((rows * cols) << args.gemm.joined);
}

// By a warp: waits for the moments of its channels' groups. The lanes of channels whose moments are published together
// share those of their groups.
template <class S>
__device__ __forceinline__ void gemm_unite_groups(const cs_conv_args &args, const conv_tile &tile,
                                                  const float (&pivot)[2], gemm_union (&groups)[2]) {
    const gemm_lane at;
    const int lanes = 4 << args.gemm.joined, of_group = S::c_out / args.groups;
    const int words = (of_group >> args.gemm.joined) * (args.tiles_h * args.tiles_w);
    const uint64_t *from[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const int channel = min(tile.channel + at.channel(half), S::c_out - 1);
        from[half] = gemm_published<S>(args, tile.n, channel / of_group * of_group);
    }
    for (int first = 0; first < words; first += GEMM_AWAITED * lanes) {
        const int begin = first + at.thread % lanes;
        float counts[GEMM_AWAITED];
#pragma unroll
        for (int i = 0; i < GEMM_AWAITED; ++i)
            counts[i] = begin + i * lanes < words ? gemm_count_of(args, words, begin + i * lanes) : 0.0f;
        const gemm_words awaited(from, begin, lanes, words);
        sync_warp();
#pragma unroll
        for (int i = 0; i < GEMM_AWAITED; ++i)
#pragma unroll
            for (int half = 0; half < 2; ++half)
                groups[half].add(counts[i], awaited.less(pivot[half], i, half));
    }
#pragma unroll
    for (int half = 0; half < 2; ++half)
        groups[half].add_lanes(lanes);
}

// y = a * value + b for a channel of that group.
__device__ __forceinline__ cs_affine gemm_normalisation(const cs_conv_args &args, const gemm_union &group, float pivot,
                                                        float weight, float bias) {
    const float a = weight * reciprocal_approx(sqrtf(group.moments.m2 * reciprocal_approx(group.count) + args.eps));
    const double mean = static_cast<double>(pivot) + static_cast<double>(group.moments.mean);
    return {a, static_cast<float>(static_cast<double>(bias) - mean * static_cast<double>(a))};
}

// By a computing group, whose other one multiplies meanwhile.
template <class S>
__device__ __forceinline__ void gemm_normalise(const cs_conv_args &args, const conv_tile &tile, const gemm_pairs &pairs,
                                               const float *weight, const float *bias, gemm_values<S> &z) {
    cs_moments moments[2];
    gemm_moments<S>(tile, pairs, z, moments);
    gemm_join_moments(args, tile, moments);
    gemm_publish_moments<S>(args, tile, moments);
    const gemm_lane at;
    const float pivot[2] = {moments[0].mean, moments[1].mean};
    float of_channel[2][2]; // weight and bias, on their way meanwhile
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const int channel = min(tile.channel + at.channel(half), S::c_out - 1);
        of_channel[half][0] = load_global(weight + channel);
        of_channel[half][1] = load_global(bias + channel);
    }
    gemm_union groups[2] = {};
    gemm_unite_groups<S>(args, tile, pivot, groups);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const cs_affine norm =
            gemm_normalisation(args, groups[half], pivot[half], of_channel[half][0], of_channel[half][1]);
#pragma unroll
        for (int j = 0; j < S::n / 8; ++j)
#pragma unroll
            for (int i = 0; i < 2; ++i)
                z[4 * j + 2 * half + i] = z[4 * j + 2 * half + i] * norm.a + norm.b;
    }
}

#endif
