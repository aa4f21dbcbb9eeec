/* SPDX-License-Identifier: Apache-2.0 */
#include "forms.h"

#include <stddef.h>
#include <string.h>

static const cs_form *const forms[] = {
    [CS_HELP_TEXT] = &cs_form_text,
    [CS_HELP_MAN] = &cs_form_man,
    [CS_HELP_BASH] = &cs_form_bash,
};

bool cs_help_is_wanted(const char *argument, cs_help_form *form) {
    static const struct {
        const char *argument;
        cs_help_form form;
    } arguments[] = {
        {"--help", CS_HELP_TEXT}, {"-h", CS_HELP_TEXT}, {"--help=man", CS_HELP_MAN}, {"--help=bash", CS_HELP_BASH}};
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
        if (strcmp(argument, arguments[i].argument) == 0) {
            *form = arguments[i].form;
            return true;
        }
    return false;
}

void cs_help_begin(const cs_program *program, cs_help_form form) { forms[form]->begin(program); }

void cs_help_print(const cs_program *program, const cs_usage *usage, cs_help_form form) {
    forms[form]->command(program, usage);
}

void cs_help_end(const cs_program *program, cs_help_form form) { forms[form]->end(program); }
