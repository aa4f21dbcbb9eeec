/* SPDX-License-Identifier: Apache-2.0
 *
 * Chains as texts: what is read from them, the one name that each has, and what is refused.
 */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/chain.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static cs_chain parsed(const char *text) {
    cs_chain chain;
    cs_message message;
    if (!cs_chain_read(text, &chain, &message))
        fail_msg("'%s': %s", text, message.text);
    return chain;
}

static void assert_named(const char *text, const char *name) {
    const cs_chain chain = parsed(text);
    assert_string_equal(cs_chain_name(&chain).text, name);
}

static void steps_and_constants_are_read_in_order(void **state) {
    (void)state;
    const cs_chain chain = parsed("bias+clamp(-1.5,6)+bias+leaky_relu+group_norm+mul_const(2)");
    static const cs_step steps[] = {CS_STEP_BIAS,       CS_STEP_CLAMP,      CS_STEP_BIAS,
                                    CS_STEP_LEAKY_RELU, CS_STEP_GROUP_NORM, CS_STEP_MUL_CONST};
    assert_int_equal(chain.count, 6);
    for (int i = 0; i < chain.count; i++)
        assert_int_equal(chain.steps[i].step, steps[i]);
    assert_true(chain.steps[1].is_fixed && !chain.steps[3].is_fixed && chain.steps[5].is_fixed);
    assert_true(chain.steps[1].constants[0] == -1.5f && chain.steps[1].constants[1] == 6);
    assert_int_equal(chain.normalisation, 4);
}

static void the_bare_convolution_has_no_steps(void **state) {
    (void)state;
    const cs_chain chain = parsed("");
    assert_int_equal(chain.count, 0);
    assert_int_equal(chain.normalisation, -1);
    assert_named(" ", "");
}

static void a_chain_has_one_name_however_it_is_written(void **state) {
    (void)state;
    assert_named(" bias + clamp ( 0 , 6.0 )+ relu ", "bias+clamp(0,6)+relu");
    assert_named("clamp(-0,0.6e1)", "clamp(0,6)");
    assert_named("leaky_relu(.1)", "leaky_relu(0.1)");
    assert_named("leaky_relu(0.10000000149)", "leaky_relu(0.1)");
    assert_named("leaky_relu(1.226779850e-30)", "leaky_relu(1.22677985e-30)");
    assert_named("batch_norm(0.00001)", "batch_norm(1e-05)");
    assert_named("mul_const(10)", "mul_const(10)");
    assert_named("clamp(-10000,1e6)", "clamp(-10000,1e+06)");
    assert_named("mul_const(1.2e2)", "mul_const(120)");
    assert_named("mul_const(1.2e-2)", "mul_const(0.012)");
    assert_named("mul_const(123456789)", "mul_const(123456792)");
    assert_named("mul_const(100000)", "mul_const(1e+05)");
    assert_named("mul_const(1e+5)+relu", "mul_const(1e+05)+relu");
    assert_named("mul_const(0.333333343)", "mul_const(0.33333334)");
    assert_named("clamp", "clamp");
}

/* The name of a name is that name, for floats of all sizes. */
static void names_read_back_as_the_same_floats(void **state) {
    (void)state;
    uint32_t bits = 12345;
    for (int i = 0; i < 20000; i++) {
        float value;
        char text[64];
        bits = bits * 1664525u + 1013904223u;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value) || value == 0)
            continue;
        snprintf(text, sizeof text, "add_const(%.17g)", (double)value);
        const cs_chain first = parsed(text);
        const cs_chain_text name = cs_chain_name(&first);
        const cs_chain again = parsed(name.text);
        assert_memory_equal(&first.steps[0].constants[0], &value, sizeof value);
        assert_memory_equal(&again.steps[0].constants[0], &value, sizeof value);
        assert_string_equal(cs_chain_name(&again).text, name.text);
    }
}

static void a_manifest_s_list_has_strings_and_numbers(void **state) {
    (void)state;
    const cs_chain chain = parsed("bias+clamp(0,6)+elu(1)"), empty = parsed("");
    assert_string_equal(cs_chain_list(&chain).text, "{ \"bias\", { \"clamp\", 0, 6 }, { \"elu\", 1 } }");
    assert_string_equal(cs_chain_list(&empty).text, "{}");
}

