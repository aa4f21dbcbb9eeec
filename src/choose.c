/* SPDX-License-Identifier: Apache-2.0 */
#include "choose.h"
#include "autotune.h"
#include "fit.h"
#include "order.h"

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

/* ---- The choice -------------------------------------------------------------------------------------------------- */

/* What is asked last has the last word. */
static convsmith_status order(const convsmith_plan *plan, const cs_settled *s, cs_candidates *candidates) {
    const cs_device_traits *traits = &plan->traits;
    if (s->problem.autotune != NULL)
        return cs_autotune(plan, s, candidates);
    cs_order_by_prediction(candidates, s, traits);
    const convsmith_status status = cs_order_by_tables(candidates, s, traits);
    if (status != CONVSMITH_OK || s->problem.tuning == NULL)
        return status;
    return cs_order_by_record(candidates, s->problem.tuning, s, traits);
}

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
