/* SPDX-License-Identifier: Apache-2.0
 *
 * The plans of the table's kernels in words.
 */
#ifndef CS_CLI_REPORT_PLANS_H
#define CS_CLI_REPORT_PLANS_H

#include "gen/error.h"

struct cJSON;

/* An object by kernels' names, the caller's to delete: what `convsmith-gen --explain` prints of the manifest shapes.lua
 * in `home`, with the record in the folder `generated`: { row = "shapes.lua:63", words = the lines of the kernel }.
 * NULL with *error. */
struct cJSON *cs_report_plans(const char *home, const char *generated, cs_error *error);

#endif
