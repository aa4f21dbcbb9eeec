// SPDX-License-Identifier: Apache-2.0
//
// The tile of the tensor-core kernels: weights are the rows (channels) of m16n8k8 products (m16n8k16 for elements of 16
// bits), pixels their columns.
#pragma once

#include <cmath>
#include <cstring>
#include <device/moments.cuh>
#include <device/split.cuh>
#include <device/tile.cuh>
#include <type_traits>

// A block's WARPS warps: PARTS of them beside each other in channels, 16 M each; the others in pixels, ACROSS units of
// 32 columns beside each other, then below. A warp's unit is ROWS x 32 pixels.
//
// The columns of a product need not be neighbours: those of pixel tiles n to n + 3, which are of the unit's row n / 4,
// take turns, so that a lane's inputs of the four lie together in shared memory, and so do its results, twice four.
// APART: columns of the unit from the first of these fours to the second; 4, 8 or 16.
//
// APART 1: x is staged pixel by pixel (device/mma_nhwc.cuh); column g of a product is column n % 4 * 8 + g of the unit.
//
// PIECES: tf32 numbers that make up a number of fp32: 1 for its nearest tf32, 2 for three products in place of one.
template <class E, int M, int ROWS, int WARPS, int PARTS, int ACROSS, int PIECES, int APART> struct mma_shape {
    using element = E; // of x and y
    static constexpr int m = M, rows = ROWS, n = 4 * ROWS, warps = WARPS, parts = PARTS, across = ACROSS;
    static constexpr int pixel_warps = WARPS / PARTS;
    static constexpr int tile_c = PARTS * M * 16, tile_h = pixel_warps / ACROSS * ROWS, tile_w = ACROSS * 32;
    static constexpr int pieces = PIECES;
    static constexpr int apart = APART;
    static constexpr bool by_pixel = APART == 1;
    static constexpr int threads = WARPS * 32;
    static constexpr int staged = tile_h * tile_w; // floats of a channel
    using accumulators = float[M][n][4];
    struct uncut {};
    using cut = std::conditional_t<PIECES == 1, uncut, tf32_cut>; // of inputs
};

// This thread's place in the fragments: row (channel) and column pair (pixels) of d, k of a and b.
struct mma_lane {
    int warp, lane;
    __device__ __forceinline__ mma_lane() : warp(thread_index() / 32), lane(thread_index() % 32) {}
    __device__ __forceinline__ int k() const { return lane % 4; }
    __device__ __forceinline__ int pixel() const { return lane / 4; }   // of b
    __device__ __forceinline__ int channel() const { return lane / 4; } // of d, and 8 more
};

// Where a warp's unit lies in the block's tile.
template <class S> struct mma_unit {
    int part, row, col;
    __device__ __forceinline__ explicit mma_unit(int warp)
        : part(warp / S::pixel_warps), row(warp % S::pixel_warps / S::across * S::rows),
          col(warp % S::pixel_warps % S::across * 32) {}
    // What of it lies in the image. (Whether that is all rows, ask has_all_rows: of max(0, min(ROWS, a)) == ROWS
    // nvcc 13.0 makes one instruction for sm_90, and takes the wrong one of its two predicates. A shuffle stands
    // between them.)
    __device__ __forceinline__ bool has_all_rows(const conv_tile &tile) const {
        return warp_uniform(rows(tile)) == S::rows;
    }
    __device__ __forceinline__ int rows(const conv_tile &tile) const { return max(0, min(S::rows, tile.rows - row)); }
    __device__ __forceinline__ int cols(const conv_tile &tile) const { return max(0, min(32, tile.cols - col)); }
};

// Column of a unit of a lane's value i (0 or 1) of pixel tile n, but for the lane's own first column.
template <class S> __device__ __forceinline__ constexpr int mma_column(int n, int i) {
    return n % 4 * (S::by_pixel ? 8 : 1) + i * S::apart;
}
template <class S> __device__ __forceinline__ constexpr int mma_first_column(int k) {
    return S::by_pixel ? k * 2 : k * 4 + k * 4 / S::apart * S::apart;
}

