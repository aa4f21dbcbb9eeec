/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsing what a subcommand takes, by its table of options.
 */
#ifndef CS_CLI_OPTIONS_H
#define CS_CLI_OPTIONS_H

#include "command.h"
#include "usage/usage.h"

#include <stdbool.h>

typedef enum cs_parsed {
    CS_PARSED,
    CS_PARSED_HELP, /* help was asked for and printed: the command is done */
    CS_PARSED_BAD,  /* an error was printed */
} cs_parsed;

/* Parses "--name value", "--name=value", "--help" and the other forms of help. */
cs_parsed cs_options_parse(const cs_usage *usage, int argc, char **argv);

/* Values of options; false with an error printed that says what would be right. A NULL text leaves *value as it is. */
bool cs_value_whole(const cs_usage *usage, const char *name, const char *text, int64_t least, int64_t most,
                    int64_t *value);
/* "2", for rows and columns, or "2x1", for each. */
bool cs_value_pair(const cs_usage *usage, const char *name, const char *text, int64_t least, int64_t most, int64_t *h,
                   int64_t *w);
/* `example` is of such a value, for the message. */
bool cs_value_positive(const cs_usage *usage, const char *name, const char *text, const char *example, float *value);

/* One of the `count` words: its index. */
bool cs_value_word(const cs_usage *usage, const char *name, const char *text, const char *const *words, int count,
                   int *value);
bool cs_value_math(const cs_usage *usage, const char *text, convsmith_math *math);

#endif
