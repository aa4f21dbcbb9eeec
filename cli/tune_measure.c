/* SPDX-License-Identifier: Apache-2.0 */
#include "tune_measure.h"

#include "interrupt.h"
#include "src/generic/generic.h"
#include "src/order.h"

#include <stdlib.h>

/* ---- Measuring --------------------------------------------------------------------------------------------------- */

/* The kernels that a plan of this math can have, as it asks them where nothing was measured: tables may have times of
 * this device, by which a plan would choose. */
static convsmith_status find_candidates(cs_candidates *candidates, const convsmith_problem *wanted, convsmith_math math,
                                        convsmith_device device) {
    convsmith_problem problem = *wanted;
    cs_device_traits traits;
    cs_settled settled;
    problem.math = math;
    convsmith_status status = cs_problem_settle(&problem, &settled);
    if (status == CONVSMITH_OK)
        status = cs_device_probe(device, &traits);
    if (status == CONVSMITH_OK)
        status = cs_candidates_find(candidates, &settled, &traits);
    if (status == CONVSMITH_OK)
        cs_order_by_prediction(candidates, &settled, &traits);
    return status;
}

static void rank_kernels(cs_tune_result *result, const cs_candidates *candidates, convsmith_math math) {
    for (size_t i = 0; i < result->count; i++) {
        cs_tune_kernel *k = &result->kernels[i];
        k->rank[math] = CS_TUNE_NEVER;
        for (size_t j = 0; j < candidates->count; j++)
            if (candidates->rows[j].kernel == k->kernel)
                k->rank[math] = (int)j;
    }
}

static bool rank_all(cs_tune_result *result, convsmith_device device, cs_message *message) {
    for (int math = CONVSMITH_MATH_FP32; math <= CONVSMITH_MATH_TF32; math++) {
        cs_candidates candidates;
        if (find_candidates(&candidates, &result->job->problem, (convsmith_math)math, device) != CONVSMITH_OK)
            return cs_refuse(message, "%s: %s", result->job->row->name, convsmith_detail());
        rank_kernels(result, &candidates, (convsmith_math)math);
        cs_candidates_free(&candidates);
    }
    return true;
}

/* All of the job's, which has the freest math. */
static bool find_kernels(cs_tune_result *result, convsmith_device device, cs_message *message) {
    const convsmith_problem *problem = &result->job->problem;
    cs_candidates candidates;
    if (find_candidates(&candidates, problem, problem->math, device) != CONVSMITH_OK)
        return cs_refuse(message, "%s: %s", result->job->row->name, convsmith_detail());
    result->kernels = calloc(candidates.count, sizeof *result->kernels);
    if (result->kernels)
        result->count = candidates.count;
    for (size_t i = 0; i < result->count; i++) {
        result->kernels[i].kernel = candidates.rows[i].kernel;
        result->kernels[i].info = convsmith_kernel_get_info(candidates.rows[i].kernel);
    }
    cs_candidates_free(&candidates);
    return result->kernels ? rank_all(result, device, message)
                           : cs_refuse(message, "no memory for the kernels of %s", result->job->row->name);
}

static void measure_kernel(cs_tune_kernel *k, const cs_tune_job *job, int repeats, cs_bench_inputs **inputs) {
    cs_bench_item item;
    cs_bench_item_init_for(&item, k->info, &job->problem, repeats);
    k->outcome = cs_bench_item_run(&item, k->kernel, inputs, &k->reason);
    k->us = 1e3 * item.median_ms;
    k->spread = item.spread;
    k->worst_error = item.worst_error;
}

static cs_tune_outcome measure_all(cs_tune_result *result, int repeats, const cs_tune_place *place,
                                   cs_bench_inputs **inputs, cs_message *message) {
    for (size_t i = 0; i < result->count; i++) {
        cs_tune_kernel *k = &result->kernels[i];
        const double done = (double)place->index + (double)i / (double)result->count;
        if (cs_is_interrupted())
            return CS_TUNE_INTERRUPTED;
        cs_progress_show(place->progress, done / (double)place->count, k->info->name);
        measure_kernel(k, result->job, repeats, inputs);
        if (k->outcome == CS_BENCH_FAILED) {
            cs_refuse(message, "%s: %s", k->info->name, k->reason.text);
            return CS_TUNE_FAILED;
        }
    }
    return CS_TUNE_DONE;
}

cs_tune_outcome cs_tune_measure(cs_tune_result *result, const cs_tune_job *job, convsmith_device device, int repeats,
                                const cs_tune_place *place, cs_message *message) {
    cs_bench_inputs *inputs = NULL;
    *result = (cs_tune_result){.job = job};
    if (!find_kernels(result, device, message))
        return CS_TUNE_FAILED;
    const cs_tune_outcome outcome = measure_all(result, repeats, place, &inputs, message);
    cs_bench_inputs_destroy(inputs);
    return outcome;
}

void cs_tune_result_free(cs_tune_result *result) {
    free(result->kernels);
    *result = (cs_tune_result){0};
}

/* ---- What came of it --------------------------------------------------------------------------------------------- */

static bool serves(const cs_tune_kernel *k, convsmith_math math) {
    return k->outcome == CS_BENCH_TIMED && k->rank[math] != CS_TUNE_NEVER;
}

const cs_tune_kernel *cs_tune_planned(const cs_tune_result *result, convsmith_math math) {
    const cs_tune_kernel *planned = NULL;
    for (size_t i = 0; i < result->count; i++)
        if (serves(&result->kernels[i], math) && (!planned || result->kernels[i].rank[math] < planned->rank[math]))
            planned = &result->kernels[i];
    return planned;
}

const cs_tune_kernel *cs_tune_fastest(const cs_tune_result *result, convsmith_math math) {
    const cs_tune_kernel *fastest = NULL;
    for (size_t i = 0; i < result->count; i++)
        if (serves(&result->kernels[i], math) && (!fastest || result->kernels[i].us < fastest->us))
            fastest = &result->kernels[i];
    return fastest;
}

convsmith_status cs_tune_record(convsmith_tuning *tuning, const cs_tune_result *result) {
    const convsmith_problem *p = &result->job->problem;
    cs_timing *rows = malloc(result->count * sizeof *rows);
    if (!rows)
        return CONVSMITH_OUT_OF_MEMORY;
    size_t count = 0;
    bool has_row = false;
    for (size_t i = 0; i < result->count; i++) {
        const cs_tune_kernel *k = &result->kernels[i];
        if (k->outcome != CS_BENCH_TIMED)
            continue;
        rows[count++] = (cs_timing){k->info->name, k->us, k->spread};
        has_row = has_row || !cs_generic_of(k->kernel);
    }
    const cs_tuned_problem problem = {.n = p->n, .h = p->h, .w = p->w, .groups = p->groups, .kernels = {rows, count}};
    const convsmith_status status = has_row ? cs_tuning_put(tuning, &problem) : CONVSMITH_OK;
    free(rows);
    return status;
}
