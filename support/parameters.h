/* SPDX-License-Identifier: Apache-2.0
 *
 * The operator's parameters from a safetensors file, by their state-dict names.
 */
#ifndef CS_SUPPORT_PARAMETERS_H
#define CS_SUPPORT_PARAMETERS_H

#include "chain.h"
#include "tensor.h"

typedef struct cs_parameters {
    convsmith_dtype dtype;             /* of all of them */
    cs_chain chain;                    /* whose they are */
    cs_tensor weight;                  /* [C_out, C_in / conv_groups, KH, KW] */
    cs_tensor channels[CS_MAX_VALUES]; /* by chain.values, C_out elements; empty for one that may be left out */
    convsmith_step steps[CS_MAX_STEPS];
} cs_parameters;

/* Reads conv.weight and what the chain reads, for tensors of `dtype`: parameters that are all of it stay so, any others
 * become f32, all of them, which changes no value. A per-channel tensor is [C_out] or, as broadcasting shapes are,
 * [C_out, 1, 1] or [1, C_out, 1, 1]. Constants of steps are 0, whoever has them sets them. False, everything freed,
 * when a tensor is missing or has another shape. */
bool cs_parameters_load(cs_parameters *parameters, const char *path, const cs_chain *chain, convsmith_dtype dtype,
                        cs_message *message);

void cs_parameters_destroy(cs_parameters *parameters);

/* Pointers into the parameters, which must stay where they are meanwhile. */
convsmith_params cs_parameters_view(const cs_parameters *parameters);

#endif