// The same for a lane's inputs, `pixel` being its column of a product.
template <class S> __device__ __forceinline__ constexpr int mma_input_column(int pixel) {
    return mma_first_column<S>(pixel / 2) + pixel % 2 * S::apart;
}

// ---- Products

// A lane's part of the weights of one step, the PIECES of M channel tiles. Packed, its four of a tile lie together.
template <int M, int PIECES> struct mma_weights {
    uint32_t a[M][PIECES][4];
    mma_weights() = default;
    __device__ __forceinline__ explicit mma_weights(const float *packed) {
#pragma unroll
        for (int i = 0; i < M * PIECES; ++i) {
            const float4 fragment = load_global_16(packed + i * 32 * 4);
            memcpy(a[i / PIECES][i % PIECES], &fragment, sizeof fragment);
        }
    }
};

// The input at x[offset]. x begins at a multiple of VECTOR floats, 1, 2 or 4; the compiler makes one load of those that
// lie together.
template <int VECTOR> __device__ __forceinline__ float load_input(const float *x, int offset) {
    float values[VECTOR];
    if constexpr (VECTOR == 1) {
        values[0] = x[offset];
    } else if constexpr (VECTOR == 2) {
        const float2 two = load_shared_8(x + offset / 2 * 2);
        memcpy(values, &two, sizeof values);
    } else {
        const float4 four = load_shared_16(x + offset / 4 * 4);
        memcpy(values, &four, sizeof values);
    }
    return values[offset % VECTOR];
}

// Two neighbouring channels' inputs, at x[offset] and PLANE further, in one register. x is 8-byte aligned; the compiler
// makes one load of those that lie together.
template <int PLANE, class E> __device__ __forceinline__ uint32_t load_input_pair(const E *x, int offset) {
    const float2 first = load_shared_8(x + offset / 4 * 4), second = load_shared_8(x + PLANE + offset / 4 * 4);
    const uint32_t low = float_bits(offset % 4 < 2 ? first.x : first.y);
    const uint32_t high = float_bits(offset % 4 < 2 ? second.x : second.y);
    return offset % 2 == 0 ? (low & 0xffffu) | high << 16 : low >> 16 | (high & 0xffff0000u);
}

// The products of one step and the pixel tile n, a lane's inputs being `first` and `second`.
template <class S>
__device__ __forceinline__ void mma_products(typename S::accumulators &d, int n, const typename S::cut &cut,
                                             const mma_weights<S::m, S::pieces> &weights, float first, float second) {
    if constexpr (S::pieces == 1) {
        const uint32_t b[2] = {tf32_input(first), tf32_input(second)};
#pragma unroll
        for (int m = 0; m < S::m; ++m)
            mma_m16n8k8_tf32(d[m][n], weights.a[m][0], b);
    } else {
        const uint32_t b[2] = {cut.first(first), cut.first(second)};
        const uint32_t rest[2] = {cut.rest(first), cut.rest(second)};
#pragma unroll
        for (int m = 0; m < S::m; ++m) {
            mma_m16n8k8_tf32(d[m][n], weights.a[m][S::pieces - 1], b);
            mma_m16n8k8_tf32(d[m][n], weights.a[m][0], rest);
            mma_m16n8k8_tf32(d[m][n], weights.a[m][0], b);
        }
    }
}

