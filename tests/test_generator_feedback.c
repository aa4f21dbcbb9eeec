/* SPDX-License-Identifier: Apache-2.0
 *
 * What convsmith-gen --feedback makes of what ptxas says, with the real strategies: a kernel that spills is planned
 * smaller, step by step; the record keeps that.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "generator_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL "conv_f32_c8_k3x3_o32_b_ffma_sm80"
#define KERNEL_FILE "out/kernels/" KERNEL ".cuh"

static const char manifest[] = "conv { c_in = 8, kernel = \"3x3\", c_out = 32, epilogue = { \"bias\" } }\n";
/* Its sm80 kernel is of ffma, which has three register tiles. */
static const char ffma_manifest[] =
    "conv { c_in = 8, kernel = \"3x3\", c_out = 32, epilogue = { \"bias\" }, strategy = { \"ffma\" } }\n";

static void run(place *p, const char *feedback, const char *more) {
    const char *arguments[12] = {"--home", TEST_SOURCE_DIR, "--manifest", "shapes.lua", "--out", "out"};
    int count = 6;
    if (feedback) {
        place_write(p, "said.ptxas", feedback);
        arguments[count++] = "--feedback";
        arguments[count++] = "said.ptxas";
    }
    arguments[count] = more;
    place_run(p, arguments);
}

#define RESIDENT "conv_f32_c8_k3x3_o32_bsg_resident_sm90a"
static const char resident_manifest[] =
    "conv { c_in = 8, kernel = \"3x3\", c_out = 32, schedule = { \"resident\" }, math = { \"tf32\" }, "
    "epilogue = { \"bias\", \"sigmoid\", \"group_norm\" } }\n";

/* What ptxas says of a function. */
#define SAID(name, arch, figures)                                                                                      \
    "ptxas info    : Compiling entry function '" name "' for '" arch "'\n"                                             \
    "ptxas info    : Function properties for " name "\n" figures
#define GOOD                                                                                                           \
    "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"                                             \
    "ptxas info    : Used 96 registers, used 1 barriers, 1024 bytes smem, 360 bytes cmem[0]\n"
#define SPILLING                                                                                                       \
    "    48 bytes stack frame, 48 bytes spill stores, 52 bytes spill loads\n"                                          \
    "ptxas info    : Used 168 registers, used 1 barriers, 48 bytes cumulative stack size, 360 bytes cmem[0]\n"

static void expect_in(const place *p, const char *name, const char *words, int wanted) {
    char *text = place_read(p, name);
    const int good = (strstr(text, words) != NULL) == wanted;
    if (!good)
        print_error("%s should %shave \"%s\":\n%s\n", name, wanted ? "" : "not ", words, text);
    free(text);
    assert_true(good);
}

/* A place with the kernels of a manifest, and what ptxas says of them taken in. */
static place *generated(void **state, const char *shapes, const char *said) {
    place *p = *state;
    place_write(p, "shapes.lua", shapes);
    run(p, NULL, NULL);
    place_expect(p, 0);
    run(p, said, NULL);
    place_expect(p, 0);
    return p;
}

static void a_kernel_that_spills_is_planned_smaller(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", SPILLING));
    expect_in(p, KERNEL_FILE, "Tile        4 channels", 1);
    assert_non_null(strstr(p->output, "1 kernel(s) re-planned"));
}

static void the_kernel_and_explain_say_what_was_changed_and_why(void **state) {
    static const char words[] = "a register tile of 4 rows x 4 channels, since ptxas has 48 bytes of spill stores and "
                                "52 of loads on sm_89";
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", SPILLING));
    expect_in(p, KERNEL_FILE, words, 1);
    run(p, NULL, "--explain");
    place_expect(p, 0);
    assert_non_null(strstr(p->output, words));
}

static void a_spill_on_any_architecture_counts(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", GOOD) SAID(KERNEL, "sm_90a", SPILLING));
    expect_in(p, KERNEL_FILE, "Re-planned", 1);
}

static void a_spill_of_any_function_of_the_kernel_counts(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", GOOD) SAID(KERNEL "_merge", "sm_89", SPILLING));
    expect_in(p, KERNEL_FILE, "Re-planned", 1);
}

static void a_stack_counts(void **state) {
    place *p = generated(state, ffma_manifest,
                         SAID(KERNEL, "sm_89",
                              "    16 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
                              "ptxas info    : Used 96 registers\n"));
    expect_in(p, KERNEL_FILE, "since ptxas has 16 bytes of stack on sm_89", 1);
}

