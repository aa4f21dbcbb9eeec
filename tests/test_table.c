/* SPDX-License-Identifier: Apache-2.0
 *
 * The dispatch table: its order, what is found in it and what is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "convsmith/convsmith.h"
#include "src/kernel.h"
#include "src/lookup.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const convsmith_kernel_info *info_at(size_t index) {
    return convsmith_kernel_get_info(convsmith_table_at(NULL, index));
}

static void the_table_has_rows(void **state) {
    (void)state;
    assert_true(convsmith_table_size(NULL) > 0);
    assert_ptr_equal(convsmith_table_at(convsmith_builtin_table(), 0), convsmith_table_at(NULL, 0));
}

/* Rows of one key stand side by side. */
static void rows_ascend_by_key(void **state) {
    (void)state;
    for (size_t i = 1; i < convsmith_table_size(NULL); ++i)
        if (cs_key_compare(&info_at(i - 1)->key, &info_at(i)->key) > 0)
            fail_msg("row %zu (%s) comes behind row %zu (%s)", i - 1, info_at(i - 1)->name, i, info_at(i)->name);
}

static void every_key_finds_its_first_row(void **state) {
    (void)state;
    size_t first = 0;
    for (size_t i = 0; i < convsmith_table_size(NULL); ++i) {
        convsmith_key key = info_at(i)->key;
        char epilogue[256]; /* another string of the same letters: keys are compared by value */
        snprintf(epilogue, sizeof epilogue, "%s", key.epilogue);
        key.epilogue = epilogue;
        if (cs_key_compare(&info_at(first)->key, &key) != 0)
            first = i;
        if (convsmith_find(&key) != convsmith_table_at(NULL, first))
            fail_msg("the key of %s does not find %s", info_at(i)->name, info_at(first)->name);
    }
}

/* Every place of a run of equal keys in a table, runs of every length. */
static void rows_of_one_key_are_found_together(void **state) {
    (void)state;
    enum { ROWS = 7 };
    convsmith_kernel rows[ROWS];
    for (int from = 0; from < ROWS; ++from)
        for (int behind = from + 1; behind <= ROWS; ++behind) {
            for (int i = 0; i < ROWS; ++i)
                rows[i] = (convsmith_kernel){.info.key = {.c_in = i < from     ? 1
                                                                  : i < behind ? 2
                                                                               : 3,
                                                          .epilogue = "bias"}};
            const convsmith_table table = {.layout = CS_TABLE_LAYOUT, .rows = rows, .count = ROWS};
            const convsmith_key key = {.c_in = 2, .epilogue = "bias"};
            const cs_rows found = cs_lookup(&table, &key);
            assert_ptr_equal(found.first, &rows[from]);
            assert_int_equal(found.count, behind - from);
        }
}

static void a_table_without_rows_has_none_of_a_key(void **state) {
    (void)state;
    const convsmith_table empty = {.layout = CS_TABLE_LAYOUT};
    const convsmith_key key = {.c_in = 2, .epilogue = "bias"};
    assert_null(cs_lookup(&empty, &key).first);
    assert_int_equal(cs_lookup(&empty, &key).count, 0);
}

static bool is_a_row(const convsmith_key *key) {
    for (size_t i = 0; i < convsmith_table_size(NULL); ++i)
        if (cs_key_compare(key, &info_at(i)->key) == 0)
            return true;
    return false;
}

static void neighbours_of_keys_that_are_no_rows_are_missed(void **state) {
    (void)state;
    int missed = 0;
    for (size_t i = 0; i < convsmith_table_size(NULL); ++i) {
        const convsmith_key key = info_at(i)->key;
        convsmith_key near[] = {key, key, key, key, key, key, key, key, key, key, key, key, key, key, key};
        near[0].c_in += 1;
        near[1].kh += 1;
        near[2].kw += 1;
        near[3].c_out += 1;
        near[4].epilogue = "bias+relu";
        near[5].target = (convsmith_target)1000;
        near[6].math = (convsmith_math)1000;
        near[7].stride_h = 1000;
        near[8].stride_w = 1000;
        near[9].pad_h = 1000;
        near[10].pad_w = 1000;
        near[11].dilation_h = 1000;
        near[12].dilation_w = 1000;
        near[13].conv_groups = 1000;
        near[14].layout = (convsmith_layout)1000;
        for (size_t j = 0; j < sizeof near / sizeof near[0]; ++j) {
            if (is_a_row(&near[j]))
                continue;
            assert_null(convsmith_find(&near[j]));
            ++missed;
        }
    }
    assert_true(missed > 0);
}

