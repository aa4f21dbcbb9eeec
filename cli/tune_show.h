/* SPDX-License-Identifier: Apache-2.0
 *
 * What a tuning record is of, for people.
 */
#ifndef CS_CLI_TUNE_SHOW_H
#define CS_CLI_TUNE_SHOW_H

#include "tune_record.h"

/* Prints what the record at `path` (NULL: tuning/<device>.lua) is of, and how it differs from what runs here, another
 * device included. False, with the reason, where it cannot be read. */
bool cs_tune_show(const char *path, convsmith_device device, cs_message *message);

#endif
