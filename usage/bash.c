/* SPDX-License-Identifier: Apache-2.0
 *
 * Help as shell functions: what bash completes an argument with.
 *
 * The script has a function for each command. It sees the word to complete as $cur and the one before it, an option if
 * that takes a value, as $prev, and fills COMPREPLY.
 */
#include "forms.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The name of a program or command as a part of a function's. */
static void put_name(const char *name) {
    for (; *name; name++)
        putchar(isalnum((unsigned char)*name) ? *name : '_');
}

static void put_function(const cs_program *program, const char *command) {
    putchar('_');
    put_name(program->name);
    putchar('_');
    put_name(command ? command : "options");
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

/* What stands for a value, up to a dot, and the function that completes it. */
static const struct {
    const char *name, *function;
} kinds[] = {
    {"FILE", "_convsmith_complete_files"},   {"METRICS", "_convsmith_complete_files"},
    {"DIR", "_convsmith_complete_folders"},  {"GLOB", "_convsmith_complete_kernels"},
    {"SHAPE", "_convsmith_complete_shapes"},
};

static bool is_choice(const char *value) {
    for (const char *at = value; *at; at++)
        if (isupper((unsigned char)*at))
            return false;
    return strchr(value, '|') != NULL;
}

static const char *function_of(const char *value) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i].name) == strcspn(value, ".") && memcmp(kinds[i].name, value, strlen(kinds[i].name)) == 0)
            return kinds[i].function;
    return NULL;
}

/* The command that completes a value; one that is the user's alone to know is left alone. */
static void put_value(const char *value) {
    const char *function = function_of(value);
    if (!is_choice(value)) {
        fputs(function ? function : ":", stdout);
        return;
    }
    fputs("_convsmith_complete_words '", stdout);
    for (; *value; value++)
        putchar(*value == '|' ? ' ' : *value);
    putchar('\'');
}

static void put_case(const char *name, const char *value) {
    if (!value)
        return;
    printf("    %s) ", name);
    put_value(value);
    puts(" ;;");
}

/* ---- Of a command ------------------------------------------------------------------------------------------------ */

static void put_words(const cs_usage *usage) {
    fputs("_convsmith_complete_words '", stdout);
    for (int i = 0; i < usage->count; i++)
        printf("%s ", usage->options[i].name);
    if (usage->repeated)
        printf("%s ", usage->repeated->name);
    puts("--help' ;;");
}

static void put_command(const cs_program *program, const cs_usage *usage) {
    put_function(program, usage->command);
    puts("() {\n    case $prev in");
    for (int i = 0; i < usage->count; i++)
        put_case(usage->options[i].name, usage->options[i].value);
    if (usage->repeated)
        put_case(usage->repeated->name, usage->repeated->value);
    fputs("    *)\n        case $cur in\n        -*) ", stdout);
    put_words(usage);
    fputs("        *) ", stdout);
    if (usage->operand) {
        put_value(usage->operand);
        puts(" ;;");
    } else {
        put_words(usage);
    }
    puts("        esac\n        ;;\n    esac\n}\n");
}

/* ---- Of a program ------------------------------------------------------------------------------------------------ */

static const char helpers[] =
    "_convsmith_complete_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
    "_convsmith_complete_files() {\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "}\n"
    "_convsmith_complete_folders() {\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
    "}\n"
    "_convsmith_complete_kernels() {\n"
    "    _convsmith_complete_words \"$(convsmith list 2>/dev/null | awk '$NF ~ /_/ { print $NF }')\"\n"
    "}\n"
    "_convsmith_complete_shapes() {\n"
    "    _convsmith_complete_words \"$(convsmith list 2>/dev/null | awk '/_/ { print $1 }' | sort -u)\"\n"
    "}\n\n";

static void put_begin(const cs_program *program) {
    printf("# Completes arguments of %s in bash; written by `%s --help=bash`.\n\n", program->name, program->name);
    fputs(helpers, stdout);
}

/* The function of the command that is being typed, or the names of commands. */
static void put_dispatch(const cs_program *program) {
    fputs("    if [ \"$COMP_CWORD\" = 1 ]; then\n        _convsmith_complete_words '", stdout);
    for (int i = 0; i < program->command_count; i++)
        printf("%s ", program->commands[i]);
    puts("--help --version'\n        return\n    fi\n    case ${COMP_WORDS[1]} in");
    for (int i = 0; i < program->command_count; i++) {
        printf("    %s) ", program->commands[i]);
        put_function(program, program->commands[i]);
        puts(" ;;");
    }
    puts("    esac");
}

/* Of "--device=cpu" bash makes three words. */
static void put_end(const cs_program *program) {
    putchar('_');
    put_name(program->name);
    puts("() {\n"
         "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
         "    COMPREPLY=()\n"
         "    [ \"$cur\" != = ] || cur=\n"
         "    [ \"$prev\" != = ] || prev=${COMP_WORDS[COMP_CWORD - 2]}");
    if (program->commands) {
        put_dispatch(program);
    } else {
        fputs("    ", stdout);
        put_function(program, NULL);
        putchar('\n');
    }
    fputs("}\ncomplete -F _", stdout);
    put_name(program->name);
    printf(" %s\n", program->name);
}

const cs_form cs_form_bash = {put_begin, put_command, put_end};
