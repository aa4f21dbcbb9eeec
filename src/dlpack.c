/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls that take DLTensors: each reads them, compares them with what they are for, and hands over to its namesake.
 */
#include "dlpack_view.h"
#include "plan.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OF_X "[N, C_in, H, W]"
#define OF_WEIGHT "[C_out, C_in / conv_groups, KH, KW]"
#define OF_Y "[N, C_out, H_out, W_out]"

/* ---- Comparing --------------------------------------------------------------------------------------------------- */

static convsmith_status check_sizes(const cs_dlpack_view *view, const cs_dlpack_role *role, const int64_t sizes[4]) {
    for (int i = 0; i < 4; ++i)
        if (view->sizes[i] != sizes[i])
            return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s->shape[%d] is %" PRId64 "; it is %" PRId64 " in %s",
                           role->name, i, view->sizes[i], sizes[i], role->shape);
    return CONVSMITH_OK;
}

/* The stride of an index of one place says nothing. */
static convsmith_status check_strides(const cs_dlpack_view *view, const cs_dlpack_role *role,
                                      const int64_t strides[4]) {
    for (int i = 0; i < 4; ++i)
        if (view->sizes[i] > 1 && view->strides[i] != strides[i])
            return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s->strides[%d] is %" PRId64 "; the plan was made for %" PRId64,
                           role->name, i, view->strides[i], strides[i]);
    return CONVSMITH_OK;
}

static convsmith_status check_dtype(const cs_dlpack_view *view, const char *name, convsmith_dtype dtype,
                                    const char *whom) {
    return view->dtype == dtype ? CONVSMITH_OK
                                : cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s->dtype is %s; it is that of %s, %s", name,
                                          convsmith_dtype_name(view->dtype), whom, convsmith_dtype_name(dtype));
}

/* ---- Problems ---------------------------------------------------------------------------------------------------- */

static convsmith_status take_x(convsmith_problem *p, convsmith_device *device, const DLTensor *x) {
    const cs_dlpack_role role = {"x", "nchw", OF_X};
    cs_dlpack_view view;
    const convsmith_status status = cs_dlpack_read(x, &role, &view);
    if (status != CONVSMITH_OK)
        return status;
    p->n = view.sizes[0];
    p->c_in = view.sizes[1];
    p->h = view.sizes[2];
    p->w = view.sizes[3];
    p->dtype = view.dtype;
    memcpy(p->x_strides, view.strides, sizeof p->x_strides);
    *device = view.device;
    return CONVSMITH_OK;
}

static convsmith_status take_weight(convsmith_problem *p, convsmith_device device, const DLTensor *weight) {
    const cs_dlpack_role role = {"weight", "oihw", OF_WEIGHT};
    cs_dlpack_view view;
    convsmith_status status = cs_dlpack_read(weight, &role, &view);
    if (status == CONVSMITH_OK && view.dtype != CONVSMITH_F32)
        status = check_dtype(&view, role.name, p->dtype, "x");
    if (status == CONVSMITH_OK)
        status = cs_dlpack_check_device(&view, role.name, device, "x");
    if (status != CONVSMITH_OK)
        return status;
    if (p->c_in % view.sizes[1] != 0)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                       "weight->shape[1] is %" PRId64 "; it must divide the channels of x, %" PRId64 ", by conv_groups",
                       view.sizes[1], p->c_in);
    p->c_out = view.sizes[0];
    p->conv_groups = p->c_in / view.sizes[1];
    p->kh = view.sizes[2];
    p->kw = view.sizes[3];
    return CONVSMITH_OK;
}

