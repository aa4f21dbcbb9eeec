// SPDX-License-Identifier: Apache-2.0
//
// Convolution as a product of matrices (implicit GEMM) on Hopper's warpgroups: 64 output channels are its rows, the
// pixels of a tile its columns, and k runs over input channels and taps.
//
// The copy engine brings a tile's inputs with all that the taps reach beyond it, a chunk of channels at a time, into
// shared memory: a row of `pitch` pixels after the other, each pixel a row of S::row_bytes. So the inputs of a tap are
// those of the first one, some pixels further on, and are read where they lie. The price is columns of the product
// that are no outputs, those of the last pixels of each row. With a stride, a box has every so manieth pixel of both
// directions, and taps whose pixels lie between those of another have a box of their own: the first tap of a direction
// that reads a box, of phases_h or phases_w, says where it begins.
//
// A kernel of one tap without padding reads x of 16 bits in planes as it is: a box is 64 pixels of a chunk's channels,
// an operand whose columns lie together. Pixels are numbered along a plane, whose rows are `line` apart.
//
// A block is two warpgroups that compute, and one of which two threads load, inputs and weights; two more of its warps
// copy x where that is needed (device/gemm_overlap.cuh). The computing ones take tiles in turn: while one multiplies,
// the other has its values go through the epilogue and writes them.
//
// A kernel's shape S has: operand (f16, bf16, tf32), tensor (of y: float, f16, bf16); c_in, c_out, kh, kw, pad_h,
// pad_w, stride_h, stride_w, dilation_h, dilation_w; phases_h, phases_w; channels (of a chunk), chunks, row_bytes; n
// (columns of a product); buffers, input_bytes (of one buffer); stages, stage_taps, stage_bytes (of weights); staged
// and staging (floats of a channel in a warp's staging, and of a block's, 0 where it writes no y); copiers (warps that
// copy x, each with GEMM_UNIT bytes); slots; planes (whether x is read in planes).
#pragma once

#include <cstring>
#include <device/ring.cuh>
#include <device/tile.cuh>

constexpr int GEMM_CHANNELS = 64; // of a tile
constexpr int GEMM_GROUP = 128, GEMM_THREADS = 3 * GEMM_GROUP;
constexpr int GEMM_INPUT_LOADER = 2 * GEMM_GROUP, GEMM_WEIGHT_LOADER = GEMM_INPUT_LOADER + 32; // threads
constexpr int GEMM_COPIERS = GEMM_WEIGHT_LOADER + 32;                                          // threads from here on
constexpr int GEMM_PLANE_PIXELS = CS_PLANE_BYTES / 2;                                          // of a box of planes
constexpr int GEMM_UNIT = 8192; // bytes of shared memory of a warp that copies x

// Tile `index` of a launch: channel blocks of a place follow each other, so that its inputs are still in L2.
__device__ __forceinline__ conv_tile gemm_tile(const cs_conv_args &args, int index) {
    conv_tile tile;
    tile.channel = index % args.channel_blocks * GEMM_CHANNELS;
    const int place = index / args.channel_blocks, tiles = args.tiles_h * args.tiles_w;
    tile.n = place / tiles;
    tile.index = place % tiles;
    tile.row = tile.index / args.tiles_w * args.gemm.rows;
    tile.col = tile.index % args.tiles_w * args.gemm.cols;
    tile.rows = min(args.gemm.rows, args.h_out - tile.row);
    tile.cols = min(args.gemm.cols, args.w_out - tile.col);
    return tile;
}

__device__ __forceinline__ int gemm_tiles(const cs_conv_args &args) {
    return args.n * args.tiles_h * args.tiles_w * args.channel_blocks;
}

#ifdef CS_HAS_SM90A

// A block's shared memory.
template <class S> struct gemm_memory {
    unsigned char *inputs, *weights; // [buffers][input_bytes], [stages][stage_bytes]
    float *staging;                  // [computing warps][8][staged], where the block itself writes y
    unsigned char *units;            // [copiers][GEMM_UNIT], where it copies x (gemm_overlap.cuh)
    uint64_t *inputs_full, *inputs_empty, *weights_full, *weights_empty;
    uint64_t *turn; // a computing group's, to multiply

    __device__ __forceinline__ gemm_memory() {
        inputs = shared_memory<unsigned char>();
        weights = inputs + S::buffers * S::input_bytes;
        staging = reinterpret_cast<float *>(weights + S::stages * S::stage_bytes);
        units = reinterpret_cast<unsigned char *>(staging + S::staging);
        inputs_full = reinterpret_cast<uint64_t *>(units + S::copiers * GEMM_UNIT);
        inputs_empty = inputs_full + S::buffers;
        weights_full = inputs_empty + S::buffers;
        weights_empty = weights_full + S::stages;
        turn = weights_empty + S::stages;
    }

    // By one thread; the others wait for it at a barrier of the block. What is emptied is so by four warps.
    __device__ __forceinline__ void init_barriers() const {
        for (int i = 0; i < S::buffers; ++i) {
            mbarrier_init(inputs_full + i, 1);
            mbarrier_init(inputs_empty + i, 4);
        }
        for (int i = 0; i < S::stages; ++i) {
            mbarrier_init(weights_full + i, 1);
            mbarrier_init(weights_empty + i, 4);
        }
        for (int i = 0; i < 2; ++i)
            mbarrier_init(turn + i, 4);
        mbarrier_init_fence();
    }
};

