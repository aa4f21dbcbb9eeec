/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith: a look at the dispatch table, and its kernels at work.
 */
#include "command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef struct command {
    const char *name, *summary;
    cs_exit (*run)(int argc, char **argv);
} command;

static const command commands[] = {
    {"list", "the dispatch table, one row a kernel", cs_command_list},
    {"find", "the kernels for a shape", cs_command_find},
    {"run", "the operator on real files", cs_command_run},
    {"check", "every kernel against the fp64 reference", cs_command_check},
    {"bench", "times on this machine", cs_command_bench},
    {"tune", "the fastest kernel of each problem, recorded", cs_command_tune},
    {"advise", "what a profile says of kernels, and what to change", cs_command_advise},
    {"report", "the atlas of kernels: one page of all that is known of them", cs_command_report},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *stream) {
    fprintf(stream, "usage: convsmith COMMAND [options]\n\ncommands:\n");
    for (int i = 0; i < COMMANDS; i++)
        fprintf(stream, "    %-8s  %s\n", commands[i].name, commands[i].summary);
    fprintf(stream,
            "\n`convsmith COMMAND --help` tells more; --version tells the version; --help=man is a man page,\n"
            "--help=bash what bash completes arguments with.\nExit status: %s\n"
            "\nexample:\n    convsmith find 8x3x3x32\n",
            cs_convsmith.status);
}

/* All commands print their parts. */
static void print_document(cs_help_form form) {
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    cs_program program = cs_convsmith;
    program.commands = names;
    program.command_count = COMMANDS;
    cs_help_begin(&program, form);
    for (int i = 0; i < COMMANDS; i++)
        commands[i].run(1, (char *[]){form == CS_HELP_MAN ? "--help=man" : "--help=bash"});
    cs_help_end(&program, form);
}

static void print_help(cs_help_form form) {
    if (form == CS_HELP_TEXT)
        print_usage(stdout);
    else
        print_document(form);
}

static const command *find_command(const char *name) {
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static cs_exit obey(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    const command *found = find_command(name);
    if (found)
        return found->run(argc - 2, argv + 2);
    cs_help_form form;
    if (cs_help_is_wanted(name, &form)) {
        print_help(form);
        return CS_EXIT_DONE;
    }
    if (strcmp(name, "--version") == 0) {
        printf("convsmith %d.%d.%d\n", CONVSMITH_VERSION_MAJOR, CONVSMITH_VERSION_MINOR, CONVSMITH_VERSION_PATCH);
        return CS_EXIT_DONE;
    }
    if (*name)
        fprintf(stderr, "convsmith: error: there is no command '%s'\n", name);
    print_usage(stderr);
    return CS_EXIT_BAD_INPUT;
}

/* What was printed may still be on its way, to a disk that is full. */
static bool is_output_written(void) {
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    fprintf(stderr, "convsmith: error: the output cannot be written in full: %s\n",
            errno ? strerror(errno) : "a write failed");
    return false;
}

int main(int argc, char **argv) {
    const cs_exit status = obey(argc, argv);
    return (int)(is_output_written() ? status : CS_EXIT_BAD_INPUT);
}
