/* SPDX-License-Identifier: Apache-2.0
 *
 * The program convsmith: what each command prints, and its exit status. test_cli_run.c is about `run`.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "program.h"

#include "convsmith/convsmith.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

#define A_KERNEL "conv_f32_c3_k3x3_o16_bamsg_host_base"

/* ---- The program as a whole -------------------------------------------------------------------------------------- */

static void it_tells_its_version(void **state) {
    char words[64];
    snprintf(words, sizeof words, "convsmith %d.%d.%d\n", CONVSMITH_VERSION_MAJOR, CONVSMITH_VERSION_MINOR,
             CONVSMITH_VERSION_PATCH);
    expect(*state, "--version", DONE, words);
}

/* The text of a help from the heading on, behind it. */
static const char *part(const char *help, const char *heading) {
    const char *found = strstr(help, heading);
    if (!found)
        fail_msg("there is no '%s' in: %s", heading, help);
    return found + strlen(heading);
}

/* Calls back for each command that the program's help lists. */
static void for_each_command(scratch *s, void (*look)(scratch *s, const char *command)) {
    char command[32];
    int count = 0;
    outcome o = run(s, "--help");
    for (const char *line = part(o.out, "\ncommands:\n"); *line == ' '; line += strcspn(line, "\n") + 1) {
        assert_int_equal(sscanf(line, " %31s", command), 1);
        look(s, command);
        count++;
    }
    drop(&o);
    assert_true(count >= 6);
}

/* The example is of the command, and each option in it is explained above. */
static void look_at_example(scratch *s, const char *command) {
    char arguments[64], begin[64];
    snprintf(arguments, sizeof arguments, "%s --help", command);
    snprintf(begin, sizeof begin, "\nexample:\n    convsmith %s ", command);
    outcome o = run(s, arguments);
    const char *example = part(o.out, begin);
    for (const char *option = strstr(example, "--"); option; option = strstr(option + 2, "--")) {
        char row[64];
        snprintf(row, sizeof row, "\n    %.*s", (int)strcspn(option, " =\n"), option);
        part(part(o.out, "\noptions:"), row);
    }
    drop(&o);
}

static void each_command_helps_with_an_example(void **state) {
    expect(*state, "--help", DONE, "\nexample:\n    convsmith find 8x3x3x32");
    for_each_command(*state, look_at_example);
}

static void look_at_width(scratch *s, const char *command) {
    char arguments[64];
    snprintf(arguments, sizeof arguments, "%s --help", command);
    outcome o = run(s, arguments);
    for (const char *line = o.out; *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > 105)
            fail_msg("convsmith %s has a line of %zu columns: %.60s", arguments, strcspn(line, "\n"), line);
    drop(&o);
}

static void help_fits_the_terminal(void **state) {
    look_at_width(*state, "");
    for_each_command(*state, look_at_width);
}

