/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONVSMITH_LOOKUP_H
#define CONVSMITH_LOOKUP_H

#include "convsmith/convsmith.h"

/* The order of a table's rows: negative, zero or positive as a comes before, with or after b. */
int cs_key_compare(const convsmith_key *a, const convsmith_key *b);

/* CONVSMITH_INVALID_ARGUMENT for a table that was compiled with other headers; nothing but `layout` of it is read. */
convsmith_status cs_check_table(const convsmith_table *table);

/* Rows of a table, one behind the other. */
typedef struct cs_rows {
    const convsmith_kernel *first; /* NULL where there is none */
    size_t count;
} cs_rows;

/* The rows of exactly this key, in the table's order, the planner's choice first; leaves the detail message alone. The
 * table must be one of this layout. */
cs_rows cs_lookup(const convsmith_table *table, const convsmith_key *key);

#endif
