/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of the dispatch table, printed for people and as JSON.
 */
#ifndef CS_CLI_ROWS_H
#define CS_CLI_ROWS_H

#include "convsmith/convsmith.h"

#include <stdbool.h>

struct cJSON;

/* Prints the rows of the built-in table that `takes` accepts, a line each under a heading, or as one JSON array, with
 * what `occupancy` (cs_occupancy), if it is not NULL, says of them. The number of rows, or -1 when there was no memory
 * for the JSON. Without rows nothing but an empty array is printed. */
int cs_print_rows(bool (*takes)(const convsmith_kernel_info *info, const void *context), const void *context,
                  const struct cJSON *occupancy, bool as_json);

/* All of a row, the caller's to delete; NULL when there is no memory. */
struct cJSON *cs_row_json(const convsmith_kernel_info *info);

/* Adds copies of all members of `more`, which may be NULL, to a row; false when there is no memory. */
bool cs_row_add(struct cJSON *row, const struct cJSON *more);

#endif
