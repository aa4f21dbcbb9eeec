/* SPDX-License-Identifier: Apache-2.0
 *
 * Mistakes in a manifest: each is an error at its own line that says what would be right, and nothing is written.
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

#define DEFAULTS "defaults { epilogue = { \"bias\", \"group_norm\" } }\n"
#define ROW "conv { c_in = 8, kernel = \"3x3\", c_out = 32 }\n"
#define SAME_SHAPE(chain) "conv { c_in = 8, kernel = \"3x3\", c_out = 32, epilogue = " chain " }"
/* A row on line 2 with these fields besides. */
#define WITH(fields) DEFAULTS "conv { c_in = 8, kernel = \"3x3\", c_out = 32, " fields " }"

/* The same, alone. */
#define WITHOUT_DEFAULTS(fields) "conv { c_in = 8, kernel = \"3x3\", c_out = 32, " fields " }"
#define ROW_OF_EVERY_LAYOUT WITH("layout = { \"nchw\", \"nhwc\" }")

#define FOUR(step) step ", " step ", " step ", " step
#define SIXTEEN_STEPS FOUR(FOUR("\"bias\""))

typedef struct mistake {
    const char *name, *manifest;
    int line;
    const char *core;
} mistake;

static const mistake mistakes[] = {
    {"empty", "", 1, "there is no row; add one: conv {"},
    {"defaults_alone", DEFAULTS, 1, "there is no row"},
    {"zero_c_in", DEFAULTS "conv { c_in = 0, kernel = \"3x3\", c_out = 32 }", 2,
     "c_in is 0; a size is a whole number from 1 to 1024"},
    {"negative_c_out", DEFAULTS "\nconv { c_in = 8, kernel = \"3x3\", c_out = -4 }", 3, "c_out is -4; a size is"},
    {"fractional_c_in", DEFAULTS "conv { c_in = 2.5, kernel = \"3x3\", c_out = 32 }", 2,
     "c_in is 2.5; a size is a whole"},
    {"not_a_number_c_in", DEFAULTS "conv { c_in = 0/0, kernel = \"3x3\", c_out = 32 }", 2, "a size is a whole number"},
    {"infinite_c_in", DEFAULTS "conv { c_in = math.huge, kernel = \"3x3\", c_out = 32 }", 2, "c_in is inf; a size is"},
    {"too_large_c_in", DEFAULTS "conv { c_in = 1025, kernel = \"3x3\", c_out = 32 }", 2, "c_in is 1025; a size is"},
    {"string_c_in", DEFAULTS "conv { c_in = \"8\", kernel = \"3x3\", c_out = 32 }", 2, "c_in is \"8\"; a size is"},
    {"table_c_in", DEFAULTS "conv { c_in = {}, kernel = \"3x3\", c_out = 32 }", 2, "c_in is a table; a size is"},
    {"missing_c_in", DEFAULTS "conv { kernel = \"3x3\", c_out = 32 }", 2, "c_in is missing"},
    {"missing_kernel", DEFAULTS "conv { c_in = 8, c_out = 32 }", 2, "kernel is missing"},
    {"missing_epilogue", ROW, 1, "epilogue is missing"},
    {"number_kernel", DEFAULTS "conv { c_in = 8, kernel = 3, c_out = 32 }", 2,
     "kernel is 3; it is a string of height and"},
    {"half_a_kernel", DEFAULTS "conv { c_in = 8, kernel = \"3x\", c_out = 32 }", 2, "kernel is \"3x\"; it is a string"},
    {"high_kernel", DEFAULTS "conv { c_in = 8, kernel = \"16x3\", c_out = 32 }", 2,
     "kernel's height is 16; a size is a whole number from 1 to 15"},
    {"empty_kernel", DEFAULTS "conv { c_in = 8, kernel = \"3x0\", c_out = 32 }", 2, "kernel's width is 0; a size is"},
    {"huge_kernel", DEFAULTS "conv { c_in = 8, kernel = \"3x99999999999999999999\", c_out = 32 }", 2,
     "kernel's width is"},
    {"unknown_field", WITH("cin = 3"), 2, "a row has no field \"cin\"; did you mean c_in?"},
    {"far_unknown_field", WITH("receptive = 1"), 2,
     "a row has no field \"receptive\"; there are c_in, c_out, candidates, conv_groups, dilation, dtype, "},
    {"zero_stride", WITH("stride = 0"), 2,
     "stride is 0; it is a whole number from 1 to 64, or a string of two, of height and width, like \"2x1\""},
    {"fractional_stride", WITH("stride = 1.5"), 2, "stride is 1.5; it is a whole number from 1 to 64"},
    {"half_a_stride", WITH("stride = \"2x\""), 2, "stride is \"2x\"; it is a whole number from 1 to 64, or a string"},
    {"zero_height_of_stride", WITH("stride = \"0x2\""), 2, "stride is \"0x2\"; it is a whole number from 1 to 64"},
    {"large_stride", WITH("stride = \"2x65\""), 2, "stride is \"2x65\"; it is a whole number from 1 to 64"},
    {"huge_stride", WITH("stride = \"2x99999999999999999999\""), 2, "it is a whole number from 1 to 64"},
    {"table_stride", WITH("stride = { 2, 2 }"), 2, "stride is a table; it is a whole number from 1 to 64"},
    {"negative_padding", WITH("padding = -1"), 2, "padding is -1; it is a whole number from 0 to 64, or a string"},
    {"word_as_padding", WITH("padding = \"same\""), 2, "padding is \"same\"; it is a whole number from 0 to 64"},
    {"zero_dilation", WITH("dilation = 0"), 2, "dilation is 0; it is a whole number from 1 to 64"},
    {"zero_conv_groups", WITH("conv_groups = 0"), 2, "conv_groups is 0; it is a whole number that divides c_in and"},
    {"string_conv_groups", WITH("conv_groups = \"2\""), 2, "conv_groups is \"2\"; it is a whole number that divides"},
    {"conv_groups_of_c_in", WITH("conv_groups = 3"), 2, "conv_groups is 3, which does not divide c_in = 8"},
    {"conv_groups_of_c_out", DEFAULTS "conv { c_in = 8, kernel = \"3x3\", c_out = 12, conv_groups = 8 }", 2,
     "conv_groups is 8, which does not divide c_out = 12"},
    {"unknown_layout", WITH("layout = \"chw\""), 2, "layout \"chw\" is unknown; it is nchw or nhwc"},
    {"empty_layout", WITH("layout = {}"), 2, "layout is empty; it is a list of \"nchw\" and \"nhwc\""},
    {"repeated_layout", WITH("layout = { \"nhwc\", \"nhwc\" }"), 2, "\"nhwc\" stands twice in layout"},
    {"stride_as_a_default", "defaults { stride = 2 }\n" ROW, 1, "defaults has no field \"stride\""},
    {"unknown_default", "defaults { c_in = 3 }\n" ROW, 1, "defaults has no field \"c_in\""},
    {"unnamed_value", WITH("7"), 2, "a row has a value without a name; write name = value"},
    {"row_of_a_number", DEFAULTS "conv(8)", 2, "conv takes a table, like conv { c_in"},
    {"defaults_of_a_number", "defaults(3)", 1, "defaults takes a table, like defaults { dtype = "},
    {"row_of_nothing", DEFAULTS "conv()", 2, "not nothing"},
    {"unknown_dtype", WITH("dtype = \"f64\""), 2, "dtype \"f64\" is unknown; it is f32 or f16 or bf16"},
    {"number_dtype", WITH("dtype = 32"), 2, "dtype 32 is unknown"},
    {"empty_dtype", WITH("dtype = {}"), 2, "dtype is empty; it is a list of \"f32\" and \"f16\" and \"bf16\""},
    {"repeated_dtype", WITH("dtype = { \"f16\", \"f16\" }"), 2, "\"f16\" stands twice in dtype"},
    {"unknown_math", WITH("math = { \"fp16\" }"), 2, "math \"fp16\" is unknown; it is fp32 or tf32"},
    {"string_math", WITH("math = \"fp32\""), 2, "math is \"fp32\"; it is a list of strings"},
    {"empty_math", WITH("math = {}"), 2, "math is empty"},
    {"unknown_schedule", WITH("schedule = { \"lazy\" }"), 2,
     "schedule \"lazy\" is unknown; it is recompute or resident"},
    {"empty_schedule", WITH("schedule = {}"), 2, "schedule is empty; it is a list of \"recompute\" and \"resident\""},
    {"string_strategy", WITH("strategy = \"mma\""), 2, "strategy is \"mma\"; it is a list of strings"},
    {"repeated_math", WITH("math = { \"fp32\", \"fp32\" }"), 2, "\"fp32\" stands twice in math"},
    {"named_math", WITH("math = { best = \"fp32\" }"), 2, "math has names or holes"},
    {"math_with_hole", WITH("math = { \"fp32\", nil, \"tf32\" }"), 2, "math has names or holes"},
    {"number_in_math", WITH("math = { 32 }"), 2, "math[1] is 32; math is a list of strings"},
    {"string_epilogue", WITH("epilogue = \"bias\""), 2,
     "epilogue is \"bias\"; it is a list of steps, like { \"bias\", { \"clamp\", 0, 6 } }"},
    {"named_step", WITH("epilogue = { first = \"bias\" }"), 2, "epilogue is a table with names or holes; it is a list"},
    {"epilogue_with_hole", WITH("epilogue = { \"bias\", nil, \"relu\" }"), 2,
     "epilogue is a table with names or holes"},
    {"number_as_step", WITH("epilogue = { \"bias\", 6 }"), 2,
     "epilogue[2] is 6; a step is a name, \"bias\", or a name and its constants, { \"clamp\", 0, 6 }"},
    {"step_without_a_name", WITH("epilogue = { { 0, 6 } }"), 2, "epilogue[1] is a table without a name at its begin"},
    {"step_with_names", WITH("epilogue = { { \"clamp\", lo = 0, hi = 6 } }"), 2,
     "epilogue[1] is a table without a name"},
    {"unknown_step", WITH("epilogue = { \"bias\", \"relu6\" }"), 2,
     "epilogue step \"relu6\" is unknown; did you mean relu?"},
    {"far_unknown_step", WITH("epilogue = { \"batchnorm2d_inference\" }"), 2,
     "epilogue step \"batchnorm2d_inference\" is unknown; there are abs, add_channel, add_const, add_tensor, "},
    {"constants_inside_a_name", WITH("epilogue = { \"clamp(0, 6)\" }"), 2,
     "epilogue step \"clamp(0, 6)\" is unknown; a step's constants stand behind its name: { \"clamp\", 0, 6 }"},
    {"names_inside_a_name", WITH("epilogue = { \"elu(alpha)\" }"), 2, "stand behind its name: { \"elu\", 0.5 }"},
    {"empty_parentheses", WITH("epilogue = { \"relu( )\" }"), 2,
     "epilogue step \"relu( )\" is unknown; without constants a step is its name alone: \"relu\""},
    {"capitals", WITH("epilogue = { \"GroupNorm\", \"ReLU\" }"), 2, "did you mean group_norm?"},
    {"all_capitals", WITH("epilogue = { \"BIAS\" }"), 2, "did you mean bias?"},
    {"half_of_the_constants", WITH("epilogue = { { \"clamp\", 0 } }"), 2,
     "epilogue step \"clamp\" has 1 constant(s) behind its name; it takes lo and hi, all of them or none"},
    {"too_many_constants", WITH("epilogue = { { \"elu\", 1, 2 } }"), 2,
     "epilogue step \"elu\" has 2 constant(s) behind its name; it takes alpha, all of them or none"},
    {"constants_of_a_step_without", WITH("epilogue = { { \"relu\", 6 } }"), 2,
     "epilogue step \"relu\" has no constants, but 1 stand behind its name"},
    {"string_constant", WITH("epilogue = { { \"clamp\", 0, \"6\" } }"), 2,
     "hi of epilogue step \"clamp\" is \"6\"; it is a number"},
    {"infinite_constant", WITH("epilogue = { { \"clamp\", 0, math.huge } }"), 2,
     "hi of epilogue step \"clamp\" is inf; it is a finite number of single precision"},
    {"nan_constant", WITH("epilogue = { { \"elu\", 0/0 } }"), 2, "it is a finite number of single precision"},
    {"constant_beyond_the_greatest_float", WITH("epilogue = { { \"mul_const\", 1e39 } }"), 2,
     "c of epilogue step \"mul_const\" is 1e+39; it is a finite number of single precision"},
    {"division_by_zero", WITH("epilogue = { { \"div_const\", 0 } }"), 2,
     "epilogue step div_const(0): it must not be 0"},
    {"division_by_zero_as_a_float", WITH("epilogue = { { \"div_const\", -1e-60 } }"), 2,
     "div_const(0): it must not be"},
    {"empty_clamp", WITH("epilogue = { { \"clamp\", 6, 0 } }"), 2,
     "epilogue step clamp(6,0): the first must not be more than the second"},
    {"zero_eps", WITH("epilogue = { { \"batch_norm\", 0 } }"), 2,
     "epilogue step batch_norm(0): it must be more than 0"},
    {"five_tensors",
     WITH("epilogue = { \"add_tensor\", \"add_tensor\", \"add_tensor\", \"add_tensor\", \"add_tensor\" }"), 2,
     "the epilogue has 5 steps add_tensor; a chain has at most 4"},
    {"no_number_of_a_step", WITH("epilogue = { \"relu\", \"mul_input_of\" }"), 2,
     "epilogue step \"mul_input_of\" lacks its k; it stands behind its name: { \"mul_input_of\", 1 }"},
    {"no_step_before_it", WITH("epilogue = { { \"mul_input_of\", 1 } }"), 2,
     "epilogue step 1, \"mul_input_of\", has no step before it; it multiplies by what an earlier one received"},
    {"no_step_on_its_side", WITH("epilogue = { \"relu\", \"group_norm\", { \"mul_input_of\", 1 } }"), 2,
     "epilogue step 3, \"mul_input_of\", has no step before it on its side of the normalisation; it multiplies by"},
    {"its_own_number", WITH("epilogue = { \"relu\", \"abs\", { \"mul_input_of\", 3 } }"), 2,
     "epilogue step 3, mul_input_of(3): k is the number of an earlier step, from 1 to 2"},
    {"half_a_number", WITH("epilogue = { \"relu\", \"abs\", { \"mul_input_of\", 1.5 } }"), 2,
     "epilogue step 3, mul_input_of(1.5): k is the number of an earlier step, from 1 to 2"},
    {"number_across_the_norm", WITH("epilogue = { \"relu\", \"group_norm\", \"abs\", { \"mul_input_of\", 1 } }"), 2,
     "epilogue step 4, mul_input_of(1): k is the number of an earlier step on its side of the normalisation, from 3"},
    {"two_norms", WITH("epilogue = { \"instance_norm\", \"group_norm\" }"), 2,
     "epilogue step 2, \"group_norm\", normalises a second time, behind \"instance_norm\"; a chain normalises at most"},
    {"too_many_steps", WITH("epilogue = { " SIXTEEN_STEPS ", \"bias\" }"), 2,
     "the epilogue has 17 steps; a chain has at most 16"},
    {"groups_not_a_divisor", WITH("reference = { groups = 5 }"), 2,
     "reference.groups is 5, which does not divide c_out = 32; give this row reference = { groups = 8 }"},
    {"default_groups_not_a_divisor",
     "defaults { epilogue = { \"group_norm\" }, reference = { groups = 8 } }\n" ROW
     "conv { c_in = 8, kernel = \"3x3\", c_out = 20 }",
     3, "reference.groups is 8 by default, which does not divide c_out = 20; give this row reference = { groups = 5 }"},
    {"groups_without_norm", WITH("epilogue = { \"bias\" }, reference = { groups = 2 }"), 2, "has no group_norm"},
    {"groups_of_instance_norm", WITH("epilogue = { \"instance_norm\" }, reference = { groups = 2 }"), 2,
     "reference.groups is 2, but the epilogue has no group_norm; leave it out"},
    {"unknown_reference_field", WITH("reference = { height = 3 }"), 2, "reference has no field \"height\""},
    {"zero_reference", WITH("reference = { n = 0 }"), 2, "reference.n is 0; a size is a whole number from 1 to 65536"},
    {"number_reference", WITH("reference = 128"), 2, "reference is 128; it is a table"},
    {"reference_below_kernel", WITH("reference = { h = 2 }"), 2,
     "reference is 2 high and 128 wide, smaller than the 3x3"},
    {"reference_below_dilated_kernel", WITH("dilation = \"1x64\""), 2,
     "reference is 128 high and 128 wide, smaller than the 3x3 kernel, which reaches over 3x129"},
    {"reference_and_padding_below_kernel", WITH("padding = \"1x0\", dilation = \"7x1\", reference = { h = 9, w = 9 }"),
     2, "reference is 9 high and 9 wide, with padding 11 and 9, smaller than the 3x3 kernel, which reaches over 15x3"},
    {"repeated_row", DEFAULTS ROW "\n" ROW, 4,
     "this row repeats line 2: c_in = 8, kernel = \"3x3\", c_out = 32, dtype \"f32\", math \"fp32\", layout \"nchw\" "
     "and "},
    {"default_parameters_repeat_none",
     DEFAULTS ROW "conv { c_in = 8, kernel = \"3x3\", c_out = 32, stride = \"1x1\", "
                  "padding = 0, dilation = 1, conv_groups = 1, layout = \"nchw\" }",
     3, "this row repeats line 2"},
    {"one_number_repeats_two",
     WITH("stride = 2, layout = { \"nhwc\", \"nchw\" }") "\nconv { c_in = 8, kernel = "
                                                         "\"3x3\", c_out = 32, stride = \"2x2\" }",
     3, "layout \"nchw\" and the same stride, padding, dilation, "},
    {"repeated_constants", WITH("epilogue = { { \"elu\", 0.1 } }") "\n" SAME_SHAPE("{ { \"elu\", 1/10 } }"), 3,
     "this row repeats line 2"},
    {"overlapping_math", WITH("math = { \"tf32\", \"fp32\" }") "\n" ROW, 3, "this row repeats line 2"},
    {"overlapping_dtype",
     WITH("dtype = { \"f16\", \"bf16\" }") "\nconv { c_in = 8, kernel = \"3x3\", c_out = 32, dtype = \"bf16\" }", 3,
     "this row repeats line 2: c_in = 8, kernel = \"3x3\", c_out = 32, dtype \"bf16\", math \"fp32\","},
    {"defaults_twice", DEFAULTS DEFAULTS ROW, 2, "defaults is called a second time"},
    {"defaults_after_row", "conv { c_in = 8, kernel = \"3x3\", c_out = 32, epilogue = {} }\n" DEFAULTS, 2,
     "defaults comes after a row; it must come first"},
    {"row_over_several_lines", DEFAULTS "conv {\n    c_in = 8,\n    kernel = \"3x3\",\n    c_out = 0,\n}\n", 2,
     "c_out is 0"},
    {"row_in_a_function",
     DEFAULTS "local function row(c)\n    conv { c_in = c, kernel = \"3x3\", c_out = 4 }\nend\n"
              "row(1)\nrow(0)\n",
     6, "c_in is 0"},
    {"returned_row", DEFAULTS "\nreturn conv { c_in = 0 }", 3, "c_in is 0"},
    {"undefined_name", DEFAULTS "cnv { c_in = 8 }", 2, "'cnv' is not defined; did you mean conv?"},
    {"syntax", DEFAULTS "conv { c_in = 8", 2, "'}' expected near <eof>"},
    {"syntax_in_the_middle", DEFAULTS "conv { c_in = = 8 }\n" ROW, 2, "unexpected symbol near '='"},
    {"runtime_error", DEFAULTS "local t = nil\nlocal x = t.y\n" ROW, 3, "attempt to index a nil value"},
    {"own_error", DEFAULTS "error(\"no shapes today\")", 2, "no shapes today"},
    {"error_of_a_table", DEFAULTS "error({})", 2, "the error raised is a table, not a string"},
    {"wrong_library_call", DEFAULTS "\nlocal s = string.format(\"%d\", \"x\")", 3, "bad argument #2 to 'format'"},
};