static void too_much_shared_memory_counts(void **state) {
    place *p = generated(state, ffma_manifest,
                         SAID(KERNEL, "sm_89", "ptxas info    : Used 96 registers, 102400 bytes smem\n"));
    expect_in(p, KERNEL_FILE, "bytes of shared memory on sm_89, more than 101376", 1);
}

/* Half as many channels of a register tile need as much of it: that step is left out. */
static void where_shared_memory_is_short_a_step_leaves_more_of_it(void **state) {
    place *p = generated(state, ffma_manifest,
                         SAID(KERNEL, "sm_89", "ptxas info    : Used 96 registers, 102400 bytes smem\n"));
    expect_in(p, "out/resources.lua", "{ \"half_rows\", ", 1);
    expect_in(p, "out/resources.lua", "half_channels", 0);
}

static void what_ptxas_remarks_of_products_counts(void **state) {
    place *p = generated(
        state, resident_manifest,
        SAID(RESIDENT, "sm_90a",
             "ptxas info    : Used 128 registers\n") "ptxas info    : (C7517) Potential Performance Loss: wgmma"
                                                     " in function '" RESIDENT "'\n");
    expect_in(p, "out/resources.lua", "a remark (C7517) on its products", 1);
}

static void a_good_kernel_stays_as_it_is(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", GOOD));
    expect_in(p, KERNEL_FILE, "Re-planned", 0);
    expect_in(p, "out/resources.lua", "sm_89 = { registers = 96, shared = 1024 }", 1);
}

static void figures_of_another_text_are_not_kept(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", GOOD));
    place_write(p, "out/resources.lua",
                "-- Generated by convsmith-gen\nreturn { " KERNEL
                " = { text = \"0\", sm_89 = { registers = 96 } } }\n");
    run(p, NULL, NULL);
    place_expect(p, 0);
    assert_false(place_has(p, "out/resources.lua"));
}

static void a_plan_stays_smaller_without_feedback(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", SPILLING));
    run(p, NULL, NULL);
    place_expect(p, 0);
    expect_in(p, KERNEL_FILE, "Re-planned", 1);
    run(p, NULL, "--check");
    place_expect(p, 0);
}

static void a_kernel_that_still_spills_goes_one_step_further(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", SPILLING));
    run(p, SAID(KERNEL, "sm_89", SPILLING), NULL);
    place_expect(p, 0);
    expect_in(p, KERNEL_FILE, "a register tile of 2 rows x 4 channels", 1);
}

/* Both kernels have taken it, each for a reason of its own. */
static void a_step_of_a_smaller_kernel_is_told_once(void **state) {
    static const char kernel[] = "conv_f16_c64_k3x3_o32_b_mma16", words[] = "half of the narrow unit's values a thread";
    char record[512];
    place *p = *state;
    snprintf(record, sizeof record,
             "-- Generated by convsmith-gen\n"
             "local reliefs = { { \"half_values\", \"so\" } }\n"
             "return { %s_sm80 = { reliefs = reliefs }, %s_small_sm80 = { reliefs = reliefs } }\n",
             kernel, kernel);
    place_write(p, "shapes.lua",
                "conv { c_in = 64, kernel = \"3x3\", c_out = 32, epilogue = { \"bias\" }, dtype = \"f16\" }\n");
    place_write(p, "out/resources.lua", record);
    run(p, NULL, NULL);
    place_expect(p, 0);
    char *text = place_read(p, "out/kernels/conv_f16_c64_k3x3_o32_b_mma16_small_sm80.cuh");
    char *first = strstr(text, words);
    const int times = first ? 1 + (strstr(first + 1, words) != NULL) : 0;
    free(text);
    assert_int_equal(times, 1);
}

/* The plan of a smaller kernel has the step by which it is smaller and those of the kernel beside it, too. */
static void of_a_smaller_kernel_the_step_of_its_own_is_told(void **state) {
    place *p =
        generated(state, "conv { c_in = 64, kernel = \"3x3\", c_out = 32, epilogue = { \"bias\" }, dtype = \"f16\" }\n",
                  SAID("conv_f16_c64_k3x3_o32_b_mma16_sm80", "sm_89", SPILLING)
                      SAID("conv_f16_c64_k3x3_o32_b_mma16_small_sm80", "sm_89", SPILLING));
    expect_in(p, "out/resources.lua", "mma16_small_sm80 = {\n        reliefs = {\n            { \"late_weights\", ", 1);
    assert_non_null(strstr(p->output,
                           "mma16_small_sm80: a chunk's first weights brought when its inputs are there, not "
                           "before, since ptxas has 48 bytes of spill stores and 52 of loads on sm_89\n"));
    assert_null(strstr(p->output, "nil"));
}

