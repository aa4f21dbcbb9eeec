/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"
#include "../device/generic_steps.h"

#include <string.h>

/* What each step is lowered to. */
static const struct {
    cs_opcode code;
    cs_operand_source source;
} lowered[CS_STEP_COUNT] = {
    [CS_STEP_BIAS] = {CS_OP_ADD, CS_OPERANDS_VALUE},
    [CS_STEP_ADD_CHANNEL] = {CS_OP_ADD, CS_OPERANDS_VALUE},
    [CS_STEP_SUB_CHANNEL] = {CS_OP_SUBTRACT, CS_OPERANDS_VALUE},
    [CS_STEP_MUL_CHANNEL] = {CS_OP_MULTIPLY, CS_OPERANDS_VALUE},
    [CS_STEP_DIV_CHANNEL] = {CS_OP_DIVIDE, CS_OPERANDS_VALUE},
    [CS_STEP_ADD_CONST] = {CS_OP_ADD, CS_OPERANDS_CONSTANTS},
    [CS_STEP_SUB_CONST] = {CS_OP_SUBTRACT, CS_OPERANDS_CONSTANTS},
    [CS_STEP_MUL_CONST] = {CS_OP_MULTIPLY, CS_OPERANDS_CONSTANTS},
    [CS_STEP_DIV_CONST] = {CS_OP_DIVIDE, CS_OPERANDS_CONSTANTS},
    [CS_STEP_MIN_CONST] = {CS_OP_MIN, CS_OPERANDS_CONSTANTS},
    [CS_STEP_MAX_CONST] = {CS_OP_MAX, CS_OPERANDS_CONSTANTS},
    [CS_STEP_CLAMP] = {CS_OP_CLAMP, CS_OPERANDS_CONSTANTS},
    [CS_STEP_RELU] = {CS_OP_RELU, CS_OPERANDS_NONE},
    [CS_STEP_LEAKY_RELU] = {CS_OP_LEAKY_RELU, CS_OPERANDS_CONSTANTS},
    [CS_STEP_SIGMOID] = {CS_OP_SIGMOID, CS_OPERANDS_NONE},
    [CS_STEP_TANH] = {CS_OP_TANH, CS_OPERANDS_NONE},
    [CS_STEP_SILU] = {CS_OP_SILU, CS_OPERANDS_NONE},
    [CS_STEP_MISH] = {CS_OP_MISH, CS_OPERANDS_NONE},
    [CS_STEP_HARDSWISH] = {CS_OP_HARDSWISH, CS_OPERANDS_NONE},
    [CS_STEP_HARDSIGMOID] = {CS_OP_HARDSIGMOID, CS_OPERANDS_NONE},
    [CS_STEP_SOFTPLUS] = {CS_OP_SOFTPLUS, CS_OPERANDS_NONE},
    [CS_STEP_GELU] = {CS_OP_GELU, CS_OPERANDS_NONE},
    [CS_STEP_GELU_TANH] = {CS_OP_GELU_TANH, CS_OPERANDS_NONE},
    [CS_STEP_ELU] = {CS_OP_ELU, CS_OPERANDS_CONSTANTS},
    [CS_STEP_SQUARE] = {CS_OP_SQUARE, CS_OPERANDS_NONE},
    [CS_STEP_ABS] = {CS_OP_ABS, CS_OPERANDS_NONE},
    [CS_STEP_BATCH_NORM] = {CS_OP_MULTIPLY_ADD, CS_OPERANDS_BATCH_NORM},
    [CS_STEP_GROUP_NORM] = {CS_OP_NORMALISE, CS_OPERANDS_NORMALISATION},
    [CS_STEP_INSTANCE_NORM] = {CS_OP_NORMALISE, CS_OPERANDS_NORMALISATION},
    [CS_STEP_MUL_INPUT_OF] = {CS_OP_MULTIPLY_BY, CS_OPERANDS_NONE},
    [CS_STEP_ADD_TENSOR] = {CS_OP_ADD_TENSOR, CS_OPERANDS_NONE},
};

cs_generic_program cs_program_of(const cs_chain *chain) {
    cs_generic_program program = {.count = chain->count, .normalisation = chain->count};
    if (chain->normalisation >= 0)
        program.normalisation = chain->normalisation;
    for (int i = 0; i < chain->count; ++i) {
        const cs_step step = chain->steps[i].step;
        program.ops[i] = (cs_generic_op){.code = (uint8_t)lowered[step].code, .source = (uint8_t)lowered[step].source};
        if (lowered[step].source != CS_OPERANDS_NONE)
            program.ops[i].pair = (uint8_t)program.pairs++;
        if (step == CS_STEP_MUL_INPUT_OF)
            program.ops[i].which = (uint8_t)cs_chain_input(chain, i);
        else if (step == CS_STEP_ADD_TENSOR)
            program.ops[i].which = (uint8_t)cs_chain_tensor(chain, i);
        program.kept |= (uint32_t)cs_chain_keeps(chain, i) << i;
    }
    return program;
}

void cs_program_fix_constants(const cs_chain *chain, cs_step_args steps[CS_MAX_STEPS]) {
    for (int i = 0; i < chain->count; ++i)
        if (chain->steps[i].is_fixed)
            memcpy(steps[i].constants, chain->steps[i].constants, sizeof steps[i].constants);
}
