/* SPDX-License-Identifier: Apache-2.0
 *
 * The generic kernel on the CPU, an implicit product of matrices: a block computes a tile of CS_TILE_PIXELS pixels,
 * counted through all samples, and some channels. The inputs of the pixels under CS_TILE_TAPS taps at a time are
 * gathered as floats, pixel by pixel, whatever the strides, the padding and the dtype are; CS_CHANNELS channels times
 * CS_VECTORS vectors of pixels are then summed in registers.
 *
 * Compiled once for each instruction set: the source that includes this defines CS_LANES, CS_VECTORS, CS_CHANNELS (as
 * device/host_vector.h and device/host_tile.h have them) and CS_GENERIC_HOST, which names the functions.
 */
#include <device/host_tile.h>

#include <device/generic_args.h>
#include <device/generic_pack.h>
#include <device/generic_steps.h>

#include "host.h"

enum {
    CS_TILE_PIXELS = CS_HOST_TILE_PIXELS, /* a multiple of CS_VECTORS * CS_LANES */
    CS_TILE_TAPS = 128,
    CS_TILE_VECTORS = CS_TILE_PIXELS / CS_LANES,
};

/* ---- Pixels ------------------------------------------------------------------------------------------------------ */

/* Neighbouring pixels of one row of y; the first is pixel `at` of the tile. */
typedef struct segment {
    int64_t n;
    int32_t row, col;
    int at, count;
} segment;

typedef struct pixel_tile {
    int count;
    int segment_count;
    segment segments[CS_TILE_PIXELS];
} pixel_tile;

static void locate_pixels(const cs_generic_args *args, int64_t index, pixel_tile *tile) {
    const int64_t first = index * CS_TILE_PIXELS, rest = args->all_pixels - first;
    const int32_t h_out = args->conv.h_out, w_out = args->conv.w_out;
    segment next = {.n = first / args->pixels,
                    .row = (int32_t)(first % args->pixels / w_out),
                    .col = (int32_t)(first % args->pixels % w_out)};
    tile->count = rest < CS_TILE_PIXELS ? (int)rest : CS_TILE_PIXELS;
    for (tile->segment_count = 0; next.at < tile->count; ++tile->segment_count) {
        next.count = cs_min(w_out - next.col, tile->count - next.at);
        tile->segments[tile->segment_count] = next;
        next.at += next.count;
        next.col = 0;
        if (++next.row == h_out) {
            next.row = 0;
            ++next.n;
        }
    }
}

/* ---- Runs of elements -------------------------------------------------------------------------------------------- */

/* Reads `count` elements, `step` apart. */
static void load_run(float *to, int count, int32_t dtype, const void *from, int64_t first, int64_t step) {
    if (dtype == CS_F32 && step == 1)
        memcpy(to, (const float *)from + first, (size_t)count * sizeof *to);
    else if (dtype == CS_F16 && step == 1)
        for (int i = 0; i < count; ++i)
            to[i] = cs_f16_value(((const uint16_t *)from)[first + i]);
    else if (dtype == CS_BF16 && step == 1)
        for (int i = 0; i < count; ++i)
            to[i] = cs_bf16_value(((const uint16_t *)from)[first + i]);
    else
        for (int i = 0; i < count; ++i)
            to[i] = load_element(dtype, from, first + i * step);
}

static void store_run(const float *from, int count, int32_t dtype, void *to, int64_t first, int64_t step) {
    if (dtype == CS_F32 && step == 1)
        memcpy((float *)to + first, from, (size_t)count * sizeof *from);
    else if (dtype == CS_F16 && step == 1)
        for (int i = 0; i < count; ++i)
            ((uint16_t *)to)[first + i] = cs_f16_nearest(from[i]);
    else if (dtype == CS_BF16 && step == 1)
        for (int i = 0; i < count; ++i)
            ((uint16_t *)to)[first + i] = cs_bf16_nearest(from[i]);
    else
        for (int i = 0; i < count; ++i)
            store_element(dtype, to, first + i * step, from[i]);
}

/* ---- Products ---------------------------------------------------------------------------------------------------- */

/* Most often the stride is 1, and nothing is divided. */
static int64_t divide_up(int64_t a, int64_t stride) { return stride == 1 ? a : (a + stride - 1) / stride; }

