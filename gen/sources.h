/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that a run has read: what its messages name, and what its output depends on.
 */
#ifndef CONVSMITH_GEN_SOURCES_H
#define CONVSMITH_GEN_SOURCES_H

#include <stddef.h>
#include <stdio.h>

#include "error.h"

typedef struct cs_source {
    char *name; /* in messages: the manifest as given, others relative to the home folder */
    char *path; /* where it was read */
} cs_source;

typedef struct cs_sources {
    cs_source *items;
    size_t count, capacity;
} cs_sources;

/* Notes a file, once; both strings are copied. */
bool cs_sources_add(cs_sources *sources, const char *name, const char *path, cs_error *error);

/* Prints Lua's "file:line: text" as "file:line: error: text" when the file is a known one, its name in full even
 * where Lua has cut it; any other message as the program's own. `context` is appended in parentheses; may be NULL. */
void cs_sources_print_error(const cs_sources *sources, const char *message, const char *context, FILE *stream);

/* Writes which files `target` depends on, in the syntax of make. */
bool cs_sources_write_depfile(const cs_sources *sources, const char *path, const char *target, cs_error *error);

void cs_sources_free(cs_sources *sources);

#endif
