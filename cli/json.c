/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

static int line_of(const char *text, const char *place) {
    int line = 1;
    for (; text < place; text++)
        line += *text == '\n';
    return line;
}

cJSON *cs_json_parse(const char *name, const char *text, size_t size, cs_error *error) {
    const char *end = NULL;
    cJSON *document = cJSON_ParseWithLengthOpts(text, size + 1, &end, true);
    if (!document)
        cs_error_set(error, "%s:%d: this is no JSON; is the file truncated?", name, line_of(text, end));
    return document;
}