static int64_t clamp_index(int64_t i, int64_t most) { return i < 0 ? 0 : i < most ? i : most; }

/* The inputs of a segment's pixels in one row of x, the first at column `col`, which may lie outside. */
static void gather_row(const cs_generic_args *args, int32_t dtype, float *to, int count, int64_t row, int64_t col) {
    const cs_conv_args *conv = &args->conv;
    const int64_t stride = args->stride_w, last = col + (count - 1) * stride;
    int64_t begin = 0, end = count;
    if (col < 0 || last >= conv->w) {
        begin = clamp_index(divide_up(-col, stride), count);
        end = begin + clamp_index(divide_up(conv->w - col, stride) - begin, count - begin);
        memset(to, 0, (size_t)count * sizeof *to);
    }
    if (begin < end)
        load_run(to + begin, (int)(end - begin), dtype, conv->x, row + (col + begin * stride) * conv->x_strides[3],
                 stride * conv->x_strides[3]);
}

/* The inputs of a tile's pixels under one tap: row `ky`, column `kx`, channel `c` of x. */
static void gather_tap(const cs_generic_args *args, int32_t dtype, const pixel_tile *tile, float *to, int64_t ky,
                       int64_t kx, int64_t c) {
    const cs_conv_args *conv = &args->conv;
    for (int i = 0; i < tile->segment_count; ++i) {
        const segment *s = &tile->segments[i];
        const int64_t row = (int64_t)s->row * args->stride_h - args->pad_h + ky * args->dilation_h;
        const int64_t col = (int64_t)s->col * args->stride_w - args->pad_w + kx * args->dilation_w;
        if (row < 0 || row >= conv->h)
            memset(to + s->at, 0, (size_t)s->count * sizeof *to);
        else
            gather_row(args, dtype, to + s->at, s->count,
                       s->n * conv->x_strides[0] + c * conv->x_strides[1] + row * conv->x_strides[2], col);
    }
    memset(to + tile->count, 0, (size_t)(CS_TILE_PIXELS - tile->count) * sizeof *to);
}

/* The inputs under taps `first` and following of a group that begins at channel `channel` of x. */
static void gather_taps(const cs_generic_args *args, int32_t dtype, const pixel_tile *tile, int64_t channel,
                        int64_t first, int count, float inputs[][CS_TILE_PIXELS]) {
    const cs_generic_weight *w = &args->weight;
    int64_t c = first % w->group_in, kx = first / w->group_in % w->kw, ky = first / w->group_in / w->kw;
    for (int i = 0; i < count; ++i) {
        gather_tap(args, dtype, tile, inputs[i], ky, kx, channel + c);
        if (++c == w->group_in) {
            c = 0;
            if (++kx == w->kw) {
                kx = 0;
                ++ky;
            }
        }
    }
}

/* Adds the products of some taps to the sums of `channels` channels, CS_CHANNELS at most; sums of other taps are added
 * up apart, so that errors grow less. */
CS_INLINE void multiply(const int channels, float sums[][CS_TILE_PIXELS], const float *weights,
                        const float inputs[][CS_TILE_PIXELS], int taps, int pixels) {
    for (int at = 0; at < pixels; at += CS_VECTORS * CS_LANES) {
        cs_vec z[CS_CHANNELS][CS_VECTORS] = {0};
        for (int tap = 0; tap < taps; ++tap)
#pragma GCC unroll 8
            for (int v = 0; v < CS_VECTORS; ++v) {
                const cs_vec in = cs_load(&inputs[tap][at + v * CS_LANES]);
#pragma GCC unroll 8
                for (int c = 0; c < channels; ++c)
                    z[c][v] += weights[tap * channels + c] * in;
            }
#pragma GCC unroll 8
        for (int c = 0; c < channels; ++c)
#pragma GCC unroll 8
            for (int v = 0; v < CS_VECTORS; ++v) {
                float *sum = &sums[c][at + v * CS_LANES];
                cs_store(sum, cs_load(sum) + z[c][v]);
            }
    }
}

