/* SPDX-License-Identifier: Apache-2.0
 *
 * Help as a man page: roff with the macros of man(7).
 */
#include "convsmith/convsmith.h"
#include "forms.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What roff would take for its own is escaped; a hyphen is one that can be copied to a command line. */
static void put(const char *text, size_t length) {
    if (length > 0 && (*text == '.' || *text == '\''))
        fputs("\\&", stdout);
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\\')
            fputs("\\e", stdout);
        else if (text[i] == '-')
            fputs("\\-", stdout);
        else
            putchar(text[i]);
}

static void put_text(const char *text) { put(text, strlen(text)); }

/* ---- Of a command ------------------------------------------------------------------------------------------------ */

/* Lines that begin with blanks stand as they are, the others are filled. */
static void put_about(const char *about) {
    bool as_is = false;
    for (const char *line = about; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const size_t length = strcspn(line, "\n");
        if (length == 0) {
            puts(".PP");
            continue;
        }
        if ((*line == ' ') != as_is) {
            as_is = !as_is;
            puts(as_is ? ".nf" : ".fi");
        }
        put(line, length);
        putchar('\n');
    }
    if (as_is)
        puts(".fi");
}

static void put_option(const char *name, const char *value, const char *help) {
    fputs(".TP\n\\fB", stdout);
    put_text(name);
    fputs("\\fR", stdout);
    if (value) {
        fputs(" \\fI", stdout);
        put_text(value);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    put_text(help);
    putchar('\n');
}

static void put_options(const cs_usage *usage) {
    for (int i = 0; i < usage->count; i++)
        put_option(usage->options[i].name, usage->options[i].value, usage->options[i].help);
    if (usage->repeated)
        put_option(usage->repeated->name, usage->repeated->value, usage->repeated->help);
}

static void put_command(const cs_program *program, const cs_usage *usage) {
    if (usage->command)
        printf(".SS %s %s%s%s\n", program->name, usage->command, usage->operand ? " " : "",
               usage->operand ? usage->operand : "");
    else
        puts(".SH DESCRIPTION");
    put_about(usage->about);
    if (!usage->command)
        puts(".SH OPTIONS");
    put_options(usage);
    puts(usage->command ? ".PP\nExample:" : ".SH EXAMPLE");
    printf(".PP\n.nf\n.RS 4\n%s ", program->name);
    put_text(usage->example);
    puts("\n.RE\n.fi");
}

/* ---- Of a program ------------------------------------------------------------------------------------------------ */

/* There is no date, so that the same sources make the same page. */
static void put_begin(const cs_program *program) {
    char title[32] = "";
    for (size_t i = 0; program->name[i] && i + 1 < sizeof title; i++)
        title[i] = (char)toupper((unsigned char)program->name[i]);
    printf(".\\\" Written by `%s --help=man`.\n.TH %s 1 \"\" \"convsmith %d.%d.%d\" \"User Commands\"\n.SH NAME\n",
           program->name, title, CONVSMITH_VERSION_MAJOR, CONVSMITH_VERSION_MINOR, CONVSMITH_VERSION_PATCH);
    put_text(program->name);
    fputs(" \\- ", stdout);
    put_text(program->summary);
    fputs("\n.SH SYNOPSIS\n\\fB", stdout);
    put_text(program->name);
    fputs("\\fR ", stdout);
    put_text(program->synopsis);
    putchar('\n');
    if (program->commands)
        puts(".SH COMMANDS");
}

static void put_end(const cs_program *program) {
    puts(".SH EXIT STATUS");
    put_text(program->status);
    fputs("\n.SH SEE ALSO\n.BR ", stdout);
    put_text(program->see_also);
    puts(" (1)");
}

const cs_form cs_form_man = {put_begin, put_command, put_end};
