/* SPDX-License-Identifier: Apache-2.0 */
#include "candidates.h"
#include "generic/generic.h"
#include "lookup.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

static convsmith_key key_of(const convsmith_problem *problem, convsmith_layout layout, convsmith_math math,
                            convsmith_target target) {
    return (convsmith_key){
        .c_in = (int32_t)problem->c_in,
        .kh = (int32_t)problem->kh,
        .kw = (int32_t)problem->kw,
        .c_out = (int32_t)problem->c_out,
        .stride_h = (int32_t)problem->stride_h,
        .stride_w = (int32_t)problem->stride_w,
        .pad_h = (int32_t)problem->pad_h,
        .pad_w = (int32_t)problem->pad_w,
        .dilation_h = (int32_t)problem->dilation_h,
        .dilation_w = (int32_t)problem->dilation_w,
        .conv_groups = (int32_t)problem->conv_groups,
        .layout = layout,
        .dtype = problem->dtype,
        .math = math,
        .epilogue = problem->epilogue,
        .target = target,
    };
}

/* Whether the kernel, whose key is the problem's, layout and all, can follow its strides. */
static bool takes_strides(const convsmith_kernel *kernel, const cs_settled *s) {
    return kernel->info.schedule != CONVSMITH_SCHEDULE_RESIDENT || cs_problem_is_contiguous(s);
}

static convsmith_status add(cs_candidates *c, const convsmith_kernel *kernel, const convsmith_table *table) {
    if (c->count == c->room) {
        const size_t room = c->room > 0 ? 2 * c->room : 16;
        cs_candidate *rows = realloc(c->rows, room * sizeof *rows);
        if (rows == NULL)
            return cs_fail(CONVSMITH_OUT_OF_MEMORY, "no memory for a list of %zu kernels", room);
        c->rows = rows;
        c->room = room;
    }
    c->rows[c->count++] = (cs_candidate){kernel, table};
    return CONVSMITH_OK;
}

/* The table's rows of this key, side by side. */
static convsmith_status add_of_key(cs_candidates *c, const cs_settled *s, const convsmith_table *table,
                                   const convsmith_key *key) {
    const cs_rows found = cs_lookup(table, key);
    convsmith_status status = CONVSMITH_OK;
    for (size_t i = 0; i < found.count && status == CONVSMITH_OK; ++i)
        if (takes_strides(&found.first[i], s))
            status = add(c, &found.first[i], table);
    return status;
}

/* Those for each target that the device supports, the best first. */
static convsmith_status add_of_table(cs_candidates *c, const cs_settled *s, const cs_device_traits *traits,
                                     const convsmith_table *table, convsmith_math math) {
    convsmith_status status = CONVSMITH_OK;
    for (size_t i = CS_TARGET_COUNT; i-- > 0;) {
        if (!cs_target_runs_on((convsmith_target)i, traits))
            continue;
        for (int layout = CONVSMITH_NCHW; layout <= CONVSMITH_NHWC && status == CONVSMITH_OK; ++layout) {
            const convsmith_key key = key_of(&s->problem, (convsmith_layout)layout, math, (convsmith_target)i);
            if (cs_problem_has_layout(s, (convsmith_layout)layout))
                status = add_of_key(c, s, table, &key);
        }
    }
    return status;
}

/* The generic kernel for the best target that the device supports. */
static convsmith_status add_generic(cs_candidates *c, const cs_settled *s, const cs_device_traits *traits) {
    for (size_t i = CS_TARGET_COUNT; i-- > 0;) {
        const cs_generic_kernel *generic = cs_generic_find(s->problem.dtype, (convsmith_target)i);
        if (generic != NULL && cs_target_runs_on((convsmith_target)i, traits))
            return add(c, &generic->kernel, convsmith_builtin_table());
    }
    return cs_fail(CONVSMITH_UNSUPPORTED_DEVICE, "device: it has compute capability %d.%d; kernels need 8.0 or newer",
                   traits->compute_capability / 10, traits->compute_capability % 10);
}

static convsmith_status collect(cs_candidates *c, const cs_settled *s, const cs_device_traits *traits) {
    const convsmith_table *const tables[] = {s->problem.table, convsmith_builtin_table()};
    /* A permission to use TF32 is not a duty: the exact kernels serve, too. */
    const convsmith_math maths[] = {s->problem.math, CONVSMITH_MATH_FP32};
    const size_t ways = maths[0] == maths[1] ? 1 : 2;
    convsmith_status status = CONVSMITH_OK;
    for (size_t t = tables[0] != NULL && tables[0] != tables[1] ? 0 : 1; t < 2; ++t)
        for (size_t m = 0; m < ways && status == CONVSMITH_OK; ++m)
            status = add_of_table(c, s, traits, tables[t], maths[m]);
    return status == CONVSMITH_OK ? add_generic(c, s, traits) : status;
}

convsmith_status cs_candidates_find(cs_candidates *candidates, const cs_settled *s, const cs_device_traits *traits) {
    *candidates = (cs_candidates){0};
    const convsmith_status status = collect(candidates, s, traits);
    if (status != CONVSMITH_OK)
        cs_candidates_free(candidates);
    return status;
}

void cs_candidates_free(cs_candidates *candidates) {
    free(candidates->rows);
    *candidates = (cs_candidates){0};
}

bool cs_has_candidate(const cs_candidates *candidates, const char *name) {
    for (size_t i = 0; i < candidates->count; ++i)
        if (strcmp(candidates->rows[i].kernel->info.name, name) == 0)
            return true;
    return false;
}

convsmith_status cs_candidate_check(const convsmith_kernel *kernel, const cs_settled *s) {
    const convsmith_kernel_info *info = &kernel->info;
    if (cs_generic_of(kernel) != NULL && s->problem.dtype == info->key.dtype)
        return CONVSMITH_OK;
    const convsmith_key key = key_of(&s->problem, info->key.layout, s->problem.math, info->key.target);
    if (cs_key_compare(&key, &info->key) != 0 || !cs_problem_has_layout(s, info->key.layout))
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem: it is not one that %s computes", info->name);
    if (!takes_strides(kernel, s))
        return cs_fail(CONVSMITH_TOO_LARGE, "problem: %s does not take tensors of these strides", info->name);
    return CONVSMITH_OK;
}
