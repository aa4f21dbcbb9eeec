/* SPDX-License-Identifier: Apache-2.0
 *
 * The sizes that resident kernels are checked with: whatever a kernel's shape, the runtime cuts them into bands in
 * every way that it can.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/resident.h"
#include "support/check_case.h"
#include "support/kernel_check.h"
#include "support/view.h"

/* X(what a case can be, when it is so) */
#define FEATURES(X)                                                                                                    \
    X(bands_of_several_rows, c->bands > 1 && c->places > width)                                                        \
    X(bands_within_rows, c->bands > 1 && c->places < w_out)                                                            \
    X(one_band_of_several_rows, c->bands == 1 && h_out > 1)                                                            \
    X(a_shorter_last_band, c->bands > 1 && places % c->places != 0)                                                    \
    X(a_last_band_of_fewer_tiles, places % c->places > 0 && c->places - places % c->places >= TILE)                    \
    X(several_bands_in_turns, c->bands > 1 && p->n > c->lanes)                                                         \
    X(one_band_in_turns, c->bands == 1 && p->n > c->lanes)                                                             \
    X(rows_of_an_odd_number, h_out > 1 && p->w % 2 == 1)                                                               \
    X(bands_in_planes_at_fours, c->bands > 1 && h_out * w_out % 4 == 0)                                                \
    X(bands_off_fours_in_planes_at_fours, c->bands > 1 && h_out * w_out % 4 == 0 && has_band_off_fours(p, c))          \
    X(bands_in_planes_off_fours, c->bands > 1 && h_out * w_out % 4 != 0)                                               \
    X(wider_than_high, h_out > 1 && w_out > h_out)                                                                     \
    X(higher_than_wide, c->bands > 1 && h_out > w_out)                                                                 \
    X(several_parts, c->bands > 1 && c->places > c->part)                                                              \
    X(a_last_band_of_fewer_parts, places % c->places > 0 && c->places - places % c->places >= c->part)                 \
    X(a_shorter_last_part, c->places > c->part && places % c->part < c->part - width)

enum { TILE = 64 };

static int64_t width_of(const convsmith_problem *p) { return p->w + p->pad_w; }

/* Whether some band's first value of a channel is none of every fourth. */
static bool has_band_off_fours(const convsmith_problem *p, const cs_resident *c) {
    const int64_t w_out = cs_problem_w_out(p);
    for (int64_t place = c->places; place < (int64_t)c->bands * c->places; place += c->places) {
        const int64_t column = place % width_of(p);
        if ((place / width_of(p) * w_out + (column < w_out ? column : w_out)) % 4 != 0)
            return true;
    }
    return false;
}

#define BIT(NAME, CONDITION) NAME,
#define TEXT(NAME, CONDITION) #NAME,
#define FIND(NAME, CONDITION) (unsigned)(CONDITION) << NAME |
enum { FEATURES(BIT) FEATURE_COUNT };
static const char *const feature_names[] = {FEATURES(TEXT)};

static unsigned features_of(const convsmith_problem *p, const cs_resident *c) {
    const int64_t h_out = cs_problem_h_out(p), w_out = cs_problem_w_out(p), width = width_of(p);
    const int64_t places = (h_out - 1) * width + w_out;
    return FEATURES(FIND) 0;
}

/* As the generator plans them: those of the least and of the most pixels, planes and fixed bytes. `never`: what has no
 * case, there being none or four places between rows of y, or no room for rows longer than a band, whatever device. */
static const struct {
    int c_in, kh, kw, pad_h, pad_w, c_out, tile_w, planes, fixed_bytes, pitch;
    unsigned never;
} kernels[] = {
    {3, 3, 3, 0, 0, 16, 1024, 1, 5792, 1028, 0},
    {1, 5, 5, 0, 0, 16, 1024, 2, 7328, 1028, 1u << bands_off_fours_in_planes_at_fours | 1u << bands_within_rows},
    {2, 2, 11, 0, 0, 6, 1024, 4, 4256, 1028, 1u << bands_within_rows},
    {10, 3, 3, 0, 0, 8, 1024, 6, 10400, 1028, 1u << bands_within_rows},
    {8, 3, 3, 0, 0, 32, 512, 2, 13472, 516, 0},
    {5, 3, 5, 0, 0, 24, 512, 4, 34976, 516, 1u << bands_off_fours_in_planes_at_fours | 1u << bands_within_rows},
    {8, 3, 3, 0, 0, 64, 256, 4, 45216, 260, 1u << bands_within_rows},
    {32, 1, 1, 0, 0, 64, 256, 16, 24736, 260, 1u << bands_off_fours_in_planes_at_fours},
    {3, 3, 3, 1, 1, 32, 512, 1, 13472, 516, 0},
    {2, 3, 11, 1, 3, 12, 1024, 4, 4256, 1028, 1u << bands_within_rows},
};
/* Bands of these have one part. And one of those with several: */
static const unsigned of_parts = 1u << several_parts | 1u << a_last_band_of_fewer_parts | 1u << a_shorter_last_part;
static const convsmith_kernel kernel_in_parts = {
    .info = {.key = {.c_in = 1,
                     .kh = 5,
                     .kw = 5,
                     .c_out = 16,
                     .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
                     .target = CONVSMITH_TARGET_SM90A},
             .schedule = CONVSMITH_SCHEDULE_RESIDENT,
             .tile_c = 16,
             .tile_h = 1,
             .tile_w = 512},
    .resident = {.planes = 1, .fixed_bytes = 4768, .pitch = 516, .in_parts = true},
};

