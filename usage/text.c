/* SPDX-License-Identifier: Apache-2.0
 *
 * Help for a terminal.
 */
#include "forms.h"

#include <stdio.h>

enum { LEFT = 28 }; /* columns of an option and its value; a longer one has a line of its own */

static void print_option(const char *name, const char *value, const char *help) {
    char left[128];
    const int length = snprintf(left, sizeof left, "%s%s%s", name, value ? " " : "", value ? value : "");
    if (length > LEFT)
        printf("    %s\n    %-*s  %s\n", left, LEFT, "", help);
    else
        printf("    %-*s  %s\n", LEFT, left, help);
}

static void print_command(const cs_program *program, const cs_usage *usage) {
    printf("usage: %s %s%s%s%s[options]\n\n%s\n\noptions:\n", program->name, usage->command ? usage->command : "",
           usage->command ? " " : "", usage->operand ? usage->operand : "", usage->operand ? " " : "", usage->about);
    for (int i = 0; i < usage->count; i++)
        print_option(usage->options[i].name, usage->options[i].value, usage->options[i].help);
    if (usage->repeated)
        print_option(usage->repeated->name, usage->repeated->value, usage->repeated->help);
    print_option("--help", NULL, "this text");
    printf("\nexample:\n    %s %s\n", program->name, usage->example);
}

static void print_nothing(const cs_program *program) { (void)program; }

const cs_form cs_form_text = {print_nothing, print_command, print_nothing};
