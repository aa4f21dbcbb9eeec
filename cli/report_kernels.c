/* SPDX-License-Identifier: Apache-2.0 */
#include "report_kernels.h"

#include "convsmith/convsmith.h"
#include "gen/files.h"
#include "rows.h"
#include "src/fit.h"
#include "src/predict.h"
#include "src/rates.h"
#include "support/view.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

static bool fail_memory(cs_error *error) { return cs_error_set(error, "no memory for the kernels of the report"); }

/* ---- Predictions --------------------------------------------------------------------------------------------------*/

static cs_device_traits traits_of(const cs_rates *rates) {
    return (cs_device_traits){
        .device = {CONVSMITH_DEVICE_CUDA, 0},
        .compute_capability = rates->compute_capability,
        .multiprocessors = rates->sms,
        .shared_bytes = rates->shared_per_block,
    };
}

/* Of the row's reference problem; *why says what keeps it from running. */
static bool predict(const convsmith_kernel *kernel, const cs_rates *rates, cs_prediction *prediction,
                    const char **why) {
    const convsmith_problem problem = cs_problem_of_row(&kernel->info);
    cs_settled settled;
    *why = convsmith_detail();
    if (cs_problem_settle(&problem, &settled) != CONVSMITH_OK)
        return false;
    convsmith_plan plan = {
        .kernel = kernel, .traits = traits_of(rates), .problem = settled.problem, .chain = settled.chain};
    if (cs_fit(&plan, &settled) != CONVSMITH_OK)
        return false;
    *why = "a block asks for more than a multiprocessor has";
    return cs_predict(&plan, rates, prediction);
}

static bool add_launches(cJSON *entry, const cs_prediction *p) {
    cJSON *launches = cJSON_AddArrayToObject(entry, "launches");
    for (int i = 0; launches && i < p->count; i++) {
        cJSON *launch = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(launches, launch) || !cJSON_AddStringToObject(launch, "what", p->launches[i].what) ||
            !cJSON_AddStringToObject(launch, "bound", cs_bound_name(p->launches[i].bound)) ||
            !cJSON_AddNumberToObject(launch, "ms", 1000 * p->launches[i].seconds))
            return false;
    }
    return launches != NULL;
}

static bool add_prediction(cJSON *predicted, const convsmith_kernel *kernel, const cs_rates *rates) {
    cs_prediction prediction;
    const char *why;
    cJSON *entry = cJSON_AddObjectToObject(predicted, rates->name);
    if (!predict(kernel, rates, &prediction, &why))
        return cJSON_AddStringToObject(entry, "refused", why) != NULL;
    return cJSON_AddNumberToObject(entry, "ms", 1000 * prediction.seconds) && add_launches(entry, &prediction);
}

static bool add_predictions(cJSON *row, const convsmith_kernel *kernel, const cJSON *profiles) {
    cJSON *predicted = cJSON_AddObjectToObject(row, "predicted");
    const cJSON *profile;
    bool good = predicted && cJSON_AddStringToObject(row, "unit", cs_unit_name(kernel->cost.unit));
    cJSON_ArrayForEach(profile, profiles) {
        const cs_rates *rates = cs_rates_named(cJSON_GetStringValue(cJSON_GetObjectItem(profile, "name")));
        if (!rates)
            continue;
        const cs_device_traits traits = traits_of(rates);
        if (cs_target_runs_on(kernel->info.key.target, &traits))
            good = good && add_prediction(predicted, kernel, rates);
    }
    return good;
}

/* ---- Sources ------------------------------------------------------------------------------------------------------*/

static bool add_source(cJSON *row, const convsmith_kernel_info *info, const char *generated, int *missing,
                       cs_error *error) {
    const bool is_cuda = convsmith_target_device(info->key.target) == CONVSMITH_DEVICE_CUDA;
    char name[512];
    cs_bytes text;
    snprintf(name, sizeof name, "kernels/%s.%s", info->name, is_cuda ? "cuh" : "h");
    char *path = cs_path_join(generated, name, error);
    if (!path)
        return false;
    const cs_read_result result = cs_file_load(path, &text, error);
    free(path);
    if (result == CS_READ_FAILED)
        return false;
    *missing += result == CS_READ_MISSING;
    const cJSON *added = result == CS_READ_OK ? cJSON_AddStringToObject(row, "source", text.bytes)
                                              : cJSON_AddNullToObject(row, "source");
    free(text.bytes);
    return added || fail_memory(error);
}

/* ---- Rows ---------------------------------------------------------------------------------------------------------*/

static bool add_plan(cJSON *row, const char *name, const cJSON *plans) {
    const cJSON *plan = cJSON_GetObjectItemCaseSensitive(plans, name);
    cJSON *copy = plan ? cJSON_Duplicate(plan, true) : cJSON_CreateNull();
    if (copy && cJSON_AddItemToObject(row, "plan", copy))
        return true;
    cJSON_Delete(copy);
    return false;
}

static bool fill_row(cJSON *row, const convsmith_kernel *kernel, const cs_report_known *known) {
    const convsmith_kernel_info *info = &kernel->info;
    const cJSON *resources = cJSON_GetObjectItem(known->resources, "kernels");
    if (!row || !cs_row_add(row, cJSON_GetObjectItemCaseSensitive(resources, info->name)) ||
        !add_plan(row, info->name, known->plans))
        return false;
    cJSON_DeleteItemFromObject(row, "runs_here"); /* the page is the same wherever it is written */
    return convsmith_target_device(info->key.target) != CONVSMITH_DEVICE_CUDA ||
           add_predictions(row, kernel, cJSON_GetObjectItem(known->resources, "profiles"));
}

static bool append(cJSON *rows, const convsmith_kernel *kernel, const cs_report_known *known, int *missing,
                   cs_error *error) {
    cJSON *row = cs_row_json(&kernel->info);
    const bool good = (fill_row(row, kernel, known) || fail_memory(error)) &&
                      add_source(row, &kernel->info, known->generated, missing, error) &&
                      (cJSON_AddItemToArray(rows, row) || fail_memory(error));
    if (!good)
        cJSON_Delete(row);
    return good;
}

cJSON *cs_report_kernels(const cs_report_known *known, int *missing, cs_error *error) {
    cJSON *rows = cJSON_CreateArray();
    bool good = rows || fail_memory(error);
    *missing = 0;
    for (size_t i = 0; good && i < convsmith_table_size(NULL); i++)
        good = append(rows, convsmith_table_at(NULL, i), known, missing, error);
    if (good)
        return rows;
    cJSON_Delete(rows);
    return NULL;
}