#define MISTAKES (sizeof mistakes / sizeof *mistakes)

static void run_mistake(void **state) {
    place *p = *state;
    const mistake *wrong = p->about;
    char start[64];
    place_write(p, "shapes.lua", wrong->manifest);
    PLACE_GENERATE(p, NULL);
    snprintf(start, sizeof start, "shapes.lua:%d: error: ", wrong->line);
    place_expect_error(p, start, wrong->core);
    assert_false(place_has(p, "out"));
}

/* ---- What is right ----------------------------------------------------------------------------------------------- */

static void expect_in_table(place *p, const char *manifest, const char *text) {
    place_write(p, "shapes.lua", manifest);
    PLACE_GENERATE(p, NULL);
    place_expect(p, 0);
    char *table = place_read(p, "out/kernels.inc");
    const int found = strstr(table, text) != NULL;
    if (!found)
        print_error("%s\n", table);
    free(table);
    assert_true(found);
}

static void row_overrides_defaults(void **state) {
    expect_in_table(
        *state,
        "defaults { epilogue = { \"bias\" }, reference = { n = 2, h = 30, w = 40 } }\n"
        "conv { c_in = 8, kernel = \"3x3\", c_out = 32, reference = { n = 9 }, epilogue = { \"sigmoid\" } }",
        ".ref_n = 9, .ref_h = 30, .ref_w = 40, .ref_groups = 0)");
}