static void bad_arguments_are_told(void **state) {
    static const char *const rows[][2] = {
        {"", "usage: convsmith COMMAND"},
        {"lsit", "there is no command 'lsit'"},
        {"list --jsno", "list: error: unknown option --jsno"},
        {"list --json=yes", "--json takes no value"},
        {"list --help=html", "unknown option --help=html"},
        {"list all", "unexpected argument 'all'"},
        {"find", "SHAPE is missing"},
        {"find 8x3x3x32 8x3x3x32", "unexpected argument"},
        {"find 8x3x3", "'8x3x3' is not a shape"},
        {"find 8x3x3x32x1", "is not a shape"},
        {"find 8x3x-3x32", "is not a shape"},
        {"find 0x3x3x32", "is not a shape"},
        {"find 99999999999999999999x3x3x32", "is not a shape"},
        {"find 8x3x3x32 --dtype f64", "--dtype: 'f64' is none of f32, f16, bf16"},
        {"find 8x3x3x32 --math fp16", "--math: 'fp16' is none of fp32, tf32"},
        {"find 8x3x3x32 --device tpu", "--device: 'tpu' is none of cpu, cuda"},
        {"find 8x3x3x32 --device", "--device needs a value"},
        {"find 8x3x3x32 --stride 0",
         "--stride: '0' is neither a whole number from 1 to 2147483647 nor two such as 2x1"},
        {"find 8x3x3x32 --stride 2x", "--stride: '2x' is neither"},
        {"find 8x3x3x32 --stride 2x1x1", "--stride: '2x1x1' is neither"},
        {"find 8x3x3x32 --stride 2x-1", "--stride: '2x-1' is neither"},
        {"find 8x3x3x32 --padding -1", "--padding: '-1' is neither a whole number from 0"},
        {"find 8x3x3x32 --dilation 99999999999999999999", "is neither a whole number from 1"},
        {"find 8x3x3x32 --conv-groups 3", "--conv-groups: 3 does not divide the 8 and 32 channels"},
        {"find 8x3x3x32 --layout hwc", "--layout: 'hwc' is none of nchw, nhwc"},
        {"check --family exakt", "--family: 'exakt' is none of exact, random"},
        {"check --case 1", "--case needs --family"},
        {"check --family exact --case 99", "--case: '99' is not a whole number from 0 to 11"},
        {"check --samples 0", "--samples: '0' is not a whole number from 1"},
        {"check --sample 3", "--sample: '3' is not a seed and a number such as 1:17"},
        {"check --sample 1:x", "--sample: 'x' is not a whole number"},
        {"check --sample 1:2 --seed 1", "--sample names one sample, seed and all: it goes without --seed"},
        {"check --samples 2 --family exact", "--family goes without --samples"},
        {"check --samples 2 --filter " A_KERNEL, "is no generic kernel"},
        {"check --small", "--small goes with --samples"},
        {"check --seed -1", "--seed: '-1' is not a whole number"},
        {"check --device gpu", "--device: 'gpu' is none of cpu, cuda"},
        {"bench --n 0", "--n: '0' is not a whole number"},
        {"bench --repeats many", "--repeats: 'many' is not a whole number"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(*state, rows[i][0], BAD_INPUT, rows[i][1]);
}

static void expect_full(scratch *s, const char *arguments) {
    char command[2048], path[512];
    size_t size;
    snprintf(command, sizeof command, "'%s' %s >/dev/full 2>'%s'", TEST_PROGRAM, arguments, scratch_path(s, "err.txt"));
    const int status = system(command);
    snprintf(path, sizeof path, "%s", scratch_path(s, "err.txt"));
    char *said = scratch_read(path, &size);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != BAD_INPUT || !strstr(said, "the output cannot be written in full"))
        fail_msg("convsmith %s >/dev/full: status %d, it said: %s", arguments, status, said);
    free(said);
}

static void output_that_cannot_be_written_is_an_error(void **state) {
    expect_full(*state, "list");
    expect_full(*state, "list --json");
    expect_full(*state, "find 8x3x3x32");
    expect_full(*state, "check --filter " A_KERNEL);
    expect_full(*state, "list --help");
    expect_full(*state, "--version");
}

/* ---- list and find ----------------------------------------------------------------------------------------------- */

static void list_names_every_kernel_once(void **state) {
    outcome o = run(*state, "list");
    assert_int_equal(o.status, DONE);
    for (size_t i = 0; i < convsmith_table_size(NULL); i++) {
        char name[256];
        snprintf(name, sizeof name, " %s\n", convsmith_kernel_get_info(convsmith_table_at(NULL, i))->name);
        const char *found = strstr(o.out, name);
        if (!found || strstr(found + 1, name))
            fail_msg("%s should be listed once", name);
    }
    drop(&o);
}

static double number(const cJSON *row, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, name);
    if (!cJSON_IsNumber(item))
        fail_msg("the JSON should have a number \"%s\"", name);
    return item->valuedouble;
}

static const char *word(const cJSON *row, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, name);
    if (!cJSON_IsString(item))
        fail_msg("the JSON should have a string \"%s\"", name);
    return item->valuestring;
}