static void multiply_block(int channels, float sums[][CS_TILE_PIXELS], const float *weights,
                           const float inputs[][CS_TILE_PIXELS], int taps, int pixels) {
    switch (channels) {
    case 1:
        multiply(1, sums, weights, inputs, taps, pixels);
        break;
    case 2:
        multiply(2, sums, weights, inputs, taps, pixels);
        break;
    case 3:
        multiply(3, sums, weights, inputs, taps, pixels);
        break;
    case 4:
        multiply(4, sums, weights, inputs, taps, pixels);
        break;
#if CS_CHANNELS == 8
    case 5:
        multiply(5, sums, weights, inputs, taps, pixels);
        break;
    case 6:
        multiply(6, sums, weights, inputs, taps, pixels);
        break;
    case 7:
        multiply(7, sums, weights, inputs, taps, pixels);
        break;
    case 8:
        multiply(8, sums, weights, inputs, taps, pixels);
        break;
#endif
    }
}

/* Where the weights of the block of channels that `channel` begins are: [tap][channel], in blocks of CS_CHANNELS
 * channels of a group, the last of them narrower. */
static int64_t weights_at(const cs_generic_weight *w, int64_t channel) { return channel * w->taps; }

static int block_width(const cs_generic_weight *w, int64_t channel) {
    return cs_min(CS_CHANNELS, w->group_out - (int)(channel % w->group_out));
}

/* The sums of `count` channels from `first` on, which are of one group and begin a block. */
static void convolve_group(const cs_generic_args *args, int32_t dtype, const pixel_tile *tile, int64_t first, int count,
                           float sums[][CS_TILE_PIXELS]) {
    const cs_generic_weight *w = &args->weight;
    const int64_t channel_in = first / w->group_out * w->group_in;
    float inputs[CS_TILE_TAPS][CS_TILE_PIXELS];
    memset(sums, 0, (size_t)count * sizeof sums[0]);
    for (int64_t tap = 0; tap < w->taps; tap += CS_TILE_TAPS) {
        const int taps = (int)(w->taps - tap < CS_TILE_TAPS ? w->taps - tap : CS_TILE_TAPS);
        gather_taps(args, dtype, tile, channel_in, tap, taps, inputs);
        for (int c = 0; c < count; c += CS_CHANNELS) {
            const int width = block_width(w, first + c);
            const float *weights = (const float *)args->conv.packed + weights_at(w, first + c) + tap * width;
            multiply_block(width, sums + c, weights, (const float(*)[CS_TILE_PIXELS])inputs, taps, tile->count);
        }
    }
}

/* ---- The epilogue ------------------------------------------------------------------------------------------------ */

/* Where the pixels of a segment begin in a tensor like y, and among the values. */
static int64_t place_in_y(const cs_generic_args *args, const segment *s, int64_t channel) {
    const int64_t *strides = args->conv.y_strides;
    return s->n * strides[0] + channel * strides[1] + s->row * strides[2] + s->col * strides[3];
}

static int64_t place_in_values(const cs_generic_args *args, const segment *s, int64_t channel) {
    return (s->n * args->weight.c_out + channel) * args->pixels + (int64_t)s->row * args->conv.w_out + s->col;
}

static void normalise(const cs_generic_args *args, const pixel_tile *tile, int64_t channel, float *row) {
    for (int i = 0; i < tile->segment_count; ++i) {
        const segment *s = &tile->segments[i];
        const cs_affine norm = args->conv.affine[s->n * args->weight.c_out + channel];
        for (int at = s->at; at < s->at + s->count; ++at)
            row[at] = row[at] * norm.a + norm.b;
    }
}

static void add_tensor(const cs_generic_args *args, int32_t dtype, const pixel_tile *tile, int64_t channel, int which,
                       float *row) {
    float other[CS_TILE_PIXELS];
    for (int i = 0; i < tile->segment_count; ++i) {
        const segment *s = &tile->segments[i];
        load_run(other + s->at, s->count, dtype, args->conv.tensors[which], place_in_y(args, s, channel),
                 args->conv.y_strides[3]);
    }
    for (int at = 0; at < tile->count; ++at)
        row[at] += other[at];
}

/* One of the operations that need nothing but the value and the channel's operands. */
static void apply_pointwise(int code, float p, float q, float *row) {
#define CS_CASE(CODE, VALUE)                                                                                           \
    case CODE:                                                                                                         \
        for (int i = 0; i < CS_TILE_VECTORS; ++i) {                                                                    \
            const cs_vec v = cs_load(row + i * CS_LANES);                                                              \
            cs_store(row + i * CS_LANES, VALUE);                                                                       \
        }                                                                                                              \
        break;
    switch (code) { CS_POINTWISE_OPERATIONS(CS_CASE) }
#undef CS_CASE
}