static void groups_default_to_a_divisor_up_to_8(void **state) {
    expect_in_table(*state, DEFAULTS "conv { c_in = 8, kernel = \"3x3\", c_out = 20 }", ".ref_groups = 5)");
}

static void whole_float_is_a_size(void **state) {
    expect_in_table(*state, DEFAULTS "conv { c_in = 2^3, kernel = \"3x3\", c_out = 32 }", ".c_in = 8, ");
}

static void rows_may_come_from_a_loop(void **state) {
    expect_in_table(*state,
                    DEFAULTS "for _, c in ipairs { 4, 16 } do\n"
                             "    conv { c_in = c, kernel = string.format(\"%dx1\", c // 4), c_out = 32 }\nend\n",
                    ".c_in = 16, .kh = 4, .kw = 1, ");
}

static void same_shape_with_other_math_is_another_row(void **state) {
    expect_in_table(*state, WITH("math = { \"tf32\" }") "\n" ROW, ".math = CONVSMITH_MATH_FP32");
}

static void a_row_with_two_dtypes_has_kernels_of_both(void **state) {
    expect_in_table(*state, WITH("dtype = { \"f32\", \"f16\" }"),
                    ".dtype = CONVSMITH_F32, .math = CONVSMITH_MATH_FP32");
    expect_in_table(*state, WITH("dtype = { \"f32\", \"f16\" }"),
                    ".dtype = CONVSMITH_F16, .math = CONVSMITH_MATH_FP32");
}

