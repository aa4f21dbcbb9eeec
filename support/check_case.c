/* SPDX-License-Identifier: Apache-2.0 */
#include "check_case.h"

#include "buffer.h"
#include "check_data.h"
#include "src/device/element.h"
#include "src/element.h"
#include "steps.h"
#include "view.h"

#include <stdlib.h>
#include <string.h>

/* Rows or columns of an output, in terms of the kernel's tile; ONE and TWO are images of K and K + 1. WHOLE: the next
 * multiple of eight columns, so that rows of y end at 16 bytes within a tile. ACROSS: more columns than twice a tile's
 * pixels; EIGHTS: the same, a multiple of eight of them. */
typedef enum side { ONE, TWO, BELOW, TILE, ABOVE, TWICE, WHOLE, ACROSS, EIGHTS } side;

typedef enum division { ONE_GROUP, ALL_GROUPS, SOME_GROUPS } division;

typedef struct shape {
    int n;
    side rows, columns;
    division groups;
} shape;

/* Every place where a tile can end. The first EDGES have each of the sides up to ABOVE in either direction, and WHOLE.
 */
static const shape shapes[] = {
    {1, ABOVE, ABOVE, SOME_GROUPS}, {3, ONE, TWO, ONE_GROUP},     {1, TILE, TILE, ALL_GROUPS},
    {1, TWO, BELOW, SOME_GROUPS},   {1, BELOW, ONE, ONE_GROUP},   {1, BELOW, WHOLE, ONE_GROUP},
    {1, ABOVE, ONE, SOME_GROUPS},   {3, TWO, BELOW, ALL_GROUPS},  {3, ONE, ABOVE, ALL_GROUPS},
    {1, TWICE, TILE, SOME_GROUPS},  {3, BELOW, TWO, SOME_GROUPS}, {3, ONE, ONE, ALL_GROUPS},
};

/* The stored schedule cuts each problem into tiles of its own, as wide as the image where they can be. So here some
 * images are too wide for that; the first are of every kind: one tile, several along either side or both, the last ones
 * shorter, x and y contiguous and not; and one has a y that the copy engine can write in parts of rows. */
static const shape stored_shapes[] = {
    {1, ABOVE, ABOVE, SOME_GROUPS},  {3, ONE, TWO, ONE_GROUP},      {1, ABOVE, ACROSS, ALL_GROUPS},
    {1, TWICE, TILE, SOME_GROUPS},   {1, BELOW, EIGHTS, ONE_GROUP}, {2, TWO, ACROSS, SOME_GROUPS},
    {1, TILE, TILE, ALL_GROUPS},     {3, TWO, BELOW, ALL_GROUPS},   {1, BELOW, ABOVE, ONE_GROUP},
    {1, TWICE, ACROSS, SOME_GROUPS}, {3, BELOW, TWO, SOME_GROUPS},  {3, ONE, ONE, ALL_GROUPS},
};

/* For data whose point does not lie in the image's size: one tile or two. */
static const shape small_shapes[] = {
    {1, TWO, ABOVE, SOME_GROUPS}, {2, ONE, TWO, ONE_GROUP},   {1, TWO, TWO, ALL_GROUPS},
    {1, ABOVE, ONE, ONE_GROUP},   {2, TWO, ONE, SOME_GROUPS},
};

/* The length of rows, of which a number fit a band: the longest or the shortest where x's is odd, so that they begin
 * anywhere in a tile and in 16 bytes; or the longest where y's is a multiple of four, so that they all begin alike.
 * WIDE: longer than a band, by half. */
typedef enum length { LONG, SHORT, FOURS, WIDE } length;

/* The resident schedule cuts an output into bands of whole tiles, as long as a device asks for. The cases are made as
 * if all were of whole rows, as many as the longest have room for. Of these, `across` fit (0: they are of one pixel),
 * and there are `rows` more than fill `bands` bands. Negative, `rows` is what the last band lacks, if that is less than
 * both the bands and the rows of one. */
typedef struct band_shape {
    int n, across;
    length length;
    int bands, rows;
    division groups;
} band_shape;