/* A channel's values through operations `first` to `last`. */
static void apply_operations(const cs_generic_args *args, int32_t dtype, const pixel_tile *tile, int64_t channel,
                             int first, int last, float *row) {
    const cs_generic_program *program = &args->program;
    float kept[CS_MAX_STEPS][CS_TILE_PIXELS];
    for (int i = first; i < last; ++i) {
        const cs_generic_op *op = &program->ops[i];
        const float *operands = (const float *)args->conv.packed + args->weight.operands_at +
                                (int64_t)op->pair * 2 * args->weight.c_out + channel;
        if (program->kept >> i & 1)
            memcpy(kept[i], row, sizeof kept[i]);
        if (op->code == CS_OP_NORMALISE)
            normalise(args, tile, channel, row);
        else if (op->code == CS_OP_ADD_TENSOR)
            add_tensor(args, dtype, tile, channel, op->which, row);
        else if (op->code == CS_OP_MULTIPLY_BY)
            for (int at = 0; at < tile->count; ++at)
                row[at] *= kept[op->which][at];
        else if (op->source == CS_OPERANDS_NONE)
            apply_pointwise(op->code, 0.0f, 0.0f, row);
        else
            apply_pointwise(op->code, operands[0], operands[args->weight.c_out], row);
    }
}

static void write_values(const cs_generic_args *args, const pixel_tile *tile, int64_t channel, const float *row) {
    for (int i = 0; i < tile->segment_count; ++i) {
        const segment *s = &tile->segments[i];
        memcpy(args->values + place_in_values(args, s, channel), row + s->at, (size_t)s->count * sizeof *row);
    }
}

static void read_values(const cs_generic_args *args, const pixel_tile *tile, int64_t channel, float *row) {
    for (int i = 0; i < tile->segment_count; ++i) {
        const segment *s = &tile->segments[i];
        memcpy(row + s->at, args->values + place_in_values(args, s, channel), (size_t)s->count * sizeof *row);
    }
    memset(row + tile->count, 0, (size_t)(CS_TILE_PIXELS - tile->count) * sizeof *row);
}

static void write_y(const cs_generic_args *args, int32_t dtype, const pixel_tile *tile, int64_t channel,
                    const float *row) {
    for (int i = 0; i < tile->segment_count; ++i) {
        const segment *s = &tile->segments[i];
        store_run(row + s->at, s->count, dtype, args->conv.y, place_in_y(args, s, channel), args->conv.y_strides[3]);
    }
}

/* ---- Blocks ------------------------------------------------------------------------------------------------------ */

/* The channels of a channel tile: `count` from `first` on. */
typedef struct channel_range {
    int64_t first;
    int count;
} channel_range;

static channel_range locate_channels(const cs_generic_args *args, int64_t index) {
    const cs_generic_weight *w = &args->weight;
    const int64_t group = index / args->group_tiles * args->tile_groups;
    const int64_t skipped = index % args->group_tiles * args->tile_channels;
    if (args->tile_groups > 1) {
        const int64_t groups = w->conv_groups - group < args->tile_groups ? w->conv_groups - group : args->tile_groups;
        return (channel_range){group * w->group_out, (int)groups * w->group_out};
    }
    const int64_t rest = w->group_out - skipped;
    return (channel_range){group * w->group_out + skipped,
                           rest < args->tile_channels ? (int)rest : args->tile_channels};
}

void CS_GENERIC_HOST(convolve)(const cs_generic_args *args, int32_t dtype, int64_t block) {
    const cs_generic_weight *w = &args->weight;
    const channel_range channels = locate_channels(args, block % args->channel_tiles);
    const bool stored = args->program.normalisation < args->program.count;
    float values[CS_HOST_TILE_CHANNELS][CS_TILE_PIXELS];
    pixel_tile tile;
    locate_pixels(args, block / args->channel_tiles, &tile);
    for (int c = 0; c < channels.count; c += cs_min(w->group_out, channels.count))
        convolve_group(args, dtype, &tile, channels.first + c, cs_min(w->group_out, channels.count), values + c);
    for (int c = 0; c < channels.count; ++c) {
        apply_operations(args, dtype, &tile, channels.first + c, 0, args->program.normalisation, values[c]);
        if (stored)
            write_values(args, &tile, channels.first + c, values[c]);
        else
            write_y(args, dtype, &tile, channels.first + c, values[c]);
    }
}

