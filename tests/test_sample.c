/* SPDX-License-Identifier: Apache-2.0
 *
 * The samples that all kernels are checked with: problems that can be, of every kind, and no larger than is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/reference.h"
#include "support/sample.h"
#include "support/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLES = 400 };

static const cs_sampling plain = {.seed = CS_DEFAULT_SEED}, small = {.seed = CS_DEFAULT_SEED, .is_small = true};

/* ---- One by one -------------------------------------------------------------------------------------------------- */

static void the_same_seed_and_number_are_the_same_sample(void **state) {
    (void)state;
    const cs_sampling other = {.seed = CS_DEFAULT_SEED + 1};
    int differ = 0;
    for (int i = 0; i < SAMPLES; i++) {
        cs_sample a, b, c;
        cs_sample_draw(&a, &plain, i);
        cs_sample_draw(&b, &plain, i);
        cs_sample_draw(&c, &other, i);
        assert_string_equal(cs_sample_describe(&a).text, cs_sample_describe(&b).text);
        assert_true(a.seed == b.seed);
        differ += strcmp(cs_sample_describe(&a).text, cs_sample_describe(&c).text) != 0;
    }
    assert_true(differ > SAMPLES * 9 / 10);
}

/* By the library's own checks, too, which refuse a y whose elements overlap. */
static void expect_valid(const cs_sampling *from, int64_t index) {
    cs_sample s;
    cs_sample_draw(&s, from, index);
    const convsmith_problem *p = &s.subject.problem;
    cs_reference reference;
    cs_message message = {""};
    cs_chain chain;
    convsmith_plan *plan;
    assert_true(cs_chain_read(p->epilogue, &chain, &message));
    const convsmith_params params = {.step_count = (size_t)chain.count};
    if (!cs_reference_init(&reference, p, &params, NULL, &message))
        fail_msg("sample %" PRId64 ": %s", index, message.text);
    const convsmith_status status = convsmith_plan_create(&plan, p, (convsmith_device){CONVSMITH_DEVICE_CPU, 0});
    convsmith_plan_destroy(plan);
    if (status != CONVSMITH_OK && status != CONVSMITH_NO_KERNEL)
        fail_msg("sample %" PRId64 ", %s: %s", index, cs_sample_describe(&s).text, convsmith_detail());
}

static void every_sample_is_a_problem_that_can_be(void **state) {
    (void)state;
    for (int i = 0; i < 5 * SAMPLES; i++) {
        expect_valid(&plain, i);
        expect_valid(&small, i);
    }
}

static void small_samples_are_small(void **state) {
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        cs_sample s;
        cs_sample_draw(&s, &small, i);
        const convsmith_problem *p = &s.subject.problem;
        const cs_view y = cs_view_y(p);
        if (cs_view_count(&y) > 5000 || cs_view_count(&y) * p->c_in / p->conv_groups * p->kh * p->kw > 200000)
            fail_msg("sample %d is large: %s", i, cs_sample_describe(&s).text);
    }
}

/* Its numbers are what is asked for first, and nothing is cut off. */
static void words_have_all_of_a_sample(void **state) {
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        cs_sample s;
        char end[32];
        cs_sample_draw(&s, &plain, i);
        const cs_sample_words words = cs_sample_describe(&s);
        snprintf(end, sizeof end, ", aligned to %zu", s.alignment);
        assert_non_null(strstr(words.text, s.name.text));
        assert_string_equal(words.text + strlen(words.text) - strlen(end), end);
        assert_null(strchr(words.text, '\n'));
    }
}

/* ---- All together ------------------------------------------------------------------------------------------------ */

static bool is_depthwise(const convsmith_problem *p) { return p->conv_groups > 1 && p->conv_groups == p->c_in; }

static bool has_layout(const cs_view *v, int fastest) { return v->strides[fastest] == 1 && v->sizes[fastest] > 1; }

static bool is_expanded(const cs_view *v) {
    for (int i = 0; i < 4; i++)
        if (v->strides[i] == 0 && v->sizes[i] > 1)
            return true;
    return false;
}

/* Of the table's shapes. */
static bool has_row(const convsmith_problem *p) {
    for (size_t i = 0; i < convsmith_table_size(NULL); i++) {
        const convsmith_key *key = &convsmith_kernel_get_info(convsmith_table_at(NULL, i))->key;
        if (key->c_in == p->c_in && key->c_out == p->c_out && key->kh == p->kh &&
            strcmp(key->epilogue, p->epilogue) == 0)
            return true;
    }
    return false;
}

