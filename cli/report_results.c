/* SPDX-License-Identifier: Apache-2.0 */
#include "report_results.h"

#include "gen/files.h"
#include "json.h"
#include "rows.h"
#include "src/tuning.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file on its way into the lists. */
typedef struct reader {
    cs_report_results *results;
    const char *gpu, *path;
    const char *date; /* NULL: the file has none */
    cs_error *error;
} reader;

static bool fail_memory(cs_error *error) { return cs_error_set(error, "no memory for the results of the report"); }

/* ---- Fields -------------------------------------------------------------------------------------------------------*/

static bool refuse(const reader *r, const char *what, int place, const char *fault) {
    return cs_error_set(r->error, "%s: %s %d %s", r->path, what, place + 1, fault);
}

static const char *word(const cJSON *object, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* 0 for what is no number above 0. */
static double amount(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) && item->valuedouble > 0 ? item->valuedouble : 0;
}

static const cJSON *list(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsArray(item) ? item : NULL;
}

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool add_origin(const reader *r, cJSON *object) {
    return cJSON_AddStringToObject(object, "gpu", r->gpu) &&
           cJSON_AddStringToObject(object, "file", file_name(r->path)) &&
           (!r->date || cJSON_AddStringToObject(object, "date", r->date));
}

/* ---- Times of kernels ---------------------------------------------------------------------------------------------*/

typedef struct timing {
    const char *kernel;
    double n, h, w, ms;
    bool other_plan; /* of a kernel of that name that was planned otherwise than the table's is */
} timing;

static bool add_timing(const reader *r, const timing *t) {
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"n", t->n}, {"h", t->h}, {"w", t->w}, {"ms", t->ms}};
    cJSON *object = cJSON_CreateObject();
    bool good = cJSON_AddItemToArray(r->results->measured, object) && add_origin(r, object) &&
                cJSON_AddStringToObject(object, "kernel", t->kernel) &&
                cJSON_AddBoolToObject(object, "other_plan", t->other_plan);
    for (size_t i = 0; good && i < sizeof numbers / sizeof *numbers; i++)
        good = cJSON_AddNumberToObject(object, numbers[i].name, numbers[i].value) != NULL;
    return good || fail_memory(r->error);
}

/* ---- <profile>-table.json -----------------------------------------------------------------------------------------*/

static const convsmith_kernel_info *find_row(const char *name) {
    for (size_t i = 0; i < convsmith_table_size(NULL); i++) {
        const convsmith_kernel_info *info = convsmith_kernel_get_info(convsmith_table_at(NULL, i));
        if (strcmp(info->name, name) == 0)
            return info;
    }
    return NULL;
}

/* Whether the kernel that was timed had what the table's has. */
static bool is_other_plan(const cJSON *row, const convsmith_kernel_info *info) {
    const struct {
        const char *name;
        double value;
    } fields[] = {
        {"tile_c", info->tile_c},
        {"tile_h", info->tile_h},
        {"tile_w", info->tile_w},
        {"threads", info->threads},
        {"shared_bytes", info->shared_bytes},
        {"packed_bytes", (double)info->packed_bytes},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (amount(row, fields[i].name) != fields[i].value)
            return true;
    return false;
}

static bool read_row(const reader *r, const cJSON *row, int place) {
    timing t = {word(row, "name"), amount(row, "n"), amount(row, "h"), amount(row, "w"), amount(row, "median_ms"), 0};
    if (!t.kernel || !t.n || !t.h || !t.w || !t.ms)
        return refuse(r, "row", place, "lacks name, n, h, w or median_ms, as `convsmith bench --json` writes them");
    const convsmith_kernel_info *info = find_row(t.kernel);
    t.other_plan = info && is_other_plan(row, info);
    return add_timing(r, &t);
}

static bool read_table(reader *r, const cJSON *document) {
    const cJSON *row;
    int place = 0;
    if (!cJSON_IsArray(document))
        return cs_error_set(r->error, "%s: it is no list of rows, as `convsmith bench --json` writes it", r->path);
    cJSON_ArrayForEach(row, document) {
        if (!read_row(r, row, place++))
            return false;
    }
    return true;
}

/* ---- <profile>-sweep.json -----------------------------------------------------------------------------------------*/

#define LIBRARY "convsmith " /* before the kernel, in the name of a row of this library */

/* A time of a kernel of this library; that of anything else is left to the workload. */
static bool read_library_row(const reader *r, const cJSON *workload, const cJSON *row) {
    timing t = {.kernel = word(row, "name"), .ms = amount(row, "ms")};
    const bool sized = sscanf(word(workload, "what"), "N=%lf, %*dx%lfx%lf", &t.n, &t.h, &t.w) == 3;
    if (!sized || strncmp(t.kernel, LIBRARY, strlen(LIBRARY)) != 0)
        return true;
    t.kernel += strlen(LIBRARY);
    return add_timing(r, &t);
}

static bool copy_row(const reader *r, cJSON *rows, const cJSON *row) {
    static const char *const words[] = {"name", "kind", "dtype", "math"};
    cJSON *copy = cJSON_CreateObject();
    bool good = cJSON_AddItemToArray(rows, copy) && cJSON_AddNumberToObject(copy, "ms", amount(row, "ms"));
    for (size_t i = 0; good && i < sizeof words / sizeof *words; i++)
        good = cJSON_AddStringToObject(copy, words[i], word(row, words[i])) != NULL;
    return good || fail_memory(r->error);
}

static bool is_row(const cJSON *row) {
    return word(row, "name") && word(row, "kind") && word(row, "dtype") && word(row, "math");
}

/* Rows without a time are peers that failed. */
static bool read_rows(const reader *r, const cJSON *workload, cJSON *rows, int place) {
    const cJSON *row;
    cJSON_ArrayForEach(row, list(workload, "rows")) {
        if (!is_row(row))
            return refuse(r, "workload", place, "has a row without name, kind, dtype or math");
        if (amount(row, "ms") && (!copy_row(r, rows, row) || !read_library_row(r, workload, row)))
            return false;
    }
    return true;
}

static bool read_workload(const reader *r, const cJSON *workload, cJSON *workloads, int place) {
    const char *name = word(workload, "name"), *what = word(workload, "what"), *chain = word(workload, "chain");
    if (!name || !what || !chain || !list(workload, "rows"))
        return refuse(r, "workload", place, "lacks name, what, chain or rows, as bench/bench.py --sweep writes them");
    cJSON *copy = cJSON_CreateObject();
    cJSON *rows = cJSON_AddItemToArray(workloads, copy) ? cJSON_AddArrayToObject(copy, "rows") : NULL;
    if (!rows || !cJSON_AddStringToObject(copy, "name", name) || !cJSON_AddStringToObject(copy, "what", what) ||
        !cJSON_AddStringToObject(copy, "chain", chain))
        return fail_memory(r->error);
    return read_rows(r, workload, rows, place);
}

static bool read_sweep(reader *r, const cJSON *document) {
    const cJSON *workload, *workloads = list(document, "workloads");
    int place = 0;
    r->date = word(cJSON_GetObjectItemCaseSensitive(document, "machine"), "date");
    if (!workloads || !r->date)
        return cs_error_set(r->error, "%s: it lacks machine.date or workloads, as bench/bench.py --sweep writes them",
                            r->path);
    cJSON *sweep = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(r->results->sweeps, sweep) || !add_origin(r, sweep))
        return fail_memory(r->error);
    cJSON *copies = cJSON_AddArrayToObject(sweep, "workloads");
    if (!copies)
        return fail_memory(r->error);
    cJSON_ArrayForEach(workload, workloads) {
        if (!read_workload(r, workload, copies, place++))
            return false;
    }
    return true;
}

