/* SPDX-License-Identifier: Apache-2.0 */
#include "params.h"
#include "element.h"
#include "status.h"

#include <stdio.h>

_Static_assert(sizeof((convsmith_step){0}.values) == sizeof((cs_step_args){0}.values) &&
                   sizeof((convsmith_step){0}.constants) == sizeof((cs_step_args){0}.constants),
               "kernels are handed what the caller hands over");
_Static_assert(CONVSMITH_MAX_TENSORS == CS_MAX_TENSORS, "in runs too");

static convsmith_status check_dtype(convsmith_dtype of_problem, convsmith_dtype of_params) {
    if (of_params == CONVSMITH_F32 || of_params == of_problem)
        return CONVSMITH_OK;
    if (of_problem == CONVSMITH_F32)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "params->dtype is %d (%s); for a problem of f32 it is CONVSMITH_F32",
                       (int)of_params, convsmith_dtype_name(of_params));
    return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                   "params->dtype is %d (%s); for a problem of %s it is CONVSMITH_F32 or the problem's (%d)",
                   (int)of_params, convsmith_dtype_name(of_params), convsmith_dtype_name(of_problem), (int)of_problem);
}

static convsmith_status check_count(const convsmith_params *params, const cs_chain *chain) {
    if (params->step_count != (size_t)chain->count)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                       "params->step_count is %zu; it is the number of the epilogue's steps, %d%s%s",
                       params->step_count, chain->count, chain->count > 0 ? ", in " : ": the bare convolution has none",
                       cs_chain_name(chain).text);
    if (params->steps == NULL && chain->count > 0)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                       "params->steps is NULL; it has an entry for each of the %d steps of %s", chain->count,
                       cs_chain_name(chain).text);
    return CONVSMITH_OK;
}

static convsmith_status check_aligned(const void *pointer, const char *name, convsmith_dtype dtype) {
    const size_t element = cs_element_bytes(dtype);
    if ((uintptr_t)pointer % element != 0)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s is not aligned to %zu bytes", name, element);
    return CONVSMITH_OK;
}

/* What messages call a field of a step: "params->steps[2] (mul_channel): values[0]". */
typedef struct place {
    char text[96];
} place;

static place place_of(int step, const cs_step_info *info, const char *field, int i) {
    place p;
    snprintf(p.text, sizeof p.text, "params->steps[%d] (%s): %s[%d]", step, info->name, field, i);
    return p;
}

static convsmith_status check_value(const void *value, int step, const cs_step_info *info, int i,
                                    convsmith_dtype dtype) {
    const place where = place_of(step, info, "values", i);
    if (i >= info->value_count)
        return value == NULL ? CONVSMITH_OK
                             : cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s is given, but the step reads %d value%s",
                                       where.text, info->value_count, info->value_count == 1 ? "" : "s");
    if (value == NULL && !info->values_optional)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s is NULL; the step reads %s [C_out] from it", where.text,
                       info->values[i].name);
    return check_aligned(value, where.text, dtype);
}

static convsmith_status check_no_constant(float constant, const place *where, const char *why) {
    return constant == 0.0f ? CONVSMITH_OK
                            : cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s is %g; it should be 0, since %s", where->text,
                                      (double)constant, why);
}

static convsmith_status check_constants(const float *constants, int step, const cs_chain_step *s) {
    const cs_step_info *info = cs_step_get_info(s->step);
    for (int i = s->is_fixed ? 0 : info->constant_count; i < CS_STEP_CONSTANTS; ++i) {
        const place where = place_of(step, info, "constants", i);
        const char *why = i < info->constant_count ? "the epilogue's text fixes it" : "the step reads no such constant";
        const convsmith_status status = check_no_constant(constants[i], &where, why);
        if (status != CONVSMITH_OK)
            return status;
    }
    int which;
    const char *wrong = s->is_fixed ? NULL : cs_step_refuses(s->step, constants, &which);
    if (wrong == NULL)
        return CONVSMITH_OK;
    return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s is %g; %s %s", place_of(step, info, "constants", which).text,
                   (double)constants[which], info->constants[which], wrong);
}

static convsmith_status check_step(const convsmith_step *given, int step, const cs_chain_step *s,
                                   convsmith_dtype dtype) {
    convsmith_status status = CONVSMITH_OK;
    for (int i = 0; i < CS_STEP_VALUES && status == CONVSMITH_OK; ++i)
        status = check_value(given->values[i], step, cs_step_get_info(s->step), i, dtype);
    return status == CONVSMITH_OK ? check_constants(given->constants, step, s) : status;
}

convsmith_status cs_check_params(const convsmith_params *params, const cs_chain *chain, convsmith_dtype dtype) {
    convsmith_status status = check_dtype(dtype, params->dtype);
    if (status == CONVSMITH_OK && params->weight == NULL)
        status = cs_fail(CONVSMITH_INVALID_ARGUMENT,
                         "params->weight is NULL; it is conv.weight [C_out, C_in / conv_groups, KH, KW]");
    if (status == CONVSMITH_OK)
        status = check_aligned(params->weight, "params->weight", params->dtype);
    if (status == CONVSMITH_OK)
        status = check_count(params, chain);
    for (int i = 0; i < chain->count && status == CONVSMITH_OK; ++i)
        status = check_step(&params->steps[i], i, &chain->steps[i], params->dtype);
    return status;
}

cs_pack_args cs_pack_args_of(const convsmith_params *params, void *packed) {
    cs_pack_args args = {
        .weight = params->weight,
        .packed = packed,
        .parameter_dtype = (int32_t)params->dtype,
    };
    for (size_t i = 0; i < params->step_count; ++i) {
        for (int j = 0; j < CS_STEP_VALUES; ++j)
            args.steps[i].values[j] = params->steps[i].values[j];
        for (int j = 0; j < CS_STEP_CONSTANTS; ++j)
            args.steps[i].constants[j] = params->steps[i].constants[j];
    }
    return args;
}

/* The number, from 1, of the step that adds tensor i. */
static int step_of_tensor(const cs_chain *chain, int i) {
    int step = 0;
    while (cs_chain_tensor(chain, step) != i)
        ++step;
    return step + 1;
}

static convsmith_status check_tensor(const void *tensor, int i, const cs_chain *chain, convsmith_dtype dtype) {
    char name[32];
    snprintf(name, sizeof name, "args->tensors[%d]", i);
    if (i >= chain->tensor_count)
        return tensor == NULL ? CONVSMITH_OK
                              : cs_fail(CONVSMITH_INVALID_ARGUMENT,
                                        "%s is given, but the epilogue has %d add_tensor step%s; it should be NULL",
                                        name, chain->tensor_count, chain->tensor_count == 1 ? "" : "s");
    if (tensor == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                       "%s is NULL; step %d of the epilogue, add_tensor, adds it: a tensor with y's sizes and strides",
                       name, step_of_tensor(chain, i));
    return check_aligned(tensor, name, dtype);
}

convsmith_status cs_check_tensors(const convsmith_args *args, const cs_chain *chain, convsmith_dtype dtype) {
    convsmith_status status = CONVSMITH_OK;
    for (int i = 0; i < CS_MAX_TENSORS && status == CONVSMITH_OK; ++i)
        status = check_tensor(args->tensors[i], i, chain, dtype);
    return status;
}
