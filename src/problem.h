/* SPDX-License-Identifier: Apache-2.0
 *
 * A problem as the rest of the runtime sees it: checked, and in one form whichever way the caller wrote it.
 */
#ifndef CONVSMITH_PROBLEM_H
#define CONVSMITH_PROBLEM_H

#include "chain.h"
#include "convsmith/convsmith.h"
#include <stdbool.h>

/* Nothing in `problem` is left to a default: strides, dilations and conv_groups are from 1 on, x_strides and y_strides
 * explicit, the epilogue has its one name, and `groups` are those of an instance_norm, too. Not to be copied:
 * problem.epilogue points at `name`. */
typedef struct cs_settled {
    convsmith_problem problem;
    cs_chain chain;
    cs_chain_text name;
    int64_t h_out, w_out;
} cs_settled;

/* Checks a problem, all but its device, and settles it. */
convsmith_status cs_problem_settle(const convsmith_problem *problem, cs_settled *settled);

/* Whether both x and y have the layout. */
bool cs_problem_has_layout(const cs_settled *settled, convsmith_layout layout);

/* Whether both x and y are contiguous NCHW. */
bool cs_problem_is_contiguous(const cs_settled *settled);

#endif
