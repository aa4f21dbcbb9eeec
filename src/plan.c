/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans: creating and using them. The checks come in the order in which they can be answered: the problem alone, the
 * device, the table and, kernel by kernel, the sizes.
 */
#include "plan.h"
#include "choose.h"
#include "element.h"
#include "params.h"
#include "problem.h"
#include "status.h"
#include "strides.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16

/* ---- Creating --------------------------------------------------------------------------------------------------- */

/* Settles the problem and looks at the device; keeps what prepack and runs ask for of the problem, whose texts,
 * table and record are the caller's. */
static convsmith_status begin(convsmith_plan *draft, cs_settled *settled, const convsmith_problem *problem,
                              convsmith_device device) {
    *draft = (convsmith_plan){0};
    const convsmith_status status = cs_problem_settle(problem, settled);
    if (status != CONVSMITH_OK)
        return status;
    draft->problem = settled->problem;
    draft->problem.epilogue = NULL;
    draft->problem.table = NULL;
    draft->problem.tuning = NULL;
    draft->problem.autotune = NULL;
    draft->chain = settled->chain;
    return cs_device_probe(device, &draft->traits);
}

static convsmith_status publish(convsmith_plan **plan, const convsmith_plan *draft) {
    *plan = aligned_alloc(_Alignof(convsmith_plan), sizeof **plan); /* its tensor maps are aligned beyond malloc's */
    if (*plan == NULL)
        return cs_fail(CONVSMITH_OUT_OF_MEMORY, "no memory for a plan of %zu bytes", sizeof **plan);
    **plan = *draft;
    return CONVSMITH_OK;
}

convsmith_status convsmith_plan_create(convsmith_plan **plan, const convsmith_problem *problem,
                                       convsmith_device device) {
    if (plan == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "plan is NULL; pass the address of a convsmith_plan *");
    *plan = NULL;
    convsmith_plan draft;
    cs_settled settled;
    convsmith_status status = begin(&draft, &settled, problem, device);
    if (status == CONVSMITH_OK)
        status = cs_choose_kernel(&draft, &settled);
    return status == CONVSMITH_OK ? publish(plan, &draft) : status;
}

convsmith_status cs_plan_create_for(convsmith_plan **plan, const convsmith_problem *problem, convsmith_device device,
                                    const convsmith_kernel *kernel) {
    *plan = NULL;
    convsmith_plan draft;
    cs_settled settled;
    const convsmith_table *table = problem->table != NULL ? problem->table : convsmith_builtin_table();
    convsmith_status status = begin(&draft, &settled, problem, device);
    if (status == CONVSMITH_OK)
        status = convsmith_target_supported(kernel->info.key.target, device);
    if (status == CONVSMITH_OK)
        status = cs_take_kernel(&draft, &settled, kernel, table);
    return status == CONVSMITH_OK ? publish(plan, &draft) : status;
}

void convsmith_plan_destroy(convsmith_plan *plan) { free(plan); }

const convsmith_kernel *convsmith_plan_kernel(const convsmith_plan *plan) { return plan != NULL ? plan->kernel : NULL; }

size_t convsmith_plan_packed_size(const convsmith_plan *plan) { return plan != NULL ? (size_t)plan->packed_bytes : 0; }

size_t convsmith_plan_workspace_size(const convsmith_plan *plan) {
    return plan != NULL ? (size_t)plan->workspace_bytes : 0;
}

/* ---- Using ------------------------------------------------------------------------------------------------------ */

