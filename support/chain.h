/* SPDX-License-Identifier: Apache-2.0
 *
 * An epilogue chain, "bias+add_channel+mul_channel+sigmoid+group_norm", taken apart: the steps in order, and for each
 * the parameter that it reads.
 */
#ifndef CS_SUPPORT_CHAIN_H
#define CS_SUPPORT_CHAIN_H

#include "convsmith/convsmith.h"
#include "message.h"

typedef enum cs_step {
    CS_STEP_BIAS = 0,    /* + conv_bias */
    CS_STEP_ADD_CHANNEL, /* + bias */
    CS_STEP_MUL_CHANNEL, /* * scale */
    CS_STEP_SIGMOID,     /* 1 / (1 + exp(-v)) */
    CS_STEP_GROUP_NORM,  /* (v - mean) / sqrt(variance + eps) * group_norm_weight + group_norm_bias; always last */
    CS_STEP_COUNT,
} cs_step;

typedef struct cs_chain {
    int count;
    cs_step steps[CS_STEP_COUNT];
} cs_chain;

/* Parses a chain; "" is the bare convolution. An unknown step, one that stands twice and a group_norm that is not the
 * last are refused. */
bool cs_chain_parse(const char *text, cs_chain *chain, cs_message *message);

bool cs_chain_has(const cs_chain *chain, cs_step step);

/* The per-channel parameters. */
typedef enum cs_param {
    CS_PARAM_CONV_BIAS = 0,
    CS_PARAM_BIAS,
    CS_PARAM_SCALE,
    CS_PARAM_GROUP_NORM_WEIGHT,
    CS_PARAM_GROUP_NORM_BIAS,
    CS_PARAM_COUNT,
} cs_param;

/* The state-dict name of a parameter, "conv.bias", and the name of the step that reads it. */
const char *cs_param_name(cs_param param);
const char *cs_param_step_name(cs_param param);

/* Whether a step of the chain reads the parameter. */
bool cs_chain_reads(const cs_chain *chain, cs_param param);

/* Whether that step stands before the first `step` of the chain, if it has one. */
bool cs_chain_reads_before(const cs_chain *chain, cs_param param, cs_step step);

/* The field of `params` that holds the parameter. */
const void **cs_param_field(convsmith_params *params, cs_param param);

#endif
