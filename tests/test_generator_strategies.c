/* SPDX-License-Identifier: Apache-2.0
 *
 * Which strategy serves a row, with the real strategies: the first that takes it, of those that the row asks for.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "generator_place.h"
#include "support/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void generate(place *p, const char *manifest) {
    place_write(p, "shapes.lua", manifest);
    place_run(p, (const char *const[]){"--home", TEST_SOURCE_DIR, "--manifest", "shapes.lua", "--out", "out", NULL});
}

static void explain(place *p, const char *manifest) {
    place_write(p, "shapes.lua", manifest);
    place_run(p, (const char *const[]){"--home", TEST_SOURCE_DIR, "--manifest", "shapes.lua", "--explain", NULL});
    place_expect(p, 0);
}

static int occurrences(const char *text, const char *part) {
    int count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

/* Fails the test unless the table that the row generates, one kernel a key, has one for sm80, of this strategy. */
static void expect_alone_on_sm80(place *p, const char *row, const char *strategy) {
    char manifest[400], field[40];
    snprintf(manifest, sizeof manifest, "defaults { candidates = 1 }\n%s", row);
    generate(p, manifest);
    place_expect(p, 0);
    char *table = place_read(p, "out/kernels.inc");
    snprintf(field, sizeof field, ".strategy = \"%s\"", strategy);
    const int good = occurrences(table, "CONVSMITH_TARGET_SM80}") == 1 && occurrences(table, field) == 1;
    if (!good)
        print_error("the kernel for sm80 should be one of %s\n%s\n", strategy, table);
    free(table);
    assert_true(good);
}

/* ---- The order of strategies ------------------------------------------------------------------------------------- */

#define SERVED_BY_BOTH "conv { c_in = 8, kernel = \"3x3\", c_out = 32, epilogue = { \"bias\" }"
#define SERVED_BY_FFMA "conv { c_in = 1, kernel = \"1x1\", c_out = 1, epilogue = { \"bias\" }"

static void the_first_of_several_strategies_serves_the_key(void **state) {
    expect_alone_on_sm80(*state, SERVED_BY_BOTH " }", "mma3");
}

static void the_order_of_strategies_is_not_the_row_s(void **state) {
    expect_alone_on_sm80(*state, SERVED_BY_BOTH ", strategy = { \"ffma\", \"mma3\" } }", "mma3");
}

static void a_strategy_that_the_row_leaves_out_serves_nothing(void **state) {
    expect_alone_on_sm80(*state, SERVED_BY_BOTH ", strategy = { \"ffma\" } }", "ffma");
}

static void the_next_strategy_serves_what_the_first_refuses(void **state) {
    expect_alone_on_sm80(*state, SERVED_BY_FFMA " }", "ffma");
}

static void an_unknown_strategy_is_an_error_that_names_the_known_ones(void **state) {
    place *p = *state;
    generate(p, "\n" SERVED_BY_BOTH ", strategy = { \"mma3\", \"mma4\" } }");
    place_expect_error(p, "shapes.lua:2: error: strategy \"mma4\" is unknown; ",
                       "those for CUDA are resident, resident3, depthwise, wgmma, mma, mma3, mma16, ffma");
    assert_false(place_has(p, "out"));
}

/* The CPU's strategies are chosen when a program runs. */
static void a_strategy_for_the_cpu_cannot_be_asked_for(void **state) {
    place *p = *state;
    generate(p, SERVED_BY_BOTH ", strategy = { \"host_avx2\" } }");
    place_expect_error(p, "shapes.lua:1: error: strategy \"host_avx2\" is unknown; ", "those for CUDA are ");
}

/* ---- Candidates -------------------------------------------------------------------------------------------------- */

/* Fails the test unless the generated table has `first` and, somewhere behind it, `second`; both begin kernels' rows.
 */
