/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole files: read into memory, written beside their place and renamed into it.
 */
#ifndef CONVSMITH_GEN_FILES_H
#define CONVSMITH_GEN_FILES_H

#include <stddef.h>

#include "error.h"

/* A file's bytes; `bytes` is the caller's to free. */
typedef struct cs_bytes {
    char *bytes;
    size_t size;
} cs_bytes;

typedef enum cs_read_result { CS_READ_OK, CS_READ_MISSING, CS_READ_FAILED } cs_read_result;

/* Reads a regular file of at most CS_FILE_LIMIT bytes. The error is set for MISSING too. */
#define CS_FILE_LIMIT ((size_t)64 << 20)
cs_read_result cs_file_load(const char *path, cs_bytes *contents, cs_error *error);

/* "folder/name", or a copy of `name` when `folder` is NULL; the caller's to free. NULL: out of memory, with *error. */
char *cs_path_join(const char *folder, const char *name, cs_error *error);

/* Creates a folder and those above it; fine when it exists. */
bool cs_folder_create(const char *path, cs_error *error);

/* Writes `bytes` beside `path`; *temporary is the name, the caller's to free and to rename or unlink. On failure
 * nothing is left on disk and *temporary is NULL. */
bool cs_file_write_beside(const char *path, const char *bytes, size_t size, char **temporary, cs_error *error);

/* Puts `bytes` in the place of `path`: the old contents or the new, never something between. */
bool cs_file_replace(const char *path, const char *bytes, size_t size, cs_error *error);

#endif
