/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a plan, through the public calls, on one case and compares it with the reference.
 */
#ifndef CS_SUPPORT_CASE_CHECK_H
#define CS_SUPPORT_CASE_CHECK_H

#include "check_case.h"

typedef struct cs_case_check {
    convsmith_device device;
    cs_family family; /* that the case is of */
    size_t alignment; /* of tensors and parameters, at least (cs_placement) */
    double sum_error; /* cs_reference.sum_error */
} cs_case_check;

/* Takes the plan over, which is one for the case's problem. Every byte around and between the elements of what may be
 * written is watched. False with what was found. */
bool cs_check_case(const cs_case *c, const cs_case_check *how, convsmith_plan *plan, cs_message *message);

#endif
