/* SPDX-License-Identifier: Apache-2.0 */
#include "check_case.h"

#include "check_data.h"

#include <stdlib.h>
#include <string.h>

/* Rows or columns of an output, in terms of the kernel's tile. */
typedef enum side { ONE, TWO, BELOW, TILE, ABOVE, TWICE } side;

typedef enum division { ONE_GROUP, ALL_GROUPS, SOME_GROUPS } division;

typedef struct shape {
    int n;
    side rows, columns;
    division groups;
} shape;

/* In the order of what they find: the first two are always run. */
static const shape shapes[] = {
    {1, ABOVE, ABOVE, SOME_GROUPS}, {3, ONE, TWO, ONE_GROUP},   {1, TILE, TILE, ALL_GROUPS},
    {3, TWO, BELOW, SOME_GROUPS},   {1, BELOW, TWO, ONE_GROUP}, {3, ONE, ABOVE, ALL_GROUPS},
    {1, ABOVE, ONE, SOME_GROUPS},   {3, ONE, ONE, ALL_GROUPS},  {1, BELOW, ABOVE, ONE_GROUP},
    {1, TWICE, TILE, SOME_GROUPS},
};

enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct family_row {
    const char *name;
    int needs; /* a cs_step, or -1 */
    int cases;
    int first_shape; /* of case 0; the others follow in turn */
    int least_n;     /* so many samples at least */
    int64_t budget;  /* multiply-adds, tiles' unused parts included */
    void (*fill)(cs_case *c, int index, cs_random *random);
} family_row;

static const family_row families[CS_FAMILY_COUNT] = {
    [CS_FAMILY_EXACT] = {"exact", -1, 10, 0, 1, 300000000, cs_fill_exact},
    [CS_FAMILY_RANDOM] = {"random", -1, 10, 0, 1, 150000000, cs_fill_random},
    [CS_FAMILY_CONSTANT] = {"constant", CS_STEP_GROUP_NORM, 8, 0, 1, 150000000, cs_fill_constant},
    [CS_FAMILY_SATURATED] = {"saturated", CS_STEP_SIGMOID, 5, 0, 1, 100000000, cs_fill_saturated},
    [CS_FAMILY_NONFINITE] = {"nonfinite", -1, 9, 1, 2, 600000000, cs_fill_nonfinite},
    [CS_FAMILY_REPEAT] = {"repeat", -1, 2, 0, 1, 20000000, cs_fill_random},
};

const char *cs_family_name(cs_family family) { return families[family].name; }

bool cs_family_parse(const char *name, cs_family *family) {
    for (int i = 0; i < CS_FAMILY_COUNT; i++)
        if (strcmp(families[i].name, name) == 0) {
            *family = (cs_family)i;
            return true;
        }
    return false;
}

static bool has_step(const convsmith_kernel_info *info, cs_step step) {
    cs_chain chain;
    return cs_chain_parse(info->key.epilogue, &chain, NULL) && cs_chain_has(&chain, step);
}

bool cs_family_applies(cs_family family, const convsmith_kernel_info *info) {
    return families[family].needs < 0 || has_step(info, (cs_step)families[family].needs);
}

int cs_case_count(cs_family family) { return families[family].cases; }

/* ---- Sizes ------------------------------------------------------------------------------------------------------- */

static int64_t side_length(side side, int32_t tile) {
    const int64_t lengths[] = {[ONE] = 1,     [TWO] = 2,          [BELOW] = tile > 1 ? tile - 1 : 1,
                               [TILE] = tile, [ABOVE] = tile + 1, [TWICE] = 2 * (int64_t)tile + 1};
    return lengths[side];
}

/* The `index`-th divisor of `channels` (counted round and round) among those that are neither 1 nor all, if any. */
static int64_t some_divisor(int64_t channels, int index) {
    int64_t proper = 0;
    for (int64_t d = 2; d < channels; d++)
        proper += channels % d == 0;
    int64_t wanted = proper ? index % proper : -1;
    for (int64_t d = 2; d < channels; d++)
        if (channels % d == 0 && wanted-- == 0)
            return d;
    return channels;
}

