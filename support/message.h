/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of a failure, handed up to whoever prints them: what is wrong, where, and what would be right.
 */
#ifndef CS_SUPPORT_MESSAGE_H
#define CS_SUPPORT_MESSAGE_H

#include <stdbool.h>

typedef struct cs_message {
    char text[1024];
} cs_message;

/* Fills in `message` (which may be NULL) as printf would, cutting what does not fit. Always false, so that a function
 * can fail in one line: return cs_refuse(message, "%s: not a file", path); */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
bool cs_refuse(cs_message *message, const char *format, ...);

/* Room for what cs_printable writes. */
typedef struct cs_printable_words {
    char text[128];
} cs_printable_words;

/* Words out of a file, fit for a terminal: every byte but the printable ones of ASCII becomes \xNN, a backslash \\;
 * what does not fit is cut and ends in "...". */
cs_printable_words cs_printable(const char *words);

#endif