static void assert_row(const cJSON *row, const convsmith_kernel_info *info) {
    assert_string_equal(word(row, "name"), info->name);
    assert_string_equal(word(row, "epilogue"), info->key.epilogue);
    assert_string_equal(word(row, "math"), convsmith_math_name(info->key.math));
    assert_string_equal(word(row, "target"), convsmith_target_name(info->key.target));
    assert_string_equal(word(row, "strategy"), info->strategy);
    assert_non_null(strstr("recompute resident stored", word(row, "schedule")));
    assert_true(number(row, "blocks_per_sm") == info->blocks_per_sm);
    assert_true(number(row, "planned_registers") == info->registers);
    assert_true(number(row, "c_in") == info->key.c_in && number(row, "c_out") == info->key.c_out);
    assert_true(number(row, "kh") == info->key.kh && number(row, "kw") == info->key.kw);
    assert_true(number(row, "tile_h") == info->tile_h && number(row, "tile_w") == info->tile_w);
    assert_true(number(row, "packed_bytes") == (double)info->packed_bytes);
    assert_true(number(row, "multiply_adds") == (double)info->multiply_adds);
    assert_true(cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(row, "runs_here")));
}

static void list_as_json_has_every_row(void **state) {
    outcome o = run(*state, "list --json");
    assert_int_equal(o.status, DONE);
    cJSON *rows = cJSON_Parse(o.out);
    assert_true(cJSON_IsArray(rows));
    assert_int_equal(cJSON_GetArraySize(rows), convsmith_table_size(NULL));
    for (size_t i = 0; i < convsmith_table_size(NULL); i++)
        assert_row(cJSON_GetArrayItem(rows, (int)i), convsmith_kernel_get_info(convsmith_table_at(NULL, i)));
    cJSON_Delete(rows);
    drop(&o);
}

static void find_tells_the_kernels_of_a_shape(void **state) {
    expect(*state, "find 8x3x3x32", DONE, "conv_f32_c8_k3x3_o32_");
    expect(*state, "find 5x3x5x24 --dtype f32 --math fp32 --device cpu", DONE, "conv_f32_c5_k3x5_o24_");
    expect(*state, "find 3x3x3x16 --dtype bf16", DONE, "conv_bf16_c3_k3x3_o16_");
    outcome o = run(*state, "find 8x3x3x32 --device cpu --json");
    cJSON *rows = cJSON_Parse(o.out);
    assert_true(cJSON_GetArraySize(rows) > 0);
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) assert_string_equal(word(row, "device"), "cpu");
    cJSON_Delete(rows);
    drop(&o);
}

static void find_without_a_hit_says_what_to_add(void **state) {
    expect(*state, "find 8x3x3x33", NO_KERNEL, "conv { c_in = 8, kernel = \"3x3\", c_out = 33 }");
    expect(*state, "find 8x3x3x33 --device cpu", NO_KERNEL, "c_out = 33, math = { \"fp32\" } }");
    expect(*state, "find 8x3x3x33 --dtype f16 --math fp32", NO_KERNEL, "c_out = 33, dtype = \"f16\" }");
    expect(*state, "find 3x3x3x16 --dtype bf16 --math tf32", NO_KERNEL, "Kernels of bf16 have math fp32 alone");
}

/* The shape is there, but not as it is asked for: the hint is what its own row lacks. */
/* Whether this build has kernels of the tensor cores at all. */
static bool has_tf32(void) {
    for (size_t i = 0; i < convsmith_table_size(NULL); i++)
        if (convsmith_kernel_get_info(convsmith_table_at(NULL, i))->key.math == CONVSMITH_MATH_TF32)
            return true;
    return false;
}

static void find_looks_at_the_convolution(void **state) {
    expect(*state, "find 8x3x3x32 --stride 1 --padding 0 --dilation 1x1 --conv-groups 1 --layout nchw", DONE,
           "conv_f32_c8_k3x3_o32_");
    expect(*state, "find 8x3x3x32 --stride 2", NO_KERNEL, "c_out = 32, stride = 2 }");
    expect(*state, "find 8x3x3x32 --padding 1x0 --dilation 2 --conv-groups 8 --layout nhwc", NO_KERNEL,
           "padding = \"1x0\", dilation = 2, conv_groups = 8, layout = \"nhwc\" }");
}

