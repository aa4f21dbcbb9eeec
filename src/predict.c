/* SPDX-License-Identifier: Apache-2.0 */
#include "predict.h"
#include "element.h"

#include <math.h>

/* What follows was measured on an H200 (bench/NOTES.md), and is the same for all kernels. */
#define LAUNCH 2e-6        /* seconds from a launch's end to the next one's first instruction, and its own end */
#define MERGE_START 3000.0 /* cycles of a block that merges moments, beside its loop */
#define MERGE_STEP 1750.0  /* of the loop, CS_MERGE_THREADS moments each: in double precision */
#define MERGE_BLOCKS 12    /* of a multiprocessor at once */
#define COPY_UNIT 940.0    /* cycles of a multiprocessor for a block that copies 64 pixels of 64 channels */
#define EXCHANGE 4500.0    /* cycles of a launch whose blocks tell each other their sums: the last sample's */
#define WARP 32
#define REGISTER_GRANULE 256 /* registers are given to a warp in units of this */
#define SHARED_RESERVED 1024 /* bytes of shared memory that a block takes beside its own */
#define VECTOR 16            /* bytes that kernels read and write at once, if lines begin at multiples of them */

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

const char *cs_bound_name(cs_bound bound) {
    static const char *const names[CS_BOUND_COUNT] = {
        [CS_BOUND_DRAM] = "DRAM",
        [CS_BOUND_L2] = "L2",
        [CS_BOUND_PRODUCTS] = "products",
        [CS_BOUND_SPECIAL] = "special functions",
        [CS_BOUND_SHARED] = "shared memory",
        [CS_BOUND_ISSUE] = "issue slots",
        [CS_BOUND_LATENCY] = "latency",
        [CS_BOUND_LAUNCH] = "launching",
    };
    return (size_t)bound < CS_BOUND_COUNT ? names[bound] : "?";
}

const char *cs_unit_name(cs_product_unit unit) {
    static const char *const names[CS_UNIT_COUNT] = {
        [CS_UNIT_FFMA] = "ffma",           [CS_UNIT_MMA_TF32] = "mma_tf32",
        [CS_UNIT_MMA_F16] = "mma_f16",     [CS_UNIT_WGMMA_TF32] = "wgmma_tf32",
        [CS_UNIT_WGMMA_F16] = "wgmma_f16",
    };
    return (size_t)unit < CS_UNIT_COUNT ? names[unit] : "?";
}

int cs_blocks_held(const cs_rates *rates, int threads, int registers, int64_t shared) {
    const int64_t warps = divide_up(threads, WARP);
    const int64_t of_warp = divide_up((int64_t)registers * WARP, REGISTER_GRANULE) * REGISTER_GRANULE;
    int64_t held = least(rates->blocks_per_sm, rates->warps_per_sm / warps);
    if (shared > rates->shared_per_block)
        return 0;
    held = least(held, rates->shared_per_sm / (shared + SHARED_RESERVED));
    return (int)(of_warp > 0 ? least(held, rates->registers_per_sm / (of_warp * warps)) : held);
}

/* ---- Units of time ----------------------------------------------------------------------------------------------- */

/* The time that each bound alone would let a launch take. */
typedef struct times {
    double of[CS_BOUND_COUNT];
} times;

/* Adds a launch that takes the longest of its times. */
static void add_launch(cs_prediction *p, const char *what, const times *t) {
    cs_launch_prediction launch = {what, LAUNCH, CS_BOUND_LAUNCH};
    double longest = t->of[CS_BOUND_LAUNCH];
    for (int i = 0; i < CS_BOUND_LAUNCH; ++i)
        if (t->of[i] > longest) {
            longest = t->of[i];
            launch.bound = (cs_bound)i;
        }
    launch.seconds += longest;
    p->launches[p->count++] = launch;
    p->seconds += launch.seconds;
}

/* Bytes of x and y, and of one tensor like y. */
typedef struct traffic {
    double x, y;
} traffic;

static traffic traffic_of(const convsmith_plan *plan) {
    const convsmith_problem *p = &plan->problem;
    const double bytes = (double)cs_element_bytes(p->dtype), n = (double)p->n;
    const double outputs = (double)plan->args.h_out * plan->args.w_out;
    return (traffic){.x = bytes * n * (double)(p->c_in * p->h) * (double)p->w,
                     .y = bytes * n * (double)p->c_out * outputs};
}

/* ---- Tiles ------------------------------------------------------------------------------------------------------- */

static cs_tile_cost sum_of(const cs_tile_cost *a, const cs_tile_cost *b) {
    return (cs_tile_cost){.products = a->products + b->products,
                          .special = a->special + b->special,
                          .shared = a->shared + b->shared,
                          .issue = a->issue + b->issue,
                          .wait = a->wait + b->wait,
                          .l2 = a->l2 + b->l2};
}

