/* SPDX-License-Identifier: Apache-2.0
 *
 * Files opened with their size known, and files written whole or not at all.
 */
#ifndef CS_SUPPORT_FILE_H
#define CS_SUPPORT_FILE_H

#include "message.h"

#include <stdint.h>
#include <stdio.h>

/* Opens a regular file for reading and tells its size; NULL, with the reason, for anything else. */
FILE *cs_file_open(const char *path, int64_t *size, cs_message *message);

/* Reads exactly `size` bytes. `path` is only for the message. */
bool cs_file_read(FILE *stream, void *data, size_t size, const char *path, cs_message *message);

/* A file being written: the stream goes to a temporary beside the destination and takes its name when all of it is on
 * disk, so that no reader ever finds half a file. Where the destination exists and is no regular file (a pipe,
 * /dev/null), it is written directly. */
typedef struct cs_new_file {
    FILE *stream;
    char *path;      /* the destination, symbolic links resolved */
    char *temporary; /* NULL when written directly */
} cs_new_file;

bool cs_new_file_open(cs_new_file *file, const char *path, cs_message *message);

/* Puts the finished file in its place. False when it could not be written in full; nothing is left behind then. Either
 * way the members are freed. */
bool cs_new_file_commit(cs_new_file *file, cs_message *message);

/* Gives the writing up: the temporary vanishes, the destination stays as it was. */
void cs_new_file_discard(cs_new_file *file);

#endif
