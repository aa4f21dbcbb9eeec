/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of a tuning record: where it is, what it holds, and extending it.
 */
#ifndef CS_CLI_TUNE_RECORD_H
#define CS_CLI_TUNE_RECORD_H

#include "tune_measure.h"

typedef struct cs_record_file {
    char path[512];
    bool is_in_default_folder; /* which is made with the first problem */
    cs_identity here;          /* the device and what runs it */
} cs_record_file;

/* The record of the device at `path` (NULL: tuning/<device>.lua), whatever is there. */
bool cs_record_find(cs_record_file *file, const char *path, convsmith_device device, cs_message *message);

/* False, with the reason, when what is there is damaged or of another device, or when it cannot be written. What it
 * holds of another driver, runtime or version is told on stderr. */
bool cs_record_check(const cs_record_file *file, cs_message *message);

/* Writes what the file holds now and the result, as one of today, whole or not at all; several processes may do so. */
bool cs_record_extend(const cs_record_file *file, const cs_tune_result *result, cs_message *message);

/* What the file holds, the caller's to destroy. */
bool cs_record_load(const cs_record_file *file, convsmith_tuning **tuning, cs_message *message);

#endif