static void values_of_later_steps_are_numbered_in_state_dicts(void **state) {
    (void)state;
    static const char *const names[] = {"conv.bias",
                                        "bias",
                                        "conv.bias.2",
                                        "sub",
                                        "scale",
                                        "divisor",
                                        "batch_norm.weight",
                                        "batch_norm.bias",
                                        "batch_norm.running_mean",
                                        "batch_norm.running_var",
                                        "group_norm.weight",
                                        "group_norm.bias",
                                        "conv.bias.3"};
    const cs_chain chain =
        parsed("bias+add_channel+relu+bias+sub_channel+mul_channel+div_channel+batch_norm+group_norm+bias");
    assert_int_equal(chain.value_count, 13);
    for (int i = 0; i < chain.value_count; i++)
        assert_string_equal(cs_chain_value_name(&chain, i).text, names[i]);
}

static void numbers_are_the_same_in_every_locale(void **state) {
    (void)state;
    const char *const before = setlocale(LC_ALL, NULL);
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        skip();
    const cs_chain chain = parsed("leaky_relu(0.5)");
    const cs_chain_text name = cs_chain_name(&chain);
    setlocale(LC_ALL, before);
    assert_string_equal(name.text, "leaky_relu(0.5)");
    assert_true(chain.steps[0].constants[0] == 0.5f);
}

static void what_is_wrong_is_said(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"rely", "epilogue step 1, 'rely' is unknown; the steps, joined by '+', are bias, add_channel, sub_channel,"},
        {"rely", "batch_norm, group_norm, instance_norm"},
        {"bias+", "step 2, '' is unknown"},
        {"+bias", "step 1, '' is unknown"},
        {"bias++bias", "step 2, '' is unknown"},
        {"bias,sigmoid", "'bias,sigmoid' is unknown"},
        {"bia", "'bia' is unknown"},
        {"bias+ReLU", "epilogue step 2, 'ReLU' is unknown; did you mean relu?"},
        {"relu()", "epilogue step 1, relu, has nothing in its parentheses; relu is written without them"},
        {"mul_input_of( )", "step 1, mul_input_of, has nothing in its parentheses; it takes (k)"},
        {"relu(1)", "step 1, relu, takes no constants"},
        {"bias+clamp(1)",
         "step 2, clamp, has 1 constant; it takes 2, (lo, hi), or none where they are given at prepack"},
        {"clamp(1,2,3)", "step 1, clamp, has 3 constants; it takes 2"},
        {"elu(1,2)", "step 1, elu, has 2 constants; it takes 1, (alpha)"},
        {"elu()", "elu is written without them, where its constants are given at prepack"},
        {"elu(1", "step 1, elu, lacks its ')'"},
        {"elu(", "step 1, elu, has '' where a number should be"},
        {"elu(1)2", "step 1, elu, is followed by '2'"},
        {"elu(x)", "has 'x' where a number should be"},
        {"elu(0x1)", "has '0x1' where a number should be"},
        {"elu(nan)", "has 'nan' where a number should be"},
        {"elu(inf)", "has 'inf' where a number should be"},
        {"elu(1e999)", "step 1, elu, has a bad constant: alpha must be finite"},
        {"elu(1e39)", "alpha must be finite"},
        {"clamp(0,1e39)", "hi must be finite"},
        {"clamp(2,1)", "lo must be at most hi"},
        {"div_const(0)", "c must not be 0"},
        {"batch_norm(0)", "eps must be positive"},
        {"batch_norm(-1)", "eps must be positive"},
        {"mul_input_of", "step 1, mul_input_of, lacks its (k), the number of the step whose input it multiplies by"},
        {"relu+mul_input_of", "step 2, mul_input_of, lacks its (k)"},
        {"mul_input_of(1)", "step 1, mul_input_of, has no step before it; it multiplies by what an earlier one rec"},
        {"bias+group_norm+mul_input_of(1)", "step 3, mul_input_of, has no step before it on its side of the normali"},
        {"relu+tanh+mul_input_of(3)",
         "step 3, mul_input_of, has k = 3; it is the number of an earlier step, from 1 to 2"},
        {"relu+tanh+mul_input_of(0)", "has k = 0; it is the number of an earlier step, from 1 to 2"},
        {"relu+tanh+mul_input_of(1.5)", "has k = 1.5; it is"},
        {"relu+tanh+mul_input_of(1e9)", "has k = 1e+09; it is"},
        {"relu+mul_input_of(1,2)", "step 2, mul_input_of, has 2 constants; it takes 1, (k)"},
        {"bias+group_norm+tanh+abs+mul_input_of(2)",
         "has k = 2; it is the number of an earlier step on its side of the normalisation, from 3 to 4"},
        {"group_norm+instance_norm", "step 2, instance_norm, is a second normalisation; a chain has one at most"},
        {"group_norm+bias+group_norm", "step 3, group_norm, is a second normalisation"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cs_chain chain;
        cs_message message = {""};
        if (cs_chain_read(rows[i][0], &chain, &message) || !strstr(message.text, rows[i][1]))
            fail_msg("'%s' should be refused with '%s', not '%s'", rows[i][0], rows[i][1], message.text);
        assert_false(cs_chain_read(rows[i][0], &chain, NULL));
    }
}