static void expect_in_order(place *p, const char *first, const char *second) {
    char *table = place_read(p, "out/kernels.inc");
    const char *at = strstr(table, first);
    const int good = at && strstr(at, second);
    if (!good)
        print_error("%s should come before %s\n%s\n", first, second, table);
    free(table);
    assert_true(good);
}

static void strategies_of_one_key_stand_side_by_side_in_their_order(void **state) {
    place *p = *state;
    generate(p, SERVED_BY_BOTH " }");
    place_expect(p, 0);
    expect_in_order(p, "CS_CUDA_KERNEL(conv_f32_c8_k3x3_o32_b_mma3_sm80,",
                    "CS_CUDA_KERNEL(conv_f32_c8_k3x3_o32_b_ffma_sm80,");
}

static void a_lone_portable_kernel_has_a_smaller_one_beside_it(void **state) {
    place *p = *state;
    generate(p, SERVED_BY_BOTH ", dtype = \"f16\" }");
    place_expect(p, 0);
    expect_in_order(p, "CS_CUDA_KERNEL(conv_f16_c8_k3x3_o32_b_mma16_sm80,",
                    "CS_CUDA_KERNEL(conv_f16_c8_k3x3_o32_b_mma16_small_sm80,");
    explain(p, SERVED_BY_BOTH ", dtype = \"f16\" }");
    assert_non_null(strstr(
        p->output, "    smaller       half of the narrow unit's values a thread: beside the strategy's other kernel"));
}

static void a_stand_in_of_exact_math_needs_no_smaller_kernel(void **state) {
    place *p = *state;
    generate(p, SERVED_BY_BOTH ", math = { \"fp32\", \"tf32\" } }");
    place_expect(p, 0);
    char *table = place_read(p, "out/kernels.inc");
    assert_int_equal(occurrences(table, "\nCS_CUDA_KERNEL("), 3);
    assert_null(strstr(table, "_small_"));
    free(table);
}

static void more_candidates_than_there_can_be_are_an_error(void **state) {
    place *p = *state;
    generate(p, SERVED_BY_BOTH ", candidates = 5 }");
    place_expect_error(p, "shapes.lua:1: error: candidates is 5; ", "it is how many kernels a key may have, 1 to 4");
}

/* ---- Refusals ---------------------------------------------------------------------------------------------------- */

static void a_row_that_nothing_serves_is_an_error_with_the_reason(void **state) {
    place *p = *state;
    generate(p, "\nconv { c_in = 13, kernel = \"15x1\", c_out = 1, math = { \"fp32\" }, schedule = { \"resident\" }, "
                "epilogue = { \"bias\", \"group_norm\" } }");
    place_expect_error(p, "shapes.lua:2: error: no strategy serves dtype f32 with math fp32 and schedule resident",
                       "(resident3: 30 steps are more than the 8 that it has registers for");
}

/* Eight channels are 113 steps of 16 mma. */
static void mma16_refuses_a_row_that_it_has_no_cut_for(void **state) {
    place *p = *state;
    explain(p, "conv { c_in = 13, kernel = \"15x15\", c_out = 1, dilation = \"1x2\", dtype = \"f16\", epilogue = { "
               "\"bias\" } }");
    assert_non_null(strstr(p->output, "conv_f16_c13_k15x15_d1x2_o1_b_host_base"));
    assert_non_null(strstr(p->output, "not planned   mma16: no cut of C_in x K unrolls to 512 mma or fewer and needs"));
    assert_null(strstr(p->output, "_sm80"));
}

static void the_resident_schedule_refuses_what_it_does_not_take(void **state) {
    static const struct {
        const char *fields, *reason;
    } refused[] = {
        {"stride = 2", "it takes no stride of 2x2"},
        {"padding = \"0x3\"", "3 columns of padding are no fewer than the 3 of its kernel"},
        {"dilation = \"2x1\"", "it takes no dilation of 2x1"},
        {"conv_groups = 2", "it takes no conv_groups of 2"},
        {"layout = \"nhwc\"", "it has no kernels for layout nhwc"},
    };
    place *p = *state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char manifest[256];
        snprintf(manifest, sizeof manifest,
                 "conv { c_in = 8, kernel = \"3x3\", c_out = 32, math = { \"tf32\" }, schedule = { \"resident\" }, "
                 "epilogue = { \"sigmoid\", \"group_norm\" }, %s }",
                 refused[i].fields);
        generate(p, manifest);
        place_expect_error(p, "shapes.lua:1: error: no strategy serves dtype f32 with math tf32", refused[i].reason);
    }
}

