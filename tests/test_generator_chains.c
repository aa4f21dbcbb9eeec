/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of an epilogue chain: its name, its part of kernels' names, and what is left of it to compute.
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

static void write_row(place *p, const char *chain) {
    char manifest[1024];
    const int length =
        snprintf(manifest, sizeof manifest,
                 "conv { c_in = 8, kernel = \"3x3\", c_out = 32, schedule = { \"recompute\", \"resident\" "
                 "}, epilogue = { %s } }\n",
                 chain);
    assert_true(length > 0 && (size_t)length < sizeof manifest);
    place_write(p, "shapes.lua", manifest);
}

static void expect_part(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("there is no\n%s\nin\n%s", part, text);
}

/* ---- Names ------------------------------------------------------------------------------------------------------- */

typedef struct naming {
    const char *test, *chain, *name, *code;
} naming;

static const naming namings[] = {
    {"empty_chain", "", "", "z"},
    {"letters_run_together", "'bias', 'add_channel', 'mul_channel', 'sigmoid', 'group_norm'",
     "bias+add_channel+mul_channel+sigmoid+group_norm", "bamsg"},
    {"words_are_set_off", "'bias', 'relu', 'bias', 'sigmoid', 'softplus'", "bias+relu+bias+sigmoid+softplus",
     "b_relu_bs_softplus"},
    {"constants_are_part_of_both", "'bias', { 'clamp', 0, 6 }, 'group_norm'", "bias+clamp(0,6)+group_norm",
     "b_clamp_0_6_g"},
    {"constants_at_prepack_are_not", "'clamp', { 'elu' }", "clamp+elu", "clamp_elu"},
    {"fewest_digits", "{ 'leaky_relu', 0.1 }, { 'elu', 1/3 }", "leaky_relu(0.1)+elu(0.33333334)",
     "leaky_relu_0p1_elu_0p33333334"},
    {"exponents", "{ 'batch_norm', 1e-5 }, { 'mul_const', 1e10 }", "batch_norm(1e-05)+mul_const(1e+10)",
     "batch_norm_1em05_mul_const_1e10"},
    {"the_shortest_numbers", "{ 'clamp', 10, 1000 }, { 'mul_const', 120 }", "clamp(10,1000)+mul_const(120)",
     "clamp_10_1000_mul_const_120"},
    {"negative_numbers", "{ 'clamp', -1.5, -0.25 }", "clamp(-1.5,-0.25)", "clamp_m1p5_m0p25"},
    {"zero_has_no_sign", "{ 'max_const', -0.0 }, { 'add_const', -1e-60 }", "max_const(0)+add_const(0)",
     "max_const_0_add_const_0"},
    {"numbers_are_floats", "{ 'add_const', 16777217 }", "add_const(16777216)", "add_const_16777216"},
    {"numbers_of_steps", "'softplus', 'tanh', { 'mul_input_of', 1 }", "softplus+tanh+mul_input_of(1)",
     "softplus_tanh_mul_input_of_1"},
    {"tensors", "'bias', 'add_tensor', 'bias'", "bias+add_tensor+bias", "b_add_tensor_b"},
    /* Beside add_channel, bias, sigmoid, and gelu, tanh. */
    {"abs_is_not_three_letters", "'abs'", "abs", "absolute"},
    {"gelu_tanh_is_not_two_words", "'gelu_tanh'", "gelu_tanh", "tanhgelu"},
};

#define NAMINGS (sizeof namings / sizeof *namings)

static void chain_has_its_names(void **state) {
    place *p = *state;
    const naming *expected = p->about;
    char part[256];
    write_row(p, expected->chain);
    PLACE_GENERATE(p, NULL);
    place_expect(p, 0);
    char *table = place_read(p, "out/kernels.inc");
    snprintf(part, sizeof part, ".epilogue = \"%s\"", expected->name);
    expect_part(table, part);
    snprintf(part, sizeof part, "(conv_f32_c8_k3x3_o32_%s_host_base,", expected->code);
    expect_part(table, part);
    free(table);
}

