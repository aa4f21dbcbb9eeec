/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON out of files, told where it is none.
 */
#ifndef CS_CLI_JSON_H
#define CS_CLI_JSON_H

#include "gen/error.h"

#include <stddef.h>

struct cJSON;

/* The document that `text` is, `size` bytes with a zero byte behind them; the caller's to delete. NULL, with *error,
 * which begins with `name` and the line, for what is no JSON. */
struct cJSON *cs_json_parse(const char *name, const char *text, size_t size, cs_error *error);

#endif