/* It had a step left, but the kernel that it stood beside has none, and leaves its row to another strategy. */
static void a_smaller_kernel_that_goes_with_the_one_beside_it_is_told(void **state) {
    place *p = *state;
    place_write(
        p, "shapes.lua",
        "conv { c_in = 3, kernel = \"3x3\", c_out = 16, epilogue = { \"bias\" }, math = { \"tf32\", \"fp32\" }, "
        "strategy = { \"mma\" } }\n");
    place_write(p, "out/resources.lua",
                "-- Generated by convsmith-gen\n"
                "return { conv_f32_c3_k3x3_o16_b_mma_sm80 = { reliefs = { { \"least_values\", \"so\" } } } }\n");
    run(p, NULL, NULL);
    run(p,
        SAID("conv_f32_c3_k3x3_o16_b_mma_sm80", "sm_89", "ptxas info    : Used 96 registers, 252400 bytes smem\n")
            SAID("conv_f32_c3_k3x3_o16_b_mma_small_sm80", "sm_89", SPILLING),
        NULL);
    place_expect(p, 0);
    assert_non_null(strstr(p->output, "mma_small_sm80: planned no more, since its row's other kernels are planned "));
}

static void at_the_end_of_its_steps_another_strategy_serves(void **state) {
    place *p = generated(state, manifest, SAID("conv_f32_c8_k3x3_o32_b_mma3_sm80", "sm_89", SPILLING));
    for (int i = 0; i < 8 && place_has(p, "out/kernels/conv_f32_c8_k3x3_o32_b_mma3_sm80.cuh"); i++)
        run(p, SAID("conv_f32_c8_k3x3_o32_b_mma3_sm80", "sm_89", SPILLING), NULL);
    place_expect(p, 0);
    expect_in(p, KERNEL_FILE, "Strategy    ffma", 1);
    run(p, NULL, NULL); /* the record remembers a kernel that there is no more */
    place_expect(p, 0);
    assert_true(place_has(p, KERNEL_FILE));
}

/* ---- The strategies' ladders ------------------------------------------------------------------------------------- */

typedef struct ladder {
    const char *row, *kernel, *arch;
    const char *steps[7]; /* NULL-ended */
} ladder;

/* Their row, and the steps that make a difference there. */
static const ladder ladders[] = {
    {"conv { c_in = 8, kernel = \"3x3\", c_out = 32, epilogue = { \"bias\" }, strategy = { \"ffma\" } }\n",
     "conv_f32_c8_k3x3_o32_b_ffma_sm80",
     "sm_89",
     {"half_channels", "half_rows"}},
    {"conv { c_in = 3, kernel = \"3x3\", c_out = 16, epilogue = { \"bias\" }, math = { \"tf32\", \"fp32\" } }\n",
     "conv_f32_c3_k3x3_o16_b_mma_sm80",
     "sm_89",
     {"two_blocks", "weights_from_l1", "late_weights", "half_values", "least_values"}},
    {"conv { c_in = 16, kernel = \"3x3\", c_out = 32, epilogue = { \"bias\" }, strategy = { \"mma3\" } }\n",
     "conv_f32_c16_k3x3_o32_b_mma3_sm80",
     "sm_89",
     {"late_weights", "narrow_unit", "half_values", "least_values"}},
    {"conv { c_in = 64, kernel = \"3x3\", c_out = 32, epilogue = { \"bias\" }, dtype = \"f16\" }\n",
     "conv_f16_c64_k3x3_o32_b_mma16_sm80",
     "sm_89",
     {"late_weights", "half_values", "least_values"}},
    {"conv { c_in = 32, kernel = \"5x5\", c_out = 32, conv_groups = 32, epilogue = { \"bias\" } }\n",
     "conv_f32_c32_k5x5_g32_o32_b_depthwise_sm80",
     "sm_89",
     {"half_blocks", "two_blocks", "half_rows", "quarter_rows", "taps_from_l1"}},
    {"conv { c_in = 64, kernel = \"3x3\", c_out = 64, conv_groups = 64, layout = \"nhwc\", dtype = \"f16\", "
     "epilogue = { \"bias\" } }\n",
     "conv_f16_c64_k3x3_g64_o64_nhwc_b_depthwise_sm80",
     "sm_89",
     {"half_rows", "taps_from_l1"}},
    {"conv { c_in = 64, kernel = \"3x3\", c_out = 128, epilogue = { \"bias\" }, math = { \"tf32\" }, "
     "schedule = { \"stored\", \"recompute\" } }\n",
     "conv_f32_c64_k3x3_o128_b_wgmma_sm90a",
     "sm_90a",
     {"columns_128", "columns_64"}},
    {"conv { c_in = 8, kernel = \"3x3\", c_out = 32, epilogue = { \"bias\", \"sigmoid\", \"group_norm\" }, "
     "math = { \"tf32\" }, schedule = { \"resident\", \"recompute\" } }\n",
     "conv_f32_c8_k3x3_o32_bsg_resident_sm90a",
     "sm_90a",
     {"places_by_tile", "constants_from_shared", "half_loads", "half_tiles"}},
};

