/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "report_plans.h"

#include "gen/host.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define MANIFEST "shapes.lua"

static bool fail_memory(cs_error *error) { return cs_error_set(error, "no memory for the plans of the report"); }

/* ---- The words ----------------------------------------------------------------------------------------------------*/

static bool run(const cs_options *options, const char *home, FILE *printed, cs_error *error) {
    cs_host host = {.options = options};
    bool done = cs_policy_open(&host.policy, home, &cs_host_limits, error);
    host.policy.printed = printed;
    done = done && cs_host_generate(&host, error);
    cs_policy_close(&host.policy);
    cs_output_free(&host.output);
    return done;
}

/* What --explain prints; the caller's to free. */
static char *explain(const cs_options *options, const char *home, cs_error *error) {
    char *words = NULL;
    size_t size;
    FILE *printed = open_memstream(&words, &size);
    if (!printed) {
        fail_memory(error);
        return NULL;
    }
    bool done = run(options, home, printed, error);
    if (fclose(printed) != 0)
        done = fail_memory(error);
    if (done)
        return words;
    free(words);
    return NULL;
}

/* ---- The kernels --------------------------------------------------------------------------------------------------*/

/* The line behind this one; lines of a kernel but its first one begin with blanks. */
static char *next_line(char *line) { return line + strcspn(line, "\n") + 1; }

static char *next_kernel(char *line) {
    do
        line = next_line(line);
    while (*line == ' ');
    return line;
}

/* Of a kernel's lines, the first of which is "PATH/shapes.lua:63: NAME". */
static bool add_plan(cJSON *plans, char *first, char *words) {
    words[-1] = '\0';
    char *name = strrchr(first, ' ');
    if (!name || name == first)
        return false;
    name[-1] = '\0';
    const char *slash = strrchr(first, '/');
    cJSON *plan = cJSON_AddObjectToObject(plans, name + 1);
    return cJSON_AddStringToObject(plan, "row", slash ? slash + 1 : first) &&
           cJSON_AddStringToObject(plan, "words", words);
}

static cJSON *split(char *words, cs_error *error) {
    cJSON *plans = cJSON_CreateObject();
    bool good = plans != NULL;
    while (good && *words) {
        char *second = next_line(words), *next = next_kernel(words);
        const char begin = *next;
        *next = '\0';
        good = add_plan(plans, words, second);
        *next = begin;
        words = next;
    }
    if (good)
        return plans;
    fail_memory(error);
    cJSON_Delete(plans);
    return NULL;
}

cJSON *cs_report_plans(const char *home, const char *generated, cs_error *error) {
    char *manifest = cs_path_join(home, MANIFEST, error);
    const cs_options options = {.manifest = manifest, .out = generated, .shards = 1, .explain = true};
    char *words = manifest ? explain(&options, home, error) : NULL;
    cJSON *plans = words ? split(words, error) : NULL;
    free(words);
    free(manifest);
    return plans;
}