/* Whether the lines of a tensor of that width begin and end at multiples of VECTOR bytes. */
static bool has_whole_lines(const int64_t strides[4], int64_t width, convsmith_dtype dtype) {
    const int64_t elements = VECTOR / (int64_t)cs_element_bytes(dtype);
    return (strides[0] | strides[1] | strides[2] | width) % elements == 0;
}

/* The cost of a pass as x and y lie; `writes`: it writes y. */
static cs_tile_cost tile_as_it_lies(const convsmith_plan *plan, const cs_tile_cost *pass, bool writes) {
    const convsmith_problem *p = &plan->problem;
    const cs_cost *cost = &plan->kernel->cost;
    cs_tile_cost tile = *pass;
    if (!has_whole_lines(p->x_strides, p->w, p->dtype))
        tile = sum_of(&tile, &cost->unaligned_x);
    if (writes && !has_whole_lines(p->y_strides, plan->args.w_out, p->dtype))
        tile = sum_of(&tile, &cost->unaligned_y);
    return tile;
}

/* Adds to `t` what the tiles of a multiprocessor's `blocks` take, one a block. */
static void add_round(times *t, const cs_tile_cost *tile, const cs_rates *r, cs_product_unit unit, double blocks,
                      double rounds) {
    const double cycle = 1 / r->clock, times_all = blocks * rounds;
    t->of[CS_BOUND_PRODUCTS] += times_all * tile->products / (r->products[unit] / r->sms);
    t->of[CS_BOUND_SPECIAL] += times_all * tile->special / r->special * cycle;
    t->of[CS_BOUND_SHARED] += times_all * tile->shared / r->shared * cycle;
    t->of[CS_BOUND_ISSUE] += times_all * tile->issue * cycle;
    t->of[CS_BOUND_LATENCY] += rounds * tile->wait * cycle;
}

/* What `tiles` tiles take, `held` blocks of a multiprocessor at once: whole rounds of all, and the last one. */
static times tiles_take(const cs_tile_cost *tile, const cs_rates *r, cs_product_unit unit, int64_t tiles, int held) {
    times t = {{0}};
    const int64_t slots = (int64_t)held * r->sms;
    const int64_t left = tiles % slots;
    add_round(&t, tile, r, unit, held, (double)(tiles / slots));
    if (left > 0)
        add_round(&t, tile, r, unit, (double)divide_up(left, r->sms), 1);
    t.of[CS_BOUND_L2] = (double)tiles * tile->l2 / r->l2;
    return t;
}

/* Warps that issue and wait in turn: neither hides the other within a block, and a launch's start comes on top. */
static void settle(times *t, double start) {
    const double both = t->of[CS_BOUND_ISSUE] + t->of[CS_BOUND_LATENCY];
    const cs_bound greater = t->of[CS_BOUND_ISSUE] >= t->of[CS_BOUND_LATENCY] ? CS_BOUND_ISSUE : CS_BOUND_LATENCY;
    t->of[CS_BOUND_ISSUE] = t->of[CS_BOUND_LATENCY] = 0;
    t->of[greater] = both;
    for (int i = 0; i < CS_BOUND_LAUNCH; ++i)
        t->of[i] += start;
    t->of[CS_BOUND_LAUNCH] = start;
}

static void add_tiles(cs_prediction *p, const char *what, const convsmith_plan *plan, const cs_rates *r,
                      const cs_tile_cost *tile, int64_t tiles, int held, double start, double bytes) {
    const cs_cost *cost = &plan->kernel->cost;
    times t = tiles_take(tile, r, cost->unit, tiles, held);
    t.of[CS_BOUND_DRAM] = bytes / r->dram;
    settle(&t, start / r->clock);
    add_launch(p, what, &t);
}

/* ---- Launches ---------------------------------------------------------------------------------------------------- */

static void add_stream(cs_prediction *p, const char *what, const cs_rates *r, double bytes, double cycles) {
    times t = {{0}};
    t.of[CS_BOUND_DRAM] = bytes / r->dram;
    t.of[CS_BOUND_ISSUE] = cycles / r->clock;
    add_launch(p, what, &t);
}

/* A block a (sample, group), which reads the moments of the group's channels. */
static void add_merge(cs_prediction *p, const convsmith_plan *plan, const cs_rates *r) {
    const convsmith_problem *problem = &plan->problem;
    const int64_t blocks = problem->n * problem->groups;
    const int64_t moments = (int64_t)plan->args.tiles_h * plan->args.tiles_w * (problem->c_out / problem->groups);
    const double rounds = (double)divide_up(blocks, (int64_t)MERGE_BLOCKS * r->sms);
    const double steps = (double)divide_up(moments, CS_MERGE_THREADS);
    times t = {{0}};
    t.of[CS_BOUND_LATENCY] = rounds * (MERGE_START + steps * MERGE_STEP) / r->clock;
    add_launch(p, "merge", &t);
}