// One step of eight k: two quads of four, whose inputs for this lane begin at x[low] and x[high]. A lane that a quad
// has no k for (low_valid, high_valid) contributes zero, whatever lies there. The inputs of pixels below each other are
// PITCH apart, those of neighbours STRIDE.
template <class S, int PITCH, int VECTOR, int STRIDE = 1>
__device__ __forceinline__ void mma_step(typename S::accumulators &d, const typename S::cut &cut,
                                         const mma_weights<S::m, S::pieces> &weights, const float *x, int low,
                                         bool low_valid, int high, bool high_valid) {
#pragma unroll
    for (int n = 0; n < S::n; ++n) {
        const int offset = n / 4 * PITCH + n % 4 * STRIDE;
        // Loaded by all lanes: of loads on a lane's condition the compiler would not make one.
        const float first = load_input<VECTOR>(x, low + offset), second = load_input<VECTOR>(x, high + offset);
        mma_products<S>(d, n, cut, weights, low_valid ? first : 0.0f, high_valid ? second : 0.0f);
    }
}

// The same for elements of 16 bits and a step of sixteen k, a quad being four pairs of channels.
template <class S, int PITCH, int PLANE, int STRIDE = 1>
__device__ __forceinline__ void mma_step_pairs(typename S::accumulators &d, const mma_weights<S::m, 1> &weights,
                                               const typename S::element *x, int low, bool low_valid, int high,
                                               bool high_valid) {
#pragma unroll
    for (int n = 0; n < S::n; ++n) {
        const int offset = n / 4 * PITCH + n % 4 * STRIDE;
        const uint32_t b[2] = {low_valid ? load_input_pair<PLANE>(x, low + offset) : 0u,
                               high_valid ? load_input_pair<PLANE>(x, high + offset) : 0u};
#pragma unroll
        for (int m = 0; m < S::m; ++m)
            mma_m16n8k16<typename S::element>(d[m][n], weights.a[m][0], b);
    }
}

// The halves of a lane's pair of columns that a quad of eight columns has, those from `first` to `after`: a mask.
__device__ __forceinline__ uint32_t pair_mask(int lane, int first, int after) {
    const uint32_t low = lane * 2 >= first && lane * 2 < after ? 0xffffu : 0u;
    const uint32_t high = lane * 2 + 1 >= first && lane * 2 + 1 < after ? 0xffff0000u : 0u;
    return low | high;
}

// Two neighbouring columns' inputs, at x[offset], in one register. x is 4-byte aligned.
template <class E> __device__ __forceinline__ uint32_t load_column_pair(const E *x, int offset) {
    if (offset % 2 == 0)
        return load_shared_4(x + offset);
    return load_shared_4(x + offset - 1) >> 16 | load_shared_4(x + offset + 1) << 16;
}

// The same for a quad of four pairs of columns, of which the lane uses what its mask has.
template <class S, int PITCH, int STRIDE = 1>
__device__ __forceinline__ void mma_step_column_pairs(typename S::accumulators &d, const mma_weights<S::m, 1> &weights,
                                                      const typename S::element *x, int low, uint32_t low_mask,
                                                      int high, uint32_t high_mask) {
#pragma unroll
    for (int n = 0; n < S::n; ++n) {
        const int offset = n / 4 * PITCH + n % 4 * STRIDE;
        const uint32_t b[2] = {load_column_pair(x, low + offset) & low_mask,
                               load_column_pair(x, high + offset) & high_mask};
#pragma unroll
        for (int m = 0; m < S::m; ++m)
            mma_m16n8k16<typename S::element>(d[m][n], weights.a[m][0], b);
    }
}

// Replaces the values of pixels outside the image by zeros: what is computed there may be NaN.
template <class S> __device__ __forceinline__ void blank_outside(typename S::accumulators &values, int rows, int cols) {
    const int mine = cols - mma_first_column<S>(mma_lane().k());
#pragma unroll
    for (int m = 0; m < S::m; ++m)
#pragma unroll
        for (int n = 0; n < S::n; ++n)
#pragma unroll
            for (int i = 0; i < 4; ++i)
                if (n / 4 >= rows || mma_column<S>(n, i % 2) >= mine)
                    values[m][n][i] = 0.0f;
}

// ---- Statistics