/* ---- <profile>.lua ------------------------------------------------------------------------------------------------*/

static bool add_problem(const reader *r, const cs_tuned_problem *problem) {
    for (size_t i = 0; i < problem->kernels.count; i++) {
        const cs_timing *row = &problem->kernels.rows[i];
        const timing t = {row->name, (double)problem->n, (double)problem->h, (double)problem->w, row->us / 1000, false};
        if (!add_timing(r, &t))
            return false;
    }
    return true;
}

static bool read_record(reader *r) {
    convsmith_tuning *tuning;
    if (cs_tuning_read(&tuning, r->path) != CONVSMITH_OK)
        return cs_error_set(r->error, "%s", convsmith_detail());
    bool good = true;
    r->date = tuning->date;
    for (size_t i = 0; good && i < tuning->count; i++)
        good = add_problem(r, &tuning->problems[i]);
    convsmith_tuning_destroy(tuning);
    return good;
}

/* ---- The files ----------------------------------------------------------------------------------------------------*/

static bool read_json(reader *r, const cs_bytes *text, bool (*read)(reader *r, const cJSON *document)) {
    cJSON *document = cs_json_parse(r->path, text->bytes, text->size, r->error);
    const bool good = document && read(r, document);
    cJSON_Delete(document);
    return good;
}

/* Of `folder`/<gpu><suffix>; `read` NULL: it is a record. A file that is not there is fine. */
static bool read_file(cs_report_results *results, const char *gpu, const char *folder, const char *suffix,
                      bool (*read)(reader *r, const cJSON *document), cs_error *error) {
    char name[256];
    cs_bytes text;
    snprintf(name, sizeof name, "%s%s", gpu, suffix);
    char *path = cs_path_join(folder, name, error);
    if (!path)
        return false;
    reader r = {.results = results, .gpu = gpu, .path = path, .error = error};
    const cs_read_result result = cs_file_load(path, &text, error);
    const bool good =
        result == CS_READ_MISSING || (result == CS_READ_OK && (read ? read_json(&r, &text, read) : read_record(&r)));
    results->files += result == CS_READ_OK;
    free(text.bytes);
    free(path);
    return good;
}

bool cs_report_results_read(cs_report_results *r, const cJSON *profiles, const char *results, const char *tuning,
                            cs_error *error) {
    const cJSON *profile;
    *r = (cs_report_results){.measured = cJSON_CreateArray(), .sweeps = cJSON_CreateArray()};
    if (!r->measured || !r->sweeps)
        return fail_memory(error);
    cJSON_ArrayForEach(profile, profiles) {
        const char *gpu = word(profile, "name");
        if (!read_file(r, gpu, results, "-table.json", read_table, error) ||
            !read_file(r, gpu, results, "-sweep.json", read_sweep, error) ||
            !read_file(r, gpu, tuning, ".lua", NULL, error))
            return false;
    }
    return true;
}

void cs_report_results_free(cs_report_results *r) {
    cJSON_Delete(r->measured);
    cJSON_Delete(r->sweeps);
}
