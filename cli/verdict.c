/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include "colour.h"

#include <cjson/cJSON.h>
#include <stdio.h>

static const struct {
    const char *printed, *json;
    cs_colour colour;
} verdicts[] = {
    [CS_PASSED] = {"passed  ", "passed", CS_GREEN},
    [CS_FAILED] = {"FAILED  ", "failed", CS_RED},
    [CS_SKIPPED] = {"skipped ", "skipped", CS_YELLOW},
};

void cs_print_verdict(cs_verdict verdict) {
    cs_print_coloured(stdout, verdicts[verdict].colour, verdicts[verdict].printed);
}

cJSON *cs_verdict_json(const char *name, const char *value, cs_verdict verdict, const cs_message *message) {
    cJSON *row = cJSON_CreateObject();
    if (row && cJSON_AddStringToObject(row, name, value) &&
        cJSON_AddStringToObject(row, "verdict", verdicts[verdict].json) &&
        (verdict == CS_PASSED || cJSON_AddStringToObject(row, "message", message->text)))
        return row;
    cJSON_Delete(row);
    return NULL;
}