/* One band and several, the last as long as the others and less; images wider than high and higher than wide. In even
 * places, where a case's y is aligned, some bands begin at multiples of four, and some do not though each channel does.
 * Where n > 1, some block has more samples than one if there are three multiprocessors; the last two are for a GPU with
 * 132. What becomes of them: tests/test_check_bands.c. */
static const band_shape band_shapes[] = {
    {2, 3, SHORT, 3, -2, SOME_GROUPS}, {5, 12, FOURS, 0, 2, ONE_GROUP},   {1, 12, FOURS, 2, -1, ONE_GROUP},
    {1, 0, LONG, 2, -1, ALL_GROUPS},   {1, 3, SHORT, 3, -1, SOME_GROUPS}, {1, 1, SHORT, 2, 0, SOME_GROUPS},
    {1, 1, WIDE, 1, 0, ALL_GROUPS},    {2, 4, FOURS, 2, 0, SOME_GROUPS},  {5, 2, FOURS, 1, 0, ONE_GROUP},
    {4, 0, LONG, 0, 1, ALL_GROUPS},    {47, 5, LONG, 3, -2, SOME_GROUPS}, {140, 9, FOURS, 0, 2, SOME_GROUPS},
};

static const band_shape small_band_shapes[] = {
    {1, 3, LONG, 1, -1, SOME_GROUPS}, {2, 0, LONG, 0, 2, ONE_GROUP},   {1, 9, FOURS, 0, 2, ALL_GROUPS},
    {1, 0, FOURS, 1, 0, ONE_GROUP},   {2, 5, LONG, 1, 0, SOME_GROUPS},
};

enum { SHAPES = sizeof shapes / sizeof *shapes, EDGES = 6, SMALL_SHAPES = sizeof small_shapes / sizeof *small_shapes };

_Static_assert(sizeof band_shapes / sizeof *band_shapes == SHAPES, "each schedule has as many cases");
_Static_assert(sizeof stored_shapes / sizeof *stored_shapes == SHAPES, "this one too");
_Static_assert(sizeof small_band_shapes / sizeof *small_band_shapes == SMALL_SHAPES, "and as many small ones");

typedef struct family_row {
    const char *name;
    bool (*needs)(const cs_chain *chain); /* what it is about; NULL: every chain has it */
    int small_cases;                      /* come first, with the small shapes in turn */
    int cases;                            /* all of them; the others go through all shapes */
    int always;                           /* so many of the first run whatever they cost */
    int least_n;                          /* so many samples at least */
    void (*fill)(cs_case *c, int index, cs_random *random);
} family_row;

static bool normalises(const cs_chain *chain) { return chain->normalisation >= 0; }

static bool has_curve(const cs_chain *chain) {
    for (int i = 0; i < chain->count; i++)
        if (cs_step_is_curved(chain->steps[i].step))
            return true;
    return false;
}

/* The kinds of data of cs_fill_constant are 4, of cs_fill_saturated 5, of cs_fill_nonfinite 9: each comes with a small
 * shape at least once. */
static const family_row families[CS_FAMILY_COUNT] = {
    [CS_FAMILY_EXACT] = {"exact", NULL, 0, SHAPES, EDGES, 1, cs_fill_exact},
    [CS_FAMILY_RANDOM] = {"random", NULL, 0, SHAPES, 2, 1, cs_fill_random},
    [CS_FAMILY_CONSTANT] = {"constant", normalises, 8, 8 + 8, 8, 1, cs_fill_constant},
    [CS_FAMILY_SATURATED] = {"saturated", has_curve, 5, 5 + 5, 5, 1, cs_fill_saturated},
    [CS_FAMILY_NONFINITE] = {"nonfinite", NULL, 9, 9 + 9, 9, 2, cs_fill_nonfinite},
    [CS_FAMILY_REPEAT] = {"repeat", NULL, 0, 2, 2, 1, cs_fill_random},
};

const char *cs_family_name(cs_family family) { return families[family].name; }

