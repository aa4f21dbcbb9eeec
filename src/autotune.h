/* SPDX-License-Identifier: Apache-2.0
 *
 * Choosing by times that are taken when the first plan of a problem is created, and kept in a folder.
 */
#ifndef CONVSMITH_AUTOTUNE_H
#define CONVSMITH_AUTOTUNE_H

#include "candidates.h"
#include "plan.h"

/* Orders the candidates by their times, those that cannot be launched behind the others. The times are those of a file
 * of the folder, for exactly this problem, these candidates, this device, driver, runtime and version; where there is
 * no such file, or a damaged one, the candidates are timed, and it is written. plan->traits, problem and chain are set.
 * CONVSMITH_INVALID_ARGUMENT where the folder cannot be written to, and as of cs_trial_run. */
convsmith_status cs_autotune(const convsmith_plan *plan, const cs_settled *settled, cs_candidates *candidates);

#endif
