/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "tune_jobs.h"

#include "bench_item.h"
#include "src/checked.h"
#include "src/lookup.h"
#include "support/view.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>

/* ---- Families ---------------------------------------------------------------------------------------------------- */

static const convsmith_kernel_info *info_at(size_t index) {
    return convsmith_kernel_get_info(convsmith_table_at(NULL, index));
}

static bool is_same_family(const convsmith_kernel_info *a, const convsmith_kernel_info *b) {
    convsmith_key left = a->key, right = b->key;
    left.math = right.math;
    left.target = right.target;
    return cs_key_compare(&left, &right) == 0;
}

static bool runs_on(const convsmith_kernel_info *info, convsmith_device device) {
    return convsmith_target_supported(info->key.target, device) == CONVSMITH_OK;
}

/* Whether no row before `index` that the device runs is of its family. */
static bool is_first(size_t index, convsmith_device device) {
    for (size_t i = 0; i < index; i++)
        if (is_same_family(info_at(i), info_at(index)) && runs_on(info_at(i), device))
            return false;
    return true;
}

static bool matches(const convsmith_kernel_info *info, const cs_tune_wish *wish) {
    return !wish->glob || fnmatch(wish->glob, info->name, 0) == 0;
}

bool cs_tune_matches(const cs_tune_wish *wish) {
    for (size_t i = 0; i < convsmith_table_size(NULL); i++)
        if (runs_on(info_at(i), wish->device) && matches(info_at(i), wish))
            return true;
    return false;
}

/* The row of the family with the freest math, TF32 where there is such a kernel; NULL when no name is wanted. */
static const convsmith_kernel_info *row_of(const convsmith_kernel_info *first, const cs_tune_wish *wish) {
    const convsmith_kernel_info *found = first;
    bool is_wanted = false;
    for (size_t i = 0; i < convsmith_table_size(NULL); i++) {
        const convsmith_kernel_info *info = info_at(i);
        if (!is_same_family(info, first) || !runs_on(info, wish->device))
            continue;
        is_wanted = is_wanted || matches(info, wish);
        found = info->key.math > found->key.math ? info : found;
    }
    return is_wanted ? found : NULL;
}

/* ---- Sizes ------------------------------------------------------------------------------------------------------- */

/* So that all that is counted in places or bytes stays far within 64 bits. */
static bool is_in_memory(const convsmith_problem *p, int64_t h_out, int64_t w_out) {
    const int64_t most = INT64_C(1) << 40, x[] = {p->n, p->c_in, p->h, p->w}, y[] = {p->n, p->c_out, h_out, w_out};
    int64_t count;
    return cs_product(x, 4, &count) && count <= most && cs_product(y, 4, &count) && count <= most;
}

static bool set_size(convsmith_problem *p, const cs_tune_size *size, const convsmith_kernel_info *row,
                     cs_message *message) {
    int64_t h_out, w_out;
    p->n = size->n;
    p->h = size->h;
    p->w = size->w;
    p->groups = size->groups ? size->groups : p->groups;
    if (convsmith_output_size(p, &h_out, &w_out) != CONVSMITH_OK)
        return cs_refuse(message, "--problem: of %s: %s", row->name, convsmith_detail());
    if (!is_in_memory(p, h_out, w_out))
        return cs_refuse(message, "--problem: tensors of %" PRId64 " samples of %" PRId64 "x%" PRId64 " are too large",
                         p->n, p->h, p->w);
    cs_problem_lay_out(p, row->key.layout);
    return true;
}

/* ---- The list ---------------------------------------------------------------------------------------------------- */

static bool add(cs_tune_jobs *jobs, const convsmith_kernel_info *row, const convsmith_problem *problem,
                cs_message *message) {
    if (jobs->count == jobs->room) {
        const size_t room = jobs->room ? 2 * jobs->room : 64;
        cs_tune_job *rows = realloc(jobs->rows, room * sizeof *rows);
        if (!rows)
            return cs_refuse(message, "no memory for a list of %zu problems", room);
        jobs->rows = rows;
        jobs->room = room;
    }
    jobs->rows[jobs->count++] = (cs_tune_job){row, *problem};
    return true;
}

static bool add_family(cs_tune_jobs *jobs, const convsmith_kernel_info *row, const cs_tune_wish *wish,
                       cs_message *message) {
    cs_bench_item reference;
    cs_bench_item_init(&reference, row, 0, 1);
    if (wish->size_count == 0)
        return add(jobs, row, &reference.problem, message);
    for (int i = 0; i < wish->size_count; i++) {
        convsmith_problem problem = reference.problem;
        if (wish->sizes[i].c_in == row->key.c_in &&
            (!set_size(&problem, &wish->sizes[i], row, message) || !add(jobs, row, &problem, message)))
            return false;
    }
    return true;
}

bool cs_tune_jobs_find(cs_tune_jobs *jobs, const cs_tune_wish *wish, cs_message *message) {
    *jobs = (cs_tune_jobs){0};
    for (size_t i = 0; i < convsmith_table_size(NULL); i++) {
        if (!runs_on(info_at(i), wish->device) || !is_first(i, wish->device))
            continue;
        const convsmith_kernel_info *row = row_of(info_at(i), wish);
        if (row && !add_family(jobs, row, wish, message)) {
            cs_tune_jobs_free(jobs);
            return false;
        }
    }
    return true;
}

void cs_tune_jobs_free(cs_tune_jobs *jobs) {
    free(jobs->rows);
    *jobs = (cs_tune_jobs){0};
}