static void strides_dilations_and_groups_of_0_are_1(void **state) {
    (void)state;
    convsmith_key key = info_at(0)->key;
    key.stride_h = key.stride_w = key.dilation_h = key.dilation_w = key.conv_groups = 0;
    assert_ptr_equal(convsmith_find(&key), convsmith_table_at(NULL, 0));
    key.stride_h = key.stride_w = key.dilation_h = key.dilation_w = key.conv_groups = 1;
    assert_ptr_equal(convsmith_find(&key), convsmith_table_at(NULL, 0));
}

/* Fields that come first in the header decide first. */
static void keys_are_ordered_as_the_header_has_their_fields(void **state) {
    (void)state;
    const convsmith_key low = {.epilogue = "", .stride_h = 1};
    convsmith_key ascending[8] = {low, low, low, low, low, low, low, low};
    ascending[0].target = CONVSMITH_TARGET_SM90A;
    ascending[1].epilogue = "bias";
    ascending[2].dtype = CONVSMITH_F16;
    ascending[3].layout = CONVSMITH_NHWC;
    ascending[4].conv_groups = 2;
    ascending[5].dilation_w = 2;
    ascending[6].pad_w = 1;
    ascending[7].stride_w = 2;
    for (int i = 1; i < 8; ++i)
        assert_true(cs_key_compare(&ascending[i - 1], &ascending[i]) < 0);
}

static void a_miss_says_which_shape_is_missing(void **state) {
    (void)state;
    const convsmith_key key = {
        .c_in = 1021, .kh = 9, .kw = 11, .c_out = 1019, .epilogue = "bias", .target = CONVSMITH_TARGET_HOST_BASE};
    assert_null(convsmith_find(&key));
    assert_non_null(strstr(convsmith_detail(), "1021x9x11x1019 f32 fp32 bias for host_base"));
}

static void a_miss_names_parameters_that_are_not_the_default(void **state) {
    (void)state;
    convsmith_key key = {
        .c_in = 1021, .kh = 9, .kw = 11, .c_out = 1019, .epilogue = "bias", .target = CONVSMITH_TARGET_HOST_BASE};
    key.stride_h = 2;
    key.pad_w = 3;
    key.conv_groups = 5;
    key.layout = CONVSMITH_NHWC;
    assert_null(convsmith_find(&key));
    assert_non_null(strstr(convsmith_detail(), "1019 stride 2x1 padding 0x3 conv_groups 5 nhwc f32 fp32 bias for"));
}

static void names_state_the_shape_and_differ(void **state) {
    (void)state;
    for (size_t i = 0; i < convsmith_table_size(NULL); ++i) {
        const convsmith_kernel_info *info = info_at(i);
        char start[64], channels[16];
        snprintf(start, sizeof start, "conv_%s_c%d_k%dx%d_", convsmith_dtype_name(info->key.dtype), (int)info->key.c_in,
                 (int)info->key.kh, (int)info->key.kw);
        snprintf(channels, sizeof channels, "_o%d_", (int)info->key.c_out);
        if (strncmp(info->name, start, strlen(start)) != 0 || strstr(info->name, channels) == NULL)
            fail_msg("%s does not begin with %s, or has no %s", info->name, start, channels);
        for (size_t j = 0; j < i; ++j)
            assert_string_not_equal(info->name, info_at(j)->name);
    }
}

static void past_the_end_there_is_nothing(void **state) {
    (void)state;
    assert_null(convsmith_table_at(NULL, convsmith_table_size(NULL)));
    assert_null(convsmith_table_at(NULL, SIZE_MAX));
}

