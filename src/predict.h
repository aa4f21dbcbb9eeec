/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a call of a kernel takes on a GPU that need not be there. bench/NOTES.md says how near that comes.
 */
#ifndef CONVSMITH_PREDICT_H
#define CONVSMITH_PREDICT_H

#include "cost.h"
#include "plan.h"

/* What a launch's time is made of: the greatest of these. */
typedef enum cs_bound {
    CS_BOUND_DRAM = 0,
    CS_BOUND_L2,
    CS_BOUND_PRODUCTS, /* tensor cores or, of plain fp32, FMA */
    CS_BOUND_SPECIAL,
    CS_BOUND_SHARED,
    CS_BOUND_ISSUE,
    CS_BOUND_LATENCY,
    CS_BOUND_LAUNCH, /* too little work for anything else to show */
    CS_BOUND_COUNT,
} cs_bound;

typedef struct cs_launch_prediction {
    const char *what; /* "convolution" */
    double seconds;
    cs_bound bound;
} cs_launch_prediction;

/* The most launches of a call: copy of x, convolution, merge, normalisation. */
#define CS_MOST_LAUNCHES 4

/* `seconds`: from the start of the first launch to the end of the last one, as in a CUDA graph. */
typedef struct cs_prediction {
    double seconds;
    int count;
    cs_launch_prediction launches[CS_MOST_LAUNCHES];
} cs_prediction;

/* "DRAM", "latency". "?" for no bound. */
const char *cs_bound_name(cs_bound bound);

/* "ffma", "wgmma_tf32". "?" for no unit. */
const char *cs_unit_name(cs_product_unit unit);

/* Blocks of `threads` threads and `shared` bytes that a multiprocessor holds at once; 0 where it holds none. */
int cs_blocks_held(const cs_rates *rates, int threads, int registers, int64_t shared);

/* Predicts for a plan of a table's CUDA kernel, fitted to its problem (fit.h) for a device of rates->sms
 * multiprocessors. False for kernels of which no cost is known, or no block of which fits the GPU. */
bool cs_predict(const convsmith_plan *plan, const cs_rates *rates, cs_prediction *prediction);

#endif