static convsmith_status take_y(convsmith_problem *p, convsmith_device device, const DLTensor *y) {
    const cs_dlpack_role role = {"y", "nchw", OF_Y};
    cs_dlpack_view view;
    int64_t sizes[4] = {p->n, p->c_out};
    convsmith_status status = convsmith_output_size(p, &sizes[2], &sizes[3]);
    memset(p->y_strides, 0, sizeof p->y_strides);
    if (status != CONVSMITH_OK || y == NULL)
        return status;
    status = cs_dlpack_read(y, &role, &view);
    if (status == CONVSMITH_OK)
        status = check_dtype(&view, role.name, p->dtype, "x");
    if (status == CONVSMITH_OK)
        status = cs_dlpack_check_device(&view, role.name, device, "x");
    if (status == CONVSMITH_OK)
        status = check_sizes(&view, &role, sizes);
    if (status == CONVSMITH_OK)
        memcpy(p->y_strides, view.strides, sizeof p->y_strides);
    return status;
}

convsmith_status convsmith_problem_from_dlpack(convsmith_problem *problem, convsmith_device *device, const DLTensor *x,
                                               const DLTensor *weight, const DLTensor *y) {
    if (problem == NULL || device == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s is NULL", problem == NULL ? "problem" : "device");
    convsmith_problem found = *problem;
    convsmith_device place;
    convsmith_status status = take_x(&found, &place, x);
    if (status == CONVSMITH_OK)
        status = take_weight(&found, place, weight);
    if (status == CONVSMITH_OK)
        status = take_y(&found, place, y);
    if (status != CONVSMITH_OK)
        return status;
    *problem = found;
    *device = place;
    return CONVSMITH_OK;
}

/* ---- Parameters -------------------------------------------------------------------------------------------------- */

static convsmith_status read_weight(const convsmith_plan *plan, const DLTensor *weight, convsmith_params *params) {
    const cs_dlpack_role role = {"params->weight", "oihw", OF_WEIGHT};
    const convsmith_problem *p = &plan->problem;
    const int64_t sizes[4] = {p->c_out, p->c_in / p->conv_groups, p->kh, p->kw};
    cs_dlpack_view view;
    convsmith_status status = cs_dlpack_read(weight, &role, &view);
    if (status == CONVSMITH_OK)
        status = cs_dlpack_check_data(&view, role.name);
    if (status == CONVSMITH_OK)
        status = cs_dlpack_check_device(&view, role.name, plan->traits.device, "the plan");
    if (status == CONVSMITH_OK)
        status = check_sizes(&view, &role, sizes);
    if (status != CONVSMITH_OK)
        return status;
    params->weight = view.data;
    params->dtype = view.dtype;
    memcpy(params->weight_strides, view.strides, sizeof params->weight_strides);
    return CONVSMITH_OK;
}

static convsmith_status read_value(const convsmith_plan *plan, const DLTensor *value, const char *name,
                                   convsmith_dtype dtype, const void **data) {
    cs_dlpack_view view;
    convsmith_status status = cs_dlpack_read_vector(value, name, plan->problem.c_out, &view);
    if (status == CONVSMITH_OK)
        status = cs_dlpack_check_data(&view, name);
    if (status == CONVSMITH_OK)
        status = cs_dlpack_check_device(&view, name, plan->traits.device, "the plan");
    if (status == CONVSMITH_OK)
        status = check_dtype(&view, name, dtype, "params->weight");
    if (status == CONVSMITH_OK)
        *data = view.data;
    return status;
}

/* Values that are not there stay NULL: prepack knows which may be. */
static convsmith_status read_step(const convsmith_plan *plan, const convsmith_dlpack_step *given, size_t index,
                                  convsmith_dtype dtype, convsmith_step *step) {
    memcpy(step->constants, given->constants, sizeof step->constants);
    for (size_t i = 0; i < sizeof given->values / sizeof given->values[0]; ++i) {
        char name[64];
        snprintf(name, sizeof name, "params->steps[%zu].values[%zu]", index, i);
        if (given->values[i] == NULL)
            continue;
        const convsmith_status status = read_value(plan, given->values[i], name, dtype, &step->values[i]);
        if (status != CONVSMITH_OK)
            return status;
    }
    return CONVSMITH_OK;
}

convsmith_status convsmith_plan_prepack_dlpack(const convsmith_plan *plan, const convsmith_dlpack_params *params,
                                               void *packed, void *stream) {
    if (plan == NULL || params == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, plan == NULL ? "plan is NULL" : "params is NULL");
    convsmith_step steps[CS_MAX_STEPS] = {{{NULL}, {0}}};
    convsmith_params own = {.steps = params->steps != NULL ? steps : NULL, .step_count = params->step_count};
    convsmith_status status = read_weight(plan, params->weight, &own);
    /* Of another number of steps than the plan's chain has, none is read here, nor there. */
    const bool is_known = params->steps != NULL && params->step_count == (size_t)plan->chain.count;
    for (size_t i = 0; is_known && i < params->step_count && status == CONVSMITH_OK; ++i)
        status = read_step(plan, &params->steps[i], i, own.dtype, &steps[i]);
    return status == CONVSMITH_OK ? convsmith_plan_prepack(plan, &own, packed, stream) : status;
}

/* ---- Runs -------------------------------------------------------------------------------------------------------- */

static convsmith_status read_buffer(const convsmith_plan *plan, const DLTensor *tensor, const cs_dlpack_role *role,
                                    const int64_t sizes[4], const int64_t strides[4], const void **data) {
    cs_dlpack_view view;
    convsmith_status status = cs_dlpack_read(tensor, role, &view);
    if (status == CONVSMITH_OK)
        status = cs_dlpack_check_data(&view, role->name);
    if (status == CONVSMITH_OK)
        status = cs_dlpack_check_device(&view, role->name, plan->traits.device, "the plan");
    if (status == CONVSMITH_OK)
        status = check_dtype(&view, role->name, plan->problem.dtype, "the plan");
    if (status == CONVSMITH_OK)
        status = check_sizes(&view, role, sizes);
    if (status == CONVSMITH_OK)
        status = check_strides(&view, role, strides);
    if (status == CONVSMITH_OK)
        *data = view.data;
    return status;
}

static convsmith_status read_x(const convsmith_plan *plan, const DLTensor *x, const void **data) {
    const cs_dlpack_role role = {"args->x", "nchw", OF_X};
    const convsmith_problem *p = &plan->problem;
    const int64_t sizes[4] = {p->n, p->c_in, p->h, p->w};
    return read_buffer(plan, x, &role, sizes, p->x_strides, data);
}

/* y, or a tensor that is as y is. */
static convsmith_status read_as_y(const convsmith_plan *plan, const DLTensor *y, const char *name, const void **data) {
    const cs_dlpack_role role = {name, "nchw", OF_Y};
    const convsmith_problem *p = &plan->problem;
    int64_t sizes[4] = {p->n, p->c_out};
    const convsmith_status status = convsmith_output_size(p, &sizes[2], &sizes[3]);
    return status == CONVSMITH_OK ? read_buffer(plan, y, &role, sizes, p->y_strides, data) : status;
}

convsmith_status convsmith_plan_run_dlpack(const convsmith_plan *plan, const convsmith_dlpack_args *args,
                                           void *workspace, void *stream) {
    if (plan == NULL || args == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, plan == NULL ? "plan is NULL" : "args is NULL");
    convsmith_args own = {.packed = args->packed};
    const void *y = NULL;
    convsmith_status status = read_x(plan, args->x, &own.x);
    if (status == CONVSMITH_OK)
        status = read_as_y(plan, args->y, "args->y", &y);
    for (int i = 0; i < CONVSMITH_MAX_TENSORS && status == CONVSMITH_OK; ++i) {
        char name[32];
        snprintf(name, sizeof name, "args->tensors[%d]", i);
        if (args->tensors[i] != NULL)
            status = read_as_y(plan, args->tensors[i], name, &own.tensors[i]);
    }
    own.y = (void *)(uintptr_t)y; /* a DLTensor's data is not const */
    return status == CONVSMITH_OK ? convsmith_plan_run(plan, &own, workspace, stream) : status;
}
