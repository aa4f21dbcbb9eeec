/* SPDX-License-Identifier: Apache-2.0
 *
 * What the runtime must know of an epilogue chain ("bias+add_channel+..."): the parameters that its steps read and
 * whether it normalises. What the steps compute is the generator's knowledge.
 */
#ifndef CONVSMITH_EPILOGUE_H
#define CONVSMITH_EPILOGUE_H

#include "convsmith/convsmith.h"
#include <stdbool.h>

/* Whether the chain has the step group_norm. */
bool cs_epilogue_normalises(const char *epilogue);

/* A parameter that a chain reads. */
typedef struct cs_chain_param {
    const char *field; /* of convsmith_params */
    const void *value;
} cs_chain_param;

/* Finds the first parameter that the chain reads (the weight, which every chain needs, included) for which `wrong`
 * holds; false when there is none. */
bool cs_epilogue_find_param(const char *epilogue, const convsmith_params *params,
                            bool (*wrong)(const void *value, convsmith_dtype dtype), cs_chain_param *found);

/* What can be wrong with a parameter. */
bool cs_param_is_null(const void *value, convsmith_dtype dtype);
bool cs_param_is_misaligned(const void *value, convsmith_dtype dtype);

#endif