static void find_tells_what_runs_meanwhile(void **state) {
    expect(*state, "find 8x3x3x33 --device cpu", NO_KERNEL,
           "Meanwhile a plan for it on the CPU runs generic_f32_host_");
    expect(*state, "find 8x3x3x32 --dtype bf16 --stride 3x1 --epilogue bias+relu", NO_KERNEL,
           "runs generic_bf16_host_");
    expect(*state, "find 8x3x3x32 --layout nhwc --device cpu", NO_KERNEL, "runs generic_f32_host_");
}

/* Sizes whose products exceed 64 bits too. */
static void find_of_what_cannot_be_has_no_hint(void **state) {
    static const char *const rows[][2] = {
        {"2x2x2x2 --padding 2147483647", "problem->pad_h is 2147483647; the padded input, "},
        {"3x2147483647x3x4 --dilation 2147483647 --layout nhwc", "problem->h is "},
        {"2147483647x2147483647x2147483647x1 --layout nhwc", "exceeds the address space"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char arguments[128];
        snprintf(arguments, sizeof arguments, "find %s", rows[i][0]);
        outcome o = run(*state, arguments);
        if (o.status != NO_KERNEL || !strstr(o.err, rows[i][1]) || strstr(o.err, "manifest") || strstr(o.err, "runs "))
            fail_msg("convsmith %s: it should say '%s' alone, it said: %s", arguments, rows[i][1], o.err);
        drop(&o);
    }
}

static void find_tells_what_no_row_can_have(void **state) {
    static const char *const rows[][2] = {
        {"1025x3x3x8", "No row of a manifest can have c_in = 1025: it is 1024 at most."},
        {"8x3x3x4096", "No row of a manifest can have c_out = 4096: it is 1024 at most."},
        {"8x3x16x8", "No row of a manifest can have kw = 16: it is 15 at most."},
        {"8x3x3x8 --stride 1x65", "No row of a manifest can have stride_w = 65: it is 64 at most."},
        {"8x3x3x8 --padding 65", "No row of a manifest can have pad_h = 65: it is 64 at most."},
        {"8x3x3x8 --dilation 65", "No row of a manifest can have dilation_h = 65: it is 64 at most."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char arguments[128];
        snprintf(arguments, sizeof arguments, "find %s --device cpu", rows[i][0]);
        outcome o = run(*state, arguments);
        if (o.status != NO_KERNEL || !strstr(o.err, rows[i][1]) || strstr(o.err, "add this row") ||
            !strstr(o.err, "\nA plan for it on the CPU runs generic_f32_host_"))
            fail_msg("convsmith %s: it should say '%s', it said: %s", arguments, rows[i][1], o.err);
        drop(&o);
    }
    expect(*state, "find 1024x15x15x1024 --stride 64 --padding 64 --dilation 64 --device cpu", NO_KERNEL,
           "add this row");
}

static void find_gives_a_row_a_reference_that_its_kernel_fits(void **state) {
    expect(*state, "find 2x2x3x16 --stride 2x1 --dilation 64 --epilogue relu", NO_KERNEL,
           "epilogue = { \"relu\" }, reference = { h = 193, w = 257 } }\n");
}

static void find_tells_what_a_row_lacks(void **state) {
    expect(*state, "find 8x3x3x32 --epilogue bias+sigmoid", NO_KERNEL,
           "conv { c_in = 8, kernel = \"3x3\", c_out = 32, epilogue = { \"bias\", \"sigmoid\" } }\n");
    expect(*state, "find 8x3x3x32 --epilogue 'clamp( 0,6.0)'", NO_KERNEL,
           "c_out = 32, epilogue = { { \"clamp\", 0, 6 } } }\n");
    expect(*state, "find 8x3x3x32 --epilogue 'bias+clamp('", BAD_INPUT, "--epilogue: epilogue step 2, clamp,");
    expect(*state, "find 8x3x3x32 --epilogue ' bias+add_channel + mul_channel+sigmoid+group_norm'", DONE, "bamsg");
    expect(*state, "find 8x3x3x32 --math tf32 --epilogue ''", NO_KERNEL,
           has_tf32() ? "math = { \"tf32\" }, epilogue = {} }\n" : "this program was built without them");
    expect(*state, "find 8x3x3x32 --math tf32 --device cpu", NO_KERNEL, "CPU kernels have math fp32 alone");
}

/* ---- check and bench --------------------------------------------------------------------------------------------- */

static void check_ends_with_the_counts(void **state) {
    expect(*state, "check --filter " A_KERNEL, DONE, "1 passed, 0 failed, 0 skipped\n");
    expect(*state, "check --device cpu --filter '*_c3_k3x3_o16_*_host_base' --family random --seed 5", DONE,
           "passed   " A_KERNEL);
}

static void check_repeats_one_case(void **state) {
    expect(*state, "check --device cpu --filter " A_KERNEL " --family random --case 7 --seed 1234", DONE, "(1 case)");
}

static void check_knows_generic_kernels(void **state) {
    expect(*state, "check --help", DONE, "generic kernels");
    expect(*state, "check --filter generic_f32_host_base", DONE, "passed   generic_f32_host_base (60 cases)\n1 passed");
    expect(*state, "check --filter 'generic_*_host_base' --family nonfinite --seed 3", DONE, "3 passed");
}

static void check_draws_samples(void **state) {
    expect(*state, "check --samples 9 --seed 5 --device cpu", DONE, " passed, 0 failed, ");
    expect(*state, "check --sample 1:3 --device cpu", DONE, "\n1 passed, 0 failed, 0 skipped\n");
    expect(*state, "check --sample 1:4 --filter generic_f16_host_base --device cpu", DONE, ": generic_f16_host_base\n");
}

/* The JSON array that a command wrote to the file. */
static cJSON *read_rows(scratch *s, const char *name) {
    size_t size;
    char *text = scratch_read(scratch_path(s, name), &size);
    cJSON *rows = cJSON_Parse(text);
    free(text);
    assert_true(cJSON_IsArray(rows));
    return rows;
}

static void check_writes_verdicts_as_json(void **state) {
    expect(*state, "check --filter " A_KERNEL " --family random --json verdicts.json", DONE, "1 passed");
    cJSON *rows = read_rows(*state, "verdicts.json");
    assert_int_equal(cJSON_GetArraySize(rows), 1);
    assert_string_equal(word(cJSON_GetArrayItem(rows, 0), "name"), A_KERNEL);
    assert_string_equal(word(cJSON_GetArrayItem(rows, 0), "verdict"), "passed");
    assert_true(number(cJSON_GetArrayItem(rows, 0), "cases") > 0);
    cJSON_Delete(rows);
    expect(*state, "check --json absent/verdicts.json", BAD_INPUT, "absent/verdicts.json");
}

static void check_writes_samples_as_json(void **state) {
    expect(*state, "check --samples 3 --seed 5 --small --device cpu --json samples.json", DONE, "3 passed");
    cJSON *rows = read_rows(*state, "samples.json");
    assert_int_equal(cJSON_GetArraySize(rows), 3);
    assert_string_equal(word(cJSON_GetArrayItem(rows, 2), "sample"), "5:2");
    assert_string_equal(word(cJSON_GetArrayItem(rows, 2), "verdict"), "passed");
    word(cJSON_GetArrayItem(rows, 2), "kernel");
    cJSON_Delete(rows);
}

static bool has_gpu(void) {
    return convsmith_target_supported(CONVSMITH_TARGET_SM80, (convsmith_device){CONVSMITH_DEVICE_CUDA, 0}) ==
           CONVSMITH_OK;
}

/* Why, and once. */
static void check_tells_why_samples_are_skipped(void **state) {
    if (has_gpu())
        skip();
    outcome o = run(*state, "check --samples 3 --device cuda");
    const char *told = strstr(o.out, "skipped  ");
    if (o.status != BAD_INPUT || !told || !strstr(told, "CUDA") || strstr(told + 1, "skipped  "))
        fail_msg("check --samples 3 --device cuda should say once why it skips, it said: %s%s", o.out, o.err);
    assert_non_null(strstr(o.out, "\n0 passed, 0 failed, 3 skipped\n"));
    drop(&o);
}

static void check_of_no_kernel_is_told(void **state) {
    expect(*state, "check --filter 'conv_f64_*'", NO_KERNEL, "no such kernel");
    expect(*state, "check --device cuda --filter '*_host_*'", NO_KERNEL, "no such kernel");
}

static void check_and_bench_know_16_bit_kernels(void **state) {
    expect(*state, "check --device cpu --filter 'conv_bf16_c3_k3x3_o16_*_host_base' --family exact", DONE, "1 passed");
    expect(*state, "bench --filter 'conv_f16_c3_*_host_base' --n 1 --repeats 1", DONE, "conv_f16_c3_k3x3_o16_");
}

static void bench_writes_json(void **state) {
    expect(*state, "bench --filter " A_KERNEL " --n 1 --repeats 2 --json times.json", DONE, A_KERNEL);
    cJSON *rows = read_rows(*state, "times.json");
    assert_int_equal(cJSON_GetArraySize(rows), 1);
    const cJSON *row = cJSON_GetArrayItem(rows, 0);
    assert_string_equal(word(row, "name"), A_KERNEL);
    assert_true(number(row, "median_ms") > 0 && number(row, "n") == 1 && number(row, "repeats") == 2);
    assert_true(number(row, "max_error") < 1e-4);
    cJSON_Delete(rows);
}

static void bench_skips_a_kernel_that_refuses_the_size(void **state) {
    expect(*state, "bench --filter " A_KERNEL " --n 2147483647", DONE, "skipped: creating the plan: problem too large");
}

static void bench_tells_what_it_cannot_do(void **state) {
    expect(*state, "bench --filter 'conv_f64_*'", NO_KERNEL, "no such kernel");
    expect(*state, "bench --filter " A_KERNEL " --n 1 --repeats 1 --json absent/t.json", BAD_INPUT, "absent/t.json");
}

int main(void) {
    /* Threads that wait by spinning would slow each other down where tests run side by side. */
    setenv("OMP_WAIT_POLICY", "passive", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_its_version),
        cmocka_unit_test(each_command_helps_with_an_example),
        cmocka_unit_test(help_fits_the_terminal),
        cmocka_unit_test(bad_arguments_are_told),
        cmocka_unit_test(output_that_cannot_be_written_is_an_error),
        cmocka_unit_test(list_names_every_kernel_once),
        cmocka_unit_test(list_as_json_has_every_row),
        cmocka_unit_test(find_tells_the_kernels_of_a_shape),
        cmocka_unit_test(find_without_a_hit_says_what_to_add),
        cmocka_unit_test(find_looks_at_the_convolution),
        cmocka_unit_test(find_tells_what_runs_meanwhile),
        cmocka_unit_test(find_of_what_cannot_be_has_no_hint),
        cmocka_unit_test(find_tells_what_no_row_can_have),
        cmocka_unit_test(find_gives_a_row_a_reference_that_its_kernel_fits),
        cmocka_unit_test(find_tells_what_a_row_lacks),
        cmocka_unit_test(check_ends_with_the_counts),
        cmocka_unit_test(check_repeats_one_case),
        cmocka_unit_test(check_knows_generic_kernels),
        cmocka_unit_test(check_draws_samples),
        cmocka_unit_test(check_writes_verdicts_as_json),
        cmocka_unit_test(check_writes_samples_as_json),
        cmocka_unit_test(check_tells_why_samples_are_skipped),
        cmocka_unit_test(check_of_no_kernel_is_told),
        cmocka_unit_test(check_and_bench_know_16_bit_kernels),
        cmocka_unit_test(bench_writes_json),
        cmocka_unit_test(bench_skips_a_kernel_that_refuses_the_size),
        cmocka_unit_test(bench_tells_what_it_cannot_do),
    };
    return cmocka_run_group_tests_name("cli", tests, scratch_create, scratch_destroy);
}
