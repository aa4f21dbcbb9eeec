/* SPDX-License-Identifier: Apache-2.0
 *
 * What the CPU kernels are written in: vectors of CS_LANES floats (GCC's vector types; a shard of kernels defines the
 * macro for its instruction set), the copied patch of x, the moments of a tile.
 */
#ifndef CONVSMITH_DEVICE_HOST_VECTOR_H
#define CONVSMITH_DEVICE_HOST_VECTOR_H

#include <device/args.h>
#include <device/element.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CS_INLINE static inline __attribute__((always_inline))

typedef float cs_vec __attribute__((vector_size(4 * CS_LANES)));
typedef uint32_t cs_bits __attribute__((vector_size(4 * CS_LANES)));
typedef int32_t cs_mask __attribute__((vector_size(4 * CS_LANES)));

CS_INLINE cs_vec cs_load(const float *from) {
    cs_vec value;
    memcpy(&value, from, sizeof value);
    return value;
}

CS_INLINE void cs_store(float *to, cs_vec value) { memcpy(to, &value, sizeof value); }

CS_INLINE cs_vec cs_splat(float value) { return value - (cs_vec){0}; }

/* Where `condition` (lanes of 0 or -1) holds `yes`, else `no`. */
CS_INLINE cs_vec cs_select(cs_mask condition, cs_vec yes, cs_vec no) {
    return (cs_vec)((condition & (cs_mask)yes) | (~condition & (cs_mask)no));
}

/* 2^t, relative error below 2^-22; t beyond +-126 counts as +-126, NaN stays NaN. The integer part is found by adding
 * 1.5 * 2^23, which leaves it in the low mantissa bits; the polynomial is 2^f on [-1/2, 1/2] to degree 6 (Taylor,
 * whose remainder there is below 2^-22). */
CS_INLINE cs_vec cs_exp2(cs_vec t) {
    t = cs_select(t > 126.0f, cs_splat(126.0f), t);
    t = cs_select(t < -126.0f, cs_splat(-126.0f), t);
    const cs_vec shifted = t + 12582912.0f;
    const cs_vec f = t - (shifted - 12582912.0f);
    cs_vec p = 1.5403530e-4f * f + 1.3333558e-3f;
    p = p * f + 9.6181291e-3f;
    p = p * f + 5.5504109e-2f;
    p = p * f + 2.4022651e-1f;
    p = p * f + 6.9314718e-1f;
    p = p * f + 1.0f;
    const cs_bits exponent = (cs_bits)shifted - 0x4b400000u + 127u;
    return p * (cs_vec)(exponent << 23);
}

/* The sigmoid of v, given t = -log2(e) * v. 0 far below 0, so that times v it is what it should be. */
CS_INLINE cs_vec sigmoid_exp2(cs_vec t) {
    return 1.0f / (1.0f + cs_select(t > 126.0f, cs_splat(INFINITY), cs_exp2(t)));
}

/* ---- What the steps of device/steps.h are made of ---------------------------------------------------------------- */

CS_INLINE cs_vec choose(cs_mask condition, cs_vec yes, cs_vec no) { return cs_select(condition, yes, no); }
CS_INLINE cs_vec min_or_nan(cs_vec value, float limit) { return choose(value > limit, cs_splat(limit), value); }
CS_INLINE cs_vec max_or_nan(cs_vec value, float limit) { return choose(value < limit, cs_splat(limit), value); }
CS_INLINE cs_vec absolute(cs_vec value) { return (cs_vec)((cs_bits)value & 0x7fffffffu); }
CS_INLINE cs_vec reciprocal_approx(cs_vec value) { return 1.0f / value; }

/* 2^t; zero and infinity beyond +-126. */
CS_INLINE cs_vec exp2_approx(cs_vec t) {
    const cs_vec finite = choose(t > 126.0f, cs_splat(INFINITY), cs_exp2(t));
    return choose(t < -126.0f, cs_splat(0.0f), finite);
}

/* ln(1 + v) for v from 0 to 1, as 2 artanh(s) with s = v / (2 + v): the series to s^13, whose remainder is below 2^-26
 * since s is at most 1/3. */