static void a_table_of_another_layout_has_no_rows_and_a_reason(void **state) {
    (void)state;
    const convsmith_table old = {.layout = CS_TABLE_LAYOUT - 1, .count = 1};
    const convsmith_key key = {.c_in = 8, .kh = 3, .kw = 3, .c_out = 32, .epilogue = "bias"};
    assert_int_equal(convsmith_table_size(&old), 0);
    assert_null(convsmith_table_at(&old, 0));
    assert_null(convsmith_table_find(&old, &key));
    assert_non_null(strstr(convsmith_detail(), "rebuild it with this version"));
}

static void null_arguments_give_null_and_a_reason(void **state) {
    (void)state;
    assert_null(convsmith_kernel_get_info(NULL));
    assert_null(convsmith_find(NULL));
    assert_non_null(strstr(convsmith_detail(), "key is NULL"));
    const convsmith_key key = {.c_in = 8, .kh = 3, .kw = 3, .c_out = 32};
    assert_null(convsmith_find(&key));
    assert_non_null(strstr(convsmith_detail(), "epilogue is NULL"));
}

static void names_of_values_that_are_none_are_question_marks(void **state) {
    (void)state;
    assert_string_equal(convsmith_dtype_name((convsmith_dtype)99), "?");
    assert_string_equal(convsmith_math_name((convsmith_math)99), "?");
    assert_string_equal(convsmith_target_name((convsmith_target)99), "?");
    assert_string_equal(convsmith_status_string((convsmith_status)99), "unknown status");
}

static void dtypes_have_their_names(void **state) {
    (void)state;
    assert_string_equal(convsmith_dtype_name(CONVSMITH_F32), "f32");
    assert_string_equal(convsmith_dtype_name(CONVSMITH_F16), "f16");
    assert_string_equal(convsmith_dtype_name(CONVSMITH_BF16), "bf16");
}

static void every_target_has_a_name_and_a_device(void **state) {
    (void)state;
    for (size_t i = 0; i < convsmith_table_size(NULL); ++i) {
        const convsmith_target target = info_at(i)->key.target;
        assert_string_not_equal(convsmith_target_name(target), "?");
        const bool host = strncmp(convsmith_target_name(target), "host_", 5) == 0;
        assert_int_equal(convsmith_target_device(target), host ? CONVSMITH_DEVICE_CPU : CONVSMITH_DEVICE_CUDA);
    }
}

/* That the generator kept something of tuning/h200.lua: not all of its kernels have gone. */
static void the_table_has_times_of_the_h200(void **state) {
    (void)state;
    const convsmith_table *table = convsmith_builtin_table();
    bool found = false;
    for (size_t i = 0; i < table->tuning_count; ++i)
        found = found || (strcmp(table->tunings[i].model.name, "NVIDIA H200") == 0 && table->tunings[i].count > 0);
    assert_true(found);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_rows),
        cmocka_unit_test(rows_ascend_by_key),
        cmocka_unit_test(every_key_finds_its_first_row),
        cmocka_unit_test(rows_of_one_key_are_found_together),
        cmocka_unit_test(a_table_without_rows_has_none_of_a_key),
        cmocka_unit_test(strides_dilations_and_groups_of_0_are_1),
        cmocka_unit_test(keys_are_ordered_as_the_header_has_their_fields),
        cmocka_unit_test(neighbours_of_keys_that_are_no_rows_are_missed),
        cmocka_unit_test(a_miss_says_which_shape_is_missing),
        cmocka_unit_test(a_miss_names_parameters_that_are_not_the_default),
        cmocka_unit_test(names_state_the_shape_and_differ),
        cmocka_unit_test(past_the_end_there_is_nothing),
        cmocka_unit_test(a_table_of_another_layout_has_no_rows_and_a_reason),
        cmocka_unit_test(null_arguments_give_null_and_a_reason),
        cmocka_unit_test(names_of_values_that_are_none_are_question_marks),
        cmocka_unit_test(dtypes_have_their_names),
        cmocka_unit_test(every_target_has_a_name_and_a_device),
        cmocka_unit_test(the_table_has_times_of_the_h200),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
