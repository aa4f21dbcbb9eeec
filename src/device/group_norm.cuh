// SPDX-License-Identifier: Apache-2.0
//
// GroupNorm between its two passes: the tiles' moments of one (sample, group) become the normalisation of its channels.
#pragma once

#include <device/args.h>
#include <device/ptx.cuh>

// Sums over values v of 1, v - pivot and (v - pivot)^2, the pivot being one of the means that are merged: as with a
// thread's moments, nothing is lost beside it. In double: the tiles are few, and counts exceed what a float can hold.
struct pivot_sums {
    double count, first, second;
};

// Block (n * groups + group) of CS_MERGE_THREADS threads. weight, bias: [C_OUT]. Biased variance, as PyTorch's
// GroupNorm: y = (v - mean) / sqrt(M2 / count + eps) * weight + bias.
template <int C_OUT>
__device__ __forceinline__ void merge_group_norm(const cs_conv_args &args, int tile_h, int tile_w, const float *weight,
                                                 const float *bias) {
    pivot_sums *const scratch = shared_memory<pivot_sums>();
    const int thread = thread_index();
    const int channels = C_OUT / args.groups;
    const int n = static_cast<int>(block_index()) / args.groups;
    const int first = static_cast<int>(block_index()) % args.groups * channels;
    const int tiles = args.tiles_h * args.tiles_w;
    const cs_moments *const moments = args.moments + (static_cast<size_t>(n) * C_OUT + first) * tiles;
    const double pivot = static_cast<double>(moments[0].mean);

    // Few tiles are shared out among fewer threads, the channels of a tile among the more.
    int lanes = CS_MERGE_THREADS;
    while (lanes / 2 >= tiles)
        lanes /= 2;
    pivot_sums mine = {0.0, 0.0, 0.0};
    for (int tile = thread % lanes; tile < tiles; tile += lanes) {
        const int rows = min(tile_h, args.h_out - tile / args.tiles_w * tile_h);
        const int cols = min(tile_w, args.w_out - tile % args.tiles_w * tile_w);
        const double count = static_cast<double>(rows * cols);
        for (int channel = thread / lanes; channel < channels; channel += CS_MERGE_THREADS / lanes) {
            const cs_moments of_tile = moments[static_cast<size_t>(channel) * tiles + tile];
            const double mean = static_cast<double>(of_tile.mean) - pivot;
            mine.count += count;
            mine.first += count * mean;
            mine.second += static_cast<double>(of_tile.m2) + count * mean * mean;
        }
    }
    scratch[thread] = mine;
    sync_threads();
    for (int half = CS_MERGE_THREADS / 2; half > 0; half /= 2) {
        if (thread < half) {
            scratch[thread].count += scratch[thread + half].count;
            scratch[thread].first += scratch[thread + half].first;
            scratch[thread].second += scratch[thread + half].second;
        }
        sync_threads();
    }

    const pivot_sums group = scratch[0];
    const double mean = group.first / group.count; // less the pivot
    const double rstd = 1.0 / sqrt(group.second / group.count - mean * mean + static_cast<double>(args.eps));
    for (int channel = first + thread; channel < first + channels; channel += CS_MERGE_THREADS) {
        const double a = rstd * static_cast<double>(weight[channel]);
        const double b = static_cast<double>(bias[channel]) - (pivot + mean) * a;
        args.affine[static_cast<size_t>(n) * C_OUT + channel] = {static_cast<float>(a), static_cast<float>(b)};
    }
}