static void say_that_it_spills(place *p, const ladder *l) {
    char text[1024];
    snprintf(text, sizeof text, SAID("%s", "%s", SPILLING), l->kernel, l->arch, l->kernel);
    run(p, text, NULL);
    place_expect(p, 0);
}

/* A kernel that always spills takes these steps, one a round, and is then left to the next strategy, or to none. */
static void expect_steps(place *p, const ladder *l) {
    char file[300], words[64];
    snprintf(file, sizeof file, "out/kernels/%s.cuh", l->kernel);
    place_write(p, "shapes.lua", l->row);
    run(p, NULL, NULL);
    for (size_t i = 0; l->steps[i]; ++i) {
        say_that_it_spills(p, l);
        snprintf(words, sizeof words, "{ \"%s\", \"ptxas has 48 bytes", l->steps[i]);
        expect_in(p, "out/resources.lua", words, 1);
        expect_in(p, file, "Re-planned  ", 1);
    }
    say_that_it_spills(p, l);
    assert_non_null(strstr(p->output, "left to the next strategy"));
    assert_false(place_has(p, file));
    expect_in(p, "out/resources.lua", "refused = \"ptxas has 48 bytes", 1);
}

static void every_strategy_has_steps_and_an_end_of_them(void **state) {
    for (size_t i = 0; i < sizeof ladders / sizeof ladders[0]; i++)
        expect_steps(*state, &ladders[i]);
}

/* ---- Bad input --------------------------------------------------------------------------------------------------- */

static void what_is_said_of_other_kernels_is_an_error(void **state) {
    place *p = *state;
    place_write(p, "shapes.lua", manifest);
    run(p, SAID("conv_f32_c9_k3x3_o32_b_ffma_sm80", "sm_89", GOOD), NULL);
    place_expect_error(p, "convsmith-gen: error: said.ptxas tells of no kernel of this manifest",
                       "what nvcc says of them with -Xptxas -v");
    assert_false(place_has(p, "out"));
}

static void a_listing_that_is_cut_off_is_an_error(void **state) {
    place *p = *state;
    place_write(p, "shapes.lua", ffma_manifest);
    run(p, SAID(KERNEL, "sm_89", "    48 bytes stack frame, 48 bytes spill stores"), NULL);
    place_expect_error(p, "convsmith-gen: error: said.ptxas tells of no kernel of this manifest", "-Xptxas -v");
}

#define SMALL "conv_f32_c8_k3x3_o32_b_ffma_small_sm80"

static void how_much_the_listing_tells_is_told(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", GOOD) SAID(SMALL, "sm_89", GOOD));
    assert_string_equal(p->output, "0 kernel(s) re-planned; said.ptxas tells of 2 of 2 CUDA kernels, on sm_89\n");
    assert_string_equal(p->messages, "");
}

static void a_listing_that_lacks_kernels_is_warned_of(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", GOOD) SAID(SMALL, "sm_89", ""));
    assert_string_equal(p->output, "0 kernel(s) re-planned; said.ptxas tells of 1 of 2 CUDA kernels, on sm_89\n");
    assert_string_equal(p->messages, "convsmith-gen: warning: said.ptxas tells of 1 of 2 CUDA kernels, on sm_89, and "
                                     "not of " SMALL " on sm_89; is it cut off?\n");
}