/* ---- Parameters of a convolution ----------------------------------------------------------------------------------
 */

#define GROUPED(c_in, c_out, groups, more)                                                                             \
    "conv { c_in = " c_in ", kernel = \"3x3\", c_out = " c_out ", conv_groups = " groups                               \
    ", epilogue = { \"bias\" }" more " }"

static void a_channel_of_its_own_for_each_output_is_depthwise(void **state) {
    expect_alone_on_sm80(*state, GROUPED("8", "16", "8", ""), "depthwise");
    expect_alone_on_sm80(*state, GROUPED("8", "8", "8", ", dtype = \"bf16\""), "depthwise");
}

static void groups_of_whole_tiles_are_served_as_other_rows(void **state) {
    expect_alone_on_sm80(*state, GROUPED("16", "64", "2", ""), "mma3");
    expect_alone_on_sm80(*state, GROUPED("16", "64", "2", ", dtype = \"f16\""), "mma16");
    expect_alone_on_sm80(*state, GROUPED("16", "16", "4", ""), "ffma");
}

static void contiguous_channels_are_served_as_contiguous_columns(void **state) {
    static const char row[] =
        "conv { c_in = 16, kernel = \"3x3\", c_out = 32, layout = \"nhwc\", epilogue = { \"bias\" }";
    char manifest[256];
    snprintf(manifest, sizeof manifest, "%s }", row);
    expect_alone_on_sm80(*state, manifest, "mma3");
    snprintf(manifest, sizeof manifest, "%s, dtype = \"f16\" }", row);
    expect_alone_on_sm80(*state, manifest, "mma16");
    snprintf(manifest, sizeof manifest, "%s, conv_groups = 16, dtype = \"bf16\" }", row);
    expect_alone_on_sm80(*state, manifest, "depthwise");
    place *p = *state;
    snprintf(manifest, sizeof manifest, "%s }", row);
    explain(p, manifest);
    assert_non_null(strstr(p->output, "convolution   valid, stride 1, NHWC\n"));
}

static void refusals_of_groups_say_what_does_not_fit(void **state) {
    place *p = *state;
    explain(p, GROUPED("6", "9", "3", ", math = { \"fp32\", \"tf32\" }"));
    assert_non_null(
        strstr(p->output, "not planned   mma3: 3 output channels of a group are no multiple of the 16 of a"));
    assert_non_null(
        strstr(p->output, "not planned   ffma: 3 output channels of a group are no multiple of the 4 that"));
    assert_non_null(strstr(p->output, "not planned   depthwise: it is for groups of one input channel, not of 2"));
}

static void a_patch_that_no_stack_takes_is_refused(void **state) {
    place *p = *state;
    generate(p, "conv { c_in = 2, kernel = \"15x15\", c_out = 2, stride = 64, dilation = 64, math = { \"fp32\" }, "
                "reference = { h = 999, w = 999 }, epilogue = { \"bias\" } }");
    place_expect_error(p, "shapes.lua:1: error: no strategy serves dtype f32 with math fp32", "");
    assert_null(strstr(p->messages, "attempt to"));
}