/* Two rows that differ in their last step alone, with a prefix as long as it may be. */
static void long_names_end_in_a_hash(void **state) {
    place *p = *state;
    static const char manifest[] = "for _, last in ipairs { 'relu', 'abs' } do\n"
                                   "    local steps = { last }\n"
                                   "    for i = 1, 15 do table.insert(steps, 1, 'batch_norm') end\n"
                                   "    conv { c_in = 8, kernel = '3x3', c_out = 32, epilogue = steps }\n"
                                   "end\n";
    static const char prefix[] = "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp";
    place_write(p, "shapes.lua", manifest);
    place_run(p, (const char *const[]){"--home", TEST_SOURCE_DIR, "--manifest", "shapes.lua", "--out", "out",
                                       "--prefix", prefix, NULL});
    place_expect(p, 0);
    char *table = place_read(p, "out/kernels.inc"), seen[6][256];
    int count = 0;
    for (const char *at = table; (at = strstr(at, "\nCS_HOST_KERNEL(")) != NULL; count++) {
        at += strlen("\nCS_HOST_KERNEL(");
        assert_in_range(strcspn(at, ","), 150, 200);
        assert_true(count < 6);
        snprintf(seen[count], sizeof seen[count], "%.*s", (int)strcspn(at, ","), at);
        expect_part(seen[count], "_batch_norm_batch_");
        for (int i = 0; i < count; i++)
            assert_string_not_equal(seen[i], seen[count]);
    }
    assert_int_equal(count, 6);
    free(table);
}

/* ---- What is left to compute ------------------------------------------------------------------------------------- */

typedef struct lowering {
    const char *test, *chain, *explained;
} lowering;

static const lowering lowerings[] = {
    {"neighbours_fold", "'bias', 'sub_channel', { 'div_const', 2 }, 'batch_norm', 'relu'",
     "      computed    value * a + b, with bias, sub_channel, div_const(2), batch_norm folded at prepack\n"
     "      computed    relu\n    tile"},
    {"a_sigmoid_s_factor_folds", "'mul_channel', 'sigmoid'",
     "      computed    value * a + b, with mul_channel, the factor of sigmoid folded at prepack\n"
     "      computed    sigmoid\n    tile"},
    {"pointwise_steps_keep_affine_ones_apart", "'bias', 'relu', 'bias'",
     "      computed    value * a + b, with bias folded at prepack\n      computed    relu\n"
     "      computed    value * a + b, with bias folded at prepack\n    tile"},
    {"fixed_ones_need_no_prepack", "{ 'add_const', 1 }, { 'mul_const', 3 }, 'abs'",
     "      computed    value * 3.0f + 3.0f, with add_const(1), mul_const(3) folded by the generator\n"},
    {"a_summand_alone_needs_no_product", "{ 'sub_const', 0.5 }, 'abs'",
     "      computed    value + -0.5f, with sub_const(0.5) folded by the generator\n"},
    {"what_changes_nothing_is_not_computed", "{ 'mul_const', 4 }, { 'div_const', 4 }",
     "    epilogue      mul_const(4)+div_const(4)\n    tile"},
    {"what_no_float_holds_is_not_folded", "{ 'mul_const', 1e30 }, { 'mul_const', 1e30 }, { 'add_const', 1 }",
     "      computed    value * 1e+30f, with mul_const(1e+30) folded by the generator\n"
     "      computed    value * 1e+30f + 1.0f, with mul_const(1e+30), add_const(1) folded by the generator\n    tile"},
    {"nor_what_a_float_has_no_digits_of", "{ 'mul_const', 1e-30 }, { 'mul_const', 1e-30 }",
     "      computed    value * 1e-30f, with mul_const(1e-30) folded by the generator\n"
     "      computed    value * 1e-30f, with mul_const(1e-30) folded by the generator\n    tile"},
    {"what_a_float_holds_at_last_is_folded", "{ 'mul_const', 1e30 }, { 'mul_const', 1e30 }, { 'div_const', 1e30 }",
     "      computed    value * 1e+30f, with mul_const(1e+30), mul_const(1e+30), div_const(1e+30) folded by the gen"},
    {"great_factors_stay_apart_from_a_sigmoid_s", "{ 'mul_const', 3e38 }, 'sigmoid'",
     "      computed    value * 3e+38f, with mul_const(3e+38) folded by the generator\n"
     "      computed    value * -1.442695f, with the factor of sigmoid folded by the generator\n"
     "      computed    sigmoid\n    tile"},
    {"a_divisor_whose_inverse_is_no_float_is_two_factors", "{ 'div_const', 1e-40 }",
     "      computed    value * 1.8446744e+19f, with div_const(1e-40) folded by the generator\n"
     "      computed    value * 5.421"},
    {"great_constants_stay_apart_from_a_norm", "'group_norm', 'bias', { 'mul_const', 1e30 }, 'tanh'",
     "      computed    group_norm, with bias folded at prepack\n"
     "      computed    value * 1e+30f, with mul_const(1e+30) folded by the generator\n"
     "      computed    tanh\n    tile"},
    {"great_constants_stay_apart_from_what_prepack_is_given",
     "'bias', { 'mul_const', 1e30 }, 'mul_channel', { 'mul_const', 2 }",
     "      computed    value * a + b, with bias folded at prepack\n"
     "      computed    value * 1e+30f, with mul_const(1e+30) folded by the generator\n"
     "      computed    value * a + b, with mul_channel, mul_const(2) folded at prepack\n    tile"},
    {"affine_steps_fold_into_the_norm", "'relu', 'group_norm', 'mul_channel', 'add_const', 'batch_norm'",
     "      computed    relu\n"
     "      computed    group_norm, with mul_channel, add_const, batch_norm folded at prepack\n    tile"},
    {"what_stands_behind_the_norm_is_computed_there",
     "'relu', 'group_norm', 'mul_channel', 'silu', 'bias', { 'clamp', 0, 6 }",
     "      computed    relu\n"
     "      computed    group_norm, with mul_channel folded at prepack\n"
     "      computed    silu\n"
     "      computed    value * a + b, with bias folded at prepack\n"
     "      computed    clamp(0,6)\n    tile"},
    {"a_sigmoid_s_factor_folds_into_the_norm", "'instance_norm', 'sigmoid'",
     "      computed    instance_norm, with the factor of sigmoid folded at prepack\n"
     "      computed    sigmoid\n    tile"},
    {"what_is_kept_from_inside_splits_a_fold", "'bias', 'mul_channel', 'sigmoid', { 'mul_input_of', 2 }",
     "      computed    value * a + b, with bias folded at prepack\n"
     "      computed    the value that mul_channel receives, kept\n"
     "      computed    value * a + b, with mul_channel, the factor of sigmoid folded at prepack\n"
     "      computed    sigmoid\n      computed    mul_input_of(2)\n    tile"},
    {"what_is_kept_splits_the_norm_s_too", "'group_norm', 'bias', 'mul_channel', 'tanh', { 'mul_input_of', 3 }",
     "      computed    group_norm, with bias folded at prepack\n"
     "      computed    the value that mul_channel receives, kept\n"
     "      computed    value * a + b, with mul_channel folded at prepack\n"
     "      computed    tanh\n      computed    mul_input_of(3)\n    tile"},
    {"a_tensor_is_added_between_folds", "'mul_channel', 'add_tensor', 'mul_channel', 'group_norm', 'add_tensor'",
     "      computed    value * a + b, with mul_channel folded at prepack\n"
     "      computed    add_tensor\n"
     "      computed    value * a + b, with mul_channel folded at prepack\n"
     "      computed    group_norm\n"
     "      computed    add_tensor\n    tile"},
    {"no_chain", "", "    epilogue      none\n    tile"},
};