static void a_listing_that_lacks_an_architecture_of_a_kernel_is_warned_of(void **state) {
    place *p = generated(state, ffma_manifest,
                         SAID(KERNEL, "sm_89", GOOD) SAID(SMALL, "sm_89", GOOD) SAID(KERNEL, "sm_90a", GOOD));
    assert_string_equal(p->messages, "convsmith-gen: warning: said.ptxas tells of 2 of 2 CUDA kernels, on sm_89, "
                                     "sm_90a, and not of " SMALL " on sm_90a; is it cut off?\n");
}

/* A build for one architecture has nothing of kernels that others run alone. */
static void a_kernel_that_no_architecture_of_the_listing_runs_is_not_warned_of(void **state) {
    place *p = generated(state,
                         "conv { c_in = 8, kernel = \"3x3\", c_out = 32, schedule = { \"resident\", \"recompute\" }, "
                         "math = { \"tf32\" }, epilogue = { \"bias\", \"sigmoid\", \"group_norm\" } }\n",
                         SAID("conv_f32_c8_k3x3_o32_bsg_mma_sm80", "sm_89", GOOD)
                             SAID("conv_f32_c8_k3x3_o32_bsg_mma_small_sm80", "sm_89", GOOD));
    assert_string_equal(p->output, "0 kernel(s) re-planned; said.ptxas tells of 2 of 3 CUDA kernels, on sm_89\n");
    assert_string_equal(p->messages, "");
}

/* A number beyond 64 bits is none. */
static void figures_that_cannot_be_are_passed_over(void **state) {
    place *p = generated(state, ffma_manifest,
                         SAID(KERNEL, "sm_89",
                              "    99999999999999999999 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
                              "ptxas info    : Used 96 registers, 99999999999999999999 bytes smem\n"));
    expect_in(p, "out/resources.lua", "sm_89 = { registers = 96 }", 1);
}

static void a_file_that_is_no_record_is_an_error(void **state) {
    static const char *const files[][2] = {
        {"return 7", "it returns no table"},
        {"return", "it returns nothing"},
        {"return nothing", "it returns nothing"},
        {"-- Generated by convsmith-gen --feed", "it returns nothing"},
        {"\n", "it returns nothing"},
        {"return { {} }", "it has what has no name"},
        {"return { [{}] = {} }", "it has what has no name"},
        {"return { [\"a\\n\"] = {} }", "it has what has no name"},
        {"return { [\"" KERNEL " = {}, b\"] = {} }", " is no kernel's name"},
        {"return { [\"end\"] = {} }", "\"end\" is no kernel's name"}, /* what is written would be no Lua */
        {"return { device = \"A GPU\", compute_capability = 90 }", "\"compute_capability\" is no kernel's name"},
        {"return { " KERNEL " = 7 }", KERNEL " is no table"},
    };
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", GOOD));
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        place_write(p, "out/resources.lua", files[i][0]);
        run(p, NULL, NULL);
        place_expect_error(p, "convsmith-gen: error: out/resources.lua is no record of --feedback", files[i][1]);
    }
}

static void an_empty_record_is_a_new_one(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", SPILLING));
    place_write(p, "out/resources.lua", "");
    run(p, NULL, NULL);
    place_expect(p, 0);
    expect_in(p, KERNEL_FILE, "Re-planned", 0);
}

static const char *const damaged_records[] = {
    "{ " KERNEL " = { 7 } }",
    "{ " KERNEL " = { { registers = 96 }, text = \"0\" } }",
    "{ " KERNEL " = { [{}] = 7 } }",
    "{ " KERNEL " = { relief = {} } }",
    "{ " KERNEL " = { text = 7 } }",
    "{ " KERNEL " = { refused = \"so\\nint x;\" } }",
    "{ " KERNEL " = { reliefs = { \"half_rows\" } } }",
    "{ " KERNEL " = { reliefs = { { \"half_rows\" } } } }",
    "{ " KERNEL " = { reliefs = { { \"half_rows\", \"so\", 7 } } } }",
    "{ " KERNEL " = { reliefs = { nil, { \"half_rows\", \"so\" } } } }",
    "{ " KERNEL " = { reliefs = { first = { \"half_rows\", \"so\" } } } }",
    "{ " KERNEL " = { reliefs = { { \"half_rows\", \"so\\nint x;\" } } } }",
    "{ " KERNEL " = { reliefs = { { \"half_rows\", \"so\\\\\" } } } }",
    "{ " KERNEL " = { sm_89 = { registers = 96 } } }",
    "{ " KERNEL " = { text = \"0\", sm_89 = { registers = \"many\" } } }",
    "{ " KERNEL " = { text = \"0\", sm_89 = {} } }",
    "{ " KERNEL " = { text = \"0\", sm_89 = { registers = 256 } } }",
    "{ " KERNEL " = { text = \"0\", sm_89 = { registers = 96, spills = 4 } } }",
    "{ " KERNEL " = { text = \"0\", sm_x = { registers = 96 } } }",
};

