/* SPDX-License-Identifier: Apache-2.0
 *
 * The choice of a plan's kernel, among tables, layouts, ways to form products and targets, and the launch geometry and
 * sizes that follow.
 */
#ifndef CONVSMITH_CHOOSE_H
#define CONVSMITH_CHOOSE_H

#include "plan.h"
#include "problem.h"

/* Fills in the plan's kernel and its sizes; plan->traits is set. The best of the tables' kernels that takes the
 * problem, or else the generic one, and the status is what that says. */
convsmith_status cs_choose_kernel(convsmith_plan *plan, const cs_settled *settled);

/* Fills in the sizes for the plan's kernel, if the problem is that kernel's. */
convsmith_status cs_fit_kernel(convsmith_plan *plan, const cs_settled *settled);

#endif
