/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "convolution.h"
#include "device.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

typedef struct number {
    const char *name;
    int64_t value;
} number;

typedef struct word {
    const char *name, *value;
} word;

/* 0 is 1 in keys' strides, dilations and conv_groups. */
static int64_t or_one(int32_t value) { return value ? value : 1; }

cJSON *cs_row_json(const convsmith_kernel_info *info) {
    static const char *const schedules[] = {
        [CONVSMITH_SCHEDULE_RECOMPUTE] = "recompute",
        [CONVSMITH_SCHEDULE_RESIDENT] = "resident",
        [CONVSMITH_SCHEDULE_STORED] = "stored",
    };
    const convsmith_key *key = &info->key;
    const word words[] = {
        {"name", info->name},
        {"layout", cs_layout_name(key->layout)},
        {"dtype", convsmith_dtype_name(key->dtype)},
        {"math", convsmith_math_name(key->math)},
        {"epilogue", key->epilogue},
        {"target", convsmith_target_name(key->target)},
        {"device", cs_device_name(cs_device_of(info))},
        {"strategy", info->strategy},
        {"schedule", schedules[info->schedule]},
    };
    const number numbers[] = {
        {"c_in", key->c_in},
        {"kh", key->kh},
        {"kw", key->kw},
        {"c_out", key->c_out},
        {"stride_h", or_one(key->stride_h)},
        {"stride_w", or_one(key->stride_w)},
        {"pad_h", key->pad_h},
        {"pad_w", key->pad_w},
        {"dilation_h", or_one(key->dilation_h)},
        {"dilation_w", or_one(key->dilation_w)},
        {"conv_groups", or_one(key->conv_groups)},
        {"tile_c", info->tile_c},
        {"tile_h", info->tile_h},
        {"tile_w", info->tile_w},
        {"threads", info->threads},
        {"blocks_per_sm", info->blocks_per_sm},
        {"planned_registers", info->registers},
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

bool cs_row_add(cJSON *row, const cJSON *more) {
    const cJSON *member;
    cJSON_ArrayForEach(member, more) {
        cJSON *copy = cJSON_Duplicate(member, true);
        if (!copy || !cJSON_AddItemToObject(row, member->string, copy)) {
            cJSON_Delete(copy);
            return false;
        }
    }
    return true;
}

static bool append_json(cJSON *rows, const convsmith_kernel_info *info, const cJSON *occupancy) {
    cJSON *row = cs_row_json(info);
    const cJSON *more = cJSON_GetObjectItemCaseSensitive(occupancy, info->name);
    if (row && cs_row_add(row, more) && cJSON_AddItemToArray(rows, row))
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

/* Room for what is not as it mostly is. */
typedef struct conv_words {
    char text[64];
} conv_words;

static void add_pair(conv_words *words, char letter, int64_t h, int64_t w, int64_t usual) {
    const size_t used = strlen(words->text);
    if (h == w && h != usual)
        snprintf(words->text + used, sizeof words->text - used, "%s%c%" PRId64, used ? " " : "", letter, h);
    else if (h != usual || w != usual)
        snprintf(words->text + used, sizeof words->text - used, "%s%c%" PRId64 "x%" PRId64, used ? " " : "", letter, h,
                 w);
}

/* "s2 p1x0 d2 g8 nhwc", as kernels' names have it; "-" where all is as usual. */
static conv_words describe_convolution(const convsmith_key *key) {
    conv_words words = {""};
    add_pair(&words, 's', or_one(key->stride_h), or_one(key->stride_w), 1);
    add_pair(&words, 'p', key->pad_h, key->pad_w, 0);
    add_pair(&words, 'd', or_one(key->dilation_h), or_one(key->dilation_w), 1);
    add_pair(&words, 'g', or_one(key->conv_groups), or_one(key->conv_groups), 1);
    if (key->layout != CONVSMITH_NCHW)
        strcat(words.text, words.text[0] ? " nhwc" : "nhwc");
    if (!words.text[0])
        strcpy(words.text, "-");
    return words;
}

/* The architecture profiles that anything is said of, a column each: those that code of sm_80 runs on are all. */
static const cJSON *columns_of(const cJSON *occupancy) {
    const cJSON *widest = NULL, *kernel;
    cJSON_ArrayForEach(kernel, occupancy) {
        const cJSON *profiles = cJSON_GetObjectItemCaseSensitive(kernel, "occupancy");
        if (cJSON_GetArraySize(profiles) > cJSON_GetArraySize(widest))
            widest = profiles;
    }
    return widest;
}

static void print_occupancy_heading(const cJSON *columns) {
    printf("%-5s %-6s ", "REGS", "SMEM");
    const cJSON *profile;
    cJSON_ArrayForEach(profile, columns) printf("%-7s ", profile->string);
}

/* Registers, with "~" as far as they are only planned; shared memory; warps an SM holds, of those that it has room for.
 */
static void print_occupancy(const convsmith_kernel_info *info, const cJSON *more, const cJSON *columns) {
    char registers[16] = "-", shared[16] = "-";
    if (more) {
        const char *from = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(more, "registers_from"));
        const bool planned = !from || strcmp(from, "nvcc") != 0;
        const double bytes = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(more, "static_shared_bytes"));
        snprintf(registers, sizeof registers, "%s%.0f", planned ? "~" : "",
                 cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(more, "registers")));
        snprintf(shared, sizeof shared, "%.1fK", (info->shared_bytes + bytes) / 1024);
    }
    printf("%-5s %-6s ", registers, shared);
    const cJSON *profiles = cJSON_GetObjectItemCaseSensitive(more, "occupancy"), *profile;
    cJSON_ArrayForEach(profile, columns) {
        const cJSON *held = cJSON_GetObjectItemCaseSensitive(profiles, profile->string);
        const cJSON *fraction = cJSON_GetObjectItemCaseSensitive(held, "fraction");
        char percent[16] = "-";
        if (fraction)
            snprintf(percent, sizeof percent, "%.0f%%", 100 * fraction->valuedouble);
        printf("%-7s ", percent);
    }
}

