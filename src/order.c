/* SPDX-License-Identifier: Apache-2.0 */
#include "order.h"
#include "fit.h"
#include "generic/generic.h"
#include "predict.h"
#include "rates.h"
#include "status.h"

#include <math.h>
#include <string.h>

/* The candidates of one table, from `first` on: a caller's own come before the built-in ones, and stay there. */
static cs_candidates part_of(const cs_candidates *c, size_t first) {
    size_t end = first + 1;
    while (end < c->count && c->rows[end].table == c->rows[first].table)
        ++end;
    return (cs_candidates){.rows = c->rows + first, .count = end - first};
}

/* ---- By predicted times ------------------------------------------------------------------------------------------ */

/* A kernel that is predicted to take less than this share of the time of the kernels before it is asked before them:
 * most predictions are nearer than that (bench/NOTES.md). */
#define CLEARLY_FASTER 0.9

/* INFINITY where nothing can be said, or the kernel does not take the problem. */
static double predicted_seconds(convsmith_plan *plan, const cs_settled *s, const cs_rates *rates,
                                const cs_candidate *candidate) {
    cs_prediction prediction;
    plan->kernel = candidate->kernel;
    plan->table = candidate->table;
    return cs_fit(plan, s) == CONVSMITH_OK && cs_predict(plan, rates, &prediction) ? prediction.seconds : INFINITY;
}

static void order_part_by_prediction(const cs_candidates *part, convsmith_plan *plan, const cs_settled *s,
                                     const cs_rates *rates) {
    cs_candidate *rows = part->rows;
    size_t first = 0;
    double least = predicted_seconds(plan, s, rates, &rows[0]);
    for (size_t i = 1; i < part->count; ++i) {
        const double seconds = predicted_seconds(plan, s, rates, &rows[i]);
        if (seconds < CLEARLY_FASTER * least) {
            least = seconds;
            first = i;
        }
    }
    const cs_candidate fastest = rows[first];
    memmove(&rows[1], &rows[0], first * sizeof *rows);
    rows[0] = fastest;
}

void cs_order_by_prediction(cs_candidates *c, const cs_settled *s, const cs_device_traits *traits) {
    cs_rates rates;
    if (traits->device.kind != CONVSMITH_DEVICE_CUDA || !cs_rates_for(traits, &rates))
        return;
    convsmith_plan plan = {.problem = s->problem, .chain = s->chain, .traits = *traits};
    cs_candidates part;
    for (size_t first = 0; first < c->count; first += part.count) {
        part = part_of(c, first);
        order_part_by_prediction(&part, &plan, s, &rates);
    }
}

/* ---- By measured times ------------------------------------------------------------------------------------------- */

static double time_of(const cs_candidate *candidate, const cs_timings *times) {
    const cs_timing *timing = cs_timing_of(times, candidate->kernel->info.name);
    return timing != NULL ? timing->us : INFINITY;
}

/* By insertion, which leaves equals where they are. */
void cs_order_by_times(cs_candidates *c, const cs_timings *times) {
    for (size_t i = 1; i < c->count; ++i) {
        const cs_candidate moved = c->rows[i];
        size_t place = i;
        for (; place > 0 && time_of(&c->rows[place - 1], times) > time_of(&moved, times); --place)
            c->rows[place] = c->rows[place - 1];
        c->rows[place] = moved;
    }
}

/* ---- The measured size that is the nearest ----------------------------------------------------------------------- */

/* Times of a problem with more, or fewer, outputs of a channel than this factor say nothing: over some powers of two
 * the rounds in which a GPU's multiprocessors take a kernel's blocks go from less than one to many, and another kernel
 * gains. A prediction is of the size itself. */
#define FARTHEST 4.0

/* How far a measured problem is from the one at hand: in the outputs of a channel and, where these are the same, in
 * those of a sample; how many times the one is the other, 1 or more. */
typedef struct distance {
    double outputs, sample;
} distance;

static bool is_nearer(const distance *a, const distance *b) {
    return a->outputs < b->outputs || (a->outputs == b->outputs && a->sample < b->sample);
}

static double times_apart(double a, double b) { return a > b ? a / b : b / a; }