static void padding_s_price_is_explained(void **state) {
    place *p = *state;
    explain(p,
            "conv { c_in = 8, kernel = \"3x3\", c_out = 16, padding = 1, dtype = \"f16\", epilogue = { \"bias\" } }");
    assert_non_null(strstr(p->output, "convolution   stride 1, padding 1x1; border: zeros are copied to the patch; "));
    assert_non_null(strstr(p->output, "; lines are staged 7 column(s) early, to keep 16-byte copies"));
    explain(p, "conv { c_in = 8, kernel = \"3x3\", c_out = 16, dtype = \"f16\", epilogue = { \"bias\" } }");
    assert_non_null(strstr(p->output, "convolution   valid, stride 1\n"));
    assert_null(strstr(p->output, "border"));
}

/* An exact kernel serves what may be tf32. */
static void a_row_with_an_exact_kernel_alone_is_not_warned_of(void **state) {
    place *p = *state;
    generate(p, GROUPED("8", "8", "8", ", math = { \"fp32\", \"tf32\" }"));
    place_expect(p, 0);
    assert_null(strstr(p->messages, "warning"));
}

/* The CPU's kernels serve the row; that no CUDA kernel does is said, and why. */
static void a_row_without_a_cuda_kernel_is_warned_of(void **state) {
    place *p = *state;
    generate(p, "\nconv { c_in = 8, kernel = \"3x3\", c_out = 8, dtype = \"f16\", strategy = { \"ffma\" }, "
                "epilogue = { \"bias\" } }");
    place_expect(p, 0);
    assert_non_null(strstr(p->messages,
                           "warning: shapes.lua:2: no CUDA kernel of dtype f16 with math fp32 (none of the "
                           "row's schedules and strategies has one)"));
}

static void the_warning_has_the_reason_of_the_strategy_that_takes_the_most(void **state) {
    place *p = *state;
    generate(p, GROUPED("12", "12", "3", ", dtype = \"f16\""));
    place_expect(p, 0);
    assert_non_null(strstr(p->messages,
                           "no CUDA kernel of dtype f16 with math fp32 (mma16: 4 output channels of a group "
                           "are no multiple of the 16 of a product)"));
}

static void a_row_with_its_cuda_kernels_is_not_warned_of(void **state) {
    place *p = *state;
    generate(p, SERVED_BY_BOTH " }");
    place_expect(p, 0);
    assert_null(strstr(p->messages, "warning"));
}

/* Few channels as often as many, and the most that there can be. */
static int channels(cs_random *random) {
    const int most[] = {960, 32, 4};
    const int kind = (int)cs_random_whole(random, 0, 3);
    return kind < 3 ? (int)cs_random_whole(random, 0, most[kind]) : 960;
}

/* The default in most rows. */
static int parameter(cs_random *random, int least) {
    return cs_random_whole(random, 0, 3) ? least : (int)cs_random_whole(random, least, 7);
}

enum { ROWS = 60, ROW_SIZE = 200 };

static void write_rows(char *text, size_t room, cs_random *random) {
    int used = snprintf(text, room,
                        "defaults { dtype = { \"f32\", \"f16\", \"bf16\" }, math = { \"fp32\", \"tf32\" }, schedule = "
                        "{ \"recompute\", \"resident\" }, epilogue = { \"bias\", \"sigmoid\", \"group_norm\" } }\n");
    for (int i = 0; i < ROWS; i++) {
        const int side = (int)cs_random_whole(random, 100, 600);
        const int groups = (int)cs_random_whole(random, 0, 1) ? 1 : (int)cs_random_whole(random, 1, 64);
        used += snprintf(
            text + used, room - (size_t)used,
            "conv { c_in = %d * %d, kernel = \"%dx%d\", c_out = %d * %d, conv_groups = %d, stride = \"%dx%d\", "
            "padding = \"%dx%d\", dilation = \"%dx%d\", reference = { n = %d, h = %d, w = %d } }\n",
            channels(random) / groups + 1, groups, (int)cs_random_whole(random, 1, 15),
            (int)cs_random_whole(random, 1, 15), channels(random) / groups + 1, groups, groups, parameter(random, 1),
            parameter(random, 1), parameter(random, 0), parameter(random, 0), parameter(random, 1),
            parameter(random, 1), i + 1, side, side);
        assert_true((size_t)used < room);
    }
}

