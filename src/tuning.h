/* SPDX-License-Identifier: Apache-2.0
 *
 * A tuning record: times of kernels at problem sizes, measured on one device. In a file it is Lua, data alone:
 *
 *     return {
 *         format = 1, device = "NVIDIA H200", compute_capability = 90, multiprocessors = 132,
 *         driver = "580.65.06", runtime = 13000, version = "0.1.0", date = "2026-11-23",
 *         problems = {
 *             { n = 16, h = 56, w = 56, groups = 8, kernels = {
 *                 { name = "conv_f16_..._wgmma_sm90a", us = 66.81, spread = 0.012 },
 *             } },
 *         },
 *     }
 *
 * A problem is known by its kernels: of a table they have one key, but for targets and the ways to form products.
 */
#ifndef CONVSMITH_TUNING_H
#define CONVSMITH_TUNING_H

#include "candidates.h"
#include "identity.h"

#include <stdio.h>

#define CS_TUNING_FORMAT 1

typedef struct cs_timing {
    const char *name; /* of a kernel */
    double us;        /* the median time of a run, in microseconds */
    double spread;    /* from the 10th to the 90th percentile, as a share of the median */
} cs_timing;

typedef struct cs_timings {
    cs_timing *rows; /* the fastest first */
    size_t count;
} cs_timings;

typedef struct cs_tuned_problem {
    int64_t n, h, w; /* of x */
    int64_t groups;  /* of the normalisation; 0 where there is none */
    cs_timings kernels;
} cs_tuned_problem;

struct convsmith_tuning {
    int64_t format; /* CS_TUNING_FORMAT */
    cs_identity identity;
    char date[16]; /* "2026-11-23", UTC */
    cs_tuned_problem *problems;
    size_t count, room;
    char *text; /* the file's, in which names lie; NULL where there was none */
};

/* The record of a file, or one of `identity` without problems, as an object of the caller's to destroy. On failure
 * *tuning is NULL. */
convsmith_status cs_tuning_read(convsmith_tuning **tuning, const char *path);
convsmith_status cs_tuning_create(convsmith_tuning **tuning, const cs_identity *identity);

/* Adds a problem, in place of one of the same sizes and kernels; sorts its kernels. The timings are copied, names are
 * not: those of tables' kernels live as long as the program. CONVSMITH_OUT_OF_MEMORY. */
convsmith_status cs_tuning_put(convsmith_tuning *tuning, const cs_tuned_problem *problem);

/* Writes the record as cs_tuning_read reads it; errors are the stream's. */
void cs_tuning_write(const convsmith_tuning *tuning, FILE *stream);

/* The date of today. */
void cs_tuning_set_date(convsmith_tuning *tuning);

/* Orders the candidates by times; those that have none stay in their order behind the others. */
void cs_candidates_sort(cs_candidates *candidates, const cs_timings *times);

/* Orders the candidates by the record's times at the problem size nearest to the problem's, kernels that the record
 * does not know behind the others, in their order. CONVSMITH_INVALID_ARGUMENT where the record is of another device. */
convsmith_status cs_tuning_order(const convsmith_tuning *tuning, const cs_settled *settled,
                                 const cs_device_traits *traits, cs_candidates *candidates);

#endif