static convsmith_status check_pointer(const void *pointer, const char *name, size_t alignment) {
    if (pointer == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s is NULL", name);
    if ((uintptr_t)pointer % alignment != 0)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s is not aligned to %zu bytes", name, alignment);
    return CONVSMITH_OK;
}

static convsmith_status check_stream(const convsmith_plan *plan, const void *stream) {
    if (plan->traits.device.kind == CONVSMITH_DEVICE_CPU && stream != NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "stream is not NULL, but the plan is for the CPU");
    return CONVSMITH_OK;
}

/* Makes the weight's strides explicit. */
static convsmith_status settle_weight(const convsmith_plan *plan, const convsmith_params *params, int64_t strides[4]) {
    const convsmith_problem *p = &plan->problem;
    const cs_shape weight = {
        "params->weight", "params->weight_strides", "oihw", {p->c_out, p->c_in / p->conv_groups, p->kh, p->kw}};
    const int64_t bytes = (int64_t)cs_element_bytes(params->dtype);
    return cs_strides_settle(&weight, params->weight_strides, bytes, strides);
}

convsmith_status convsmith_plan_prepack(const convsmith_plan *plan, const convsmith_params *params, void *packed,
                                        void *stream) {
    if (plan == NULL || params == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, plan == NULL ? "plan is NULL" : "params is NULL");
    convsmith_status status = cs_check_params(params, &plan->chain, plan->kernel->info.key.dtype);
    if (status == CONVSMITH_OK)
        status = check_pointer(packed, "packed", ALIGNMENT);
    if (status == CONVSMITH_OK)
        status = check_stream(plan, stream);
    int64_t weight_strides[4];
    if (status == CONVSMITH_OK)
        status = settle_weight(plan, params, weight_strides);
    if (status != CONVSMITH_OK)
        return status;
    cs_pack_args args = cs_pack_args_of(params, packed);
    memcpy(args.weight_strides, weight_strides, sizeof args.weight_strides);
    if (plan->generic.kernel != NULL)
        return cs_generic_prepack(plan, &args, stream);
    if (plan->traits.device.kind == CONVSMITH_DEVICE_CUDA)
        return cs_prepack_cuda(plan, &args, stream);
    cs_prepack_host(plan, &args);
    return CONVSMITH_OK;
}

static convsmith_status check_args(const convsmith_plan *plan, const convsmith_args *args, const void *workspace,
                                   const void *stream) {
    if (plan == NULL || args == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, plan == NULL ? "plan is NULL" : "args is NULL");
    const size_t element = cs_element_bytes(plan->kernel->info.key.dtype);
    convsmith_status status = check_pointer(args->x, "args->x", element);
    if (status == CONVSMITH_OK)
        status = check_pointer(args->y, "args->y", element);
    if (status == CONVSMITH_OK)
        status = check_pointer(args->packed, "args->packed", ALIGNMENT);
    if (status == CONVSMITH_OK)
        status = cs_check_tensors(args, &plan->chain, plan->kernel->info.key.dtype);
    if (status == CONVSMITH_OK && plan->workspace_bytes > 0)
        status = check_pointer(workspace, "workspace", ALIGNMENT);
    return status == CONVSMITH_OK ? check_stream(plan, stream) : status;
}

/* Lets the arguments point at their parts of the workspace. */
static void place_workspace(const convsmith_plan *plan, cs_conv_args *conv, void *workspace) {
    if (plan->kernel->info.schedule == CONVSMITH_SCHEDULE_RESIDENT) {
        conv->resident.sums = workspace;
        conv->resident.y_aligned = (uintptr_t)conv->y % 16 == 0;
        return;
    }
    char *place = workspace;
    if (plan->kernel->gemm.columns > 0) {
        conv->gemm.copy = place;
        place += plan->gemm.copy_bytes;
        conv->values = (float *)(void *)place;
        place += plan->gemm.values_bytes;
        conv->gemm.marks = (uint64_t *)(void *)place;
        place += plan->gemm.marks_bytes;
    }
    if (plan->normalises) {
        conv->moments = (cs_moments *)(void *)place;
        conv->affine = (cs_affine *)(void *)(place + plan->moments_bytes);
    }
}

convsmith_status convsmith_plan_run(const convsmith_plan *plan, const convsmith_args *args, void *workspace,
                                    void *stream) {
    const convsmith_status status = check_args(plan, args, workspace, stream);
    if (status != CONVSMITH_OK)
        return status;
    cs_conv_args conv = plan->args;
    conv.x = args->x;
    conv.packed = args->packed;
    conv.y = args->y;
    memcpy(conv.tensors, args->tensors, sizeof conv.tensors);
    if (plan->generic.kernel != NULL)
        return cs_generic_run(plan, &conv, workspace, stream);
    place_workspace(plan, &conv, workspace);
    if (plan->traits.device.kind == CONVSMITH_DEVICE_CUDA)
        return cs_run_cuda(plan, &conv, stream);
    cs_run_host(plan, &conv);
    return CONVSMITH_OK;
}
