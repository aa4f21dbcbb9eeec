/* SPDX-License-Identifier: Apache-2.0
 *
 * The choice of a plan's kernel among those that compute its problem.
 */
#ifndef CONVSMITH_CHOOSE_H
#define CONVSMITH_CHOOSE_H

#include "candidates.h"
#include "plan.h"
#include "problem.h"

/* Fills in the plan's kernel and all that follows from it, ready to be launched; plan->traits, problem and chain are
 * set. The first candidate that takes the problem and can be launched on the device, or else what the generic one, the
 * last, says. */
convsmith_status cs_choose_kernel(convsmith_plan *plan, const cs_settled *settled);

/* The same for one candidate. */
convsmith_status cs_take_candidate(convsmith_plan *plan, const cs_settled *settled, const cs_candidate *candidate);

/* The same for this kernel, a row of `table` or a generic one, and no other. */
convsmith_status cs_take_kernel(convsmith_plan *plan, const cs_settled *settled, const convsmith_kernel *kernel,
                                const convsmith_table *table);

#endif
