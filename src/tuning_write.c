/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "plain_locale.h"
#include "tuning.h"

#include <inttypes.h>

static void write_problem(const cs_tuned_problem *problem, FILE *stream) {
    fprintf(stream, "        { n = %" PRId64 ", h = %" PRId64 ", w = %" PRId64 ", groups = %" PRId64 ", kernels = {\n",
            problem->n, problem->h, problem->w, problem->groups);
    for (size_t i = 0; i < problem->kernels.count; ++i) {
        const cs_timing *t = &problem->kernels.rows[i];
        fprintf(stream, "            { name = \"%s\", us = %.6g, spread = %.3f },\n", t->name, t->us, t->spread);
    }
    fputs("        } },\n", stream);
}

void cs_tuning_write(const convsmith_tuning *tuning, FILE *stream) {
    const cs_identity *id = &tuning->identity;
    locale_t plain, before = cs_enter_plain_locale(&plain);
    fputs("-- Times of convsmith's kernels on one device, by `convsmith tune`: us is the median, in microseconds,\n"
          "-- spread the way from the 10th to the 90th percentile as a share of it.\n",
          stream);
    fprintf(stream, "return {\n    format = %" PRId64 ", device = \"%s\", compute_capability = %" PRId32,
            tuning->format, id->model.name, id->model.compute_capability);
    fprintf(stream, ", multiprocessors = %" PRId32 ",\n    driver = \"%s\", runtime = %" PRId32,
            id->model.multiprocessors, id->driver, id->runtime);
    fprintf(stream, ", version = \"%s\", date = \"%s\",\n    problems = {\n", id->version, tuning->date);
    for (size_t i = 0; i < tuning->count; ++i)
        write_problem(&tuning->problems[i], stream);
    fputs("    },\n}\n", stream);
    cs_leave_plain_locale(before, plain);
}
