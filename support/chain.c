/* SPDX-License-Identifier: Apache-2.0 */
#include "chain.h"

bool cs_chain_read(const char *text, cs_chain *chain, cs_message *message) {
    return cs_chain_parse(text, chain, message ? message->text : NULL, message ? sizeof message->text : 0);
}

void cs_chain_fill_steps(const cs_chain *chain, const void *const *values, float (*constants)[CS_STEP_CONSTANTS],
                         convsmith_step *steps) {
    for (int i = 0; i < chain->count; i++) {
        const cs_step_info *info = cs_step_get_info(chain->steps[i].step);
        steps[i] = (convsmith_step){0};
        for (int j = 0; constants && !chain->steps[i].is_fixed && j < info->constant_count; j++)
            steps[i].constants[j] = constants[i][j];
    }
    for (int i = 0; i < chain->value_count; i++)
        steps[chain->values[i].step].values[chain->values[i].index] = values[i];
}

enum { KINDS = 3 };

static const float usual[CS_STEP_COUNT][KINDS][CS_STEP_CONSTANTS] = {
    [CS_STEP_ADD_CONST] = {{0.5f}, {-0.25f}, {1}},
    [CS_STEP_SUB_CONST] = {{0.5f}, {-0.25f}, {1}},
    [CS_STEP_MUL_CONST] = {{1.5f}, {-0.5f}, {2}},
    [CS_STEP_DIV_CONST] = {{2}, {0.5f}, {-1}},
    [CS_STEP_MIN_CONST] = {{0.5f}, {1}, {0.25f}},
    [CS_STEP_MAX_CONST] = {{-0.5f}, {0}, {-1}},
    [CS_STEP_CLAMP] = {{-1, 1}, {0, 1.5f}, {-0.5f, 0.75f}},
    [CS_STEP_LEAKY_RELU] = {{0.01f}, {0.25f}, {0.2f}},
    [CS_STEP_ELU] = {{1}, {0.5f}, {1.5f}},
    [CS_STEP_BATCH_NORM] = {{1e-5f}, {1e-3f}, {1e-5f}},
};

const float *cs_usual_constants(cs_step step, int index) { return usual[step][index % KINDS]; }