void CS_GENERIC_HOST(apply)(const cs_generic_args *args, int32_t dtype, int64_t block) {
    const channel_range channels = locate_channels(args, block % args->channel_tiles);
    float row[CS_TILE_PIXELS];
    pixel_tile tile;
    locate_pixels(args, block / args->channel_tiles, &tile);
    for (int64_t c = channels.first; c < channels.first + channels.count; ++c) {
        read_values(args, &tile, c, row);
        apply_operations(args, dtype, &tile, c, args->program.normalisation, args->program.count, row);
        write_y(args, dtype, &tile, c, row);
    }
}

/* ---- Statistics -------------------------------------------------------------------------------------------------- */

/* How many values a group of the normalisation has in a sample, and where a part of them begins. */
static int64_t group_values(const cs_generic_args *args) {
    return args->weight.c_out / args->conv.groups * args->pixels;
}

static int part_count(const cs_generic_args *args, int64_t part) {
    const int64_t rest = group_values(args) - part * CS_GENERIC_PART;
    return rest < CS_GENERIC_PART ? (int)rest : CS_GENERIC_PART;
}

/* So many values at most are summed in floats: rounding much alike values alike, longer sums drift. */
enum { PIECE = 64 * CS_LANES < 512 ? 64 * CS_LANES : 512 };

void CS_GENERIC_HOST(measure)(const cs_generic_args *args, int64_t block) {
    const int64_t part = block % args->parts;
    const float *values = args->values + block / args->parts * group_values(args) + part * CS_GENERIC_PART;
    const int count = part_count(args, part);
    double mean = 0.0, m2 = 0.0;
    for (int at = 0; at < count; at += PIECE) {
        const int more = count - at < PIECE ? count - at : PIECE;
        const cs_moments piece = cs_moments_of(values + at, 1, more, PIECE);
        const double delta = piece.mean - mean, share = (double)more / (at + more);
        mean += delta * share;
        m2 += piece.m2 + delta * delta * at * share;
    }
    args->conv.moments[block] = (cs_moments){(float)mean, (float)m2};
}

/* As cs_merge_group_norm, of parts in place of tiles. */
void CS_GENERIC_HOST(merge)(const cs_generic_args *args, int64_t block) {
    const cs_conv_args *conv = &args->conv;
    const cs_moments *moments = conv->moments + block * args->parts;
    double count = 0.0, mean = 0.0, m2 = 0.0;
    for (int64_t part = 0; part < args->parts; ++part) {
        const double more = part_count(args, part), delta = moments[part].mean - mean;
        const double share = more / (count + more);
        mean += delta * share;
        m2 += moments[part].m2 + delta * delta * count * share;
        count += more;
    }
    const double rstd = 1.0 / sqrt(m2 / count + (double)conv->eps);
    const int64_t c_out = args->weight.c_out, channels = c_out / conv->groups;
    const int64_t first = block % conv->groups * channels, n = block / conv->groups;
    const float *operands = (const float *)conv->packed + args->weight.operands_at +
                            (int64_t)args->program.ops[args->program.normalisation].pair * 2 * c_out;
    for (int64_t c = first; c < first + channels; ++c) {
        const double a = rstd * (double)operands[c];
        conv->affine[n * c_out + c] = (cs_affine){(float)a, (float)((double)operands[c_out + c] - mean * a)};
    }
}

/* ---- Packing ----------------------------------------------------------------------------------------------------- */

void CS_GENERIC_HOST(prepack)(const cs_generic_pack_args *args, int64_t channel) {
    const cs_generic_weight *w = &args->weight;
    const int64_t begin = channel - channel % w->group_out % CS_CHANNELS;
    const int width = block_width(w, begin);
    float *to = (float *)args->pack.packed + weights_at(w, begin) + (channel - begin);
    for (int64_t tap = 0; tap < w->taps; ++tap)
        to[tap * width] = cs_generic_weight_of(args, channel, tap);
    cs_generic_pack_operands(args, channel);
}
