/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONVSMITH_LOOKUP_H
#define CONVSMITH_LOOKUP_H

#include "convsmith/convsmith.h"

/* The order of a table's rows: negative, zero or positive as a comes before, with or after b. */
int cs_key_compare(const convsmith_key *a, const convsmith_key *b);

/* CONVSMITH_INVALID_ARGUMENT for a table that was compiled with other headers; nothing but `layout` of it is read. */
convsmith_status cs_check_table(const convsmith_table *table);

/* The row of exactly this key, or NULL; leaves the detail message alone. The table must be one of this layout. */
const convsmith_kernel *cs_lookup(const convsmith_table *table, const convsmith_key *key);

#endif
