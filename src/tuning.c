/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "tuning.h"
#include "generic/generic.h"
#include "status.h"

#include <math.h>
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

void convsmith_tuning_destroy(convsmith_tuning *tuning) {
    if (tuning == NULL)
        return;
    for (size_t i = 0; i < tuning->count; ++i)
        free(tuning->problems[i].kernels.rows);
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

static int by_time(const void *left, const void *right) {
    const double a = ((const cs_timing *)left)->us, b = ((const cs_timing *)right)->us;
    return (a > b) - (a < b);
}

static const cs_timing *timing_of(const cs_timings *kernels, const char *name) {
    for (size_t i = 0; i < kernels->count; ++i)
        if (strcmp(kernels->rows[i].name, name) == 0)
            return &kernels->rows[i];
    return NULL;
}

/* A generic kernel serves any problem: its name says nothing of which. */
static bool is_generic(const char *name) { return strncmp(name, "generic_", strlen("generic_")) == 0; }

static bool share_a_kernel(const cs_timings *a, const cs_timings *b) {
    for (size_t i = 0; i < a->count; ++i)
        if (!is_generic(a->rows[i].name) && timing_of(b, a->rows[i].name) != NULL)
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
    free(place->kernels.rows);
    *place = *problem;
    place->kernels.rows = rows;
    return CONVSMITH_OK;
}

/* ---- Ordering candidates ----------------------------------------------------------------------------------------- */

/* How far a recorded problem is from the one at hand: in the outputs of a channel and, where these are the same, in
 * those of a sample; ratios, as logarithms. */
typedef struct distance {
    double outputs, sample;
} distance;

static bool is_nearer(const distance *a, const distance *b) {
    return a->outputs < b->outputs || (a->outputs == b->outputs && a->sample < b->sample);
}

/* Infinite where the recorded problem cannot be one of the family. */
static distance distance_to(const cs_tuned_problem *tuned, const cs_settled *s) {
    convsmith_problem problem = s->problem;
    int64_t h_out, w_out;
    problem.n = tuned->n;
    problem.h = tuned->h;
    problem.w = tuned->w;
    if (convsmith_output_size(&problem, &h_out, &w_out) != CONVSMITH_OK)
        return (distance){INFINITY, INFINITY};
    const double sample = log((double)h_out * (double)w_out) - log((double)s->h_out * (double)s->w_out);
    return (distance){fabs(sample + log((double)tuned->n) - log((double)s->problem.n)), fabs(sample)};
}

static bool is_of_family(const cs_tuned_problem *tuned, const cs_candidates *c) {
    for (size_t i = 0; i < c->count; ++i)
        if (cs_generic_of(c->rows[i].kernel) == NULL &&
            timing_of(&tuned->kernels, c->rows[i].kernel->info.name) != NULL)
            return true;
    return false;
}

/* The recorded problem whose times are to be used; NULL where there is none. */
static const cs_tuned_problem *nearest(const convsmith_tuning *tuning, const cs_settled *s, const cs_candidates *c) {
    const cs_tuned_problem *found = NULL;
    distance least = {INFINITY, INFINITY};
    for (size_t i = 0; i < tuning->count; ++i) {
        if (!is_of_family(&tuning->problems[i], c))
            continue;
        const distance d = distance_to(&tuning->problems[i], s);
        if (is_nearer(&d, &least)) {
            found = &tuning->problems[i];
            least = d;
        }
    }
    return found;
}

static double time_of(const cs_candidate *candidate, const cs_timings *times) {
    const cs_timing *timing = timing_of(times, candidate->kernel->info.name);
    return timing != NULL ? timing->us : INFINITY;
}

/* By insertion, which leaves equals where they are. */
void cs_candidates_sort(cs_candidates *c, const cs_timings *times) {
    for (size_t i = 1; i < c->count; ++i) {
        const cs_candidate moved = c->rows[i];
        size_t place = i;
        for (; place > 0 && time_of(&c->rows[place - 1], times) > time_of(&moved, times); --place)
            c->rows[place] = c->rows[place - 1];
        c->rows[place] = moved;
    }
}

convsmith_status cs_tuning_order(const convsmith_tuning *tuning, const cs_settled *s, const cs_device_traits *traits,
                                 cs_candidates *candidates) {
    cs_identity here;
    const convsmith_status status = cs_identify(traits, &here);
    if (status != CONVSMITH_OK)
        return status;
    if (!cs_is_same_device(&tuning->identity, &here))
        return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                       "problem->tuning is a record of %s, but the device is %s; `convsmith tune` makes one of it",
                       cs_describe_device(&tuning->identity).text, cs_describe_device(&here).text);
    const cs_tuned_problem *known = nearest(tuning, s, candidates);
    if (known != NULL)
        cs_candidates_sort(candidates, &known->kernels);
    return CONVSMITH_OK;
}
