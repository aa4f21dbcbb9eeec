/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernels that compute a problem on a device, in the order in which a plan asks them.
 */
#ifndef CONVSMITH_CANDIDATES_H
#define CONVSMITH_CANDIDATES_H

#include "problem.h"
#include "target.h"

typedef struct cs_candidate {
    const convsmith_kernel *kernel;
    const convsmith_table *table; /* that it is a row of; of a generic kernel the built-in one */
} cs_candidate;

typedef struct cs_candidates {
    cs_candidate *rows;
    size_t count, room;
} cs_candidates;

/* The planner's order: the problem's own table before the built-in one, the way to form products that is asked for
 * before the exact one, the better target, NCHW where both layouts hold, and side by side what has one key; the generic
 * kernel is the last. Whether a kernel takes a problem of this size is not asked: fit.h. The list is the caller's to
 * free. CONVSMITH_UNSUPPORTED_DEVICE where there is no kernel at all, CONVSMITH_OUT_OF_MEMORY. */
convsmith_status cs_candidates_find(cs_candidates *candidates, const cs_settled *settled,
                                    const cs_device_traits *traits);
void cs_candidates_free(cs_candidates *candidates);

/* Whether a kernel of that name is among them. */
bool cs_has_candidate(const cs_candidates *candidates, const char *name);

/* CONVSMITH_OK when the kernel computes such problems, whatever their size; else why not. */
convsmith_status cs_candidate_check(const convsmith_kernel *kernel, const cs_settled *settled);

#endif
