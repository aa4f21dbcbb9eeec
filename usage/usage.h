/* SPDX-License-Identifier: Apache-2.0
 *
 * What a command line takes, as tables: its help, its part of the man page and its completion are printed from them.
 */
#ifndef CS_USAGE_H
#define CS_USAGE_H

#include <stdbool.h>

typedef struct cs_option {
    const char *name;  /* "--device" */
    const char *value; /* what stands for its value in the help, "FILE" (bash.c knows how to complete some of these),
                          or the words that it can be, "cpu|cuda"; NULL: it takes none */
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
    const char *command;       /* "find"; of convsmith-gen, which has no commands, NULL */
    const char *about;         /* lines for a terminal; those that begin with blanks stand as they are */
    const char *operand;       /* the one argument that is no option, as the help calls it; NULL: there is none */
    const char **operand_text; /* becomes it; it must be given */
    const char *example;       /* the program's name goes before it */
    const cs_option *options;
    int count;
    cs_repeated *repeated; /* NULL: there is none */
} cs_usage;

typedef struct cs_program {
    const char *name, *summary, *synopsis;
    const char *status;          /* what its exit statuses mean, "0 done, ..." */
    const char *see_also;        /* another program's name */
    const char *const *commands; /* their names; NULL: it has none */
    int command_count;
} cs_program;

typedef enum cs_help_form {
    CS_HELP_TEXT, /* --help or -h: for a terminal */
    CS_HELP_MAN,  /* --help=man: roff, a section of a man page; of a program the page */
    CS_HELP_BASH, /* --help=bash: shell functions that complete arguments */
} cs_help_form;

/* Whether the argument asks for help, and for which form of it. */
bool cs_help_is_wanted(const char *argument, cs_help_form *form);

/* Prints the help of a command of the program. */
void cs_help_print(const cs_program *program, const cs_usage *usage, cs_help_form form);

/* Printed before the help of the program's commands, and behind it: they make a page, or a script, of it. Nothing in
 * the form of text. */
void cs_help_begin(const cs_program *program, cs_help_form form);
void cs_help_end(const cs_program *program, cs_help_form form);

#endif