/* Infinite where the measured problem cannot be one of the family. */
static distance distance_to(const cs_tuned_problem *tuned, const cs_settled *s) {
    convsmith_problem problem = s->problem;
    int64_t h_out, w_out;
    problem.n = tuned->n;
    problem.h = tuned->h;
    problem.w = tuned->w;
    if (convsmith_output_size(&problem, &h_out, &w_out) != CONVSMITH_OK)
        return (distance){INFINITY, INFINITY};
    const double then = (double)h_out * (double)w_out, now = (double)s->h_out * (double)s->w_out;
    return (distance){times_apart((double)tuned->n * then, (double)s->problem.n * now), times_apart(then, now)};
}

static bool is_of_family(const cs_tuned_problem *tuned, const cs_candidates *c) {
    for (size_t i = 0; i < c->count; ++i)
        if (cs_generic_of(c->rows[i].kernel) == NULL &&
            cs_timing_of(&tuned->kernels, c->rows[i].kernel->info.name) != NULL)
            return true;
    return false;
}

/* The times that are to be used; NULL where there are none. */
static const cs_timings *nearest_times(const cs_tuned_problem *problems, size_t count, const cs_settled *s,
                                       const cs_candidates *c) {
    const cs_timings *found = NULL;
    distance least = {INFINITY, INFINITY};
    for (size_t i = 0; i < count; ++i) {
        if (!is_of_family(&problems[i], c))
            continue;
        const distance d = distance_to(&problems[i], s);
        if (d.outputs <= FARTHEST && is_nearer(&d, &least)) {
            found = &problems[i].kernels;
            least = d;
        }
    }
    return found;
}

/* ---- By records -------------------------------------------------------------------------------------------------- */

static bool may_be(const cs_device_model *model, const cs_device_traits *traits) {
    return model->compute_capability == traits->compute_capability && model->multiprocessors == traits->multiprocessors;
}

/* What a part's table knows that is of use here; NULL where that is nothing. The device's name, which takes a while to
 * tell, is asked for last. */
static convsmith_status find_times(const cs_candidates *part, const cs_settled *s, const cs_device_traits *traits,
                                   const cs_timings **found) {
    const convsmith_table *table = part->rows[0].table;
    *found = NULL;
    for (size_t i = 0; i < table->tuning_count && *found == NULL; ++i) {
        const cs_tuned_device *tuned = &table->tunings[i];
        const cs_timings *times =
            may_be(&tuned->model, traits) ? nearest_times(tuned->problems, tuned->count, s, part) : NULL;
        cs_device_model here;
        if (times == NULL)
            continue;
        const convsmith_status status = cs_identify_model(traits, &here);
        if (status != CONVSMITH_OK)
            return status;
        if (cs_is_same_model(&tuned->model, &here))
            *found = times;
    }
    return CONVSMITH_OK;
}

convsmith_status cs_order_by_tables(cs_candidates *c, const cs_settled *s, const cs_device_traits *traits) {
    convsmith_status status = CONVSMITH_OK;
    cs_candidates part;
    for (size_t first = 0; first < c->count && status == CONVSMITH_OK; first += part.count) {
        const cs_timings *times;
        part = part_of(c, first);
        status = find_times(&part, s, traits, &times);
        if (times != NULL)
            cs_order_by_times(&part, times);
    }
    return status;
}

convsmith_status cs_order_by_record(cs_candidates *c, const convsmith_tuning *tuning, const cs_settled *s,
                                    const cs_device_traits *traits) {
    cs_device_model here;
    const convsmith_status status = cs_identify_model(traits, &here);
    if (status != CONVSMITH_OK)
        return status;
    if (!cs_is_same_model(&tuning->identity.model, &here))
        return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                       "problem->tuning is a record of %s, but the device is %s; `convsmith tune` makes one of it",
                       cs_describe_model(&tuning->identity.model).text, cs_describe_model(&here).text);
    const cs_timings *times = nearest_times(tuning->problems, tuning->count, s, c);
    if (times != NULL)
        cs_order_by_times(c, times);
    return CONVSMITH_OK;
}
