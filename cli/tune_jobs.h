/* SPDX-License-Identifier: Apache-2.0
 *
 * The problems that `convsmith tune` measures: one for each family of the table's rows, whose keys differ in nothing
 * but target and math, at its reference size or at given ones.
 */
#ifndef CS_CLI_TUNE_JOBS_H
#define CS_CLI_TUNE_JOBS_H

#include "convsmith/convsmith.h"
#include "support/message.h"

/* x, and the groups of a group_norm (0: the reference's). */
typedef struct cs_tune_size {
    int64_t n, c_in, h, w, groups;
} cs_tune_size;

typedef struct cs_tune_wish {
    convsmith_device device;
    const char *glob; /* families with a kernel of such a name; NULL: all */
    const cs_tune_size *sizes;
    int size_count; /* 0: reference sizes, with fewer samples on a CPU */
} cs_tune_wish;

typedef struct cs_tune_job {
    const convsmith_kernel_info *row; /* one of the family that the device runs */
    convsmith_problem problem;        /* in full, with the freest math that the family has */
} cs_tune_job;

typedef struct cs_tune_jobs {
    cs_tune_job *rows;
    size_t count, room;
} cs_tune_jobs;

/* The list is the caller's to free. False, with the reason, for a size that none of the families can have, and when
 * there is no memory; no families is an empty list. */
bool cs_tune_jobs_find(cs_tune_jobs *jobs, const cs_tune_wish *wish, cs_message *message);
void cs_tune_jobs_free(cs_tune_jobs *jobs);

/* Whether the device runs a kernel of such a name, whatever its sizes. */
bool cs_tune_matches(const cs_tune_wish *wish);

#endif