#define LOWERINGS (sizeof lowerings / sizeof *lowerings)

static void run_real(place *p, const char *last) {
    const char *const out[] = {"--home", TEST_SOURCE_DIR, "--manifest", "shapes.lua", "--out", "out", NULL};
    const char *const only[] = {"--home", TEST_SOURCE_DIR, "--manifest", "shapes.lua", last, NULL};
    place_run(p, last ? only : out);
    place_expect(p, 0);
}

static void explanation_lists_what_is_computed(void **state) {
    place *p = *state;
    const lowering *expected = p->about;
    write_row(p, expected->chain);
    run_real(p, "--explain");
    expect_part(p->output, expected->explained);
}

/* ---- Generated text ---------------------------------------------------------------------------------------------- */

static void expect_in_kernel(void **state, const char *chain, const char *kernel, const char *part) {
    place *p = *state;
    char name[256];
    write_row(p, chain);
    run_real(p, NULL);
    snprintf(name, sizeof name, "out/kernels/conv_f32_c8_k3x3_o32_%s", kernel);
    char *text = place_read(p, name);
    expect_part(text, part);
    free(text);
}

static void fixed_constants_are_literals(void **state) {
    expect_in_kernel(state, "{ 'clamp', -0.5, 6 }", "clamp_m0p5_6_host_base.h",
                     "    value = step_clamp(value, -0.5f, 6.0f);\n");
}

static void other_constants_come_from_their_step_of_prepack(void **state) {
    expect_in_kernel(state, "'abs', 'clamp'", "absolute_clamp_mma3_sm80.cuh",
                     "_pointwise(float &first, float &second, const channel_constants<1> &constants) {\n"
                     "    first = step_abs(first);\n    second = step_abs(second);\n"
                     "    first = step_clamp(first, constants[0], constants[1]);\n");
    expect_in_kernel(state, "'abs', 'clamp'", "absolute_clamp_mma3_sm80.cuh",
                     " + 1] = real ? args.steps[1].constants[1] : 0.0f; // clamp\n");
}