// ---- Loading, by one thread each

template <class S> constexpr int gemm_phases = S::phases_h *S::phases_w; // boxes of a chunk

// Brings box `phase` of a chunk of a tile's inputs.
template <class S>
__device__ __forceinline__ void gemm_load_box(const cs_conv_args &args, const conv_tile &tile, int chunk, int phase,
                                              unsigned char *to, uint64_t *full) {
    const int row = tile.row * S::stride_h - S::pad_h + phase / S::phases_w * S::dilation_h;
    const int col = tile.col * S::stride_w - S::pad_w + phase % S::phases_w * S::dilation_w;
    mbarrier_expect(full, args.gemm.box_rows * args.gemm.pitch * S::row_bytes);
    tensor_load(to, args.gemm.inputs, chunk * S::channels, col, row, tile.n, full);
}

// The same in planes: boxes of 64 pixels, as many as the product has.
template <class S>
__device__ __forceinline__ void gemm_load_planes(const cs_conv_args &args, const conv_tile &tile, int chunk,
                                                 unsigned char *to, uint64_t *full) {
    mbarrier_expect(full, S::input_bytes);
    for (int i = 0; i < S::n; i += GEMM_PLANE_PIXELS)
        tensor_load(to + i * S::row_bytes, args.gemm.inputs, tile.row * args.gemm.line + tile.col + i,
                    chunk * S::channels, tile.n, 0, full);
}

// wait_for(n): until sample n can be read.
template <class S, class WaitFor>
__device__ __forceinline__ void gemm_load_inputs(const gemm_memory<S> &memory, const cs_conv_args &args,
                                                 WaitFor wait_for) {
    buffer_ring<S::buffers> ring;
    for (int i = static_cast<int>(block_index()); i < gemm_tiles(args); i += static_cast<int>(block_count())) {
        const conv_tile tile = gemm_tile(args, i);
        wait_for(tile.n);
        for (int box = 0; box < S::chunks * gemm_phases<S>; ++box, ring.advance()) {
            unsigned char *const to = memory.inputs + ring.index * S::input_bytes;
            mbarrier_wait(memory.inputs_empty + ring.index, ring.parity ^ 1);
            if constexpr (S::planes)
                gemm_load_planes<S>(args, tile, box, to, memory.inputs_full + ring.index);
            else
                gemm_load_box<S>(args, tile, box / gemm_phases<S>, box % gemm_phases<S>, to,
                                 memory.inputs_full + ring.index);
        }
    }
}

template <class S>
__device__ __forceinline__ void gemm_load_weights(const gemm_memory<S> &memory, const cs_conv_args &args) {
    constexpr int TAPS = S::kh * S::kw, TAP_BYTES = GEMM_CHANNELS * S::row_bytes;
    buffer_ring<S::stages> ring;
    for (int i = static_cast<int>(block_index()); i < gemm_tiles(args); i += static_cast<int>(block_count())) {
        const unsigned char *from = static_cast<const unsigned char *>(args.packed) +
                                    static_cast<size_t>(i % args.channel_blocks) * S::chunks * TAPS * TAP_BYTES;
        for (int chunk = 0; chunk < S::chunks; ++chunk)
            for (int tap = 0; tap < TAPS; tap += S::stage_taps, ring.advance()) {
                const int bytes = min(S::stage_taps, TAPS - tap) * TAP_BYTES;
                mbarrier_wait(memory.weights_empty + ring.index, ring.parity ^ 1);
                mbarrier_expect(memory.weights_full + ring.index, bytes);
                bulk_load(memory.weights + ring.index * S::stage_bytes, from, bytes, memory.weights_full + ring.index);
                from += bytes;
            }
    }
}

// ---- Computing, by a warpgroup