CS_INLINE cs_vec log1p_approx(cs_vec value) {
    const cs_vec s = value / (2.0f + value), square = s * s;
    cs_vec sum = square * (2.0f / 13.0f) + 2.0f / 11.0f;
    sum = sum * square + 2.0f / 9.0f;
    sum = sum * square + 2.0f / 7.0f;
    sum = sum * square + 2.0f / 5.0f;
    sum = sum * square + 2.0f / 3.0f;
    return sum * square * s + 2.0f * s;
}

typedef cs_vec cs_value;
#define CS_STEP CS_INLINE
#include <device/steps.h>
#undef CS_STEP

/* A block's outputs: `rows` x `cols` pixels (cut at the image's edge) from (row, col) of sample `n`, all channels.
 * `index` counts the tiles of a sample. */
typedef struct cs_tile {
    int64_t n, index;
    int row, col, rows, cols;
} cs_tile;

CS_INLINE int cs_min(int a, int b) { return a < b ? a : b; }

CS_INLINE cs_tile cs_locate_tile(const cs_conv_args *args, int64_t block, int tile_h, int tile_w) {
    const int64_t tiles = (int64_t)args->tiles_h * args->tiles_w;
    cs_tile tile = {.n = block / tiles, .index = block % tiles};
    tile.row = (int)(tile.index / args->tiles_w) * tile_h;
    tile.col = (int)(tile.index % args->tiles_w) * tile_w;
    tile.rows = cs_min(tile_h, args->h_out - tile.row);
    tile.cols = cs_min(tile_w, args->w_out - tile.col);
    return tile;
}

/* How outputs lie over inputs: the taps of output (row, col) begin at input (row * stride_h - pad_h, col * stride_w -
 * pad_w). */
typedef struct cs_window {
    int stride_h, stride_w, pad_h, pad_w;
} cs_window;

/* How many of `first`, `first` + step, ... lie before `end`, of `count` numbers; 0 or less where none does. */
CS_INLINE int cs_steps_to(int64_t end, int64_t first, int step, int count) {
    const int64_t steps = (end - first + step - 1) / step;
    return steps < count ? (int)steps : count;
}

/* Every `step`-th of a row's elements from column `first` on, `count` of them, as floats; zeros for columns that x does
 * not have. `row` is the place of column 0 in x. */
CS_INLINE void cs_copy_row(float *to, const cs_conv_args *args, cs_element dtype, int64_t row, int64_t first, int step,
                           int count) {
    const int before = first < 0 ? cs_steps_to(0, first, step, count) : 0;
    const int inside = cs_steps_to(args->w, first, step, count);
    for (int i = 0; i < before; ++i)
        to[i] = 0.0f;
    for (int i = before; i < inside; ++i)
        to[i] = load_element(dtype, args->x, row + first + i * step);
    for (int i = inside > before ? inside : before; i < count; ++i)
        to[i] = 0.0f;
}

/* Where an output's taps begin in x: with the last outputs of a tile, and padding, beyond what an int has. */
CS_INLINE int64_t cs_begin(int output, int stride, int pad) { return (int64_t)output * stride - pad; }

/* Copies the inputs that a tile reads, `rows` x `pitch` at its corner of each of `planes` channels from `first`, to
 * `patch`, as floats: of every row first the columns that are multiples of stride_w, then those one further and so on,
 * so that the inputs of neighbouring outputs are neighbours. What lies outside x, and channels from `end` on, are set
 * to zero. */
CS_INLINE void cs_copy_patch(float *patch, const cs_conv_args *args, cs_element dtype, const cs_tile *tile,
                             cs_window window, int first, int end, int planes, int rows, int pitch) {
    const int64_t top = cs_begin(tile->row, window.stride_h, window.pad_h);
    const int64_t left = cs_begin(tile->col, window.stride_w, window.pad_w);
    const int run = pitch / window.stride_w;
    for (int c = first; c < first + planes; ++c)
        for (int row = 0; row < rows; ++row)
            for (int phase = 0; phase < window.stride_w; ++phase, patch += run) {
                const bool inside = c < end && top + row >= 0 && top + row < args->h;
                const int64_t from =
                    tile->n * args->x_strides[0] + c * args->x_strides[1] + (top + row) * args->x_strides[2];
                if (inside)
                    cs_copy_row(patch, args, dtype, from, left + phase, window.stride_w, run);
                else
                    memset(patch, 0, (size_t)run * sizeof *patch);
            }
}

