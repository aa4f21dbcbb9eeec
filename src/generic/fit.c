/* SPDX-License-Identifier: Apache-2.0
 *
 * How the generic kernels cut a problem, and what they need of memory for it.
 */
#include "../checked.h"
#include "../plan.h"
#include "../status.h"
#include "generic.h"
#include "program.h"

#include <string.h>

#define ALIGNMENT 16

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static convsmith_status beyond_memory(const char *what) {
    return cs_fail(CONVSMITH_TOO_LARGE, "problem: %s exceeds the address space", what);
}

/* ---- What follows from the problem alone ------------------------------------------------------------------------- */

static cs_generic_weight weight_of(const convsmith_problem *p) {
    cs_generic_weight w = {
        .c_out = (int32_t)p->c_out,
        .conv_groups = (int32_t)p->conv_groups,
        .kh = (int32_t)p->kh,
        .kw = (int32_t)p->kw,
        .group_in = (int32_t)(p->c_in / p->conv_groups),
        .group_out = (int32_t)(p->c_out / p->conv_groups),
    };
    return w;
}

static cs_generic_args describe(const convsmith_plan *plan, const cs_settled *s) {
    const convsmith_problem *p = &s->problem;
    return (cs_generic_args){
        .conv = plan->args,
        .weight = weight_of(p),
        .program = cs_program_of(&s->chain),
        .stride_h = (int32_t)p->stride_h,
        .stride_w = (int32_t)p->stride_w,
        .pad_h = (int32_t)p->pad_h,
        .pad_w = (int32_t)p->pad_w,
        .dilation_h = (int32_t)p->dilation_h,
        .dilation_w = (int32_t)p->dilation_w,
        .pixels = s->h_out * s->w_out,
    };
}

/* ---- Tiles ------------------------------------------------------------------------------------------------------- */

/* Cuts the channels of y into tiles of `most`: several groups of the convolution, or parts of one, whose channels are
 * multiples of 8. */
static void cut_channels(cs_generic_args *args, int32_t most) {
    const cs_generic_weight *w = &args->weight;
    args->tile_groups = w->group_out <= most ? (int32_t)least(w->conv_groups, most / w->group_out) : 1;
    args->group_tiles = (int32_t)divide_up(w->group_out, most);
    args->tile_channels = (int32_t)divide_up(divide_up(w->group_out, args->group_tiles), 8) * 8;
    args->group_tiles = (int32_t)divide_up(w->group_out, args->tile_channels);
    args->channel_tiles = divide_up(w->conv_groups, args->tile_groups) * args->group_tiles;
}

/* Small problems are cut into more tiles than their inputs' sake alone would ask for, so that many threads can share
 * them; whatever the machine is, so that its results repeat elsewhere. */
static void cut_for_host(cs_generic_args *args) {
    enum { ENOUGH = 64, LEAST_CHANNELS = 32 };
    args->pixel_tiles = divide_up(args->all_pixels, CS_HOST_TILE_PIXELS);
    int32_t most = CS_HOST_TILE_CHANNELS;
    cut_channels(args, most);
    while (most > LEAST_CHANNELS && args->pixel_tiles * args->channel_tiles < ENOUGH)
        cut_channels(args, most /= 2);
}

/* A tile is of one group of the convolution, or of all channels where groups are so small that each value is summed by
 * itself. Few tiles are made smaller, so that they fill the device. */
static cs_generic_way way_for(const cs_generic_args *args, const cs_device_traits *traits) {
    enum { FEW_CHANNELS = 16, LEAST_CHANNELS = 4 };
    const cs_generic_weight *w = &args->weight;
    if (w->group_out < LEAST_CHANNELS && w->conv_groups > 1)
        return CS_GENERIC_DIRECT;
    const int64_t wide = divide_up(args->all_pixels, 64) * divide_up(w->group_out, 64);
    if (wide <= INT32_MAX && wide * w->conv_groups < 2 * (int64_t)traits->multiprocessors)
        return CS_GENERIC_SMALL;
    return w->group_out <= FEW_CHANNELS ? CS_GENERIC_NARROW : CS_GENERIC_WIDE;
}

