// SPDX-License-Identifier: Apache-2.0
//
// Means and sums of squared deviations (M2), never sums of squares, so that nearly constant groups keep their digits;
// merged in a fixed order, so that results repeat bit for bit.
#pragma once

#include <device/tile.cuh>

// The sum over groups of LANES neighbouring lanes (a power of two), in every lane of the group.
template <int LANES> __device__ __forceinline__ float sum_over_lanes(float value) {
#pragma unroll
    for (int mask = LANES / 2; mask > 0; mask /= 2)
        value += shuffle_xor(value, mask);
    return value;
}

// Moments of the union of two sets: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing
// sample variances", 1979. An empty set may have any moments that are finite.
__device__ __forceinline__ cs_moments merge_moments(float count_a, cs_moments a, float count_b, cs_moments b) {
    const float count = count_a + count_b;
    const float share = count > 0.0f ? count_b * reciprocal_approx(count) : 0.0f;
    const float delta = b.mean - a.mean;
    return {a.mean + delta * share, a.m2 + b.m2 + delta * delta * count_a * share};
}

// How many of a tile's rows inside the image belong to `warp`, each warp having WARP_ROWS rows in turn.
template <int WARP_ROWS> __device__ __forceinline__ int rows_of_warp(const conv_tile &tile, int warp) {
    return max(0, min(WARP_ROWS, tile.rows - warp * WARP_ROWS));
}

// Merges what the warps of a block have left in scratch[warp][channel], TILE_C channels each, and writes the tile's
// moments. Waits for the warps itself.
template <int WARPS, int WARP_ROWS, int TILE_C, int C_OUT>
__device__ __forceinline__ void write_tile_moments(const cs_conv_args &args, const conv_tile &tile,
                                                   const cs_moments *scratch) {
    sync_threads();
    const size_t tiles = static_cast<size_t>(args.tiles_h) * args.tiles_w;
    for (int c = thread_index(); c < TILE_C && tile.channel + c < C_OUT; c += WARPS * 32) {
        cs_moments total = scratch[c];
        float seen = static_cast<float>(rows_of_warp<WARP_ROWS>(tile, 0) * tile.cols);
        for (int warp = 1; warp < WARPS; ++warp) {
            const float more = static_cast<float>(rows_of_warp<WARP_ROWS>(tile, warp) * tile.cols);
            total = merge_moments(seen, total, more, scratch[warp * TILE_C + c]);
            seen += more;
        }
        args.moments[(static_cast<size_t>(tile.n) * C_OUT + tile.channel + c) * tiles + tile.index] = total;
    }
}