// How many columns lane k has of a unit's first `cols`.
template <class S> __device__ __forceinline__ int columns_of_lane(int cols, int k) {
    if (S::by_pixel)
        return max(0, cols / 8 * 2 + min(2, max(0, cols % 8 - k * 2)));
    const int mine = cols - mma_first_column<S>(k);
    return max(0, min(4, mine)) + max(0, min(4, mine - S::apart));
}

// The moments of a warp's unit, a channel at a time: of each thread's pixels first, then over the four that share a
// channel. FULL: all of the unit lies in the image. `scratch`: entries of the warp's 16 M channels.
//
// A thread's pivot p is one of its n values, so that (mean - p)^2 <= M2 and sum (v - p)^2 = M2 + n (mean - p)^2 is at
// most (n + 1) M2. To take n (mean - p)^2 off it again costs some 2 n + 4 units in M2's last place at most, and n is 16
// or 32: nothing is lost of the digits that the values have, however close together they lie.
template <class S, bool FULL>
__device__ __forceinline__ void unit_moments(const typename S::accumulators &values, int rows, int cols,
                                             cs_moments *scratch) {
    const mma_lane at;
    const int mine = FULL ? 8 : columns_of_lane<S>(cols, at.k());
    const int limit = cols - mma_first_column<S>(at.k());
    float count = FULL ? S::rows * 8.0f : static_cast<float>(rows * mine);
    const float inverse = FULL ? 1.0f / (S::rows * 8.0f) : count > 0.0f ? reciprocal_approx(count) : 0.0f;
    cs_moments moments[S::m * 2];
#pragma unroll
    for (int c = 0; c < S::m * 2; ++c) {
        const float pivot = FULL || count > 0.0f ? values[c / 2][0][c % 2 * 2] : 0.0f;
        float sum = 0.0f, squares = 0.0f;
#pragma unroll
        for (int n = 0; n < S::n; ++n)
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                const bool inside = FULL || (n / 4 < rows && mma_column<S>(n, i) < limit);
                const float deviation = inside ? values[c / 2][n][c % 2 * 2 + i] - pivot : 0.0f;
                sum += deviation;
                squares += deviation * deviation;
            }
        moments[c] = {pivot + sum * inverse, squares - sum * (sum * inverse)};
    }
#pragma unroll
    for (int mask = 1; mask < 4; mask *= 2) {
        const float other_count = FULL ? count : shuffle_xor(count, mask);
#pragma unroll
        for (int c = 0; c < S::m * 2; ++c) {
            const cs_moments other = {shuffle_xor(moments[c].mean, mask), shuffle_xor(moments[c].m2, mask)};
            moments[c] = merge_moments(count, moments[c], other_count, other);
        }
        count += other_count;
    }
    if (at.k() == 0)
#pragma unroll
        for (int c = 0; c < S::m * 2; ++c)
            scratch[c * 8 + at.channel()] = moments[c];
}

// Writes the moments of the block's tile, those of its warps merged in their order. `scratch`: pixel_warps * tile_c
// entries of shared memory that nothing else uses until the next barrier but one.
template <class S, int C_OUT>
__device__ __forceinline__ void write_moments(const cs_conv_args &args, const conv_tile &tile,
                                              const typename S::accumulators &values, cs_moments *scratch) {
    const int warp = thread_index() / 32;
    const mma_unit<S> unit(warp);
    // The shuffles keep nvcc from what mma_unit tells of.
    const int rows = warp_uniform(unit.rows(tile)), cols = warp_uniform(unit.cols(tile));
    cs_moments *const mine = scratch + warp % S::pixel_warps * S::tile_c + unit.part * S::m * 16;
    if (rows == S::rows && cols == 32)
        unit_moments<S, true>(values, rows, cols, mine);
    else
        unit_moments<S, false>(values, rows, cols, mine);
    sync_threads();
    const size_t tiles = static_cast<size_t>(args.tiles_h) * args.tiles_w;
    for (int c = thread_index(); c < S::tile_c && tile.channel + c < C_OUT; c += S::threads) {
        cs_moments total = scratch[c];
        const mma_unit<S> first(0);
        float seen = static_cast<float>(first.rows(tile) * first.cols(tile));
        for (int i = 1; i < S::pixel_warps; ++i) {
            const mma_unit<S> next(i);
            const float more = static_cast<float>(next.rows(tile) * next.cols(tile));
            total = merge_moments(seen, total, more, scratch[i * S::tile_c + c]);
            seen += more;
        }
        args.moments[(static_cast<size_t>(tile.n) * C_OUT + tile.channel + c) * tiles + tile.index] = total;
    }
}