bool cs_family_applies(cs_family family, const char *epilogue) {
    cs_chain chain;
    return !families[family].needs || (cs_chain_read(epilogue, &chain, NULL) && families[family].needs(&chain));
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

/* What a shape comes to: an output's sides, and how many tiles' pixels its samples take. */
typedef struct size {
    int64_t n, rows, columns, padded_pixels;
    division groups;
} size;

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t round_up(int64_t value, int64_t step) { return divide_up(value, step) * step; }

static int64_t columns_of(const convsmith_kernel_info *info, side columns) {
    const int64_t more = 2 * (int64_t)info->tile_h * info->tile_w + 1;
    if (columns == EIGHTS)
        return round_up(more, 8);
    if (columns == WHOLE)
        return round_up((int64_t)info->tile_w + 1, 8);
    return columns == ACROSS ? more : side_length(columns, info->tile_w);
}

static size tiled_size(const convsmith_kernel_info *info, const shape *s) {
    const int64_t rows = side_length(s->rows, info->tile_h);
    const int64_t columns = columns_of(info, s->columns);
    return (size){.n = s->n,
                  .rows = rows,
                  .columns = columns,
                  .padded_pixels = round_up(rows, info->tile_h) * round_up(columns, info->tile_w),
                  .groups = s->groups};
}

/* What stands between two rows of y where pixels are numbered along rows of x with the padding on their left. */
static int64_t between_rows(const convsmith_key *key) { return key->kw - 1 - key->pad_w; }

/* The longest row of y of which `across` fit a band's pixels, those between two rows of y included. */
static int64_t longest_row(const convsmith_kernel_info *info, int across) {
    const int64_t between = between_rows(&info->key);
    return (info->tile_w - (across - 1) * between) / across;
}

static int64_t row_length(const convsmith_kernel_info *info, const band_shape *s) {
    if (s->across == 0)
        return 1;
    const int64_t longest = longest_row(info, s->across), shortest = longest_row(info, s->across + 1) + 1;
    const int64_t lengths[] = {[LONG] = longest - (longest + info->key.kw) % 2,
                               [FOURS] = longest - longest % 4,
                               [SHORT] = shortest + (shortest + info->key.kw) % 2,
                               [WIDE] = longest + longest / 2};
    return lengths[s->length] > 1 ? lengths[s->length] : 1;
}

static size banded_size(const convsmith_kernel_info *info, const band_shape *s) {
    const int64_t columns = row_length(info, s);
    const int64_t rows_in_band = (info->tile_w - columns) / (columns + between_rows(&info->key)) + 1;
    const int64_t rows = s->bands * rows_in_band + s->rows;
    return (size){.n = s->n,
                  .rows = rows,
                  .columns = columns,
                  .padded_pixels = divide_up(rows, rows_in_band) * round_up(columns, info->tile_w),
                  .groups = s->groups};
}

static size size_of(cs_family family, const convsmith_kernel_info *info, int index) {
    const int small_cases = families[family].small_cases;
    const bool is_small = index < small_cases;
    const int i = is_small ? index % SMALL_SHAPES : (index - small_cases) % SHAPES;
    const shape *const large = info->schedule == CONVSMITH_SCHEDULE_STORED ? stored_shapes : shapes;
    size s = info->schedule == CONVSMITH_SCHEDULE_RESIDENT
                 ? banded_size(info, is_small ? &small_band_shapes[i] : &band_shapes[i])
                 : tiled_size(info, is_small ? &small_shapes[i] : &large[i]);
    if (s.n < families[family].least_n)
        s.n = families[family].least_n;
    return s;
}

static int64_t at_least_one(int64_t value) { return value > 1 ? value : 1; }

/* The extent of x that gives so many places of y, or up to a stride's worth more, which no place of y reads. */
static int64_t extent_for(int64_t places, int64_t stride, int64_t dilation, int64_t kernel, int64_t pad, int index) {
    return at_least_one((places - 1) * stride + dilation * (kernel - 1) + 1 - 2 * pad + index % stride);
}

/* Kernels of strides of their own are shown x and y as parts of greater tensors in a third of the cases. */
static void lay_out(convsmith_problem *p, const convsmith_key *key, int index) {
    const int64_t x[] = {p->n, p->c_in, p->h, p->w}, y[] = {p->n, p->c_out, cs_problem_h_out(p), cs_problem_w_out(p)};
    const int64_t more = index % 3 == 2 ? 1 + index % 2 : 0;
    cs_view (*const contiguous)(const int64_t *) = key->layout == CONVSMITH_NHWC ? cs_view_nhwc : cs_view_nchw;
    const cs_view x_view = contiguous((const int64_t[]){x[0], x[1] + more, x[2] + more, x[3] + more}),
                  y_view = contiguous((const int64_t[]){y[0], y[1] + more, y[2] + more, y[3] + more});
    for (int i = 0; i < 4; i++) {
        p->x_strides[i] = x_view.strides[i];
        p->y_strides[i] = y_view.strides[i];
    }
}

static convsmith_problem make_problem(cs_family family, const convsmith_kernel_info *info, const cs_chain *chain,
                                      int index) {
    const size s = size_of(family, info, index);
    const convsmith_key *key = &info->key;
    convsmith_problem sparse = cs_problem_of(key);
    sparse.n = s.n;
    sparse.h = sparse.w = 1;
    sparse.groups = cs_chain_has(chain, CS_STEP_GROUP_NORM) ? group_count(s.groups, key->c_out, index) : 0;
    sparse.eps = 1e-5f;
    convsmith_problem p = cs_problem_in_full(&sparse);
    p.h = extent_for(s.rows, p.stride_h, p.dilation_h, p.kh, p.pad_h, index);
    p.w = extent_for(s.columns, p.stride_w, p.dilation_w, p.kw, p.pad_w, index);
    lay_out(&p, key, info->schedule == CONVSMITH_SCHEDULE_RESIDENT ? 0 : index);
    return p;
}

/* Multiply-adds over whole tiles, in both passes or in both pieces of numbers: what an emulated kernel takes time for.
 */
static int64_t cost(cs_family family, const convsmith_kernel_info *info, int index) {
    const size s = size_of(family, info, index);
    const convsmith_key *key = &info->key;
    return 2 * s.n * s.padded_pixels * round_up(key->c_out, info->tile_c) * key->c_in * key->kh * key->kw /
           at_least_one(key->conv_groups);
}

uint32_t cs_case_selection(cs_family family, const convsmith_kernel_info *info, int64_t budget) {
    uint32_t selected = 0;
    int64_t spent = 0;
    for (int i = 0; i < families[family].cases; i++) {
        const bool always = i < families[family].always;
        const int64_t price = always ? 0 : cost(family, info, i);
        if (spent <= budget - price) {
            selected |= UINT32_C(1) << i;
            spent += price;
        }
    }
    return selected;
}

/* ---- A case ------------------------------------------------------------------------------------------------------ */

static bool allocate(cs_case *c) {
    const convsmith_problem *p = &c->problem;
    const cs_view y = cs_view_y(p);
    c->x_count = p->n * p->c_in * p->h * p->w;
    c->weight_count = p->c_out * (p->c_in / p->conv_groups) * p->kh * p->kw;
    c->y_count = cs_view_count(&y);
    c->x = calloc((size_t)c->x_count, sizeof *c->x);
    c->weight = calloc((size_t)c->weight_count, sizeof *c->weight);
    bool good = c->x && c->weight;
    for (int i = 0; i < c->chain.value_count; i++) {
        c->channels[i] = calloc((size_t)p->c_out, sizeof *c->channels[i]);
        good = good && c->channels[i];
    }
    for (int i = 0; i < c->chain.tensor_count; i++) {
        c->tensors[i] = calloc((size_t)c->y_count, sizeof *c->tensors[i]);
        good = good && c->tensors[i];
    }
    return good;
}

/* The values as elements of a dtype, where the view has them; NULL without memory. */
static void *encode(const float *values, const cs_view *view, convsmith_dtype dtype) {
    const size_t bytes = cs_element_bytes(dtype);
    const int64_t count = cs_view_count(view);
    int64_t extent;
    void *elements = cs_view_extent(view, bytes, &extent) ? malloc((size_t)extent * bytes) : NULL;
    if (!elements)
        return NULL;
    memset(elements, CS_POISON, (size_t)extent * bytes);
    for (int64_t i = 0; i < count; i++)
        store_element((int32_t)dtype, elements, cs_view_place(view, i), values[i]);
    return elements;
}

/* The values of an instance_norm are there in a third of the cases, or one of them alone. */
static bool is_left_out(const cs_chain *chain, int i, int index) {
    return cs_chain_value_step(chain, i)->values_optional && index % 3 == 1 + chain->values[i].index;
}

static bool encode_all(cs_case *c, int index) {
    const convsmith_params strides = cs_case_params(c);
    const cs_view x = cs_view_x(&c->problem), y = cs_view_y(&c->problem),
                  weight = cs_view_weight(&c->problem, &strides),
                  channel = cs_view_nchw((const int64_t[]){1, 1, 1, c->problem.c_out});
    c->elements.x = encode(c->x, &x, c->problem.dtype);
    c->elements.weight = encode(c->weight, &weight, c->params_dtype);
    bool good = c->elements.x && c->elements.weight;
    for (int i = 0; i < c->chain.value_count; i++) {
        if (is_left_out(&c->chain, i, index))
            continue;
        c->elements.channels[i] = encode(c->channels[i], &channel, c->params_dtype);
        good = good && c->elements.channels[i];
    }
    for (int i = 0; i < c->chain.tensor_count; i++) {
        c->elements.tensors[i] = encode(c->tensors[i], &y, c->problem.dtype);
        good = good && c->elements.tensors[i];
    }
    cs_chain_fill_steps(&c->chain, (const void *const *)c->elements.channels, c->constants, c->steps);
    return good;
}

static bool refuse_memory(cs_case *c, cs_message *message) {
    cs_case_destroy(c);
    return cs_refuse(message, "no memory for the case");
}

bool cs_case_create_of(cs_case *c, cs_family family, const cs_subject *subject, int index, uint64_t seed,
                       cs_message *message) {
    *c = (cs_case){.problem = subject->problem, .params_dtype = subject->params_dtype, .spread = 1};
    memcpy(c->weight_strides, subject->weight_strides, sizeof c->weight_strides);
    if (!cs_chain_read(c->problem.epilogue, &c->chain, message))
        return false;
    if (!allocate(c))
        return refuse_memory(c, message);
    cs_random random = {seed + UINT64_C(1000) * (uint64_t)family + (uint64_t)index};
    cs_random_bits(&random);
    cs_fill_constants(c, index);
    families[family].fill(c, index, &random);
    return encode_all(c, index) || refuse_memory(c, message);
}

bool cs_case_create(cs_case *c, cs_family family, const convsmith_kernel_info *info, int index, uint64_t seed,
                    cs_message *message) {
    cs_chain chain;
    *c = (cs_case){0};
    if (!cs_chain_read(info->key.epilogue, &chain, message))
        return false;
    const cs_subject subject = {.problem = make_problem(family, info, &chain, index),
                                .params_dtype = index / 2 % 2 ? info->key.dtype : CONVSMITH_F32};
    return cs_case_create_of(c, family, &subject, index, seed, message);
}

void cs_case_destroy(cs_case *c) {
    free(c->x);
    free(c->weight);
    free(c->elements.x);
    free(c->elements.weight);
    for (int i = 0; i < CS_MAX_VALUES; i++) {
        free(c->channels[i]);
        free(c->elements.channels[i]);
    }
    for (int i = 0; i < CS_MAX_TENSORS; i++) {
        free(c->tensors[i]);
        free(c->elements.tensors[i]);
    }
    *c = (cs_case){0};
}

convsmith_params cs_case_params(const cs_case *c) {
    convsmith_params params = {.weight = c->elements.weight,
                               .steps = c->chain.count ? c->steps : NULL,
                               .step_count = (size_t)c->chain.count,
                               .dtype = c->params_dtype};
    memcpy(params.weight_strides, c->weight_strides, sizeof params.weight_strides);
    return params;
}