static void sixteen_bit_kernels_are_fp32_whatever_the_row_allows(void **state) {
    expect_in_table(*state, WITH("dtype = \"bf16\", math = { \"tf32\" }"),
                    ".dtype = CONVSMITH_BF16, .math = CONVSMITH_MATH_FP32");
}

static void parameters_stand_in_the_key_where_they_are_not_the_default(void **state) {
    expect_in_table(
        *state, WITH("stride = \"2x1\", padding = 1, conv_groups = 4, layout = \"nhwc\""),
        "{.c_in = 8, .kh = 3, .kw = 3, .c_out = 32, .stride_h = 2, .pad_h = 1, .pad_w = 1, .conv_groups = 4, "
        ".layout = CONVSMITH_NHWC, .dtype = CONVSMITH_F32, ");
    expect_in_table(*state, WITH("stride = 1, padding = \"0x0\", dilation = \"1x3\""),
                    ", .c_out = 32, .dilation_w = 3, .dtype = CONVSMITH_F32, ");
}

static void parameters_stand_in_the_name_where_they_are_not_the_default(void **state) {
    expect_in_table(*state, WITH("stride = 2, padding = \"1x0\", dilation = 3, conv_groups = 8, layout = \"nhwc\""),
                    "(conv_f32_c8_k3x3_s2x2_p1x0_d3x3_g8_o32_nhwc_bg_ffma_sm80,");
    expect_in_table(*state, ROW_OF_EVERY_LAYOUT, "(conv_f32_c8_k3x3_o32_nhwc_bg_ffma_sm80,");
    expect_in_table(*state, ROW_OF_EVERY_LAYOUT, "(conv_f32_c8_k3x3_o32_bg_ffma_sm80,");
}