static void second_step_of_a_kind_reads_its_own_values(void **state) {
    expect_in_kernel(state, "'bias', 'relu', 'bias'", "b_relu_b_host_base.h",
                     "b1 += load_element((*args).parameter_dtype, (*args).steps[2].values[0], channel);\n");
}

static void parameters_of_instance_norm_may_be_left_out(void **state) {
    expect_in_kernel(state, "'instance_norm'", "instance_norm_host_base.h",
                     "double weight = (*args).steps[0].values[0] ? load_element(");
}

/* An infinite factor times a summand that is not there would be no number. */
static void summand_that_is_not_there_is_not_multiplied(void **state) {
    expect_in_kernel(state, "'mul_channel'", "m_host_base.h",
                     "            // mul_channel\n"
                     "            a0 *= load_element((*args).parameter_dtype, (*args).steps[0].values[0], channel);\n"
                     "        }\n");
}

static void a_value_is_kept_in_a_variable(void **state) {
    expect_in_kernel(state, "'softplus', 'tanh', { 'mul_input_of', 1 }", "softplus_tanh_mul_input_of_1_host_base.h",
                     "    const cs_value value_input1 = value;\n    value = step_softplus(value);\n"
                     "    value = step_tanh(value);\n    value = value * value_input1;\n");
    expect_in_kernel(state, "'tanh', { 'mul_input_of', 1 }", "tanh_mul_input_of_1_mma3_sm80.cuh",
                     "    const cs_value first_input1 = first;\n    const cs_value second_input1 = second;\n");
}

static void each_step_has_its_tensor(void **state) {
    static const char chain[] = "'add_tensor', 'add_tensor', 'group_norm', 'abs', 'add_tensor'";
    expect_in_kernel(state, chain, "add_tensor_add_tensor_g_absolute_add_tensor_host_base.h",
                     "    cs_load_tensors(value_tensors, 2, 0, args, CS_F32, 32, tile, channel, row, col);\n"
                     "    value = value + value_tensors[0];\n    value = value + value_tensors[1];\n");
    expect_in_kernel(state, chain, "add_tensor_add_tensor_g_absolute_add_tensor_host_base.h",
                     "    cs_load_tensors(value_tensors, 1, 2, args, CS_F32, 32, tile, channel, row, col);\n"
                     "    value = step_abs(value);\n    value = value + value_tensors[0];\n");
    expect_in_kernel(state, chain, "add_tensor_add_tensor_g_absolute_add_tensor_mma3_sm80.cuh",
                     "    tensor_places<float, 2, 1> tensors;\n");
}

/* Slots of the two sides lie one behind the other: 32 channels of bias, then 32 of elu. */
static void steps_behind_the_norm_have_constants_of_their_own(void **state) {
    expect_in_kernel(state, "'bias', 'group_norm', 'elu'", "bg_elu_host_base.h",
                     "        packed[2304 + channel * 2 + 0] = nearest_finite(a0);\n");
    expect_in_kernel(state, "'bias', 'group_norm', 'elu'", "bg_elu_host_base.h",
                     "        packed[2368 + channel * 2 + 0] = real ? (*args).steps[2].constants[0] : 0.0f; // elu\n");
    expect_in_kernel(state, "'bias', 'group_norm', 'elu'", "bg_elu_host_base.h",
                     "_behind(cs_load(at) * norm.a + norm.b, packed + 2368 + channel * 2));\n");
}

static void tiles_of_cuda_kernels_go_through_what_stands_behind(void **state) {
    expect_in_kernel(state, "'group_norm', 'abs'", "g_absolute_mma3_sm80.cuh",
                     "struct conv_f32_c8_k3x3_o32_g_absolute_mma3_sm80_behind {\n");
    expect_in_kernel(state, "'group_norm', 'abs'", "g_absolute_mma3_sm80.cuh",
                     "write_outputs<shape, 32, true, conv_f32_c8_k3x3_o32_g_absolute_mma3_sm80_behind>(args, tile");
}

/* Two at once are only right for what is normalised as it is. */
static void sigmoids_come_in_pairs_right_before_a_norm_alone(void **state) {
    expect_in_kernel(state, "'sigmoid', 'group_norm'", "sg_mma3_sm80.cuh", "    sigmoid_exp2_pair(first, second);\n");
    expect_in_kernel(state, "'sigmoid', 'abs', 'group_norm'", "s_absolute_g_mma3_sm80.cuh",
                     "    first = sigmoid_exp2(first);\n    second = sigmoid_exp2(second);\n");
}

