/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands of the program, and what all of them share.
 */
#ifndef CS_CLI_COMMAND_H
#define CS_CLI_COMMAND_H

#include "convsmith/convsmith.h"
#include "usage/usage.h"

/* The program's exit status. */
typedef enum cs_exit {
    CS_EXIT_DONE = 0,
    CS_EXIT_CHECK_FAILED = 1,
    CS_EXIT_BAD_INPUT = 2, /* bad arguments or input, output that cannot be written; the message says where */
    CS_EXIT_NO_KERNEL = 3,
    CS_EXIT_INTERRUPTED = 130, /* by Ctrl-C; what was done is kept */
} cs_exit;

/* The program, without its commands, which are main.c's. */
extern const cs_program cs_convsmith;

/* Each takes the arguments behind its name. */
cs_exit cs_command_list(int argc, char **argv);
cs_exit cs_command_find(int argc, char **argv);
cs_exit cs_command_run(int argc, char **argv);
cs_exit cs_command_check(int argc, char **argv);
cs_exit cs_command_bench(int argc, char **argv);
cs_exit cs_command_tune(int argc, char **argv);
cs_exit cs_command_advise(int argc, char **argv);
cs_exit cs_command_report(int argc, char **argv);

/* Prints "convsmith COMMAND: error: ..." to stderr; always CS_EXIT_BAD_INPUT. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
cs_exit
cs_complain(const char *command, const char *format, ...);

/* Complains with the library's detail of the call that gave `status`; CS_EXIT_NO_KERNEL where that is what it says. */
cs_exit cs_complain_status(const char *command, convsmith_status status);

#endif
