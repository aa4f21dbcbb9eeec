// SPDX-License-Identifier: Apache-2.0
//
// GroupNorm between its two passes: the tiles' moments of one (sample, group) become the normalisation of its channels.
#pragma once

#include <device/args.h>
#include <device/ptx.cuh>

// In double: these are few, and their counts exceed what a float can hold.
struct group_moments {
    double count, mean, m2;
};

__device__ __forceinline__ group_moments merge_groups(const group_moments &a, const group_moments &b) {
    const double count = a.count + b.count;
    const double share = count > 0.0 ? b.count / count : 0.0;
    const double delta = b.mean - a.mean;
    return {count, a.mean + delta * share, a.m2 + b.m2 + delta * delta * a.count * share};
}

// Block (n * groups + group) of CS_MERGE_THREADS threads. weight, bias: [C_OUT]. Biased variance, as PyTorch's
// GroupNorm: y = (v - mean) / sqrt(M2 / count + eps) * weight + bias.
template <int C_OUT, int TILE_H, int TILE_W>
__device__ __forceinline__ void merge_group_norm(const cs_conv_args &args, const float *weight, const float *bias) {
    group_moments *const scratch = shared_memory<group_moments>();
    const int thread = thread_index();
    const int channels = C_OUT / args.groups;
    const int n = static_cast<int>(block_index()) / args.groups;
    const int first = static_cast<int>(block_index()) % args.groups * channels;
    const int64_t tiles = static_cast<int64_t>(args.tiles_h) * args.tiles_w;
    const cs_moments *const moments = args.moments + (static_cast<int64_t>(n) * C_OUT + first) * tiles;

    group_moments mine = {0.0, 0.0, 0.0};
    for (int64_t i = thread; i < channels * tiles; i += CS_MERGE_THREADS) {
        const int tile = static_cast<int>(i % tiles);
        const int rows = min(TILE_H, args.h_out - tile / args.tiles_w * TILE_H);
        const int cols = min(TILE_W, args.w_out - tile % args.tiles_w * TILE_W);
        mine = merge_groups(mine, {static_cast<double>(rows * cols), moments[i].mean, moments[i].m2});
    }
    scratch[thread] = mine;
    sync_threads();
    for (int half = CS_MERGE_THREADS / 2; half > 0; half /= 2) {
        if (thread < half)
            scratch[thread] = merge_groups(scratch[thread], scratch[thread + half]);
        sync_threads();
    }

    const group_moments group = scratch[0];
    const double rstd = 1.0 / sqrt(group.m2 / group.count + static_cast<double>(args.eps));
    for (int channel = first + thread; channel < first + channels; channel += CS_MERGE_THREADS) {
        const double a = rstd * static_cast<double>(weight[channel]);
        const double b = static_cast<double>(bias[channel]) - group.mean * a;
        args.affine[static_cast<size_t>(n) * C_OUT + channel] = {static_cast<float>(a), static_cast<float>(b)};
    }
}
