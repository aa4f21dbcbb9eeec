/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "trial.h"
#include "element.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WARM_UP = 2, LEAST_RUNS = 5 };

static const double budget = 2e4; /* microseconds of runs that are timed */

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

/* From the first element to the last. */
static size_t tensor_bytes(const int64_t sizes[4], const int64_t strides[4], convsmith_dtype dtype) {
    int64_t last = 0;
    for (int i = 0; i < 4; ++i)
        last += (sizes[i] - 1) * strides[i];
    return (size_t)(last + 1) * cs_element_bytes(dtype);
}

static size_t y_bytes(const convsmith_plan *plan) {
    const convsmith_problem *p = &plan->problem;
    return tensor_bytes((const int64_t[]){p->n, p->c_out, plan->args.h_out, plan->args.w_out}, p->y_strides, p->dtype);
}

enum { X, Y, PACKED, WORKSPACE, TENSORS, PARTS };

/* The sizes of the parts; all tensors that are added are the same memory. */
static void measure_parts(const convsmith_plan *plan, size_t bytes[PARTS]) {
    const convsmith_problem *p = &plan->problem;
    bytes[X] = tensor_bytes((const int64_t[]){p->n, p->c_in, p->h, p->w}, p->x_strides, p->dtype);
    bytes[Y] = y_bytes(plan);
    bytes[PACKED] = (size_t)plan->packed_bytes;
    bytes[WORKSPACE] = (size_t)plan->workspace_bytes;
    bytes[TENSORS] = plan->chain.tensor_count > 0 ? bytes[Y] : 0;
}

/* The offset behind each part, aligned; false where the sum is more than can be addressed. */
static bool find_ends(const convsmith_plan *plan, size_t ends[PARTS]) {
    size_t bytes[PARTS], end = 0;
    measure_parts(plan, bytes);
    for (int i = 0; i < PARTS; ++i) {
        if (bytes[i] > SIZE_MAX / 2 || __builtin_add_overflow(end, bytes[i] + CS_TRIAL_ALIGNMENT - 1, &end))
            return false;
        end -= end % CS_TRIAL_ALIGNMENT;
        ends[i] = end;
    }
    return true;
}

void cs_trial_place(cs_trial *trial, void *block) {
    size_t ends[PARTS];
    find_ends(trial->plan, ends);
    trial->block = block;
    trial->args.x = trial->block;
    trial->args.y = trial->block + ends[X];
    trial->args.packed = trial->block + ends[Y];
    trial->workspace = trial->block + ends[PACKED];
    for (int i = 0; i < trial->plan->chain.tensor_count; ++i)
        trial->args.tensors[i] = trial->block + ends[WORKSPACE];
}

/* ---- The CPU ----------------------------------------------------------------------------------------------------- */

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

static convsmith_status time_host(const cs_trial *trial, int count, double *us) {
    convsmith_status status = CONVSMITH_OK;
    for (int i = 0; i < count && status == CONVSMITH_OK; ++i) {
        const double start = now();
        status = convsmith_plan_run(trial->plan, &trial->args, trial->workspace, NULL);
        us[i] = now() - start;
    }
    return status;
}

static convsmith_status run_on_host(cs_trial *trial, cs_timing *timing,
                                    convsmith_status (*measure)(cs_trial *trial, cs_timing *timing)) {
    void *block = aligned_alloc(CS_TRIAL_ALIGNMENT, trial->bytes);
    if (block == NULL)
        return cs_fail(CONVSMITH_OUT_OF_MEMORY, "no memory to time %s: %zu bytes", trial->plan->kernel->info.name,
                       trial->bytes);
    memset(block, CS_TRIAL_BYTE, trial->bytes);
    cs_trial_place(trial, block);
    const convsmith_status status = measure(trial, timing);
    free(block);
    return status;
}

/* ---- Times ------------------------------------------------------------------------------------------------------- */

static int by_size(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static convsmith_status time_runs(const cs_trial *trial, int count, double *us) {
    const bool on_cuda = trial->plan->traits.device.kind == CONVSMITH_DEVICE_CUDA;
    const convsmith_status status = on_cuda ? cs_trial_time_cuda(trial, count, us) : time_host(trial, count, us);
    if (status == CONVSMITH_OK)
        qsort(us, (size_t)count, sizeof *us, by_size);
    return status;
}

/* As many runs as fit into the budget, after some to warm up. */
static convsmith_status measure(cs_trial *trial, cs_timing *timing) {
    double us[CS_TRIAL_MOST_RUNS];
    convsmith_status status = time_runs(trial, WARM_UP, us);
    if (status != CONVSMITH_OK)
        return status;
    const double wanted = budget / (us[0] > 1 ? us[0] : 1);
    const int count = wanted < LEAST_RUNS           ? LEAST_RUNS
                      : wanted > CS_TRIAL_MOST_RUNS ? CS_TRIAL_MOST_RUNS
                                                    : (int)wanted,
              last = count - 1;
    status = time_runs(trial, count, us);
    if (status != CONVSMITH_OK)
        return status;
    timing->name = trial->plan->kernel->info.name;
    timing->us = us[count / 2];
    timing->spread = (us[last - last / 10] - us[last / 10]) / timing->us;
    return CONVSMITH_OK;
}

convsmith_status cs_trial_run(const convsmith_plan *plan, cs_timing *timing) {
    size_t ends[PARTS];
    if (!find_ends(plan, ends))
        return cs_fail(CONVSMITH_TOO_LARGE, "problem: its tensors exceed the address space");
    cs_trial trial = {.plan = plan, .bytes = ends[PARTS - 1]};
    const bool on_cuda = plan->traits.device.kind == CONVSMITH_DEVICE_CUDA;
    return (on_cuda ? cs_trial_on_cuda : run_on_host)(&trial, timing, measure);
}
