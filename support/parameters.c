/* SPDX-License-Identifier: Apache-2.0 */
#include "parameters.h"

#include "safetensors.h"

#include <inttypes.h>

/* Whether the shape is `channels` along one dimension and 1 along the others, at most one before and two behind. */
static bool is_per_channel(const cs_tensor *tensor, int64_t channels) {
    const int along = tensor->rank == 4 ? 1 : 0;
    if (tensor->rank != 1 && tensor->rank != 3 && tensor->rank != 4)
        return false;
    for (int i = 0; i < tensor->rank; i++)
        if (tensor->shape[i] != (i == along ? channels : 1))
            return false;
    return true;
}

static bool read_weight(cs_safetensors *file, const char *path, cs_tensor *weight, cs_message *message) {
    if (!cs_safetensors_read(file, "conv.weight", weight, message))
        return false;
    if (weight->rank != 4 || cs_tensor_count(weight) == 0)
        return cs_refuse(message,
                         "%s: conv.weight is %s; it should be [C_out, C_in / conv_groups, KH, KW], none of them 0",
                         path, cs_shape_text(weight->rank, weight->shape).text);
    return true;
}

/* Value i of the chain. Left empty where the file has none and the step takes none. */
static bool read_channels(cs_parameters *p, cs_safetensors *file, const char *path, int i, cs_message *message) {
    const cs_value_name words = cs_chain_value_name(&p->chain, i);
    const cs_step_info *step = cs_chain_value_step(&p->chain, i);
    const int64_t channels = p->weight.shape[0];
    const char *name = words.text;
    cs_tensor *tensor = &p->channels[i];
    if (!cs_safetensors_has(file, name)) {
        cs_message missing;
        if (step->values_optional)
            return true;
        cs_safetensors_read(file, name, tensor, &missing);
        return cs_refuse(message, "%.900s; the epilogue's step %s reads it", missing.text, step->name);
    }
    if (!cs_safetensors_read(file, name, tensor, message))
        return false;
    if (!is_per_channel(tensor, channels))
        return cs_refuse(message,
                         "%s: %s is %s; it should be [%" PRId64 "] or [%" PRId64
                         ", 1, 1], an element for each output channel of conv.weight",
                         path, name, cs_shape_text(tensor->rank, tensor->shape).text, channels, channels);
    return true;
}

static bool read_all(cs_parameters *p, cs_safetensors *file, const char *path, cs_message *message) {
    if (!read_weight(file, path, &p->weight, message))
        return false;
    for (int i = 0; i < p->chain.value_count; i++)
        if (!read_channels(p, file, path, i, message))
            return false;
    return true;
}

/* Whether everything that was read is of the dtype. */
static bool are_all(const cs_parameters *p, convsmith_dtype dtype) {
    bool all = p->weight.dtype == dtype;
    for (int i = 0; i < CS_MAX_VALUES; i++)
        all = all && (!p->channels[i].data || p->channels[i].dtype == dtype);
    return all;
}

static bool unify(cs_parameters *p, convsmith_dtype dtype, cs_message *message) {
    if (are_all(p, dtype)) {
        p->dtype = dtype;
        return true;
    }
    p->dtype = CONVSMITH_F32;
    bool good = cs_tensor_widen(&p->weight, message);
    for (int i = 0; good && i < CS_MAX_VALUES; i++)
        good = !p->channels[i].data || cs_tensor_widen(&p->channels[i], message);
    return good;
}

static void fill_steps(cs_parameters *p) {
    const void *values[CS_MAX_VALUES];
    for (int i = 0; i < p->chain.value_count; i++)
        values[i] = p->channels[i].data;
    cs_chain_fill_steps(&p->chain, values, NULL, p->steps);
}

bool cs_parameters_load(cs_parameters *parameters, const char *path, const cs_chain *chain, convsmith_dtype dtype,
                        cs_message *message) {
    *parameters = (cs_parameters){.chain = *chain};
    cs_safetensors *file = cs_safetensors_open(path, message);
    if (!file)
        return false;
    const bool good = read_all(parameters, file, path, message) && unify(parameters, dtype, message);
    cs_safetensors_close(file);
    if (good)
        fill_steps(parameters);
    else
        cs_parameters_destroy(parameters);
    return good;
}

void cs_parameters_destroy(cs_parameters *parameters) {
    cs_tensor_destroy(&parameters->weight);
    for (int i = 0; i < CS_MAX_VALUES; i++)
        cs_tensor_destroy(&parameters->channels[i]);
}

convsmith_params cs_parameters_view(const cs_parameters *parameters) {
    return (convsmith_params){.weight = parameters->weight.data,
                              .steps = parameters->chain.count ? parameters->steps : NULL,
                              .step_count = (size_t)parameters->chain.count,
                              .dtype = parameters->dtype};
}