static void rows_that_differ_in_a_parameter_are_two_and_sorted(void **state) {
    place *p = *state;
    place_write(p, "shapes.lua",
                WITH("padding = 2") "\n" ROW WITHOUT_DEFAULTS("padding = 1") "\n" WITHOUT_DEFAULTS(
                    "stride = \"1x2\", conv_groups = 2"));
    PLACE_GENERATE(p, NULL);
    place_expect(p, 0);
    char *table = place_read(p, "out/kernels.inc");
    const char *at = table;
    static const char *const names[] = {"(conv_f32_c8_k3x3_o32_", "(conv_f32_c8_k3x3_p1x1_o32_",
                                        "(conv_f32_c8_k3x3_p2x2_o32_", "(conv_f32_c8_k3x3_s1x2_g2_o32_"};
    for (size_t i = 0; i < sizeof names / sizeof names[0] && at != NULL; i++)
        at = strstr(at, names[i]);
    if (at == NULL)
        print_error("%s\n", table);
    assert_non_null(at);
    free(table);
}

static void long_manifest_name_is_given_in_full(void **state) {
    place *p = *state;
    static const char name[] =
        "a_folder_with_a_name/that_is_longer_than/what_lua_shows/of_a_chunk/in_its_messages/s.lua";
    place_write(p, name, "\nconv { c_in = }\n");
    place_run(p, (const char *const[]){"--home", "home", "--manifest", name, "--out", "out", NULL});
    char start[200];
    snprintf(start, sizeof start, "%s:2: error: ", name);
    place_expect_error(p, start, "unexpected symbol near '}'");
}

