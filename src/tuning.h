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
 */
#ifndef CONVSMITH_TUNING_H
#define CONVSMITH_TUNING_H

#include "identity.h"

#include <stdio.h>

#define CS_TUNING_FORMAT 1

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

/* Frees timings that malloc gave; none are left. */
void cs_timings_free(cs_timings *timings);

/* Adds a problem, in place of one of the same sizes and kernels; sorts its kernels. The timings are copied, names are
 * not: those of tables' kernels live as long as the program. CONVSMITH_OUT_OF_MEMORY. */
convsmith_status cs_tuning_put(convsmith_tuning *tuning, const cs_tuned_problem *problem);

/* Writes the record as cs_tuning_read reads it; errors are the stream's. */
void cs_tuning_write(const convsmith_tuning *tuning, FILE *stream);

/* The date of today. */
void cs_tuning_set_date(convsmith_tuning *tuning);

/* Whether a kernel of that name is generic: it serves any problem, so that the name says nothing of which. */
bool cs_is_generic_name(const char *name);

/* The time of the kernel of that name; NULL where there is none. */
const cs_timing *cs_timing_of(const cs_timings *kernels, const char *name);

#endif
