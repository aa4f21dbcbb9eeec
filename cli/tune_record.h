/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of a tuning record: where it is, what it holds, and writing it.
 */
#ifndef CS_CLI_TUNE_RECORD_H
#define CS_CLI_TUNE_RECORD_H

#include "src/tuning.h"
#include "support/message.h"

typedef struct cs_record_file {
    char path[512];
    convsmith_tuning *tuning; /* owned */
} cs_record_file;

/* The record of the device at `path` (NULL: tuning/<device>.lua), with what it holds already, as one of today. False,
 * with the reason, when it is damaged or of another device, or when it cannot be written. */
bool cs_record_open(cs_record_file *file, const char *path, convsmith_device device, cs_message *message);

/* Writes it, whole or not at all. */
bool cs_record_save(const cs_record_file *file, cs_message *message);
void cs_record_close(cs_record_file *file);

/* Prints what the record at `path` (NULL: as above) is of, and how it differs from what runs here. */
bool cs_record_show(const char *path, convsmith_device device, cs_message *message);

#endif