static void predict_recompute(cs_prediction *p, const convsmith_plan *plan, const cs_rates *r, int held) {
    const cs_conv_args *args = &plan->args;
    const cs_cost *cost = &plan->kernel->cost;
    const traffic bytes = traffic_of(plan);
    const int64_t tiles = plan->problem.n * args->channel_blocks * args->tiles_h * args->tiles_w;
    const double tensors = plan->chain.tensor_count * bytes.y;
    const cs_tile_cost statistics = tile_as_it_lies(plan, &cost->statistics, false);
    const cs_tile_cost apply = tile_as_it_lies(plan, &cost->apply, true);
    if (plan->normalises) {
        add_tiles(p, "statistics", plan, r, &statistics, tiles, held, cost->start, bytes.x + tensors);
        add_merge(p, plan, r);
    }
    /* What the first pass has read is still in L2 if it fits. */
    const double again = plan->normalises && bytes.x + tensors <= (double)r->l2_bytes ? 0 : bytes.x + tensors;
    add_tiles(p, "convolution", plan, r, &apply, tiles, held, cost->start, again + bytes.y);
}

/* A tile is a part of a band; a block's tiles follow each other. */
static void predict_resident(cs_prediction *p, const convsmith_plan *plan, const cs_rates *r) {
    const cs_resident *cut = &plan->args.resident;
    const traffic bytes = traffic_of(plan);
    const int64_t rounds = divide_up(plan->problem.n, cut->lanes) * (cut->places / cut->part);
    const cs_cost *cost = &plan->kernel->cost;
    const bool exchanges = cut->bands > 1;
    if (exchanges)
        add_stream(p, "clearing", r, 0, 0);
    add_tiles(p, "convolution", plan, r, &cost->apply, rounds * r->sms, 1, cost->start + (exchanges ? EXCHANGE : 0),
              bytes.x + bytes.y);
}

static void predict_gemm(cs_prediction *p, const convsmith_plan *plan, const cs_rates *r) {
    const cs_gemm_sizes *sizes = &plan->gemm;
    const traffic bytes = traffic_of(plan);
    const double copied = sizes->copies ? bytes.x * (double)sizes->copied / (double)plan->problem.n : 0;
    const double values = (double)sizes->values_bytes, tensors = plan->chain.tensor_count * bytes.y;
    const bool stores = sizes->values_bytes > 0; /* values of all tiles, to be normalised by another launch */
    if (sizes->copies) {
        const double units = (double)sizes->copy_blocks / (double)plan->problem.n * (double)sizes->copied / r->sms;
        add_stream(p, "copy", r, 2 * copied, units * COPY_UNIT);
    }
    if (plan->args.gemm.at_once)
        add_stream(p, "clearing", r, 0, 0);
    /* The copy is read from L2 as far as it fits; samples that are copied aside are read and written once more. */
    const double from_copy = sizes->copies && copied <= (double)r->l2_bytes ? 0 : copied;
    const double aside = sizes->copies ? 2 * (bytes.x - copied) : 0;
    const double inputs = sizes->copies ? from_copy + aside : bytes.x;
    const cs_cost *cost = &plan->kernel->cost;
    const cs_tile_cost apply = tile_as_it_lies(plan, &cost->apply, !stores);
    add_tiles(p, "convolution", plan, r, &apply, sizes->tiles, 1, cost->start,
              inputs + (stores ? values : bytes.y) + tensors);
    if (stores) {
        add_merge(p, plan, r);
        add_stream(p, "normalisation", r, values + bytes.y, 0);
    }
}

bool cs_predict(const convsmith_plan *plan, const cs_rates *rates, cs_prediction *prediction) {
    const convsmith_kernel *kernel = plan->kernel;
    const convsmith_kernel_info *info = &kernel->info;
    const int held = cs_blocks_held(rates, info->threads, kernel->cost.registers, plan->shared_bytes);
    *prediction = (cs_prediction){.count = 0};
    if (kernel->cost.registers == 0 || held == 0)
        return false;
    if (kernel->gemm.columns > 0)
        predict_gemm(prediction, plan, rates);
    else if (info->schedule == CONVSMITH_SCHEDULE_RESIDENT)
        predict_resident(prediction, plan, rates);
    else
        predict_recompute(prediction, plan, rates,
                          info->blocks_per_sm > 0 ? (int)least(held, info->blocks_per_sm) : held);
    return true;
}
