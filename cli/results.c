/* SPDX-License-Identifier: Apache-2.0 */
#include "results.h"

#include <cjson/cJSON.h>
#include <stdio.h>

static bool refuse_memory(cs_message *message) { return cs_refuse(message, "no memory for the JSON text"); }

bool cs_results_open(cs_results *results, const char *path, cs_message *message) {
    *results = (cs_results){0};
    if (!path)
        return true;
    if (!cs_new_file_open(&results->file, path, message))
        return false;
    results->rows = cJSON_CreateArray();
    if (results->rows)
        return true;
    cs_new_file_discard(&results->file);
    return refuse_memory(message);
}

bool cs_results_add(cs_results *results, cJSON *row, cs_message *message) {
    if (row && cJSON_AddItemToArray(results->rows, row))
        return true;
    cJSON_Delete(row);
    return refuse_memory(message);
}

bool cs_results_save(cs_results *results, cs_message *message) {
    if (!results->rows)
        return true;
    char *text = cJSON_Print(results->rows);
    if (!text) {
        cs_results_discard(results);
        return refuse_memory(message);
    }
    fprintf(results->file.stream, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(results->rows);
    results->rows = NULL;
    return cs_new_file_commit(&results->file, message);
}

void cs_results_discard(cs_results *results) {
    if (results->rows)
        cs_new_file_discard(&results->file);
    cJSON_Delete(results->rows);
    results->rows = NULL;
}