// A thread's part of a tile's values: of rows (channels) l / 4 and l / 4 + 8 of its warp's 16, where l is its lane, the
// columns (pixels) 8 j + 2 (l % 4) and the next, as z[4 j] to z[4 j + 3].
template <class S> using gemm_values = float[S::n / 2];

// The first buffer's inputs as an operand; and how far a step of k is, in 16 bytes.
template <class S> __device__ __forceinline__ uint64_t gemm_inputs(const unsigned char *inputs) {
    if constexpr (S::planes)
        return wgmma_swizzled_columns(inputs, GEMM_PLANE_PIXELS * S::row_bytes);
    else
        return wgmma_swizzled_operand<S::row_bytes>(inputs);
}
template <class S> constexpr int gemm_step = S::planes ? CS_PLANE_BYTES : 2;

// The products of one tap, STEPS of them along k: weights and inputs are operands at k = 0.
template <class S, int STEPS>
__device__ __forceinline__ void gemm_tap(gemm_values<S> &z, uint64_t weights, uint64_t inputs, bool accumulate) {
#pragma unroll
    for (int k = 0; k < STEPS; ++k)
        wgmma<typename S::operand, S::n, S::planes>(z, wgmma_moved(weights, 2 * k, 0),
                                                    wgmma_moved(inputs, gemm_step<S> * k, 0), k > 0 || accumulate);
}

// What a computing group keeps from tile to tile: its places in the rings, and whose turn it is.
template <class S> struct gemm_computer {
    static constexpr int STAGES_OF_CHUNK = (S::kh * S::kw + S::stage_taps - 1) / S::stage_taps;

    const gemm_memory<S> &memory;
    const int group;
    const bool speaks; // for its warp, at barriers
    const uint64_t first_inputs, first_weights;
    buffer_ring<S::buffers> inputs;
    buffer_ring<S::stages> weights;
    int read;       // the first of the inputs that are not released
    int parity;     // of the turn
    int to_release; // a stage that the newest products but one have read, or -1

    __device__ __forceinline__ gemm_computer(const gemm_memory<S> &memory, int group)
        : memory(memory), group(group), speaks(thread_index() % 32 == 0), first_inputs(gemm_inputs<S>(memory.inputs)),
          first_weights(wgmma_swizzled_operand<S::row_bytes>(memory.weights)), read(0), parity(group == 0 ? 1 : 0),
          to_release(-1) {
        if (group == 1)
            skip_tile();
    }

    __device__ __forceinline__ void skip_tile() {
        inputs.skip(S::chunks * gemm_phases<S>);
        read = inputs.index;
        weights.skip(S::chunks * STAGES_OF_CHUNK);
    }

    // A tile begins and ends; between, no other group waits for buffers: what a barrier's parity tells a group is of
    // this round only as long as it is not a round behind.
    __device__ __forceinline__ void take_turn() {
        mbarrier_wait(memory.turn + group, parity);
        parity ^= 1;
    }
    __device__ __forceinline__ void pass_turn() const {
        if (speaks)
            mbarrier_arrive(memory.turn + (group ^ 1));
    }

    __device__ __forceinline__ uint64_t wait_for_inputs() {
        mbarrier_wait(memory.inputs_full + inputs.index, inputs.parity);
        const uint64_t operand = wgmma_moved(first_inputs, inputs.index * (S::input_bytes / 16), 0);
        inputs.advance();
        return operand;
    }
    __device__ __forceinline__ uint64_t wait_for_weights() const {
        mbarrier_wait(memory.weights_full + weights.index, weights.parity);
        return wgmma_moved(first_weights, weights.index * (S::stage_bytes / 16), 0);
    }

    // After the commit of a stage's products: those before are complete, and the stage that they read is free.
    __device__ __forceinline__ void end_stage() {
        wgmma_wait<1>();
        release_stage();
        to_release = weights.index;
        weights.advance();
    }
    __device__ __forceinline__ void release_stage() {
        if (speaks && to_release >= 0)
            mbarrier_arrive(memory.weights_empty + to_release);
    }
    // After the end of a stage: the inputs of so many boxes that only stages before it read.
    __device__ __forceinline__ void release_inputs(int count) {
        for (int i = 0; i < count; ++i) {
            if (speaks)
                mbarrier_arrive(memory.inputs_empty + read);
            read = read + 1 == S::buffers ? 0 : read + 1;
        }
    }

    // The last stage was the last one to read `boxes` inputs.
    __device__ __forceinline__ void end_tile(gemm_values<S> &z, int boxes) {
        pass_turn();
        wgmma_wait<0>(z);
        release_stage();
        to_release = -1;
        release_inputs(boxes);
        skip_tile(); // the other group's
    }
};

#endif
