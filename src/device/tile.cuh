// SPDX-License-Identifier: Apache-2.0
//
// Where a block's tile lies, and bringing its part of x into shared memory.
#pragma once

#include <cstring>
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

// How outputs lie over inputs: the taps of output (row, col) begin at input (row * STRIDE_H - PAD_H, col * STRIDE_W -
// PAD_W). What lies outside x counts as zero where there is padding; elsewhere only outputs that do not exist see it.
// Staged lines begin at column col * STRIDE_W - LEAD, LEAD being PAD_W or more.
template <int STRIDE_H, int STRIDE_W, int PAD_H, int PAD_W, int LEAD> struct conv_window {
    static constexpr int stride_h = STRIDE_H, stride_w = STRIDE_W, pad_h = PAD_H, pad_w = PAD_W, lead = LEAD;
};
using plain_window = conv_window<1, 1, 0, 0, 0>;

template <int VALUE> struct constant { static constexpr int value = VALUE; };

// A place among a launch's tiles, or the way from one to another: of each sample in turn, row by row.
struct tile_place {
    int n, row, col; // row and col in tiles
};

__device__ __forceinline__ tile_place place_of_tile(const cs_conv_args &args, int index) {
    const int row = index / args.tiles_w;
    return {row / args.tiles_h, row % args.tiles_h, index % args.tiles_w};
}

// A persistent block's tiles: TILE_C channels, the same in all of them, of every so manieth tile. The launch has at
// least args.channel_blocks blocks.
template <int TILE_C, int TILE_H, int TILE_W> class tile_walk {
    tile_place place_, step_;

  public:
    int channel;

    __device__ __forceinline__ explicit tile_walk(const cs_conv_args &args) {
        const int block = static_cast<int>(block_index());
        channel = block % args.channel_blocks * TILE_C;
        place_ = place_of_tile(args, block / args.channel_blocks);
        step_ = place_of_tile(args, static_cast<int>(block_count()) / args.channel_blocks);
        // What is left over when channel_blocks does not divide the launch has nothing to do.
        if (block / args.channel_blocks >= static_cast<int>(block_count()) / args.channel_blocks)
            place_.n = args.n;
    }
    __device__ __forceinline__ bool inside(const cs_conv_args &args) const { return place_.n < args.n; }

    // To the next tile; without a division.
    __device__ __forceinline__ void advance(const cs_conv_args &args) {
        const int col = place_.col + step_.col, wraps = col >= args.tiles_w;
        place_.col = wraps ? col - args.tiles_w : col;
        const int row = place_.row + step_.row + wraps, turns = row >= args.tiles_h;
        place_.row = turns ? row - args.tiles_h : row;
        place_.n += step_.n + turns;
    }

    __device__ __forceinline__ conv_tile tile(const cs_conv_args &args) const {
        conv_tile tile;
        tile.n = place_.n;
        tile.channel = channel;
        tile.row = place_.row * TILE_H;
        tile.col = place_.col * TILE_W;
        tile.rows = min(TILE_H, args.h_out - tile.row);
        tile.cols = min(TILE_W, args.w_out - tile.col);
        tile.index = place_.row * args.tiles_w + place_.col;
        return tile;
    }
};

// Whether 0 <= index < size, in one comparison.
__device__ __forceinline__ bool is_index(int index, int size) {
    return static_cast<unsigned>(index) < static_cast<unsigned>(size);
}

// One element at a time: those of 16 bits are too small for an asynchronous copy.
__device__ __forceinline__ void copy_element(float *to, const float *from, bool real) { cp_async_4(to, from, real); }
template <class E> __device__ __forceinline__ void copy_element(E *to, const E *from, bool real) {
    *to = real ? load_global(from) : E{};
}

// Whether every VECTOR elements of a line of x, from its begin on, begin at a multiple of 16 bytes and lie within it.
template <int VECTOR> __device__ __forceinline__ bool x_is_aligned(const cs_conv_args &args) {
    const uint32_t strides = static_cast<uint32_t>(args.x_strides[0] | args.x_strides[1] | args.x_strides[2]);
    return ((strides | static_cast<uint32_t>(args.w)) % VECTOR | global_address(args.x) % 16) == 0;
}

