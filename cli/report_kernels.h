/* SPDX-License-Identifier: Apache-2.0
 *
 * The atlas's kernels: all that is known of each without running it.
 */
#ifndef CS_CLI_REPORT_KERNELS_H
#define CS_CLI_REPORT_KERNELS_H

#include "gen/error.h"

struct cJSON;

/* A list of the table's kernels, the caller's to delete: of each what `list --json` has of its row, what `resources`
 * (cs_resources) has of it, and for CUDA `unit` (cs_unit_name) and `predicted`, milliseconds of its reference problem
 * on each GPU that runs it; and its `source` in the folder `generated`, null where that has none. *missing is the
 * number of those. NULL with *error. */
struct cJSON *cs_report_kernels(const struct cJSON *resources, const char *generated, int *missing, cs_error *error);

#endif