CS_INLINE float cs_sum_lanes(cs_vec value) {
    float sum = 0.0f;
    for (int i = 0; i < CS_LANES; ++i)
        sum += value[i];
    return sum;
}

/* The sum of (v - centre)^power, power 1 or 2, over rows x cols values `pitch` apart. */
CS_INLINE float cs_sum_deviations(const float *values, int rows, int cols, int pitch, float centre, int power) {
    const int whole = cols / CS_LANES * CS_LANES;
    cs_vec sum = {0};
    float rest = 0.0f;
    for (int row = 0; row < rows; ++row, values += pitch) {
        for (int col = 0; col < whole; col += CS_LANES) {
            const cs_vec deviation = cs_load(values + col) - centre;
            sum += power == 2 ? deviation * deviation : deviation;
        }
        for (int col = whole; col < cols; ++col) {
            const float deviation = values[col] - centre;
            rest += power == 2 ? deviation * deviation : deviation;
        }
    }
    return cs_sum_lanes(sum) + rest;
}

/* Mean and M2 of a channel's rows x cols values; in two passes, so that nearly constant values keep their digits. */
CS_INLINE cs_moments cs_moments_of(const float *values, int rows, int cols, int pitch) {
    const float first = values[0];
    const float mean = first + cs_sum_deviations(values, rows, cols, pitch, first, 1) / (float)(rows * cols);
    return (cs_moments){mean, cs_sum_deviations(values, rows, cols, pitch, mean, 2)};
}

/* Where a tile keeps the moments of a channel. */
CS_INLINE cs_moments *cs_tile_moments(const cs_conv_args *args, const cs_tile *tile, int c_out, int channel) {
    return args->moments + (tile->n * c_out + channel) * args->tiles_h * args->tiles_w + tile->index;
}

/* Writes norm.a * value + norm.b for a channel's rows x cols values, `pitch` apart, to y. */
CS_INLINE void cs_write_outputs(const cs_conv_args *args, cs_element dtype, const cs_tile *tile, int channel,
                                const float *values, int pitch, cs_affine norm) {
    int64_t to =
        tile->n * args->y_strides[0] + channel * args->y_strides[1] + tile->row * args->y_strides[2] + tile->col;
    for (int row = 0; row < tile->rows; ++row, to += args->y_strides[2], values += pitch)
        for (int col = 0; col < tile->cols; ++col)
            store_element(dtype, args->y, to + col, values[col] * norm.a + norm.b);
}

/* GroupNorm between its two passes: block (n * groups + group) merges its tiles' moments, in order and in double, and
 * writes the normalisation of its channels. weight, bias: [c_out]. Biased variance, as PyTorch's GroupNorm. Merging:
 * Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979. */
CS_INLINE void cs_merge_group_norm(const cs_conv_args *args, int64_t block, int c_out, int tile_h, int tile_w,
                                   const float *weight, const float *bias) {
    const int channels = c_out / args->groups;
    const int64_t n = block / args->groups;
    const int first = (int)(block % args->groups) * channels;
    const int64_t tiles = (int64_t)args->tiles_h * args->tiles_w;
    const cs_moments *moments = args->moments + (n * c_out + first) * tiles;
    double count = 0.0, mean = 0.0, m2 = 0.0;
    for (int64_t i = 0; i < channels * tiles; ++i) {
        const int tile = (int)(i % tiles);
        const int rows = cs_min(tile_h, args->h_out - tile / args->tiles_w * tile_h);
        const int cols = cs_min(tile_w, args->w_out - tile % args->tiles_w * tile_w);
        const double more = (double)rows * cols;
        const double delta = moments[i].mean - mean;
        const double share = more / (count + more);
        mean += delta * share;
        m2 += moments[i].m2 + delta * delta * count * share;
        count += more;
    }
    const double rstd = 1.0 / sqrt(m2 / count + (double)args->eps);
    for (int channel = first; channel < first + channels; ++channel) {
        const double a = rstd * (double)weight[channel];
        args->affine[n * c_out + channel] = (cs_affine){(float)a, (float)((double)bias[channel] - mean * a)};
    }
}

#endif