static int64_t group_count(division division, int64_t channels, int index) {
    if (division == SOME_GROUPS)
        return some_divisor(channels, index);
    return division == ONE_GROUP ? 1 : channels;
}

static convsmith_problem make_problem(cs_family family, const convsmith_kernel_info *info, int index) {
    const shape *s = &shapes[(families[family].first_shape + index) % SHAPES];
    const convsmith_key *key = &info->key;
    const int least_n = families[family].least_n;
    return (convsmith_problem){
        .n = s->n > least_n ? s->n : least_n,
        .c_in = key->c_in,
        .h = side_length(s->rows, info->tile_h) + key->kh - 1,
        .w = side_length(s->columns, info->tile_w) + key->kw - 1,
        .c_out = key->c_out,
        .kh = key->kh,
        .kw = key->kw,
        .groups = has_step(info, CS_STEP_GROUP_NORM) ? group_count(s->groups, key->c_out, index) : 0,
        .eps = 1e-5f,
        .dtype = key->dtype,
        .math = key->math,
        .epilogue = key->epilogue,
    };
}

static int64_t round_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

/* Multiply-adds of both passes over whole tiles: what an emulated kernel takes time for. */
static int64_t cost(cs_family family, const convsmith_kernel_info *info, int index) {
    const convsmith_problem p = make_problem(family, info, index);
    return 2 * p.n * round_up(p.h - p.kh + 1, info->tile_h) * round_up(p.w - p.kw + 1, info->tile_w) *
           round_up(p.c_out, info->tile_c) * p.c_in * p.kh * p.kw;
}

uint32_t cs_case_selection(cs_family family, const convsmith_kernel_info *info) {
    uint32_t selected = 0;
    int64_t spent = 0;
    for (int i = 0; i < families[family].cases; i++)
        if (i < 2 || spent + cost(family, info, i) <= families[family].budget) {
            selected |= UINT32_C(1) << i;
            spent += cost(family, info, i);
        }
    return selected;
}

/* ---- A case ------------------------------------------------------------------------------------------------------ */

static bool allocate(cs_case *c) {
    const convsmith_problem *p = &c->problem;
    c->x_count = p->n * p->c_in * p->h * p->w;
    c->weight_count = p->c_out * p->c_in * p->kh * p->kw;
    c->y_count = p->n * p->c_out * (p->h - p->kh + 1) * (p->w - p->kw + 1);
    c->x = calloc((size_t)c->x_count, sizeof *c->x);
    c->weight = calloc((size_t)c->weight_count, sizeof *c->weight);
    bool good = c->x && c->weight;
    for (int i = 0; i < CS_PARAM_COUNT; i++) {
        c->channels[i] = calloc((size_t)p->c_out, sizeof *c->channels[i]);
        good = good && c->channels[i];
    }
    return good;
}

bool cs_case_create(cs_case *c, cs_family family, const convsmith_kernel_info *info, int index, uint64_t seed,
                    cs_message *message) {
    *c = (cs_case){.problem = make_problem(family, info, index)};
    if (!cs_chain_parse(info->key.epilogue, &c->chain, message))
        return false;
    if (!allocate(c)) {
        cs_case_destroy(c);
        return cs_refuse(message, "no memory for the case");
    }
    cs_random random = {seed + UINT64_C(1000) * (uint64_t)family + (uint64_t)index};
    cs_random_bits(&random);
    families[family].fill(c, index, &random);
    return true;
}

void cs_case_destroy(cs_case *c) {
    free(c->x);
    free(c->weight);
    for (int i = 0; i < CS_PARAM_COUNT; i++)
        free(c->channels[i]);
    *c = (cs_case){0};
}

convsmith_params cs_case_params(const cs_case *c) {
    convsmith_params params = {.weight = c->weight};
    for (int i = 0; i < CS_PARAM_COUNT; i++)
        if (cs_chain_reads(&c->chain, (cs_param)i))
            *cs_param_field(&params, (cs_param)i) = c->channels[i];
    return params;
}