// Starts copying the lines of CHANNELS planes of ROWS x PITCH inputs, from input channel `first` at the tile's corner,
// to `stage` (planes PLANE elements apart): as much of them as lies in x, and zeros for channels that x does not have.
// What lies outside a plane of x is zero where W has padding, else nothing is written for it. 16 bytes at a time where
// all lines begin at multiples of as much. The C_IN channels are those of a group, which begin at `base` in x. To be
// committed and waited for.
template <int C_IN, int CHANNELS, int ROWS, int PITCH, int PLANE, int THREADS, class W = plain_window, class E>
__device__ __forceinline__ void copy_lines(E *stage, const cs_conv_args &args, const conv_tile &tile, int first,
                                           int base = 0) {
    constexpr int VECTOR = 16 / sizeof(E);
    static_assert(PITCH % VECTOR == 0 && PLANE % VECTOR == 0, "lines begin at multiples of 16 bytes");
    static_assert(W::lead % VECTOR == 0, "and so do those of padded tiles");
    constexpr int LANES = PITCH / VECTOR >= 32 ? 32 : PITCH / VECTOR >= 16 ? 16 : 8; // of a line
    const int64_t plane = args.x_strides[1], line = args.x_strides[2];
    const E *const sample = static_cast<const E *>(args.x) + tile.n * args.x_strides[0] + base * plane;
    const int lane = thread_index() % LANES;
    const int top = tile.row * W::stride_h - W::pad_h, left = tile.col * W::stride_w - W::lead;
    const int rows = W::pad_h > 0 ? ROWS : min(ROWS, args.h - top);
    const int cols = W::pad_w > 0 ? PITCH : min(PITCH, args.w - left);
    const auto copy = [&](auto each, const auto &copy_one) { // `each` elements at a time
        constexpr int STEP = decltype(each)::value * LANES;
        // Not of the small copies: their many addresses would fill the registers.
        [[maybe_unused]] constexpr int UNROLL = decltype(each)::value > 1 ? 8 : 1;
        for (int row = thread_index() / LANES; row < rows; row += THREADS / LANES) {
            const int col = lane * decltype(each)::value;
            const E *from = sample + first * plane + (top + row) * line + left + col;
            E *to = stage + row * PITCH + col;
            const bool has_row = W::pad_h == 0 || is_index(top + row, args.h);
#pragma unroll UNROLL
            for (int c = 0; c < CHANNELS; ++c, from += plane, to += PLANE) {
                const bool has_channel = C_IN % CHANNELS == 0 || first + c < C_IN;
#pragma unroll
                for (int i = 0; i < PITCH; i += STEP)
                    if (col + i < cols) {
                        const bool real = has_channel && has_row && (W::pad_w == 0 || is_index(left + col + i, args.w));
                        copy_one(to + i, real ? from + i : sample, real);
                    }
            }
        }
    };
    if (x_is_aligned<VECTOR>(args))
        copy(constant<VECTOR>(), [](E *to, const E *from, bool real) { cp_async_16(to, from, real); });
    else
        copy(constant<1>(), [](E *to, const E *from, bool real) { copy_element(to, from, real); });
}

// Starts copying CHANNELS planes of ROWS x COLS inputs, from input channel `first` at the tile's corner, to `stage`
// (planes PLANE and rows PITCH floats apart). What lies outside x is set to zero. The C_IN channels are those of a
// group, which begin at `base` in x. To be committed and waited for.
template <int C_IN, int CHANNELS, int ROWS, int COLS, int PITCH, int PLANE, int THREADS, class W = plain_window>
__device__ __forceinline__ void copy_inputs(float *stage, const cs_conv_args &args, const conv_tile &tile, int first,
                                            int base = 0) {
    const float *sample = static_cast<const float *>(args.x) + tile.n * args.x_strides[0] + base * args.x_strides[1];
    const int top = tile.row * W::stride_h - W::pad_h, left = tile.col * W::stride_w - W::pad_w;
    for (int i = thread_index(); i < CHANNELS * ROWS * COLS; i += THREADS) {
        const int channel = i / (ROWS * COLS);
        const int row = i / COLS % ROWS;
        const int col = i % COLS;
        const bool has_row = W::pad_h > 0 ? is_index(top + row, args.h) : row < args.h - top;
        const bool has_col = W::pad_w > 0 ? is_index(left + col, args.w) : col < args.w - left;
        const bool inside = first + channel < C_IN && has_row && has_col;
        const int64_t from = (first + channel) * args.x_strides[1] + (top + row) * args.x_strides[2] + left + col;
        cp_async_4(stage + channel * PLANE + row * PITCH + col, sample + (inside ? from : 0), inside);
    }
}

// Where the tile's output plane of `channel` begins, at the tile's corner; rows are args.y_strides[2] apart.
template <class E = float>
__device__ __forceinline__ E *output_plane(const cs_conv_args &args, const conv_tile &tile, int channel) {
    return static_cast<E *>(args.y) + tile.n * args.y_strides[0] + channel * args.y_strides[1] +
           tile.row * args.y_strides[2] + tile.col;
}

// The floats `at` to at + 3 of a 16-byte aligned run in shared memory whose neighbouring fours have changed places if
// `swap` is 4, and have not if it is 0.
__device__ __forceinline__ float4 load_run(const float *run, int at, int swap) {
    const auto place = [&](int i) { return run + ((at + i) ^ swap); };
    if (at % 4 == 0)
        return load_shared_16(place(0));
    if (at % 2 == 0) {
        const float2 low = load_shared_8(place(0)), high = load_shared_8(place(2));
        return {low.x, low.y, high.x, high.y};
    }
    return {*place(0), *place(1), *place(2), *place(3)};
}

