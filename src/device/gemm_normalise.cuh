// SPDX-License-Identifier: Apache-2.0
//
// The normalisation within the launch that convolves. A warp keeps the values of its channels of a tile in the
// workspace, where they stay in L2, and goes on to its next tile. Warps that load nothing merge the moments of groups
// that are complete; from then on each warp writes the tiles that it has kept itself, between its others. No warp waits
// before it has computed all its tiles, so that all moments come; all blocks have to be on the device at once.
#pragma once

#include <device/gemm_store.cuh>

#ifdef CS_HAS_SM90A

// How far a sample is: the warps' tiles whose moments are written, and the groups whose moments are merged.
__device__ __forceinline__ uint64_t *gemm_arrived(const cs_conv_args &args, int n) { return args.gemm.arrived + 2 * n; }
__device__ __forceinline__ uint64_t *gemm_merged(const cs_conv_args &args, int n) { return gemm_arrived(args, n) + 1; }

// By a warp: what it has written before is seen by those who then find `counter` greater by one.
__device__ __forceinline__ void gemm_count(uint64_t *counter) {
    sync_warp();
    if (thread_index() % 32 == 0)
        fetch_add_global(counter, 1);
}

// By a warp: whether the counter has come to `count`; if it is to `wait`, it has.
__device__ __forceinline__ bool gemm_has_come(const uint64_t *counter, int count, bool wait) {
    int seen;
    do
        seen = warp_uniform(thread_index() % 32 == 0 ? static_cast<int>(load_acquire_global(counter)) : 0);
    while (wait && seen < count);
    sync_warp();
    return seen >= count;
}

__device__ __forceinline__ double gemm_sum_over_warp(double value) {
#pragma unroll
    for (int mask = 16; mask > 0; mask /= 2)
        value += shuffle_xor(value, mask);
    return value;
}

// By a warp: the moments of a sample's group become the normalisation of its channels, from `first` on, as in
// merge_group_norm.
template <class S>
__device__ __forceinline__ void gemm_merge_group(const cs_conv_args &args, int n, int first, const float *weight,
                                                 const float *bias) {
    const int lane = thread_index() % 32, channels = S::c_out / args.groups, tiles = args.tiles_h * args.tiles_w;
    const cs_moments *const moments = args.moments + (static_cast<size_t>(n) * S::c_out + first) * tiles;
    const double pivot = static_cast<double>(moments[0].mean);
    double sum = 0.0, squares = 0.0;
#pragma unroll 2
    for (int i = lane; i < channels * tiles; i += 32) {
        const int tile = i % tiles;
        const int rows = min(args.gemm.rows, args.h_out - tile / args.tiles_w * args.gemm.rows);
        const int cols = min(args.gemm.cols, args.w_out - tile % args.tiles_w * args.gemm.cols);
        const double pixels = static_cast<double>(rows * cols), mean = static_cast<double>(moments[i].mean) - pivot;
        sum += pixels * mean;
        squares += static_cast<double>(moments[i].m2) + pixels * mean * mean;
    }
    const double count = static_cast<double>(args.h_out) * args.w_out * channels;
    const double mean = gemm_sum_over_warp(sum) / count; // less the pivot
    const double variance = gemm_sum_over_warp(squares) / count - mean * mean;
    const double rstd = 1.0 / sqrt(variance + static_cast<double>(args.eps));
    for (int channel = first + lane; channel < first + channels; channel += 32) {
        const double a = rstd * static_cast<double>(weight[channel]);
        const double b = static_cast<double>(bias[channel]) - (pivot + mean) * a;
        args.affine[static_cast<size_t>(n) * S::c_out + channel] = {static_cast<float>(a), static_cast<float>(b)};
    }
}

constexpr int GEMM_MERGERS = GEMM_WEIGHT_LOADER + 32, GEMM_MERGING_WARPS = (GEMM_THREADS - GEMM_MERGERS) / 32;

// By the warps of the loading group that load nothing: each merges every so manieth group, once all its moments have
// come.
template <class S>
__device__ __forceinline__ void gemm_merge_groups(const cs_conv_args &args, const float *weight, const float *bias) {
    const int warp = warp_uniform((thread_index() - GEMM_MERGERS) / 32);
    const int step = GEMM_MERGING_WARPS * static_cast<int>(block_count());
    const int first = GEMM_MERGING_WARPS * static_cast<int>(block_index()) + warp;
    const int moments = 4 * args.tiles_h * args.tiles_w * args.channel_blocks;
    for (int i = first; i < args.n * args.groups; i += step) {
        const int n = i / args.groups;
        gemm_has_come(gemm_arrived(args, n), moments, true);
        gemm_merge_group<S>(args, n, i % args.groups * (S::c_out / args.groups), weight, bias);
        gemm_count(gemm_merged(args, n));
    }
}

// What a warp of a computing group keeps from tile to tile.
template <class S> class gemm_normaliser {
    const cs_conv_args &args_;
    int next_; // of the group's tiles, to be written

    __device__ __forceinline__ void write(const conv_tile &tile, float *staging) const {
        const gemm_lane at;
        gemm_values<S> z;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            gemm_half<S> values;
            gemm_load_kept<S>(args_, next_, at.warp, half, values);
            const int channel = min(tile.channel + at.channel(half), S::c_out - 1);
            const cs_affine norm = normalisation<S::c_out>(args_, tile, channel);
#pragma unroll
            for (int j = 0; j < S::n / 8; ++j)
#pragma unroll
                for (int i = 0; i < 2; ++i)
                    z[4 * j + 2 * half + i] = values[2 * j + i] * norm.a + norm.b;
        }
        gemm_store_planes<S>(args_, tile, z, staging);
    }

  public:
    __device__ __forceinline__ gemm_normaliser(const cs_conv_args &args, int first) : args_(args), next_(first) {}

    // The warp has written its moments and values of the tile.
    __device__ __forceinline__ void arrive(const conv_tile &tile) const { gemm_count(gemm_arrived(args_, tile.n)); }

    // Writes the group's tiles before tile `end`, each `step` after the one before, as far as they are merged; or waits
    // until they are.
    __device__ __forceinline__ void write_before(int end, int step, bool wait, float *staging) {
        for (; next_ < end; next_ += step) {
            const conv_tile tile = gemm_tile(args_, next_);
            if (!gemm_has_come(gemm_merged(args_, tile.n), args_.groups, wait))
                return;
            write(tile, staging);
        }
    }
};

#endif
