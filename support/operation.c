/* SPDX-License-Identifier: Apache-2.0 */
#include "operation.h"

#include "src/element.h"
#include "tensor.h"
#include "view.h"

enum { ALIGNED = 16 };

bool cs_check_status(convsmith_status status, const char *call, cs_message *message) {
    return status == CONVSMITH_OK ||
           cs_refuse(message, "%s: %s: %s", call, convsmith_status_string(status), convsmith_detail());
}

static bool make(cs_buffer *buffer, const cs_placement *placement, size_t size, size_t alignment, cs_message *message) {
    return placement->guarded ? cs_buffer_create_guarded(buffer, placement->device, size, alignment, message)
                              : cs_buffer_create(buffer, placement->device, size, message);
}

static bool make_tensor(cs_buffer *buffer, const cs_placement *placement, convsmith_dtype dtype, const cs_view *view,
                        cs_message *message) {
    const size_t element = cs_element_bytes(dtype);
    int64_t extent;
    if (!cs_view_extent(view, element, &extent))
        return cs_refuse(message, "a tensor of shape %s is too large to address", cs_shape_text(4, view->sizes).text);
    const size_t alignment = placement->alignment > element ? placement->alignment : element;
    return make(buffer, placement, (size_t)extent * element, alignment, message);
}

static bool place(cs_buffer *buffer, const cs_placement *placement, convsmith_dtype dtype, const cs_view *view,
                  const void *values, cs_message *message) {
    return make_tensor(buffer, placement, dtype, view, message) &&
           cs_buffer_upload(buffer, 0, values, buffer->size, message);
}

static bool place_inputs(cs_operation *o, const convsmith_problem *p, const convsmith_params *params, const void *x,
                         const cs_placement *placement, cs_message *message) {
    const cs_view x_view = cs_view_x(p), weight = cs_view_weight(p, params),
                  channel = cs_view_nchw((const int64_t[]){1, 1, 1, p->c_out});
    if (!place(&o->x, placement, p->dtype, &x_view, x, message) ||
        !place(&o->weight, placement, params->dtype, &weight, params->weight, message))
        return false;
    for (int i = 0; i < o->chain.value_count; i++) {
        const void *values = params->steps[o->chain.values[i].step].values[o->chain.values[i].index];
        if (values && !place(&o->channels[i], placement, params->dtype, &channel, values, message))
            return false;
    }
    return true;
}

static bool make_outputs(cs_operation *o, const convsmith_problem *p, const cs_placement *placement,
                         cs_message *message) {
    const cs_view y = cs_view_y(p);
    return make(&o->packed, placement, convsmith_plan_packed_size(o->plan), ALIGNED, message) &&
           make(&o->workspace, placement, convsmith_plan_workspace_size(o->plan), ALIGNED, message) &&
           make_tensor(&o->y, placement, p->dtype, &y, message);
}

/* The same parameters, on the device. */
static bool prepack(const cs_operation *o, const convsmith_params *given, cs_message *message) {
    convsmith_step steps[CS_MAX_STEPS];
    for (size_t i = 0; i < given->step_count; i++)
        steps[i] = given->steps[i];
    for (int i = 0; i < o->chain.value_count; i++)
        steps[o->chain.values[i].step].values[o->chain.values[i].index] = o->channels[i].data;
    convsmith_params params = *given;
    params.weight = o->weight.data;
    params.steps = given->step_count > 0 ? steps : NULL;
    return cs_check_status(convsmith_plan_prepack(o->plan, &params, o->packed.data, NULL), "prepacking", message);
}

static bool read_chain(cs_operation *o, const convsmith_problem *problem, const convsmith_params *params,
                       cs_message *message) {
    return cs_chain_read(problem->epilogue, &o->chain, message) &&
           (params->step_count == (size_t)o->chain.count ||
            cs_refuse(message, "parameters of %zu steps for %s", params->step_count, problem->epilogue));
}

bool cs_operation_create(cs_operation *operation, convsmith_plan *plan, const convsmith_problem *problem,
                         const convsmith_params *params, const void *x, const cs_placement *placement,
                         cs_message *message) {
    const convsmith_problem full = cs_problem_in_full(problem);
    *operation = (cs_operation){.plan = plan};
    if (read_chain(operation, problem, params, message) &&
        place_inputs(operation, &full, params, x, placement, message) &&
        make_outputs(operation, &full, placement, message) && prepack(operation, params, message))
        return true;
    cs_operation_destroy(operation);
    return false;
}

bool cs_operation_add_tensors(cs_operation *operation, const convsmith_problem *problem, const void *const *tensors,
                              const cs_placement *placement, cs_message *message) {
    const convsmith_problem full = cs_problem_in_full(problem);
    const cs_view y = cs_view_y(&full);
    for (int i = 0; i < operation->chain.tensor_count; i++)
        if (!place(&operation->tensors[i], placement, problem->dtype, &y, tensors[i], message))
            return false;
    return true;
}

void cs_operation_destroy(cs_operation *operation) {
    cs_buffer_destroy(&operation->x);
    cs_buffer_destroy(&operation->weight);
    for (int i = 0; i < CS_MAX_VALUES; i++)
        cs_buffer_destroy(&operation->channels[i]);
    cs_buffer_destroy(&operation->packed);
    cs_buffer_destroy(&operation->workspace);
    cs_buffer_destroy(&operation->y);
    for (int i = 0; i < CS_MAX_TENSORS; i++)
        cs_buffer_destroy(&operation->tensors[i]);
    convsmith_plan_destroy(operation->plan);
    *operation = (cs_operation){0};
}

bool cs_operation_run(const cs_operation *o, cs_message *message) {
    convsmith_args args = {.x = o->x.data, .packed = o->packed.data, .y = o->y.data};
    for (int i = 0; i < CS_MAX_TENSORS; i++)
        args.tensors[i] = o->tensors[i].data;
    return cs_check_status(convsmith_plan_run(o->plan, &args, o->workspace.data, NULL), "running", message);
}
