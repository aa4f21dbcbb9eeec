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

/* The name of the first field of `params` that the chain reads and that is NULL; NULL when none is missing. The
 * weight, which every chain needs, included. */
const char *cs_epilogue_missing_param(const char *epilogue, const convsmith_params *params);

#endif
