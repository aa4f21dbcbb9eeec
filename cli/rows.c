/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "device.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

typedef struct number {
    const char *name;
    int64_t value;
} number;

typedef struct word {
    const char *name, *value;
} word;

cJSON *cs_row_json(const convsmith_kernel_info *info) {
    const convsmith_key *key = &info->key;
    const word words[] = {
        {"name", info->name},
        {"dtype", convsmith_dtype_name(key->dtype)},
        {"math", convsmith_math_name(key->math)},
        {"epilogue", key->epilogue},
        {"target", convsmith_target_name(key->target)},
        {"device", cs_device_name(cs_device_of(info))},
        {"strategy", info->strategy},
    };
    const number numbers[] = {
        {"c_in", key->c_in},
        {"kh", key->kh},
        {"kw", key->kw},
        {"c_out", key->c_out},
        {"tile_c", info->tile_c},
        {"tile_h", info->tile_h},
        {"tile_w", info->tile_w},
        {"threads", info->threads},
        {"shared_bytes", info->shared_bytes},
        {"packed_bytes", info->packed_bytes},
        {"multiply_adds", info->multiply_adds},
        {"ref_n", info->ref_n},
        {"ref_h", info->ref_h},
        {"ref_w", info->ref_w},
        {"ref_groups", info->ref_groups},
    };
    cJSON *row = cJSON_CreateObject();
    bool good = row != NULL;
    for (size_t i = 0; good && i < sizeof words / sizeof *words; i++)
        good = cJSON_AddStringToObject(row, words[i].name, words[i].value) != NULL;
    for (size_t i = 0; good && i < sizeof numbers / sizeof *numbers; i++)
        good = cJSON_AddNumberToObject(row, numbers[i].name, (double)numbers[i].value) != NULL;
    good = good && cJSON_AddBoolToObject(row, "runs_here", cs_kernel_runs_here(info)) != NULL;
    if (good)
        return row;
    cJSON_Delete(row);
    return NULL;
}

static bool append_json(cJSON *rows, const convsmith_kernel_info *info) {
    cJSON *row = cs_row_json(info);
    if (row && cJSON_AddItemToArray(rows, row))
        return true;
    cJSON_Delete(row);
    return false;
}

static bool print_json(const cJSON *rows) {
    char *text = cJSON_Print(rows);
    if (!text)
        return false;
    puts(text);
    cJSON_free(text);
    return true;
}

/* ---- Lines ------------------------------------------------------------------------------------------------------- */

static void print_line(const convsmith_kernel_info *info) {
    const convsmith_key *key = &info->key;
    char shape[64], tile[64];
    snprintf(shape, sizeof shape, "%" PRId32 "x%" PRId32 "x%" PRId32 "x%" PRId32, key->c_in, key->kh, key->kw,
             key->c_out);
    snprintf(tile, sizeof tile, "%" PRId32 "x%" PRId32 "x%" PRId32, info->tile_c, info->tile_h, info->tile_w);
    printf("%-12s %-5s %-5s %-12s %-10s %-4s %s\n", shape, convsmith_dtype_name(key->dtype),
           convsmith_math_name(key->math), convsmith_target_name(key->target), tile,
           cs_kernel_runs_here(info) ? "yes" : "no", info->name);
}

int cs_print_rows(bool (*takes)(const convsmith_kernel_info *info, const void *context), const void *context,
                  bool as_json) {
    cJSON *rows = as_json ? cJSON_CreateArray() : NULL;
    bool good = rows || !as_json;
    int count = 0;
    for (size_t i = 0; good && i < convsmith_table_size(NULL); i++) {
        const convsmith_kernel_info *info = convsmith_kernel_get_info(convsmith_table_at(NULL, i));
        if (!takes(info, context))
            continue;
        if (!as_json && count == 0)
            printf("%-12s %-5s %-5s %-12s %-10s %-4s %s\n", "SHAPE", "DTYPE", "MATH", "TARGET", "TILE", "HERE", "NAME");
        if (as_json)
            good = append_json(rows, info);
        else
            print_line(info);
        count++;
    }
    if (as_json)
        good = good && print_json(rows);
    cJSON_Delete(rows);
    return good ? count : -1;
}
