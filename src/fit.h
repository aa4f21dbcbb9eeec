/* SPDX-License-Identifier: Apache-2.0
 *
 * The launch geometry and the sizes that follow from a kernel, a problem and a device.
 */
#ifndef CONVSMITH_FIT_H
#define CONVSMITH_FIT_H

#include "plan.h"
#include "problem.h"

/* Fills in the plan's geometry and sizes; its kernel, which computes such problems, and its traits are set.
 * CONVSMITH_TOO_LARGE where the kernel's schedule takes no problem of this size, or the device no such launch. */
convsmith_status cs_fit(convsmith_plan *plan, const cs_settled *settled);

#endif
