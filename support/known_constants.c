/* SPDX-License-Identifier: Apache-2.0 */
#include "known_constants.h"

#include "view.h"

#include <string.h>

static bool has_constants(cs_step step) { return cs_step_get_info(step)->constant_count > 0; }

bool cs_chain_serves(const cs_chain *row, const cs_chain *wanted, int *fixed) {
    *fixed = 0;
    if (row->count != wanted->count)
        return false;
    for (int i = 0; i < row->count; i++) {
        const cs_chain_step *have = &row->steps[i], *want = &wanted->steps[i];
        if (have->step != want->step)
            return false;
        if (!have->is_fixed || !has_constants(have->step))
            continue;
        for (int k = 0; k < cs_step_get_info(have->step)->constant_count; k++)
            if (have->constants[k] != want->constants[k])
                return false;
        ++*fixed;
    }
    return true;
}

/* Numbers of a key, where 0 may stand for 1, and of a problem in full. */
static bool is_same(int32_t key, int64_t number) { return key == number || (key == 0 && number == 1); }

static bool is_of_shape(const convsmith_key *key, const convsmith_problem *p) {
    return key->c_in == p->c_in && key->kh == p->kh && key->kw == p->kw && key->c_out == p->c_out &&
           key->dtype == p->dtype && is_same(key->stride_h, p->stride_h) && is_same(key->stride_w, p->stride_w) &&
           key->pad_h == p->pad_h && key->pad_w == p->pad_w && is_same(key->dilation_h, p->dilation_h) &&
           is_same(key->dilation_w, p->dilation_w) && is_same(key->conv_groups, p->conv_groups);
}

/* The next row from *index on whose kernel serves the chain with so many of its constants fixed. */
static bool find_row(const convsmith_table *table, const convsmith_problem *p, const cs_chain *wanted, int fixed,
                     size_t *index, cs_chain *found) {
    for (; *index < convsmith_table_size(table); ++*index) {
        const convsmith_key *key = &convsmith_kernel_get_info(convsmith_table_at(table, *index))->key;
        int count;
        if (is_of_shape(key, p) && cs_chain_read(key->epilogue, found, NULL) &&
            cs_chain_serves(found, wanted, &count) && count == fixed)
            return true;
    }
    return false;
}

/* Whether the plan's kernel is a row of a table. */
static bool is_specialised(const convsmith_plan *plan) {
    const convsmith_kernel_info *info = convsmith_kernel_get_info(convsmith_plan_kernel(plan));
    return strcmp(info->strategy, "generic") != 0;
}

static bool create_specialised(convsmith_plan **plan, convsmith_problem *problem, const cs_chain *chain,
                               convsmith_device device, cs_chain_text *name) {
    *name = cs_chain_name(chain);
    problem->epilogue = name->text;
    if (convsmith_plan_create(plan, problem, device) != CONVSMITH_OK)
        return false;
    if (is_specialised(*plan))
        return true;
    convsmith_plan_destroy(*plan);
    return false;
}

/* A plan of a row of the table with so many constants fixed; `chain` becomes the row's. */
static bool create_of_table(convsmith_plan **plan, convsmith_problem *problem, const convsmith_table *table,
                            const cs_chain *wanted, int fixed, convsmith_device device, cs_chain *chain,
                            cs_chain_text *name) {
    const convsmith_problem full = cs_problem_in_full(problem);
    for (size_t i = 0; find_row(table, &full, wanted, fixed, &i, chain); i++)
        if (create_specialised(plan, problem, chain, device, name))
            return true;
    return false;
}

static void fill_constants(const cs_chain *chain, const cs_chain *wanted, convsmith_step *steps) {
    for (int i = 0; i < chain->count; i++)
        for (int k = 0; k < cs_step_get_info(chain->steps[i].step)->constant_count; k++)
            steps[i].constants[k] = chain->steps[i].is_fixed ? 0 : wanted->steps[i].constants[k];
}

convsmith_status cs_plan_of_constants(convsmith_plan **plan, convsmith_problem *problem, const cs_chain *wanted,
                                      convsmith_device device, cs_chain_text *name, convsmith_step *steps) {
    const convsmith_table *const tables[] = {problem->table, convsmith_builtin_table()};
    cs_chain chain;
    for (int fixed = wanted->count; fixed >= 0; fixed--)
        for (int t = problem->table ? 0 : 1; t < 2; t++)
            if (create_of_table(plan, problem, tables[t], wanted, fixed, device, &chain, name)) {
                fill_constants(&chain, wanted, steps);
                return CONVSMITH_OK;
            }
    *name = cs_chain_name(wanted);
    problem->epilogue = name->text;
    fill_constants(wanted, wanted, steps);
    return convsmith_plan_create(plan, problem, device);
}