static void print_heading(const cJSON *columns) {
    printf("%-12s %-12s %-5s %-5s %-12s %-10s %-4s ", "SHAPE", "CONV", "DTYPE", "MATH", "TARGET", "TILE", "HERE");
    if (columns)
        print_occupancy_heading(columns);
    puts("NAME");
}

static void print_line(const convsmith_kernel_info *info, const cJSON *occupancy, const cJSON *columns) {
    const convsmith_key *key = &info->key;
    char shape[64], tile[64];
    snprintf(shape, sizeof shape, "%" PRId32 "x%" PRId32 "x%" PRId32 "x%" PRId32, key->c_in, key->kh, key->kw,
             key->c_out);
    snprintf(tile, sizeof tile, "%" PRId32 "x%" PRId32 "x%" PRId32, info->tile_c, info->tile_h, info->tile_w);
    printf("%-12s %-12s %-5s %-5s %-12s %-10s %-4s ", shape, describe_convolution(key).text,
           convsmith_dtype_name(key->dtype), convsmith_math_name(key->math), convsmith_target_name(key->target), tile,
           cs_kernel_runs_here(info) ? "yes" : "no");
    if (columns)
        print_occupancy(info, cJSON_GetObjectItemCaseSensitive(occupancy, info->name), columns);
    puts(info->name);
}

int cs_print_rows(bool (*takes)(const convsmith_kernel_info *info, const void *context), const void *context,
                  const cJSON *occupancy, bool as_json) {
    const cJSON *columns = columns_of(occupancy);
    cJSON *rows = as_json ? cJSON_CreateArray() : NULL;
    bool good = rows || !as_json;
    int count = 0;
    for (size_t i = 0; good && i < convsmith_table_size(NULL); i++) {
        const convsmith_kernel_info *info = convsmith_kernel_get_info(convsmith_table_at(NULL, i));
        if (!takes(info, context))
            continue;
        if (!as_json && count == 0)
            print_heading(columns);
        if (as_json)
            good = append_json(rows, info, occupancy);
        else
            print_line(info, occupancy, columns);
        count++;
    }
    if (as_json)
        good = good && print_json(rows);
    cJSON_Delete(rows);
    return good ? count : -1;
}
