/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a plan's runs take, on scratch memory of its device.
 */
#ifndef CONVSMITH_TRIAL_H
#define CONVSMITH_TRIAL_H

#include "plan.h"
#include "tuning.h"

/* Fills in the median and the spread of some runs on made-up numbers. CONVSMITH_OUT_OF_MEMORY where the device has no
 * room for x, y and the rest beside what it holds, CONVSMITH_CUDA_ERROR. */
convsmith_status cs_trial_run(const convsmith_plan *plan, cs_timing *timing);

/* A trial as the ways of running it see it: `block` is all of its memory, `args` and `workspace` point into it. */
typedef struct cs_trial {
    const convsmith_plan *plan;
    size_t bytes;
    char *block;
    convsmith_args args;
    void *workspace;
} cs_trial;

/* What the memory is filled with: as floats, f16 and bf16 small numbers, and NaN of none of them. */
#define CS_TRIAL_BYTE 0x3c

/* Puts x, y and the rest into a block, which is aligned to CS_TRIAL_ALIGNMENT. */
#define CS_TRIAL_ALIGNMENT 256
void cs_trial_place(cs_trial *trial, void *block);

/* The part of a GPU: allocates the block, has `measure` called with the device current, and frees the block. */
convsmith_status cs_trial_on_cuda(cs_trial *trial, cs_timing *timing,
                                  convsmith_status (*measure)(cs_trial *trial, cs_timing *timing));

/* Times of `count` runs, CS_TRIAL_MOST_RUNS at most, one behind the other, in microseconds. */
#define CS_TRIAL_MOST_RUNS 50
convsmith_status cs_trial_time_cuda(const cs_trial *trial, int count, double *us);

#endif