// ---- Outputs

// Leaves a warp's values in `staging`, [tile_c][staged]: a channel's rows of the tile, one after the other. In odd
// channels fours that are `apart` change places (staging_swap), so that a warp's stores fall into different banks.
template <class S> __device__ __forceinline__ constexpr int staging_swap(int channel) { return channel % 2 * S::apart; }

template <class S>
__device__ __forceinline__ void stage_values(const typename S::accumulators &values, float *staging) {
    const mma_lane at;
    const mma_unit<S> unit(at.warp);
    float *const to = staging + (unit.part * S::m * 16 + at.channel()) * S::staged + unit.row * S::tile_w + unit.col +
                      mma_first_column<S>(at.k());
    const int swap = staging_swap<S>(at.channel());
#pragma unroll
    for (int c = 0; c < S::m * 2; ++c)
#pragma unroll
        for (int four = 0; four < S::rows * 2; ++four) {
            const float(&row)[S::n][4] = values[c / 2];
            const int n = four / 2 * 4, i = c % 2 * 2 + four % 2;
            store_shared_16(to + c * 8 * S::staged + four / 2 * S::tile_w + ((four % 2 * S::apart) ^ swap),
                            {row[n][i], row[n + 1][i], row[n + 2][i], row[n + 3][i]});
        }
}

// Whether rows of y begin and end at multiples of 16 bytes.
template <int VECTOR> __device__ __forceinline__ bool y_is_whole(const cs_conv_args &args) {
    const uint32_t strides = static_cast<uint32_t>(args.y_strides[0] | args.y_strides[1] | args.y_strides[2]);
    return ((strides | static_cast<uint32_t>(args.w_out)) % VECTOR | global_address(args.y) % 16) == 0;
}

// Normalises (NORMALISE) a warp's values, takes them through what stands behind that, and writes those that lie in y,
// whose rows are whole: 16 bytes of a lane's at a time, which beside its neighbours' fill sectors. WHOLE: all rows of
// the unit lie in y.
template <class S, int C_OUT, bool NORMALISE, class Behind, bool WHOLE>
__device__ __forceinline__ void write_unit(const cs_conv_args &args, const conv_tile &tile,
                                           const typename S::accumulators &values) {
    using E = typename S::element;
    constexpr int VECTOR = run_cut<E>::VECTOR, FOURS = VECTOR / 4;
    static_assert(FOURS == 1 || S::apart == 4, "what is written at a time lies together");
    const mma_lane at;
    const mma_unit<S> unit(at.warp);
    const int rows = unit.rows(tile), cols = unit.cols(tile) - mma_first_column<S>(at.k());
    const int first = tile.channel + unit.part * S::m * 16 + at.channel();
    const int64_t line = args.y_strides[2], planes = 8 * args.y_strides[1];
    E *to = output_plane<E>(args, tile, first) + unit.row * line + unit.col + mma_first_column<S>(at.k());
#pragma unroll
    for (int c = 0; c < S::m * 2; ++c, to += planes) {
        const int channel = first + c * 8;
        if (C_OUT % S::tile_c != 0 && channel >= C_OUT)
            break;
        cs_affine norm = {1.0f, 0.0f};
        if (NORMALISE)
            norm = normalisation<C_OUT>(args, tile, channel);
        const Behind behind(args, channel, to - static_cast<const E *>(args.y));
#pragma unroll
        for (int row = 0; row < S::rows; ++row)
#pragma unroll
            for (int i = 0; i < 2; i += FOURS)
                if ((WHOLE || row < rows) && i * S::apart < cols) {
                    const int64_t place = row * line + i * S::apart;
                    float results[VECTOR];
#pragma unroll
                    for (int j = 0; j < VECTOR; ++j) {
                        const float value = values[c / 2][row * 4 + j % 4][c % 2 * 2 + i + j / 4];
                        results[j] = behind(NORMALISE ? value * norm.a + norm.b : value, place + j);
                    }
                    store_global_16(to + place, packed_vector<E>(results));
                }
    }
}

