/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs one kernel of a table, through the public calls, on the cases of a family and compares it with the reference.
 */
#ifndef CS_SUPPORT_KERNEL_CHECK_H
#define CS_SUPPORT_KERNEL_CHECK_H

#include "check_case.h"

#define CS_ALL_CASES (-1)
#define CS_DEFAULT_SEED 1

typedef struct cs_check {
    const convsmith_table *table; /* that `kernel` is a row of; NULL: the built-in one */
    const convsmith_kernel *kernel;
    convsmith_device device;
    cs_family family;
    int only_case; /* CS_ALL_CASES: those that the family selects */
    uint64_t seed;
} cs_check;

typedef enum cs_verdict { CS_PASSED, CS_FAILED, CS_SKIPPED } cs_verdict;

/* The cases that the check is to run, bit i for case i: all of the family, or, where GPUs are emulated (the macro
 * CONVSMITH_EMULATED is defined), those that do not take too long. */
uint32_t cs_check_selection(const cs_check *check);

/* Failed: the message is one line, a command that repeats the failing case and what it found. Skipped: why the kernel
 * cannot run here, or that the family does not apply to it. A case that the kernel refuses as CONVSMITH_TOO_LARGE is
 * left out; when it refuses every one, the check fails (or is skipped, where that is the only case). `cases` (may be
 * NULL) becomes the number of cases run. */
cs_verdict cs_check_kernel(const cs_check *check, int *cases, cs_message *message);

#endif