static convsmith_kernel make_kernel(size_t i) {
    return (convsmith_kernel){
        .info = {.key = {.c_in = kernels[i].c_in,
                         .kh = kernels[i].kh,
                         .kw = kernels[i].kw,
                         .pad_h = kernels[i].pad_h,
                         .pad_w = kernels[i].pad_w,
                         .c_out = kernels[i].c_out,
                         .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
                         .target = CONVSMITH_TARGET_SM90A},
                 .schedule = CONVSMITH_SCHEDULE_RESIDENT,
                 .tile_c = kernels[i].c_out,
                 .tile_h = 1,
                 .tile_w = kernels[i].tile_w},
        .resident = {.planes = kernels[i].planes, .fixed_bytes = kernels[i].fixed_bytes, .pitch = kernels[i].pitch},
    };
}

/* What the cases of a family with a bit in `selection` are on a device, those apart that it refuses. */
static unsigned features_met(const convsmith_kernel *kernel, uint32_t selection, const cs_device_traits *traits) {
    unsigned met = 0;
    for (int i = 0; i < cs_case_count(CS_FAMILY_EXACT); i++) {
        cs_case c;
        cs_resident cut;
        if (!(selection >> i & 1))
            continue;
        assert_true(cs_case_create(&c, CS_FAMILY_EXACT, &kernel->info, i, CS_DEFAULT_SEED, NULL));
        if (cs_resident_fit(kernel, &c.problem, traits, &cut))
            met |= features_of(&c.problem, &cut);
        cs_case_destroy(&c);
    }
    return met;
}

static void expect_met(const convsmith_kernel *kernel, unsigned wanted, int64_t budget, int multiprocessors) {
    const cs_device_traits traits = {.multiprocessors = multiprocessors, .shared_bytes = 227 << 10};
    const uint32_t selection = cs_case_selection(CS_FAMILY_EXACT, &kernel->info, budget);
    const unsigned missed = wanted & ~features_met(kernel, selection, &traits);
    for (int f = 0; f < FEATURE_COUNT; f++)
        if (missed >> f & 1)
            fail_msg("the kernel of %dx%dx%dx%d meets no case with %s", kernel->info.key.c_in, kernel->info.key.kh,
                     kernel->info.key.kw, kernel->info.key.c_out, feature_names[f]);
}

static void expect_all_met(int64_t budget, int multiprocessors) {
    const unsigned all = (1u << FEATURE_COUNT) - 1;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        const convsmith_kernel kernel = make_kernel(i);
        expect_met(&kernel, all & ~of_parts & ~kernels[i].never, budget, multiprocessors);
    }
}

static void every_cut_is_met_at_little_cost(void **state) {
    (void)state;
    expect_all_met(20000000, 3);
}

static void every_cut_is_met_on_a_whole_gpu(void **state) {
    (void)state;
    expect_all_met(INT64_MAX, 132);
}

/* On a device of so few multiprocessors that the cases' bands are too many. */
static void parts_of_bands_are_met(void **state) {
    (void)state;
    expect_met(&kernel_in_parts, of_parts, 20000000, 2);
}

/* The smallest problem of one channel: a single value. */
static void one_pixel_is_among_the_cases(void **state) {
    (void)state;
    const convsmith_kernel kernel = make_kernel(0);
    int found = 0;
    for (int i = 0; i < cs_case_count(CS_FAMILY_EXACT); i++) {
        cs_case c;
        assert_true(cs_case_create(&c, CS_FAMILY_EXACT, &kernel.info, i, CS_DEFAULT_SEED, NULL));
        found += c.problem.h == c.problem.kh && c.problem.w == c.problem.kw;
        cs_case_destroy(&c);
    }
    assert_true(found > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_is_met_at_little_cost),
        cmocka_unit_test(every_cut_is_met_on_a_whole_gpu),
        cmocka_unit_test(parts_of_bands_are_met),
        cmocka_unit_test(one_pixel_is_among_the_cases),
    };
    return cmocka_run_group_tests_name("check_bands", tests, NULL, NULL);
}
