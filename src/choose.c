/* SPDX-License-Identifier: Apache-2.0 */
#include "choose.h"
#include "autotune.h"
#include "fit.h"
#include "predict.h"
#include "rates.h"
#include "tuning.h"

#include <math.h>
#include <string.h>

/* Whatever keeps a kernel from being launched here shows now. */
static convsmith_status prepare_device(convsmith_plan *plan) {
    return plan->traits.device.kind == CONVSMITH_DEVICE_CUDA ? cs_prepare_cuda(plan) : CONVSMITH_OK;
}

convsmith_status cs_take_candidate(convsmith_plan *plan, const cs_settled *s, const cs_candidate *candidate) {
    plan->kernel = candidate->kernel;
    plan->table = candidate->table;
    const convsmith_status status = cs_fit(plan, s);
    return status == CONVSMITH_OK ? prepare_device(plan) : status;
}

/* ---- The order --------------------------------------------------------------------------------------------------- */

/* A kernel that is predicted to take less than this share of the time of the kernels before it is asked before them:
 * most predictions are nearer than that (bench/NOTES.md). */
#define CLEARLY_FASTER 0.9

/* INFINITY where nothing can be said, or the kernel does not take the problem. */
static double predicted_seconds(convsmith_plan *plan, const cs_settled *s, const cs_rates *rates,
                                const cs_candidate *candidate) {
    cs_prediction prediction;
    plan->kernel = candidate->kernel;
    plan->table = candidate->table;
    return cs_fit(plan, s) == CONVSMITH_OK && cs_predict(plan, rates, &prediction) ? prediction.seconds : INFINITY;
}

/* By predicted times, among the rows of one table: a caller's own come before the built-in ones. */
static void order_by_prediction(convsmith_plan *plan, const cs_settled *s, cs_candidates *candidates) {
    cs_candidate *rows = candidates->rows;
    cs_rates rates;
    if (plan->traits.device.kind != CONVSMITH_DEVICE_CUDA || !cs_rates_for(&plan->traits, &rates))
        return;
    size_t first = 0;
    double least = predicted_seconds(plan, s, &rates, &rows[0]);
    for (size_t i = 1; i < candidates->count && rows[i].table == rows[0].table; ++i) {
        const double seconds = predicted_seconds(plan, s, &rates, &rows[i]);
        if (seconds < CLEARLY_FASTER * least) {
            least = seconds;
            first = i;
        }
    }
    const cs_candidate fastest = rows[first];
    memmove(&rows[1], &rows[0], first * sizeof *rows);
    rows[0] = fastest;
}

/* By measured times, where the caller asks for that. */
static convsmith_status order(convsmith_plan *plan, const cs_settled *s, cs_candidates *candidates) {
    if (s->problem.tuning != NULL)
        return cs_tuning_order(s->problem.tuning, s, &plan->traits, candidates);
    if (s->problem.autotune != NULL)
        return cs_autotune(plan, s, candidates);
    order_by_prediction(plan, s, candidates);
    return CONVSMITH_OK;
}

/* ---- The choice -------------------------------------------------------------------------------------------------- */

/* There is one at least, and the last has the last word. */
static convsmith_status take_first(convsmith_plan *plan, const cs_settled *s, const cs_candidates *candidates) {
    convsmith_status status;
    size_t next = 0;
    do
        status = cs_take_candidate(plan, s, &candidates->rows[next]);
    while (status != CONVSMITH_OK && ++next < candidates->count);
    return status;
}

convsmith_status cs_choose_kernel(convsmith_plan *plan, const cs_settled *s) {
    cs_candidates candidates;
    convsmith_status status = cs_candidates_find(&candidates, s, &plan->traits);
    if (status == CONVSMITH_OK)
        status = order(plan, s, &candidates);
    if (status == CONVSMITH_OK)
        status = take_first(plan, s, &candidates);
    cs_candidates_free(&candidates);
    return status;
}

convsmith_status cs_take_kernel(convsmith_plan *plan, const cs_settled *s, const convsmith_kernel *kernel,
                                const convsmith_table *table) {
    const convsmith_status status = cs_candidate_check(kernel, s);
    return status == CONVSMITH_OK ? cs_take_candidate(plan, s, &(cs_candidate){kernel, table}) : status;
}
