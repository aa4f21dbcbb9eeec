/* SPDX-License-Identifier: Apache-2.0
 *
 * Results that a command also writes as a JSON array, where --json names a file for it.
 */
#ifndef CS_CLI_RESULTS_H
#define CS_CLI_RESULTS_H

#include "support/file.h"

struct cJSON;

typedef struct cs_results {
    struct cJSON *rows; /* NULL: nobody wants them */
    cs_new_file file;
} cs_results;

/* Opens the file before the work, so that nobody waits for what cannot be written. `path` NULL: nothing is wanted.
 * False with a message. */
bool cs_results_open(cs_results *results, const char *path, cs_message *message);

/* Appends the row, which is the results' then; false where it is NULL, as cJSON's are without memory. */
bool cs_results_add(cs_results *results, struct cJSON *row, cs_message *message);

/* Writes them, or leaves the file as it was; either way the results are done with. False with a message. */
bool cs_results_save(cs_results *results, cs_message *message);
void cs_results_discard(cs_results *results);

#endif