// The same for any y: staged first, so that what is written at a time is a row of the block's tile.
template <class S, int C_OUT, bool NORMALISE, class Behind>
__device__ __forceinline__ void write_staged(const cs_conv_args &args, const conv_tile &tile,
                                             const typename S::accumulators &values, float *staging) {
    constexpr int VECTOR = run_cut<typename S::element>::VECTOR;
    constexpr int LANES = S::tile_w >= 32 * VECTOR ? 32 : S::tile_w / VECTOR; // of a row
    constexpr int GROUPS = S::threads / LANES, STEP = GROUPS / S::tile_h;
    static_assert(GROUPS % S::tile_h == 0, "a group of lanes keeps its row and walks over the channels");
    stage_values<S>(values, staging);
    sync_threads();
    const int row = thread_index() / LANES % S::tile_h, first = thread_index() / LANES / S::tile_h;
    if (row >= tile.rows)
        return;
    using E = typename S::element;
    const int64_t plane = args.y_strides[1];
    E *to = output_plane<E>(args, tile, tile.channel + first) + row * args.y_strides[2];
    const float *from = staging + first * S::staged + row * S::tile_w;
    run_cut<E> cut(to, tile.cols);
    const bool alike = STEP * plane % VECTOR == 0; // all runs lie alike between multiples of 16 bytes
    const auto write = [&](auto whole) {
#pragma unroll 4
        for (int c = first; c < S::tile_c; c += STEP, to += STEP * plane, from += STEP * S::staged) {
            if (C_OUT % S::tile_c != 0 && tile.channel + c >= C_OUT)
                break;
            if (!decltype(whole)::value && !alike)
                cut = run_cut<E>(to, tile.cols);
            cs_affine norm = {1.0f, 0.0f};
            if (NORMALISE)
                norm = normalisation<C_OUT>(args, tile, tile.channel + c);
            const Behind behind(args, tile.channel + c, to - static_cast<const E *>(args.y));
            if constexpr (decltype(whole)::value)
                write_whole_run<NORMALISE, S::tile_w, LANES>(to, from, staging_swap<S>(c), tile.cols, norm, behind);
            else
                write_run<NORMALISE, S::tile_w, LANES>(to, from, staging_swap<S>(c), cut, norm, behind);
        }
    };
    if (alike && cut.is_whole())
        write(constant<true>());
    else
        write(constant<false>());
}

// Writes the block's tile as either of them does.
template <class S, int C_OUT, bool NORMALISE, class Behind = nothing_behind>
__device__ __forceinline__ void write_outputs(const cs_conv_args &args, const conv_tile &tile,
                                              const typename S::accumulators &values, float *staging) {
    const mma_unit<S> unit(thread_index() / 32);
    if (!y_is_whole<run_cut<typename S::element>::VECTOR>(args))
        write_staged<S, C_OUT, NORMALISE, Behind>(args, tile, values, staging);
    else if (unit.has_all_rows(tile))
        write_unit<S, C_OUT, NORMALISE, Behind, true>(args, tile, values);
    else
        write_unit<S, C_OUT, NORMALISE, Behind, false>(args, tile, values);
}
