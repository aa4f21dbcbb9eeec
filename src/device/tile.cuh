// SPDX-License-Identifier: Apache-2.0
//
// Where a block's tile lies, and bringing its part of x into shared memory.
#pragma once

#include <device/args.h>
#include <device/ptx.cuh>

// A block's outputs: channels from `channel`, and `rows` x `cols` pixels (cut at the image's edge) from (row, col) of
// sample `n`. `index` counts the tiles of a sample.
struct conv_tile {
    int n, channel, row, col, rows, cols, index;
};

template <int TILE_C, int TILE_H, int TILE_W>
__device__ __forceinline__ conv_tile locate_tile(const cs_conv_args &args) {
    const int tiles = args.tiles_h * args.tiles_w;
    const int block = static_cast<int>(block_index());
    const int index = block % tiles;
    const int outer = block / tiles;
    conv_tile tile;
    tile.n = outer / args.channel_blocks;
    tile.channel = outer % args.channel_blocks * TILE_C;
    tile.row = index / args.tiles_w * TILE_H;
    tile.col = index % args.tiles_w * TILE_W;
    tile.rows = min(TILE_H, args.h_out - tile.row);
    tile.cols = min(TILE_W, args.w_out - tile.col);
    tile.index = index;
    return tile;
}

// Starts copying CHANNELS planes of ROWS x COLS inputs, from input channel `first` at the tile's corner, to `stage`
// (planes PLANE and rows PITCH floats apart). What lies outside x is set to zero. To be committed and waited for.
template <int C_IN, int CHANNELS, int ROWS, int COLS, int PITCH, int PLANE, int THREADS>
__device__ __forceinline__ void copy_inputs(float *stage, const cs_conv_args &args, const conv_tile &tile, int first) {
    const float *sample = static_cast<const float *>(args.x) + static_cast<size_t>(tile.n) * C_IN * args.h * args.w;
    for (int i = thread_index(); i < CHANNELS * ROWS * COLS; i += THREADS) {
        const int channel = i / (ROWS * COLS);
        const int row = i / COLS % ROWS;
        const int col = i % COLS;
        const bool inside = first + channel < C_IN && row < args.h - tile.row && col < args.w - tile.col;
        const size_t from = (static_cast<size_t>(first + channel) * args.h + tile.row + row) * args.w + tile.col + col;
        cp_async_4(stage + channel * PLANE + row * PITCH + col, sample + (inside ? from : 0), inside);
    }
}

// Where the tile's output plane of `channel` begins, at the tile's corner; rows are args.w_out apart.
template <int C_OUT>
__device__ __forceinline__ float *output_plane(const cs_conv_args &args, const conv_tile &tile, int channel) {
    const size_t plane = static_cast<size_t>(tile.n) * C_OUT + channel;
    return static_cast<float *>(args.y) + (plane * args.h_out + tile.row) * args.w_out + tile.col;
}

// The normalisation of (sample, channel), as the merge left it.
template <int C_OUT>
__device__ __forceinline__ cs_affine normalisation(const cs_conv_args &args, const conv_tile &tile, int channel) {
    return args.affine[static_cast<size_t>(tile.n) * C_OUT + channel];
}
