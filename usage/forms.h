/* SPDX-License-Identifier: Apache-2.0
 *
 * The forms that help is printed in: a function for each part of it.
 */
#ifndef CS_USAGE_FORMS_H
#define CS_USAGE_FORMS_H

#include "usage.h"

typedef struct cs_form {
    void (*begin)(const cs_program *program);
    void (*command)(const cs_program *program, const cs_usage *usage);
    void (*end)(const cs_program *program);
} cs_form;

extern const cs_form cs_form_text, cs_form_man, cs_form_bash;

#endif
