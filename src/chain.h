/* SPDX-License-Identifier: Apache-2.0
 *
 * An epilogue chain, "bias+clamp(0,6)+group_norm", taken apart, and what there is to know of each step but how kernels
 * compute it: its name, the values and constants that it reads, and where it may stand.
 */
#ifndef CONVSMITH_CHAIN_H
#define CONVSMITH_CHAIN_H

#include "convsmith/convsmith.h"
#include "device/args.h"
#include <stdbool.h>

typedef enum cs_step {
    CS_STEP_BIAS = 0,
    CS_STEP_ADD_CHANNEL,
    CS_STEP_SUB_CHANNEL,
    CS_STEP_MUL_CHANNEL,
    CS_STEP_DIV_CHANNEL,
    CS_STEP_ADD_CONST,
    CS_STEP_SUB_CONST,
    CS_STEP_MUL_CONST,
    CS_STEP_DIV_CONST,
    CS_STEP_MIN_CONST,
    CS_STEP_MAX_CONST,
    CS_STEP_CLAMP,
    CS_STEP_RELU,
    CS_STEP_LEAKY_RELU,
    CS_STEP_SIGMOID,
    CS_STEP_TANH,
    CS_STEP_SILU,
    CS_STEP_MISH,
    CS_STEP_HARDSWISH,
    CS_STEP_HARDSIGMOID,
    CS_STEP_SOFTPLUS,
    CS_STEP_GELU,
    CS_STEP_GELU_TANH,
    CS_STEP_ELU,
    CS_STEP_SQUARE,
    CS_STEP_ABS,
    CS_STEP_BATCH_NORM,
    CS_STEP_GROUP_NORM,
    CS_STEP_INSTANCE_NORM,
    CS_STEP_MUL_INPUT_OF,
    CS_STEP_ADD_TENSOR,
    CS_STEP_COUNT,
} cs_step;

/* Affine: value * a + b of a channel; right behind a normalisation, of which a chain has one at most, such steps are
 * folded into it. */
typedef enum cs_step_class { CS_AFFINE, CS_POINTWISE, CS_NORMALISATION } cs_step_class;

/* What a per-channel value does. */
typedef enum cs_role { CS_ADDEND, CS_FACTOR, CS_DIVISOR, CS_VARIANCE } cs_role;

enum { CS_STEP_VALUES = 4, CS_STEP_CONSTANTS = 2, CS_MAX_VALUES = CS_MAX_STEPS * CS_STEP_VALUES };

typedef struct cs_step_info {
    const char *name;
    cs_step_class kind;
    int value_count, constant_count;
    struct {
        const char *name; /* in a state dict */
        cs_role role;
    } values[CS_STEP_VALUES];
    const char *constants[CS_STEP_CONSTANTS]; /* their names */
    bool values_optional;                     /* NULL for a value: factors are 1, addends 0 */
    bool always_fixed;                        /* its constants stand in the chain's text, always */
} cs_step_info;

/* Constant; for every step there is. */
const cs_step_info *cs_step_get_info(cs_step step);

/* What is wrong with constants of a step, "must not be 0", and with which; NULL when they can be. */
const char *cs_step_refuses(cs_step step, const float constants[CS_STEP_CONSTANTS], int *which);

typedef struct cs_chain_step {
    cs_step step;
    int occurrence; /* 1 for the first step of its name in the chain */
    bool is_fixed;  /* the chain's text has its constants */
    float constants[CS_STEP_CONSTANTS];
} cs_chain_step;

typedef struct cs_chain {
    int count;
    int normalisation; /* the index of the step, or -1 */
    int tensor_count;  /* its add_tensor steps */
    cs_chain_step steps[CS_MAX_STEPS];
    /* All values that its steps read, in order: values[index] of steps[step]. */
    int value_count;
    struct {
        int step, index;
    } values[CS_MAX_VALUES];
} cs_chain;

/* Takes a chain apart; "" is the bare convolution. False with the reason in `why` (cut at `room` bytes, which may be 0)
 * for a text that is none. */
bool cs_chain_parse(const char *text, cs_chain *chain, char *why, size_t room);

bool cs_chain_has(const cs_chain *chain, cs_step step);

/* What a step mul_input_of multiplies by: the value that the step of this index, before it and on the same side of the
 * normalisation, received. -1 for other steps. */
int cs_chain_input(const cs_chain *chain, int index);

/* Which of a run's tensors a step add_tensor adds, from 0; -1 for other steps. */
int cs_chain_tensor(const cs_chain *chain, int index);

/* Whether a step's input is kept for such a step: what is before it does not fold with what is behind it. */
bool cs_chain_keeps(const cs_chain *chain, int index);

/* The first step behind the normalisation that is not folded into it; chain->count where there is none. */
int cs_chain_behind(const cs_chain *chain);

/* Room for what the following write. */
typedef struct cs_chain_text {
    char text[1024];
} cs_chain_text;

/* The chain's one name, by which tables have it: numbers with as few digits as read back as the same float. */
cs_chain_text cs_chain_name(const cs_chain *chain);

/* As the list that a manifest has: { "bias", { "clamp", 0, 6 } }. */
cs_chain_text cs_chain_list(const cs_chain *chain);

typedef struct cs_value_name {
    char text[48];
} cs_value_name;

/* The name that chain->values[i] has in a state dict: "bias", and "bias.2" for the second step of its kind. */
cs_value_name cs_chain_value_name(const cs_chain *chain, int i);

/* Its step, and its role. */
const cs_step_info *cs_chain_value_step(const cs_chain *chain, int i);
cs_role cs_chain_value_role(const cs_chain *chain, int i);

#endif
