/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "tuning.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- The object -------------------------------------------------------------------------------------------------- */

convsmith_status convsmith_tuning_load(convsmith_tuning **tuning, const char *path) {
    if (tuning != NULL)
        *tuning = NULL;
    if (tuning == NULL || path == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s is NULL", tuning == NULL ? "tuning" : "path");
    return cs_tuning_read(tuning, path);
}

convsmith_status cs_tuning_create(convsmith_tuning **tuning, const cs_identity *identity) {
    *tuning = calloc(1, sizeof **tuning);
    if (*tuning == NULL)
        return cs_fail(CONVSMITH_OUT_OF_MEMORY, "no memory for a tuning record");
    (*tuning)->format = CS_TUNING_FORMAT;
    (*tuning)->identity = *identity;
    return CONVSMITH_OK;
}

void cs_timings_free(cs_timings *kernels) {
    free((void *)kernels->rows);
    *kernels = (cs_timings){0};
}

void convsmith_tuning_destroy(convsmith_tuning *tuning) {
    if (tuning == NULL)
        return;
    for (size_t i = 0; i < tuning->count; ++i)
        cs_timings_free(&tuning->problems[i].kernels);
    free(tuning->problems);
    free(tuning->text);
    free(tuning);
}

void cs_tuning_set_date(convsmith_tuning *tuning) {
    const time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts) == NULL || strftime(tuning->date, sizeof tuning->date, "%Y-%m-%d", &parts) == 0)
        tuning->date[0] = '\0';
}

/* ---- Adding ------------------------------------------------------------------------------------------------------ */

/* And those of one time by name, as qsort alone would not have them in the same order everywhere. */
static int by_time(const void *left, const void *right) {
    const cs_timing *a = left, *b = right;
    return a->us != b->us ? (a->us > b->us) - (a->us < b->us) : strcmp(a->name, b->name);
}

const cs_timing *cs_timing_of(const cs_timings *kernels, const char *name) {
    for (size_t i = 0; i < kernels->count; ++i)
        if (strcmp(kernels->rows[i].name, name) == 0)
            return &kernels->rows[i];
    return NULL;
}

bool cs_is_generic_name(const char *name) { return strncmp(name, "generic_", strlen("generic_")) == 0; }

static bool share_a_kernel(const cs_timings *a, const cs_timings *b) {
    for (size_t i = 0; i < a->count; ++i)
        if (!cs_is_generic_name(a->rows[i].name) && cs_timing_of(b, a->rows[i].name) != NULL)
            return true;
    return false;
}

static bool is_same_problem(const cs_tuned_problem *a, const cs_tuned_problem *b) {
    return a->n == b->n && a->h == b->h && a->w == b->w && a->groups == b->groups &&
           share_a_kernel(&a->kernels, &b->kernels);
}

static cs_tuned_problem *find_same(const convsmith_tuning *tuning, const cs_tuned_problem *problem) {
    for (size_t i = 0; i < tuning->count; ++i)
        if (is_same_problem(&tuning->problems[i], problem))
            return &tuning->problems[i];
    return NULL;
}

/* Room for one more problem, empty. */
static cs_tuned_problem *append(convsmith_tuning *tuning) {
    if (tuning->count == tuning->room) {
        const size_t room = tuning->room > 0 ? 2 * tuning->room : 16;
        cs_tuned_problem *problems = realloc(tuning->problems, room * sizeof *problems);
        if (problems == NULL)
            return NULL;
        tuning->problems = problems;
        tuning->room = room;
    }
    tuning->problems[tuning->count] = (cs_tuned_problem){0};
    return &tuning->problems[tuning->count++];
}

convsmith_status cs_tuning_put(convsmith_tuning *tuning, const cs_tuned_problem *problem) {
    const size_t bytes = problem->kernels.count * sizeof *problem->kernels.rows;
    cs_timing *rows = malloc(bytes);
    cs_tuned_problem *place = rows != NULL ? find_same(tuning, problem) : NULL;
    if (rows != NULL && place == NULL)
        place = append(tuning);
    if (place == NULL) {
        free(rows);
        return cs_fail(CONVSMITH_OUT_OF_MEMORY, "no memory for a problem of a tuning record");
    }
    memcpy(rows, problem->kernels.rows, bytes);
    qsort(rows, problem->kernels.count, sizeof *rows, by_time);
    cs_timings_free(&place->kernels);
    *place = *problem;
    place->kernels.rows = rows;
    return CONVSMITH_OK;
}
