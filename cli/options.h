/* SPDX-License-Identifier: Apache-2.0
 *
 * A subcommand's options as a table, from which they are parsed and its help is printed.
 */
#ifndef CS_CLI_OPTIONS_H
#define CS_CLI_OPTIONS_H

#include "command.h"

#include <stdbool.h>

typedef struct cs_option {
    const char *name;  /* "--device" */
    const char *value; /* what stands for its value in the help: "cpu|cuda"; NULL: it takes none */
    const char *help;
    const char **text; /* becomes the value, or the option's name where it takes none */
} cs_option;

/* An option that may be given several times. */
typedef struct cs_repeated {
    const char *name, *value, *help;
    const char **texts; /* become the values, in order */
    int most, count;    /* so many at most; so many there are */
} cs_repeated;

typedef struct cs_usage {
    const char *command, *about;
    const char *operand;       /* the one argument that is no option, as the help calls it; NULL: there is none */
    const char **operand_text; /* becomes it; it must be given */
    const char *example;
    const cs_option *options;
    int count;
    cs_repeated *repeated; /* NULL: there is none */
} cs_usage;

typedef enum cs_parsed {
    CS_PARSED,
    CS_PARSED_HELP, /* help was asked for and printed: the command is done */
    CS_PARSED_BAD,  /* an error was printed */
} cs_parsed;

/* Parses "--name value", "--name=value", "--help". */
cs_parsed cs_options_parse(const cs_usage *usage, int argc, char **argv);

/* Values of options; false with an error printed that says what would be right. A NULL text leaves *value as it is. */
bool cs_value_whole(const cs_usage *usage, const char *name, const char *text, int64_t least, int64_t most,
                    int64_t *value);
/* "2", for rows and columns, or "2x1", for each. */
bool cs_value_pair(const cs_usage *usage, const char *name, const char *text, int64_t least, int64_t most, int64_t *h,
                   int64_t *w);
bool cs_value_positive(const cs_usage *usage, const char *name, const char *text, float *value);

/* One of the `count` words: its index. */
bool cs_value_word(const cs_usage *usage, const char *name, const char *text, const char *const *words, int count,
                   int *value);
bool cs_value_math(const cs_usage *usage, const char *text, convsmith_math *math);

#endif