// How `count` neighbouring values are written from `to` on: `head` one by one, `body` 16 bytes at a time, and the rest
// one by one.
template <class E> struct run_cut {
    static constexpr int VECTOR = 16 / sizeof(E);
    int head, body, edges; // edges: those one by one, all of them
    __device__ __forceinline__ run_cut(const E *to, int count) {
        head = min(count, static_cast<int>(-(global_address(to) / sizeof(E)) % VECTOR));
        body = (count - head) / VECTOR * VECTOR;
        edges = count - body;
    }
    __device__ __forceinline__ bool is_whole() const { return head == 0 && edges == 0; }
};

// What stands behind the normalisation of a channel, whose values in y are counted from element `place` of it: nothing.
// A kernel that has more brings such a class of its own (templates/parts/behind.lua).
struct nothing_behind {
    __device__ __forceinline__ nothing_behind(const cs_conv_args &, int /* channel */, int64_t /* place */) {}
    __device__ __forceinline__ float operator()(float value, int64_t /* at */) const { return value; }
};

// COUNT values as 16 bytes of elements, COUNT being as many as there are in as much.
template <class E> __device__ __forceinline__ float4 packed_vector(const float (&v)[4]) {
    return {v[0], v[1], v[2], v[3]};
}
template <class E> __device__ __forceinline__ float4 packed_vector(const float (&v)[8]) {
    const uint32_t words[4] = {pack_elements<E>(v[0], v[1]), pack_elements<E>(v[2], v[3]), pack_elements<E>(v[4], v[5]),
                               pack_elements<E>(v[6], v[7])};
    float4 vector;
    memcpy(&vector, words, sizeof vector);
    return vector;
}

// 16 bytes of elements, nearest to the values at `at` of a run.
template <class E, class F>
__device__ __forceinline__ float4 finished_vector(const float *run, int at, int swap, const F &finish) {
    float values[run_cut<E>::VECTOR];
#pragma unroll
    for (int i = 0; i < run_cut<E>::VECTOR; i += 4) {
        const float4 v = load_run(run, at + i, swap);
        const float four[4] = {finish(v.x, at + i), finish(v.y, at + i + 1), finish(v.z, at + i + 2),
                               finish(v.w, at + i + 3)};
        memcpy(values + i, four, sizeof four);
    }
    return packed_vector<E>(values);
}

// Writes a run of at most MOST values of one channel, normalised (NORMALISE) and taken through what stands behind that,
// from shared memory, as in load_run, to y, by LANES neighbouring lanes.
template <bool NORMALISE, int MOST, int LANES, class E, class Behind>
__device__ __forceinline__ void write_run(E *to, const float *run, int swap, const run_cut<E> &cut, cs_affine norm,
                                          const Behind &behind) {
    constexpr int VECTOR = run_cut<E>::VECTOR;
    const auto finish = [&](float value, int at) { return behind(NORMALISE ? value * norm.a + norm.b : value, at); };
    const int lane = thread_index() % LANES;
#pragma unroll
    for (int i = 0; i < MOST; i += LANES * VECTOR)
        if (const int at = cut.head + i + lane * VECTOR; at < cut.head + cut.body)
            store_global_16(to + at, finished_vector<E>(run, at, swap, finish));
#pragma unroll
    for (int i = 0; i < 2 * VECTOR - 2; i += LANES)
        if (i + lane < cut.edges) {
            const int at = i + lane < cut.head ? i + lane : cut.body + i + lane;
            store_global(to + at, from_float<E>(finish(run[at ^ swap], at)));
        }
}

// The same for a run of `count` values, all of which are written 16 bytes at a time.
template <bool NORMALISE, int MOST, int LANES, class E, class Behind>
__device__ __forceinline__ void write_whole_run(E *to, const float *run, int swap, int count, cs_affine norm,
                                                const Behind &behind) {
    constexpr int VECTOR = run_cut<E>::VECTOR;
    const auto finish = [&](float value, int at) { return behind(NORMALISE ? value * norm.a + norm.b : value, at); };
#pragma unroll
    for (int i = 0; i < MOST; i += LANES * VECTOR)
        if (const int at = i + thread_index() % LANES * VECTOR; at < count)
            store_global_16(to + at, finished_vector<E>(run, at, swap, finish));
}

// The normalisation of (sample, channel), as the merge left it.
template <int C_OUT>
__device__ __forceinline__ cs_affine normalisation(const cs_conv_args &args, const conv_tile &tile, int channel) {
    return args.affine[static_cast<size_t>(tile.n) * C_OUT + channel];
}
