/* SPDX-License-Identifier: Apache-2.0
 *
 * Verdicts of checks, printed for people and as JSON.
 */
#ifndef CS_CLI_VERDICT_H
#define CS_CLI_VERDICT_H

#include "support/kernel_check.h"

struct cJSON;

/* Prints "passed  ", "FAILED  " or "skipped ", on a terminal in colour. */
void cs_print_verdict(cs_verdict verdict);

/* An object of what was checked (a name and a value), the verdict and, unless it passed, the message; the caller's to
 * delete. NULL when there is no memory. */
struct cJSON *cs_verdict_json(const char *name, const char *value, cs_verdict verdict, const cs_message *message);

#endif
