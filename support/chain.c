/* SPDX-License-Identifier: Apache-2.0 */
#include "chain.h"

#include <stddef.h>
#include <string.h>

static const char *const step_names[CS_STEP_COUNT] = {
    [CS_STEP_BIAS] = "bias",       [CS_STEP_ADD_CHANNEL] = "add_channel", [CS_STEP_MUL_CHANNEL] = "mul_channel",
    [CS_STEP_SIGMOID] = "sigmoid", [CS_STEP_GROUP_NORM] = "group_norm",
};

typedef struct param_row {
    const char *name;
    cs_step step;
    size_t field;
} param_row;

static const param_row params[CS_PARAM_COUNT] = {
    [CS_PARAM_CONV_BIAS] = {"conv.bias", CS_STEP_BIAS, offsetof(convsmith_params, conv_bias)},
    [CS_PARAM_BIAS] = {"bias", CS_STEP_ADD_CHANNEL, offsetof(convsmith_params, bias)},
    [CS_PARAM_SCALE] = {"scale", CS_STEP_MUL_CHANNEL, offsetof(convsmith_params, scale)},
    [CS_PARAM_GROUP_NORM_WEIGHT] = {"group_norm.weight", CS_STEP_GROUP_NORM,
                                    offsetof(convsmith_params, group_norm_weight)},
    [CS_PARAM_GROUP_NORM_BIAS] = {"group_norm.bias", CS_STEP_GROUP_NORM, offsetof(convsmith_params, group_norm_bias)},
};

static bool find_step(const char *name, size_t length, cs_step *step) {
    for (int i = 0; i < CS_STEP_COUNT; i++)
        if (strlen(step_names[i]) == length && memcmp(step_names[i], name, length) == 0) {
            *step = (cs_step)i;
            return true;
        }
    return false;
}

static bool append(cs_chain *chain, const char *name, size_t length, cs_message *message) {
    cs_step step;
    if (!find_step(name, length, &step))
        return cs_refuse(message,
                         "epilogue step '%.*s' is unknown; the steps are bias, add_channel, mul_channel, sigmoid and "
                         "group_norm, joined by '+'",
                         (int)(length < 64 ? length : 64), name);
    if (cs_chain_has(chain, step))
        return cs_refuse(message, "epilogue step '%s' stands twice", step_names[step]);
    if (cs_chain_has(chain, CS_STEP_GROUP_NORM))
        return cs_refuse(message, "epilogue step 'group_norm' must be the last, '%s' follows it", step_names[step]);
    chain->steps[chain->count++] = step;
    return true;
}

bool cs_chain_parse(const char *text, cs_chain *chain, cs_message *message) {
    *chain = (cs_chain){0};
    if (*text == '\0')
        return true;
    for (;;) {
        const size_t length = strcspn(text, "+");
        if (!append(chain, text, length, message))
            return false;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

bool cs_chain_has(const cs_chain *chain, cs_step step) {
    for (int i = 0; i < chain->count; i++)
        if (chain->steps[i] == step)
            return true;
    return false;
}

const char *cs_param_name(cs_param param) { return params[param].name; }

const char *cs_param_step_name(cs_param param) { return step_names[params[param].step]; }

bool cs_chain_reads(const cs_chain *chain, cs_param param) { return cs_chain_has(chain, params[param].step); }

bool cs_chain_reads_before(const cs_chain *chain, cs_param param, cs_step step) {
    for (int i = 0; i < chain->count && chain->steps[i] != step; i++)
        if (chain->steps[i] == params[param].step)
            return true;
    return false;
}

const void **cs_param_field(convsmith_params *all, cs_param param) {
    return (const void **)((char *)all + params[param].field);
}
