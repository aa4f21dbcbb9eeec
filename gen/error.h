/* SPDX-License-Identifier: Apache-2.0
 *
 * How the generator's C functions fail: they return false and leave one sentence here.
 */
#ifndef CONVSMITH_GEN_ERROR_H
#define CONVSMITH_GEN_ERROR_H

#include <stdbool.h>

typedef struct cs_error {
    char text[8192]; /* a longer sentence is cut */
} cs_error;

/* Sets the sentence, printf-style; always false, so that a caller can return it. */
__attribute__((format(printf, 2, 3))) bool cs_error_set(cs_error *error, const char *format, ...);

#endif
