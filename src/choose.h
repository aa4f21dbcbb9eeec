/* SPDX-License-Identifier: Apache-2.0
 *
 * The choice of a plan's kernel, among tables, layouts, ways to form products and targets, and the launch geometry and
 * sizes that follow.
 */
#ifndef CONVSMITH_CHOOSE_H
#define CONVSMITH_CHOOSE_H

#include "plan.h"
#include "problem.h"

/* Fills in the plan's kernel and its sizes; plan->traits is set. CONVSMITH_NO_KERNEL where there is none, otherwise
 * what the last of those that do not take the problem says. */
convsmith_status cs_choose_kernel(convsmith_plan *plan, const cs_settled *settled);

/* Fills in the sizes for the plan's kernel, if the problem is that kernel's. */
convsmith_status cs_fit_kernel(convsmith_plan *plan, const cs_settled *settled);

#endif