static void so_many_steps_and_no_more(void **state) {
    (void)state;
    char text[256] = "relu";
    for (int i = 1; i < CS_MAX_STEPS; i++)
        strcat(text, "+relu");
    assert_int_equal(parsed(text).count, CS_MAX_STEPS);
    strcat(text, "+relu");
    cs_chain chain;
    cs_message message;
    assert_false(cs_chain_read(text, &chain, &message));
    assert_non_null(strstr(message.text, "more than 16 steps"));
}

static void tensors_are_numbered(void **state) {
    (void)state;
    const cs_chain chain = parsed("add_tensor+relu+add_tensor+group_norm+add_tensor");
    assert_int_equal(chain.tensor_count, 3);
    for (int i = 0; i < chain.count; i++)
        assert_int_equal(cs_chain_tensor(&chain, i), i % 2 ? -1 : i / 2);
}

static void so_many_tensors_and_no_more(void **state) {
    (void)state;
    cs_chain chain;
    cs_message message;
    assert_int_equal(parsed("add_tensor+add_tensor+relu+add_tensor+add_tensor").tensor_count, CS_MAX_TENSORS);
    assert_false(cs_chain_read("add_tensor+add_tensor+relu+add_tensor+add_tensor+add_tensor", &chain, &message));
    assert_non_null(strstr(message.text, "more than 4 steps add_tensor"));
}

/* As long as names can be. */
static void the_longest_name_fits(void **state) {
    (void)state;
    char text[1024] = "";
    for (int i = 0; i < CS_MAX_STEPS; i++)
        sprintf(text + strlen(text), "%sclamp(-1.22677985e-30,1.22677985e-30)", i ? "+" : "");
    assert_named(text, text);
}

static int behind(const char *text) {
    const cs_chain chain = parsed(text);
    return cs_chain_behind(&chain);
}

static void affine_steps_right_behind_a_normalisation_are_folded(void **state) {
    (void)state;
    assert_int_equal(parsed("relu+instance_norm+bias+batch_norm+div_const(2)+mul_channel").normalisation, 1);
    assert_int_equal(behind("relu+instance_norm+bias+batch_norm+div_const(2)+mul_channel"), 6);
    assert_int_equal(behind("relu+group_norm+bias+relu+bias+sigmoid"), 3);
    assert_int_equal(behind("group_norm+silu"), 1);
    assert_int_equal(behind("bias+relu"), 2);
}

static void a_step_s_input_is_kept_for_who_multiplies_by_it(void **state) {
    (void)state;
    const cs_chain chain = parsed(" bias + softplus+tanh +mul_input_of( 2 )+group_norm+bias+bias+relu+mul_input_of(7)");
    assert_string_equal(cs_chain_name(&chain).text,
                        "bias+softplus+tanh+mul_input_of(2)+group_norm+bias+bias+relu+mul_input_of(7)");
    assert_string_equal(cs_chain_list(&chain).text,
                        "{ \"bias\", \"softplus\", \"tanh\", { \"mul_input_of\", 2 }, \"group_norm\", \"bias\", "
                        "\"bias\", \"relu\", { \"mul_input_of\", 7 } }");
    for (int i = 0; i < chain.count; i++) {
        assert_int_equal(cs_chain_input(&chain, i), i == 3 ? 1 : i == 8 ? 6 : -1);
        assert_int_equal(cs_chain_keeps(&chain, i), i == 1 || i == 6);
    }
    assert_int_equal(cs_chain_behind(&chain), 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_and_constants_are_read_in_order),
        cmocka_unit_test(the_bare_convolution_has_no_steps),
        cmocka_unit_test(a_chain_has_one_name_however_it_is_written),
        cmocka_unit_test(names_read_back_as_the_same_floats),
        cmocka_unit_test(a_manifest_s_list_has_strings_and_numbers),
        cmocka_unit_test(values_of_later_steps_are_numbered_in_state_dicts),
        cmocka_unit_test(numbers_are_the_same_in_every_locale),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(so_many_steps_and_no_more),
        cmocka_unit_test(tensors_are_numbered),
        cmocka_unit_test(so_many_tensors_and_no_more),
        cmocka_unit_test(the_longest_name_fits),
        cmocka_unit_test(a_step_s_input_is_kept_for_who_multiplies_by_it),
        cmocka_unit_test(affine_steps_right_behind_a_normalisation_are_folded),
    };
    return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