int main(void) {
    static const struct CMUnitTest right[] = {
        cmocka_unit_test_setup_teardown(row_overrides_defaults, place_create, place_destroy),
        cmocka_unit_test_setup_teardown(groups_default_to_a_divisor_up_to_8, place_create, place_destroy),
        cmocka_unit_test_setup_teardown(whole_float_is_a_size, place_create, place_destroy),
        cmocka_unit_test_setup_teardown(rows_may_come_from_a_loop, place_create, place_destroy),
        cmocka_unit_test_setup_teardown(same_shape_with_other_math_is_another_row, place_create, place_destroy),
        cmocka_unit_test_setup_teardown(a_row_with_two_dtypes_has_kernels_of_both, place_create, place_destroy),
        cmocka_unit_test_setup_teardown(sixteen_bit_kernels_are_fp32_whatever_the_row_allows, place_create,
                                        place_destroy),
        cmocka_unit_test_setup_teardown(parameters_stand_in_the_key_where_they_are_not_the_default, place_create,
                                        place_destroy),
        cmocka_unit_test_setup_teardown(parameters_stand_in_the_name_where_they_are_not_the_default, place_create,
                                        place_destroy),
        cmocka_unit_test_setup_teardown(rows_that_differ_in_a_parameter_are_two_and_sorted, place_create,
                                        place_destroy),
        cmocka_unit_test_setup_teardown(long_manifest_name_is_given_in_full, place_create, place_destroy),
    };
    struct CMUnitTest wrong[MISTAKES];
    for (size_t i = 0; i < MISTAKES; i++)
        wrong[i] = (struct CMUnitTest){mistakes[i].name, run_mistake, place_create, place_destroy,
                                       (void *)(uintptr_t)&mistakes[i]};
    const int failed = cmocka_run_group_tests_name("manifest mistakes", wrong, NULL, NULL);
    return failed + cmocka_run_group_tests_name("manifests", right, NULL, NULL);
}
