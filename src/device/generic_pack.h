/* SPDX-License-Identifier: Apache-2.0
 *
 * Packing the parameters of the generic kernels, for C and CUDA alike: which weight a tap of a channel has, and the
 * operands of the epilogue's operations.
 */
#ifndef CONVSMITH_DEVICE_GENERIC_PACK_H
#define CONVSMITH_DEVICE_GENERIC_PACK_H

#include "element.h"
#include "generic_args.h"

#include <math.h>

/* The weight of a channel of y under tap number `tap`, rounded to the tensors' elements. */
CS_ELEMENT float cs_generic_weight_of(const cs_generic_pack_args *args, int64_t channel, int64_t tap) {
    const cs_generic_weight *w = &args->weight;
    const int64_t place = tap / w->group_in;
    const float weight =
        load_weight(&args->pack, (int)channel, (int)(tap % w->group_in), (int)(place / w->kw), (int)(place % w->kw));
    return round_to_element(args->dtype, weight);
}

/* One of a step's values of a channel, or `otherwise` where the caller leaves it out. */
CS_ELEMENT float cs_generic_value_of(const cs_generic_pack_args *args, int step, int which, int64_t channel,
                                     float otherwise) {
    const void *values = args->pack.steps[step].values[which];
    return values != 0 ? load_element(args->pack.parameter_dtype, values, channel) : otherwise;
}

/* The operands of operation number `step` for a channel. */
CS_ELEMENT void cs_generic_operands_of(const cs_generic_pack_args *args, int step, int64_t channel, float operands[2]) {
    const float *constants = args->pack.steps[step].constants;
    operands[0] = operands[1] = 0.0f;
    switch (args->program.ops[step].source) {
    case CS_OPERANDS_VALUE:
        operands[0] = cs_generic_value_of(args, step, 0, channel, 0.0f);
        break;
    case CS_OPERANDS_CONSTANTS:
        operands[0] = constants[0];
        operands[1] = constants[1];
        break;
    case CS_OPERANDS_BATCH_NORM: {
        const double variance = cs_generic_value_of(args, step, 3, channel, 0.0f);
        const double a = cs_generic_value_of(args, step, 0, channel, 0.0f) / sqrt(variance + (double)constants[0]);
        const double mean = cs_generic_value_of(args, step, 2, channel, 0.0f);
        operands[0] = (float)a;
        operands[1] = (float)(cs_generic_value_of(args, step, 1, channel, 0.0f) - mean * a);
        break;
    }
    case CS_OPERANDS_NORMALISATION:
        operands[0] = cs_generic_value_of(args, step, 0, channel, 1.0f);
        operands[1] = cs_generic_value_of(args, step, 1, channel, 0.0f);
        break;
    }
}

/* Writes the operands of all operations for a channel of y. */
CS_ELEMENT void cs_generic_pack_operands(const cs_generic_pack_args *args, int64_t channel) {
    float *to = (float *)args->pack.packed + args->weight.operands_at + channel;
    for (int step = 0; step < args->program.count; ++step) {
        const cs_generic_op *op = &args->program.ops[step];
        if (op->source == CS_OPERANDS_NONE)
            continue;
        float operands[2];
        cs_generic_operands_of(args, step, channel, operands);
        for (int i = 0; i < 2; ++i)
            to[(2 * op->pair + i) * (int64_t)args->weight.c_out] = operands[i];
    }
}

#endif