/* X(what is met, the condition, in so many samples of 400 at least) */
#define KINDS(X)                                                                                                       \
    X(stride, p->stride_h > 1 || p->stride_w > 1, 40)                                                                  \
    X(uneven_stride, p->stride_h != p->stride_w, 5)                                                                    \
    X(padding, p->pad_h > 0 && p->pad_w > 0, 60)                                                                       \
    X(uneven_padding, p->pad_h != p->pad_w, 10)                                                                        \
    X(dilation, p->dilation_h > 1 || p->dilation_w > 1, 30)                                                            \
    X(depthwise, is_depthwise(p), 10)                                                                                  \
    X(groups, p->conv_groups > 1 && !is_depthwise(p), 20)                                                              \
    X(flat_kernel, p->kh == 1 && p->kw == 1, 10)                                                                       \
    X(many_channels, p->c_in > 70 || p->c_out > 70, 10)                                                                \
    X(several_samples, p->n > 1, 30)                                                                                   \
    X(tf32, p->math == CONVSMITH_MATH_TF32, 40)                                                                        \
    X(f16, p->dtype == CONVSMITH_F16, 60)                                                                              \
    X(bf16, p->dtype == CONVSMITH_BF16, 60)                                                                            \
    X(narrow_parameters, s.subject.params_dtype != CONVSMITH_F32, 60)                                                  \
    X(unaligned, s.alignment == 1, 100)                                                                                \
    X(contiguous, cs_view_is_contiguous(&x) && cs_view_is_contiguous(&y), 40)                                          \
    X(channels_last, has_layout(&x, 1) && has_layout(&y, 1), 20)                                                       \
    X(crop, has_layout(&x, 3) && !cs_view_is_contiguous(&x), 40)                                                       \
    X(expanded, is_expanded(&x), 10)                                                                                   \
    X(strided_y, !has_layout(&y, 3) && !has_layout(&y, 1), 10)                                                         \
    X(strided_weight, s.subject.weight_strides[0] + s.subject.weight_strides[1] > 0, 60)                               \
    X(row_of_the_table, has_row(p), 60)                                                                                \
    X(normalisation, chain.normalisation >= 0, 100)                                                                    \
    X(long_chain, chain.count >= 6, 30)                                                                                \
    X(no_chain, chain.count == 0, 10)

#define COUNTER(KIND, CONDITION, LEAST) int KIND;
typedef struct counts {
    KINDS(COUNTER)
    int steps[CS_STEP_COUNT], families[CS_FAMILY_COUNT];
} counts;

static counts count_all(const cs_sampling *from) {
    counts found = {0};
    for (int i = 0; i < SAMPLES; i++) {
        cs_sample s;
        cs_chain chain;
        cs_sample_draw(&s, from, i);
        const convsmith_problem *p = &s.subject.problem;
        const cs_view x = cs_view_x(p), y = cs_view_y(p);
        assert_true(cs_chain_read(p->epilogue, &chain, NULL));
#define COUNT(KIND, CONDITION, LEAST) found.KIND += (CONDITION);
        KINDS(COUNT)
        found.families[s.family]++;
        for (int k = 0; k < chain.count; k++)
            found.steps[chain.steps[k].step]++;
    }
    return found;
}

static void every_kind_is_met(void **state) {
    (void)state;
    const cs_sampling *const from[] = {&plain, &small};
    for (int i = 0; i < 2; i++) {
        const counts found = count_all(from[i]);
#define EXPECT(KIND, CONDITION, LEAST)                                                                                 \
    if (found.KIND < (LEAST))                                                                                          \
        fail_msg("%s: %d samples of " #KIND, i ? "small" : "plain", found.KIND);
        KINDS(EXPECT)
        for (int step = 0; step < CS_STEP_COUNT; step++)
            if (found.steps[step] < 3)
                fail_msg("%d samples have %s", found.steps[step], cs_step_get_info((cs_step)step)->name);
        for (int family = 0; family < CS_FAMILY_COUNT; family++)
            if (found.families[family] < 8)
                fail_msg("%d samples are %s", found.families[family], cs_family_name((cs_family)family));
    }
}

static void a_sample_without_a_kernel_is_skipped_with_the_reason(void **state) {
    (void)state;
    const cs_sampling nowhere = {.seed = 1, .device = {CONVSMITH_DEVICE_CUDA, 99}};
    cs_message message = {""};
    const convsmith_kernel *kernel;
    assert_int_equal(cs_sample_check(&nowhere, 0, &kernel, &message), CS_SKIPPED);
    assert_null(kernel);
    assert_true(strlen(message.text) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_and_number_are_the_same_sample),
        cmocka_unit_test(every_sample_is_a_problem_that_can_be),
        cmocka_unit_test(small_samples_are_small),
        cmocka_unit_test(words_have_all_of_a_sample),
        cmocka_unit_test(every_kind_is_met),
        cmocka_unit_test(a_sample_without_a_kernel_is_skipped_with_the_reason),
    };
    return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
