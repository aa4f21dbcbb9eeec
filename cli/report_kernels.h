/* SPDX-License-Identifier: Apache-2.0
 *
 * The atlas's kernels: all that is known of each without running it.
 */
#ifndef CS_CLI_REPORT_KERNELS_H
#define CS_CLI_REPORT_KERNELS_H

#include "gen/error.h"

struct cJSON;

/* What is known of the kernels of a home folder, beside the table. */
typedef struct cs_report_known {
    const struct cJSON *resources, *plans; /* cs_resources, cs_report_plans */
    const char *generated;                 /* the folder of the sources */
} cs_report_known;

/* A list of the table's kernels, the caller's to delete: of each what `list --json` has of its row, and what is known
 * of it besides: of the resources all, its `plan`, its `source`, null where there is none; and of CUDA kernels `unit`
 * (cs_unit_name) and `predicted`, milliseconds of the reference problem on each GPU that runs it. *missing is the
 * number of kernels without a source. NULL with *error. */
struct cJSON *cs_report_kernels(const cs_report_known *known, int *missing, cs_error *error);

#endif