static void a_damaged_record_is_an_error(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", GOOD));
    for (size_t i = 0; i < sizeof damaged_records / sizeof damaged_records[0]; i++) {
        char record[300];
        snprintf(record, sizeof record, "return %s\n", damaged_records[i]);
        place_write(p, "out/resources.lua", record);
        run(p, NULL, NULL);
        place_expect_error(p, "convsmith-gen: error: out/resources.lua is damaged at " KERNEL,
                           "remove it, build, and run --feedback again");
    }
}

static void a_step_that_the_strategy_has_not_is_an_error(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", GOOD));
    place_write(p, "out/resources.lua", "return { " KERNEL " = { reliefs = { { \"a_third\", \"so\" } } } }\n");
    run(p, NULL, NULL);
    place_expect_error(p, "convsmith-gen: error: out/resources.lua has a relief \"a_third\" of " KERNEL,
                       "which ffma knows nothing of; remove that relief");
}

static void a_record_that_does_more_than_return_data_is_an_error(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", GOOD));
    place_write(p, "out/resources.lua", "return { string.rep(\"x\", 9) }\n");
    run(p, NULL, NULL);
    place_expect_error(p, "out/resources.lua:1", "string");
}

static void a_record_that_does_not_end_is_an_error(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", GOOD));
    place_write(p, "out/resources.lua", "\nwhile true do end\n");
    run(p, NULL, NULL);
    place_expect_error(p, "out/resources.lua:2: error: the record exceeds its instruction limit of 10 million", "loop");
}

static void a_kernel_that_is_gone_leaves_the_record(void **state) {
    place *p = generated(state, ffma_manifest, SAID(KERNEL, "sm_89", GOOD));
    place_write(p, "shapes.lua", "conv { c_in = 9, kernel = \"3x3\", c_out = 32, epilogue = { \"bias\" } }\n");
    run(p, NULL, NULL);
    place_expect(p, 0);
    assert_false(place_has(p, "out/resources.lua"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, place_create, place_destroy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_kernel_that_spills_is_planned_smaller),
        TEST(the_kernel_and_explain_say_what_was_changed_and_why),
        TEST(a_spill_on_any_architecture_counts),
        TEST(a_spill_of_any_function_of_the_kernel_counts),
        TEST(a_stack_counts),
        TEST(too_much_shared_memory_counts),
        TEST(where_shared_memory_is_short_a_step_leaves_more_of_it),
        TEST(what_ptxas_remarks_of_products_counts),
        TEST(a_good_kernel_stays_as_it_is),
        TEST(figures_of_another_text_are_not_kept),
        TEST(a_plan_stays_smaller_without_feedback),
        TEST(a_kernel_that_still_spills_goes_one_step_further),
        TEST(a_step_of_a_smaller_kernel_is_told_once),
        TEST(of_a_smaller_kernel_the_step_of_its_own_is_told),
        TEST(a_smaller_kernel_that_goes_with_the_one_beside_it_is_told),
        TEST(at_the_end_of_its_steps_another_strategy_serves),
        TEST(every_strategy_has_steps_and_an_end_of_them),
        TEST(what_is_said_of_other_kernels_is_an_error),
        TEST(a_listing_that_is_cut_off_is_an_error),
        TEST(how_much_the_listing_tells_is_told),
        TEST(a_listing_that_lacks_kernels_is_warned_of),
        TEST(a_listing_that_lacks_an_architecture_of_a_kernel_is_warned_of),
        TEST(a_kernel_that_no_architecture_of_the_listing_runs_is_not_warned_of),
        TEST(figures_that_cannot_be_are_passed_over),
        TEST(a_file_that_is_no_record_is_an_error),
        TEST(an_empty_record_is_a_new_one),
        TEST(a_damaged_record_is_an_error),
        TEST(a_step_that_the_strategy_has_not_is_an_error),
        TEST(a_record_that_does_more_than_return_data_is_an_error),
        TEST(a_record_that_does_not_end_is_an_error),
        TEST(a_kernel_that_is_gone_leaves_the_record),
    };
    return cmocka_run_group_tests_name("generator_feedback", tests, NULL, NULL);
}