static void cut_for_cuda(cs_generic_args *args, cs_generic_way way) {
    static const int tiles[CS_GENERIC_WAYS][3] = {
        [CS_GENERIC_WIDE] = {CS_GENERIC_WIDE_TILE},
        [CS_GENERIC_NARROW] = {CS_GENERIC_NARROW_TILE},
        [CS_GENERIC_SMALL] = {CS_GENERIC_SMALL_TILE},
        [CS_GENERIC_DIRECT] = {CS_GENERIC_DIRECT_TILE},
    };
    const cs_generic_weight *w = &args->weight;
    const bool direct = way == CS_GENERIC_DIRECT;
    const int64_t channels = direct ? w->c_out : w->group_out;
    args->group_tiles = (int32_t)divide_up(channels, tiles[way][0]);
    args->channel_tiles = (direct ? 1 : (int64_t)w->conv_groups) * args->group_tiles;
    args->pixel_tiles = divide_up(args->all_pixels, tiles[way][1]);
    args->weight_room = direct ? w->group_out : (int32_t)(divide_up(w->group_out, 4) * 4);
    args->x_channels_fastest = args->conv.x_strides[3] != 1 && args->conv.x_strides[1] == 1;
    args->y_channels_fastest = args->conv.y_strides[3] != 1 && args->conv.y_strides[1] == 1;
}

static void cut(convsmith_plan *plan) {
    cs_generic_plan *g = &plan->generic;
    g->args.weight_room = g->args.weight.group_out;
    if (plan->traits.device.kind == CONVSMITH_DEVICE_CUDA) {
        g->way = way_for(&g->args, &plan->traits);
        cut_for_cuda(&g->args, g->way);
    } else {
        cut_for_host(&g->args);
    }
}

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

/* The packed parameters: a row of weights for each group and tap, and the operands. */
static convsmith_status fit_packed(convsmith_plan *plan) {
    cs_generic_weight *w = &plan->generic.args.weight;
    const int64_t taps[] = {w->kh, w->kw, w->group_in};
    const int64_t operands = (int64_t)plan->generic.args.program.pairs * 2 * w->c_out;
    if (!cs_product(taps, 3, &w->taps))
        return beyond_memory("the weight");
    const int64_t weights[] = {w->taps, w->conv_groups, plan->generic.args.weight_room};
    if (!cs_product(weights, 3, &w->operands_at) ||
        __builtin_add_overflow(w->operands_at, operands, &plan->packed_bytes) ||
        __builtin_mul_overflow(plan->packed_bytes, (int64_t)sizeof(float), &plan->packed_bytes))
        return beyond_memory("the weight");
    return CONVSMITH_OK;
}

/* The product of three sizes in bytes, rounded up to the alignment, added to the workspace. */
static bool add_room(convsmith_plan *plan, const int64_t sizes[4], int64_t *bytes) {
    return cs_product(sizes, 4, bytes) && *bytes <= INT64_MAX - ALIGNMENT &&
           !__builtin_add_overflow(plan->workspace_bytes, divide_up(*bytes, ALIGNMENT) * ALIGNMENT,
                                   &plan->workspace_bytes);
}

static convsmith_status fit_workspace(convsmith_plan *plan, const convsmith_problem *p) {
    cs_generic_plan *g = &plan->generic;
    const int64_t c_out = p->c_out, pixels = g->args.pixels;
    if (!plan->normalises)
        return CONVSMITH_OK;
    g->args.parts = divide_up(c_out / p->groups * pixels, CS_GENERIC_PART);
    const int64_t values[] = {p->n, c_out, pixels, (int64_t)sizeof(float)};
    const int64_t moments[] = {p->n, p->groups, g->args.parts, (int64_t)sizeof(cs_moments)};
    const int64_t affine[] = {p->n, c_out, 1, (int64_t)sizeof(cs_affine)};
    int64_t affine_bytes;
    if (!add_room(plan, values, &g->values_bytes) || !add_room(plan, moments, &g->moments_bytes) ||
        !add_room(plan, affine, &affine_bytes) || (uint64_t)plan->workspace_bytes > SIZE_MAX)
        return beyond_memory("the workspace");
    return CONVSMITH_OK;
}

convsmith_status cs_generic_fit(convsmith_plan *plan, const cs_settled *s) {
    cs_generic_plan *g = &plan->generic;
    g->kernel = cs_generic_of(plan->kernel);
    g->args = describe(plan, s);
    const int64_t pixels[] = {s->problem.n, s->h_out, s->w_out};
    const int64_t group[] = {s->problem.c_out, s->h_out, s->w_out};
    int64_t values;
    if (!cs_product(pixels, 3, &g->args.all_pixels) || !cs_product(group, 3, &values) ||
        values > INT64_MAX - CS_GENERIC_PART || g->args.all_pixels > INT64_MAX - CS_HOST_TILE_PIXELS)
        return beyond_memory("y");
    cut(plan);
    const convsmith_status status = fit_packed(plan);
    return status == CONVSMITH_OK ? fit_workspace(plan, &s->problem) : status;
}