static void every_shape_is_served_or_refused(void **state) {
    cs_random random = {20};
    static char manifest[ROWS * ROW_SIZE];
    write_rows(manifest, sizeof manifest, &random);
    explain(*state, manifest);
}

/* ---- What each GPU makes of it ----------------------------------------------------------------------------------- */

static void explain_on(place *p, const char *arch) {
    place_run(p, (const char *const[]){"--home", TEST_SOURCE_DIR, "--manifest", "shapes.lua", "--explain", "--arch",
                                       arch, NULL});
}

static void every_profile_can_be_explained_for(void **state) {
    place *p = *state;
    place_write(p, "shapes.lua", SERVED_BY_BOTH ", candidates = 1 }");
    explain_on(p, "none");
    place_expect_error(p, "convsmith-gen: error: --arch none is unknown; the profiles are a100, ", "h200, ");
    char names[256], line[64];
    const char *listed = strstr(p->messages, "profiles are ") + strlen("profiles are ");
    assert_true(snprintf(names, sizeof names, "%s", listed) < (int)sizeof names);
    for (const char *name = strtok(names, ", \n"); name; name = strtok(NULL, ", \n")) {
        explain_on(p, name);
        place_expect(p, 0);
        snprintf(line, sizeof line, "\n    %-13s ", name);
        if (occurrences(p->output, line) != 1 || !strstr(p->output, " floor 0."))
            fail_msg("it should say what %s makes of the kernel, it says: %s", name, p->output);
    }
}

int main(void) {
#define IN_A_PLACE(test) cmocka_unit_test_setup_teardown(test, place_create, place_destroy)
    static const struct CMUnitTest tests[] = {
        IN_A_PLACE(the_first_of_several_strategies_serves_the_key),
        IN_A_PLACE(the_order_of_strategies_is_not_the_row_s),
        IN_A_PLACE(a_strategy_that_the_row_leaves_out_serves_nothing),
        IN_A_PLACE(the_next_strategy_serves_what_the_first_refuses),
        IN_A_PLACE(an_unknown_strategy_is_an_error_that_names_the_known_ones),
        IN_A_PLACE(a_strategy_for_the_cpu_cannot_be_asked_for),
        IN_A_PLACE(strategies_of_one_key_stand_side_by_side_in_their_order),
        IN_A_PLACE(a_lone_portable_kernel_has_a_smaller_one_beside_it),
        IN_A_PLACE(a_stand_in_of_exact_math_needs_no_smaller_kernel),
        IN_A_PLACE(more_candidates_than_there_can_be_are_an_error),
        IN_A_PLACE(a_row_that_nothing_serves_is_an_error_with_the_reason),
        IN_A_PLACE(mma16_refuses_a_row_that_it_has_no_cut_for),
        IN_A_PLACE(the_resident_schedule_refuses_what_it_does_not_take),
        IN_A_PLACE(a_channel_of_its_own_for_each_output_is_depthwise),
        IN_A_PLACE(groups_of_whole_tiles_are_served_as_other_rows),
        IN_A_PLACE(contiguous_channels_are_served_as_contiguous_columns),
        IN_A_PLACE(refusals_of_groups_say_what_does_not_fit),
        IN_A_PLACE(a_patch_that_no_stack_takes_is_refused),
        IN_A_PLACE(padding_s_price_is_explained),
        IN_A_PLACE(a_row_with_an_exact_kernel_alone_is_not_warned_of),
        IN_A_PLACE(a_row_without_a_cuda_kernel_is_warned_of),
        IN_A_PLACE(the_warning_has_the_reason_of_the_strategy_that_takes_the_most),
        IN_A_PLACE(a_row_with_its_cuda_kernels_is_not_warned_of),
        IN_A_PLACE(every_shape_is_served_or_refused),
        IN_A_PLACE(every_profile_can_be_explained_for),
    };
    return cmocka_run_group_tests_name("strategies", tests, NULL, NULL);
}
