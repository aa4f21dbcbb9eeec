/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "random.h"
#include "view.h"

#include <string.h>

/* ---- Choosing ---------------------------------------------------------------------------------------------------- */

static bool chance(cs_random *random, int percent) { return cs_random_whole(random, 0, 99) < percent; }

static int64_t choose(cs_random *random, const int64_t *values, int count) {
    return values[cs_random_whole(random, 0, count - 1)];
}

#define CHOOSE(RANDOM, ...)                                                                                            \
    choose(RANDOM, (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

/* Both numbers of a pair, one of them twice more often than not. */
static void choose_pair(cs_random *random, int64_t (*one)(cs_random *random), int64_t *h, int64_t *w) {
    *h = one(random);
    *w = chance(random, 60) ? *h : one(random);
}

/* ---- The convolution --------------------------------------------------------------------------------------------- */

static int64_t kernel_side(cs_random *random) {
    return chance(random, 3) ? cs_random_whole(random, 8, 13) : CHOOSE(random, 1, 1, 2, 3, 3, 3, 4, 5, 7);
}

static int64_t stride(cs_random *random) { return CHOOSE(random, 1, 1, 2, 2, 3); }
static int64_t dilation(cs_random *random) { return CHOOSE(random, 1, 2, 2, 3); }
static int64_t padding(cs_random *random) { return CHOOSE(random, 0, 1, 1, 1, 2, 3, 5); }

/* Few, mostly of one warp or block of lanes and not, some many. */
static int64_t channels(cs_random *random) {
    const int64_t kind = cs_random_whole(random, 0, 9);
    return cs_random_whole(random, kind < 9 ? 1 : 71, kind < 4 ? 8 : kind < 9 ? 70 : 300);
}

static void draw_channels(convsmith_problem *p, cs_random *random) {
    p->conv_groups = 1;
    p->c_in = channels(random);
    p->c_out = channels(random);
    if (chance(random, 60))
        return;
    if (chance(random, 50)) { /* depthwise */
        p->conv_groups = p->c_in;
        p->c_out = p->c_in * CHOOSE(random, 1, 1, 1, 2, 3);
    } else {
        p->conv_groups = CHOOSE(random, 2, 2, 3, 4, 8);
        p->c_in = p->conv_groups * cs_random_whole(random, 1, 12);
        p->c_out = p->conv_groups * cs_random_whole(random, 1, 24);
    }
}

static void draw_convolution(convsmith_problem *p, cs_random *random) {
    draw_channels(p, random);
    choose_pair(random, kernel_side, &p->kh, &p->kw);
    p->stride_h = p->stride_w = p->dilation_h = p->dilation_w = 1;
    if (chance(random, 40))
        choose_pair(random, stride, &p->stride_h, &p->stride_w);
    if (chance(random, 30))
        choose_pair(random, dilation, &p->dilation_h, &p->dilation_w);
    if (chance(random, 50))
        choose_pair(random, padding, &p->pad_h, &p->pad_w);
}

/* ---- The epilogue ------------------------------------------------------------------------------------------------ */

enum { MOST_STEPS = 8, TRIES = 40 };

static cs_step draw_step(cs_random *random, bool normalises) {
    const cs_step norms[] = {CS_STEP_GROUP_NORM, CS_STEP_INSTANCE_NORM};
    if (normalises)
        return norms[chance(random, 30)];
    for (;;) {
        const cs_step step = (cs_step)cs_random_whole(random, 0, CS_STEP_COUNT - 1);
        if (cs_step_get_info(step)->kind != CS_NORMALISATION)
            return step;
    }
}

/* One that comes behind `before` others. */
static cs_chain_step draw_chain_step(cs_random *random, bool normalises, int before) {
    cs_chain_step s = {.step = draw_step(random, normalises)};
    const bool counts = s.step == CS_STEP_MUL_INPUT_OF;
    s.is_fixed = counts || (cs_step_get_info(s.step)->constant_count > 0 && chance(random, 50));
    memcpy(s.constants, cs_usual_constants(s.step, (int)cs_random_whole(random, 0, 2)), sizeof s.constants);
    if (counts)
        s.constants[0] = (float)cs_random_whole(random, 1, before + 1);
    return s;
}

/* Appends a step that may stand there, if one is soon found. */
static void extend(cs_chain *chain, cs_random *random, bool normalises) {
    for (int i = 0; i < TRIES; i++) {
        cs_chain longer = *chain;
        longer.steps[longer.count] = draw_chain_step(random, normalises, longer.count);
        longer.count++;
        if (cs_chain_read(cs_chain_name(&longer).text, &longer, NULL)) {
            *chain = longer;
            return;
        }
    }
}

static cs_chain_text draw_chain(cs_random *random) {
    const int count = (int)cs_random_whole(random, 0, MOST_STEPS);
    const int norm = chance(random, 50) ? (int)cs_random_whole(random, 0, MOST_STEPS - 1) : MOST_STEPS;
    cs_chain chain = {.normalisation = -1};
    if (chance(random, 10))
        cs_chain_read(CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM, &chain, NULL);
    else
        for (int i = 0; i < count; i++)
            extend(&chain, random, i == norm);
    return cs_chain_name(&chain);
}

static int64_t divisor(cs_random *random, int64_t number) {
    int64_t d = cs_random_whole(random, 1, number);
    while (number % d != 0)
        d--;
    return d;
}

/* ---- Where tensors lie ------------------------------------------------------------------------------------------- */

/* From the slowest index to the fastest, each with room for so many more elements than there are. */
static void lay(int64_t strides[4], const int64_t sizes[4], const int order[4], int64_t step, int64_t more,
                cs_random *random) {
    for (int i = 3; i >= 0; i--) {
        strides[order[i]] = step;
        step *= sizes[order[i]] + (more ? cs_random_whole(random, 0, more) : 0);
    }
}

static void shuffle(int order[4], cs_random *random) {
    for (int i = 3; i > 0; i--) {
        const int other = (int)cs_random_whole(random, 0, i), swapped = order[other];
        order[other] = order[i];
        order[i] = swapped;
    }
}

static const int nchw[] = {0, 1, 2, 3}, nhwc[] = {0, 2, 3, 1};

/* Of any strides; half of the tensors have the last or the second index fastest without gaps. */
static void lay_anyhow(int64_t strides[4], const int64_t sizes[4], cs_random *random) {
    const int64_t kind = cs_random_whole(random, 0, 99);
    const bool swaps = chance(random, 40);
    int order[4];
    memcpy(order, swaps ? nhwc : nchw, sizeof order);
    if (kind >= 80)
        shuffle(order, random);
    lay(strides, sizes, order, kind >= 95 ? 2 : 1, kind < 60 ? 0 : 3, random);
}

/* As a kernel of this layout takes it: the fastest index without gaps. */
static void lay_as(int64_t strides[4], const int64_t sizes[4], convsmith_layout layout, int64_t more,
                   cs_random *random) {
    lay(strides, sizes, layout == CONVSMITH_NHWC ? nhwc : nchw, 1, more, random);
}

static void draw_views(cs_subject *s, const convsmith_key *row, cs_random *random) {
    convsmith_problem *p = &s->problem;
    const int64_t x[] = {p->n, p->c_in, p->h, p->w}, weight[] = {p->c_out, p->c_in / p->conv_groups, p->kh, p->kw},
                  y[] = {p->n, p->c_out, cs_problem_h_out(p), cs_problem_w_out(p)};
    const int64_t more = chance(random, 50) ? 0 : 3;
    if (row) {
        lay_as(p->x_strides, x, row->layout, more, random);
        lay_as(p->y_strides, y, row->layout, more, random);
    } else {
        lay_anyhow(p->x_strides, x, random);
        lay_anyhow(p->y_strides, y, random);
        if (chance(random, 10)) /* an expanded view */
            p->x_strides[cs_random_whole(random, 0, 3)] = 0;
    }
    if (chance(random, 40))
        lay_anyhow(s->weight_strides, weight, random);
}

/* ---- The size ---------------------------------------------------------------------------------------------------- */

typedef struct limit {
    double multiply_adds, elements;
} limit;

static const limit limits[] = {[false] = {2e7, 3e5}, [true] = {2e5, 5e3}};

static bool is_within(const convsmith_problem *p, int steps, const limit *most) {
    const double y = (double)(p->n * p->c_out) * (double)(cs_problem_h_out(p) * cs_problem_w_out(p)),
                 x = (double)(p->n * p->c_in) * (double)(p->h * p->w);
    return y * (double)(p->c_in / p->conv_groups * p->kh * p->kw) <= most->multiply_adds &&
           y * (1 + steps) + x / 4 <= most->elements;
}

static int64_t least_extent(int64_t kernel, int64_t dilation, int64_t pad) {
    const int64_t least = dilation * (kernel - 1) + 1 - 2 * pad;
    return least > 1 ? least : 1;
}

static int64_t extent(int64_t least, cs_random *random) {
    const int64_t most = CHOOSE(random, 3, 10, 20, 40, 40, 80, 200);
    return least + cs_random_whole(random, 0, most);
}

static int64_t half_way(int64_t value, int64_t least) { return least + (value - least) / 2; }

/* The problem's channels by half, as far as groups let them be. */
static void thin(convsmith_problem *p) {
    const int64_t in = p->c_in / p->conv_groups, out = p->c_out / p->conv_groups;
    const int64_t groups = in == 1 && out <= 3 ? half_way(p->conv_groups, 1) : p->conv_groups;
    p->conv_groups = groups;
    p->c_in = groups * half_way(in, 1);
    p->c_out = groups * half_way(out, 1);
}

/* Makes the problem smaller until it is within the limit, or is one output of a kernel that the table fixes. */
static void shrink(convsmith_problem *p, int steps, const limit *most, bool may_thin) {
    const int64_t h = least_extent(p->kh, p->dilation_h, p->pad_h), w = least_extent(p->kw, p->dilation_w, p->pad_w);
    while (!is_within(p, steps, most)) {
        if (p->n > 1)
            p->n = half_way(p->n, 1);
        else if (p->h - h > p->w - w)
            p->h = half_way(p->h, h);
        else if (p->w > w)
            p->w = half_way(p->w, w);
        else if (may_thin && p->c_in * p->c_out > 1)
            thin(p);
        else
            return;
    }
}

static void draw_size(convsmith_problem *p, bool is_small, int steps, bool may_thin, cs_random *random) {
    p->n = CHOOSE(random, 1, 1, 1, 2, 2, 3, 5);
    p->h = extent(least_extent(p->kh, p->dilation_h, p->pad_h), random);
    p->w = extent(least_extent(p->kw, p->dilation_w, p->pad_w), random);
    shrink(p, steps, &limits[is_small], may_thin);
}

/* ---- A sample ---------------------------------------------------------------------------------------------------- */

/* A row of the table for the device; NULL where no small one is soon found. */
static const convsmith_key *draw_row(const cs_sampling *from, cs_random *random) {
    const int64_t rows = (int64_t)convsmith_table_size(NULL);
    for (int i = 0; i < TRIES && rows > 0; i++) {
        const convsmith_kernel *kernel = convsmith_table_at(NULL, (size_t)cs_random_whole(random, 0, rows - 1));
        const convsmith_kernel_info *info = convsmith_kernel_get_info(kernel);
        if (convsmith_target_device(info->key.target) == from->device.kind &&
            (double)info->multiply_adds <= limits[from->is_small].multiply_adds / 2)
            return &info->key;
    }
    return NULL;
}

static cs_family draw_family(const char *epilogue, cs_random *random) {
    static const cs_family shares[] = {
        CS_FAMILY_EXACT,  CS_FAMILY_EXACT,    CS_FAMILY_EXACT,     CS_FAMILY_EXACT,     CS_FAMILY_EXACT,
        CS_FAMILY_RANDOM, CS_FAMILY_RANDOM,   CS_FAMILY_RANDOM,    CS_FAMILY_RANDOM,    CS_FAMILY_REPEAT,
        CS_FAMILY_REPEAT, CS_FAMILY_CONSTANT, CS_FAMILY_SATURATED, CS_FAMILY_NONFINITE,
    };
    const cs_family family = shares[cs_random_whole(random, 0, sizeof shares / sizeof *shares - 1)];
    return cs_family_applies(family, epilogue) ? family : CS_FAMILY_EXACT;
}

static void draw_problem(cs_sample *s, const cs_sampling *from, cs_random *random) {
    convsmith_problem *p = &s->subject.problem;
    const convsmith_key *row = chance(random, 30) ? draw_row(from, random) : NULL;
    cs_chain chain;
    if (row) {
        const convsmith_problem sparse = cs_problem_of(row);
        *p = cs_problem_in_full(&sparse);
    } else {
        draw_convolution(p, random);
    }
    p->dtype = row ? row->dtype : (convsmith_dtype)cs_random_whole(random, CONVSMITH_F32, CONVSMITH_BF16);
    if (from->kernel)
        p->dtype = convsmith_kernel_get_info(from->kernel)->key.dtype;
    p->math = row ? row->math : (convsmith_math)chance(random, p->dtype == CONVSMITH_F32 ? 50 : 20);
    if (row)
        cs_chain_read(row->epilogue, &chain, NULL);
    s->name = row ? cs_chain_name(&chain) : draw_chain(random);
    p->epilogue = s->name.text;
    cs_chain_read(p->epilogue, &chain, NULL);
    draw_size(p, from->is_small, chain.count, !row, random);
    p->groups = cs_chain_has(&chain, CS_STEP_GROUP_NORM) ? divisor(random, p->c_out) : 0;
    p->eps = 1e-5f;
    draw_views(&s->subject, row, random);
}

void cs_sample_draw(cs_sample *s, const cs_sampling *from, int64_t index) {
    cs_random seeds = {from->seed}, random = {cs_random_bits(&seeds) + (uint64_t)index};
    cs_random_bits(&random);
    *s = (cs_sample){.alignment = chance(&random, 50) ? 1 : 16};
    draw_problem(s, from, &random);
    s->subject.params_dtype = chance(&random, 50) ? s->subject.problem.dtype : CONVSMITH_F32;
    s->family = draw_family(s->name.text, &random);
    s->variant = (int)cs_random_whole(&random, 0, cs_case_count(s->family) - 1);
    s->seed = cs_random_bits(&random);
}