/* ---- The resident schedule --------------------------------------------------------------------------------------- */

static void expect_resident(void **state, const char *chain, const char *part) {
    place *p = *state;
    write_row(p, chain);
    run_real(p, "--explain");
    expect_part(p->output, part);
}

static void resident_schedule_takes_what_folds_into_the_norm(void **state) {
    expect_resident(state, "'relu', 'sigmoid', 'group_norm', 'mul_channel'",
                    ": conv_f32_c8_k3x3_o32_relu_sgm_resident3_sm90a\n");
}

static void resident_schedule_takes_instance_norm(void **state) {
    expect_resident(state, "'sigmoid', 'instance_norm'", ": conv_f32_c8_k3x3_o32_s_instance_norm_resident3_sm90a\n");
}

static void resident_schedule_has_fewer_steps_for_what_is_not_from_0_to_1(void **state) {
    expect_resident(state, "'sigmoid', 'mul_channel', 'group_norm'",
                    "    not planned   resident3: 9 steps are more than the 8 that it has registers for\n");
}

static void resident_schedule_refuses_what_is_not_normalised(void **state) {
    expect_resident(state, "'sigmoid'",
                    "    not planned   resident3: it is for the sake of a normalisation's statistics: group_norm or "
                    "instance_norm\n");
}

static void resident_schedule_refuses_what_stands_behind_the_norm(void **state) {
    expect_resident(state, "'sigmoid', 'group_norm', 'mul_channel', 'relu'",
                    "    not planned   resident3: its writers normalise and do no more: nothing but affine steps right "
                    "behind the normalisation\n");
}

static void resident_schedule_refuses_tensors(void **state) {
    expect_resident(state, "'add_tensor', 'sigmoid', 'group_norm'",
                    "    not planned   resident3: it reads no tensor but x: no add_tensor\n");
    expect_resident(state, "'sigmoid', 'group_norm', 'add_tensor'",
                    "    not planned   resident3: it reads no tensor but x: no add_tensor\n");
}

#define IN_A_PLACE(test) cmocka_unit_test_setup_teardown(test, place_create, place_destroy)

static int run_tables(void) {
    struct CMUnitTest tests[NAMINGS + LOWERINGS];
    size_t count = 0;
    for (size_t i = 0; i < NAMINGS; i++)
        tests[count++] = (struct CMUnitTest){namings[i].test, chain_has_its_names, place_create, place_destroy,
                                             (void *)(uintptr_t)&namings[i]};
    for (size_t i = 0; i < LOWERINGS; i++)
        tests[count++] = (struct CMUnitTest){lowerings[i].test, explanation_lists_what_is_computed, place_create,
                                             place_destroy, (void *)(uintptr_t)&lowerings[i]};
    return cmocka_run_group_tests_name("chains", tests, NULL, NULL);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        IN_A_PLACE(fixed_constants_are_literals),
        IN_A_PLACE(other_constants_come_from_their_step_of_prepack),
        IN_A_PLACE(second_step_of_a_kind_reads_its_own_values),
        IN_A_PLACE(parameters_of_instance_norm_may_be_left_out),
        IN_A_PLACE(summand_that_is_not_there_is_not_multiplied),
        IN_A_PLACE(long_names_end_in_a_hash),
        IN_A_PLACE(a_value_is_kept_in_a_variable),
        IN_A_PLACE(each_step_has_its_tensor),
        IN_A_PLACE(steps_behind_the_norm_have_constants_of_their_own),
        IN_A_PLACE(tiles_of_cuda_kernels_go_through_what_stands_behind),
        IN_A_PLACE(sigmoids_come_in_pairs_right_before_a_norm_alone),
        IN_A_PLACE(resident_schedule_takes_what_folds_into_the_norm),
        IN_A_PLACE(resident_schedule_takes_instance_norm),
        IN_A_PLACE(resident_schedule_has_fewer_steps_for_what_is_not_from_0_to_1),
        IN_A_PLACE(resident_schedule_refuses_what_is_not_normalised),
        IN_A_PLACE(resident_schedule_refuses_what_stands_behind_the_norm),
        IN_A_PLACE(resident_schedule_refuses_tensors),
    };
    const int failed = run_tables();
    return failed + cmocka_run_group_tests_name("lowered chains", tests, NULL, NULL);
}
