/* SPDX-License-Identifier: Apache-2.0
 *
 * The program convsmith: what each command prints, its exit status, and `run` on real files.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "src/device/element.h"
#include "src/element.h"
#include "support/compare.h"
#include "support/npy.h"
#include "support/parameters.h"
#include "support/random.h"

#include <cjson/cJSON.h>
#include <sys/wait.h>

#define A_KERNEL "conv_f32_c3_k3x3_o16_bamsg_host_base"

enum { DONE = 0, BAD_INPUT = 2, NO_KERNEL = 3 };

/* ---- Running the program ----------------------------------------------------------------------------------------- */

typedef struct outcome {
    int status;
    char *out, *err; /* what it printed */
} outcome;

/* Runs convsmith in the scratch folder. */
static outcome run(scratch *s, const char *arguments) {
    char command[2048], path[512];
    size_t size;
    snprintf(command, sizeof command, "cd '%s' && '%s' %s >out.txt 2>err.txt", s->folder, TEST_PROGRAM, arguments);
    const int status = system(command);
    assert_true(WIFEXITED(status));
    outcome o = {.status = WEXITSTATUS(status)};
    snprintf(path, sizeof path, "%s/out.txt", s->folder);
    o.out = scratch_read(path, &size);
    snprintf(path, sizeof path, "%s/err.txt", s->folder);
    o.err = scratch_read(path, &size);
    return o;
}

static void drop(outcome *o) {
    free(o->out);
    free(o->err);
}

/* Runs the program, which must end with `status` and say `words`: on stdout when it is done, else on stderr. */
static void expect(scratch *s, const char *arguments, int status, const char *words) {
    outcome o = run(s, arguments);
    const char *said = status == DONE ? o.out : o.err;
    if (o.status != status || !strstr(said, words))
        fail_msg("convsmith %s: exit status %d, should be %d; it should say '%s', it said: %s%s", arguments, o.status,
                 status, words, o.out, o.err);
    drop(&o);
}

/* ---- The program as a whole -------------------------------------------------------------------------------------- */

static void it_tells_its_version(void **state) {
    char words[64];
    snprintf(words, sizeof words, "convsmith %d.%d.%d\n", CONVSMITH_VERSION_MAJOR, CONVSMITH_VERSION_MINOR,
             CONVSMITH_VERSION_PATCH);
    expect(*state, "--version", DONE, words);
}

static void each_command_helps_with_an_example(void **state) {
    expect(*state, "--help", DONE, "example:\n    convsmith find 8x3x3x32");
    expect(*state, "list --help", DONE, "example:\n    convsmith list");
    expect(*state, "find --help", DONE, "example:\n    convsmith find");
    expect(*state, "run --help", DONE, "example:\n    convsmith run");
    expect(*state, "check --help", DONE, "example:\n    convsmith check");
    expect(*state, "bench --help", DONE, "example:\n    convsmith bench");
}

static void bad_arguments_are_told(void **state) {
    static const char *const rows[][2] = {
        {"", "usage: convsmith COMMAND"},
        {"lsit", "there is no command 'lsit'"},
        {"list --jsno", "list: error: unknown option --jsno"},
        {"list --json=yes", "--json takes no value"},
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
        {"check --family exakt", "--family: 'exakt' is none of exact, random"},
        {"check --case 1", "--case needs --family"},
        {"check --family exact --case 99", "--case: '99' is not a whole number from 0 to 11"},
        {"check --samples 0", "--samples: '0' is not a whole number from 1"},
        {"check --sample 3", "--sample: '3' is not a seed and a number such as 1:17"},
        {"check --sample 1:x", "--sample: 'x' is not a whole number"},
        {"check --sample 1:2 --seed 1", "--sample names one sample, seed and all: it goes without --seed"},
        {"check --samples 2 --family exact", "--family goes without --samples"},
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
    expect(*state, "check --device cpu --filter " A_KERNEL " --family random --case 7 --seed 1234", DONE, "(1 cases)");
}

static void check_draws_samples(void **state) {
    expect(*state, "check --samples 9 --seed 5 --device cpu", DONE, " passed, 0 failed, ");
    expect(*state, "check --sample 1:3 --device cpu", DONE, "\n1 passed, 0 failed, 0 skipped\n");
}

static void check_of_no_kernel_is_told(void **state) {
    expect(*state, "check --filter 'conv_f64_*'", NO_KERNEL, "no such kernel");
    expect(*state, "check --device cuda --filter '*_host_*'", NO_KERNEL, "no such kernel");
}

static void check_and_bench_know_16_bit_kernels(void **state) {
    expect(*state, "check --device cpu --filter 'conv_bf16_c3_*_host_base' --family exact", DONE, "1 passed");
    expect(*state, "bench --filter 'conv_f16_c3_*_host_base' --n 1 --repeats 1", DONE, "conv_f16_c3_k3x3_o16_");
}

static void bench_writes_json(void **state) {
    size_t size;
    expect(*state, "bench --filter " A_KERNEL " --n 1 --repeats 2 --json times.json", DONE, A_KERNEL);
    char *text = scratch_read(scratch_path(*state, "times.json"), &size);
    cJSON *rows = cJSON_Parse(text);
    assert_int_equal(cJSON_GetArraySize(rows), 1);
    const cJSON *row = cJSON_GetArrayItem(rows, 0);
    assert_string_equal(word(row, "name"), A_KERNEL);
    assert_true(number(row, "median_ms") > 0 && number(row, "n") == 1 && number(row, "repeats") == 2);
    assert_true(number(row, "max_error") < 1e-4);
    cJSON_Delete(rows);
    free(text);
}

static void bench_tells_what_it_cannot_do(void **state) {
    expect(*state, "bench --filter 'conv_f64_*'", NO_KERNEL, "no such kernel");
    expect(*state, "bench --filter " A_KERNEL " --n 1 --repeats 1 --json absent/t.json", BAD_INPUT, "absent/t.json");
}

/* ---- run --------------------------------------------------------------------------------------------------------- */

#define EDGES TEST_SOURCE_DIR "/examples/edges.safetensors"
#define FILES "--x x.npy --params " EDGES " --out y.npy"

/* Writes x.npy [n, c, h, w] of random numbers to the scratch folder. */
static void write_x_of(scratch *s, convsmith_dtype dtype, const int64_t shape[4], cs_tensor *x) {
    cs_random random = {3};
    assert_true(cs_tensor_create(x, dtype, 4, shape, NULL));
    const int64_t count = cs_tensor_count(x);
    for (int64_t i = 0; i < count; i++)
        store_element((int32_t)dtype, x->data, i, (float)cs_random_even(&random));
    assert_true(cs_npy_write(scratch_path(s, "x.npy"), x, NULL));
}

static void write_x(scratch *s, const int64_t shape[4], cs_tensor *x) { write_x_of(s, CONVSMITH_F32, shape, x); }

static void compare(const convsmith_problem *problem, const cs_parameters *parameters, const cs_tensor *x,
                    const cs_tensor *y) {
    const convsmith_params params = cs_parameters_view(parameters);
    const cs_bound bound = cs_bound_of(problem->math);
    cs_reference r;
    cs_message message = {""};
    assert_true(cs_reference_init(&r, problem, &params, x->data, NULL));
    double *expected = malloc((size_t)r.slice_size * sizeof *expected);
    assert_non_null(expected);
    for (int64_t i = 0; i < problem->n * r.slices; i++) {
        cs_slice_statistics statistics;
        cs_reference_slice(&r, i / r.slices, i % r.slices, expected, &statistics);
        if (!cs_compare_slice(&r, bound, i / r.slices, i % r.slices,
                              (const char *)y->data + (size_t)(i * r.slice_size) * cs_element_bytes(y->dtype), expected,
                              &statistics, NULL, &message))
            fail_msg("%s", message.text);
    }
    free(expected);
}

/* Runs the program on a 3-channel x of the dtype and the parameters of a file and compares y.npy with the reference. */
static void run_files_and_compare(scratch *s, convsmith_dtype dtype, const char *params, const char *options,
                                  int64_t groups, float eps, convsmith_math math) {
    const convsmith_problem problem = {.dtype = dtype,
                                       .n = 2,
                                       .c_in = 3,
                                       .h = 19,
                                       .w = 70,
                                       .c_out = 16,
                                       .kh = 3,
                                       .kw = 3,
                                       .groups = groups,
                                       .eps = eps,
                                       .math = math,
                                       .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM};
    char arguments[1024], kernel[64];
    cs_chain chain;
    cs_tensor x, y;
    cs_parameters parameters;
    write_x_of(s, dtype, (const int64_t[]){problem.n, problem.c_in, problem.h, problem.w}, &x);
    snprintf(arguments, sizeof arguments, "run --x x.npy --params %s --out y.npy %s", params, options);
    snprintf(kernel, sizeof kernel, "kernel  conv_%s_c3_k3x3_o16_", convsmith_dtype_name(dtype));
    expect(s, arguments, DONE, kernel);
    assert_true(cs_chain_read(problem.epilogue, &chain, NULL));
    assert_true(cs_parameters_load(&parameters, params, &chain, dtype, NULL));
    assert_true(cs_npy_read(scratch_path(s, "y.npy"), &y, NULL));
    assert_int_equal(y.dtype, dtype);
    assert_int_equal(y.rank, 4);
    assert_true(y.shape[0] == 2 && y.shape[1] == 16 && y.shape[2] == 17 && y.shape[3] == 68);
    compare(&problem, &parameters, &x, &y);
    cs_parameters_destroy(&parameters);
    cs_tensor_destroy(&x);
    cs_tensor_destroy(&y);
}

static void run_and_compare(scratch *s, const char *options, int64_t groups, float eps, convsmith_math math) {
    run_files_and_compare(s, CONVSMITH_F32, EDGES, options, groups, eps, math);
}

static void run_agrees_with_the_reference_in_fp32(void **state) {
    run_and_compare(*state, "--groups 4", 4, 1e-5f, CONVSMITH_MATH_FP32);
    run_and_compare(*state, "--groups 16 --math fp32 --device cpu", 16, 1e-5f, CONVSMITH_MATH_FP32);
}

static void run_agrees_with_the_reference_in_tf32(void **state) {
    run_and_compare(*state, "--groups 4 --math tf32", 4, 1e-5f, CONVSMITH_MATH_TF32);
}

static void run_takes_float16_and_writes_it(void **state) {
    run_files_and_compare(*state, CONVSMITH_F16, EDGES, "--groups 4", 4, 1e-5f, CONVSMITH_MATH_FP32);
    run_files_and_compare(*state, CONVSMITH_F16, EDGES, "--groups 8 --math tf32", 8, 1e-5f, CONVSMITH_MATH_TF32);
}

/* One tensor of a safetensors file: its header entry to `header`, its elements, rounded to `dtype`, to `data`. */
static void add_tensor(char header[1024], char data[4096], int *used, const char *name, const cs_tensor *tensor,
                       convsmith_dtype dtype) {
    static const char *const types[] = {[CONVSMITH_F32] = "F32", [CONVSMITH_F16] = "F16", [CONVSMITH_BF16] = "BF16"};
    const int64_t count = cs_tensor_count(tensor);
    const int bytes = (int)count * (int)cs_element_bytes(dtype);
    const size_t length = strlen(header);
    assert_true(*used + bytes <= 4096);
    for (int64_t i = 0; i < count; i++)
        store_element((int32_t)dtype, data + *used, i, tensor->floats[i]);
    snprintf(header + length, 1024 - length, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}",
             length ? "," : "{", name, types[dtype], cs_shape_text(tensor->rank, tensor->shape).text, *used,
             *used + bytes);
    *used += bytes;
}

/* The example's parameters as p.safetensors, the weight and the others in dtypes of choice. */
static void write_params(scratch *s, convsmith_dtype of_weight, convsmith_dtype of_channels) {
    char header[1024] = "", bytes[8192], *const data = calloc(1, 4096);
    int used = 0;
    cs_chain chain;
    cs_parameters p;
    assert_non_null(data);
    assert_true(cs_chain_read(CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM, &chain, NULL));
    assert_true(cs_parameters_load(&p, EDGES, &chain, CONVSMITH_F32, NULL));
    add_tensor(header, data, &used, "conv.weight", &p.weight, of_weight);
    for (int i = 0; i < chain.value_count; i++)
        add_tensor(header, data, &used, cs_chain_value_name(&chain, i).text, &p.channels[i], of_channels);
    const uint64_t length = strlen(header) + 1;
    memcpy(bytes, &length, sizeof length);
    snprintf(bytes + 8, sizeof bytes - 8, "%s}", header);
    memcpy(bytes + 8 + length, data, (size_t)used);
    scratch_write(s, "p.safetensors", bytes, 8 + length + (size_t)used);
    cs_parameters_destroy(&p);
    free(data);
}

/* In x's dtype or not, and mixed: the reference computes from what the file holds. */
static void run_takes_parameters_of_16_bits(void **state) {
    static const convsmith_dtype of[][3] = {{CONVSMITH_F16, CONVSMITH_F16, CONVSMITH_F16},
                                            {CONVSMITH_F16, CONVSMITH_BF16, CONVSMITH_BF16},
                                            {CONVSMITH_F16, CONVSMITH_F16, CONVSMITH_F32},
                                            {CONVSMITH_F32, CONVSMITH_BF16, CONVSMITH_F16}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        char path[512];
        write_params(*state, of[i][1], of[i][2]);
        snprintf(path, sizeof path, "%s", scratch_path(*state, "p.safetensors"));
        run_files_and_compare(*state, of[i][0], path, "--groups 4", 4, 1e-5f, CONVSMITH_MATH_FP32);
    }
}

static void run_takes_eps(void **state) {
    run_and_compare(*state, "--groups=1 --eps=0.5", 1, 0.5f, CONVSMITH_MATH_FP32);
}

/* Each row: the shape of x, the arguments, exit status, words of the message. Nothing may be written. */
typedef struct bad_run {
    int64_t x[4];
    const char *arguments;
    int status;
    const char *words;
} bad_run;

static const bad_run bad_runs[] = {
    {{1, 3, 8, 8}, "--params " EDGES " --out y.npy --groups 4", BAD_INPUT, "--x is missing"},
    {{1, 3, 8, 8}, "--x x.npy --out y.npy --groups 4", BAD_INPUT, "--params is missing"},
    {{1, 3, 8, 8}, "--x x.npy --params " EDGES " --groups 4", BAD_INPUT, "--out is missing"},
    {{1, 3, 8, 8}, FILES, BAD_INPUT, "--groups is missing"},
    {{1, 3, 8, 8}, FILES " --groups 0", BAD_INPUT, "--groups: '0' is not a whole number"},
    {{1, 3, 8, 8}, FILES " --groups 4x", BAD_INPUT, "--groups: '4x' is not a whole number"},
    {{1, 3, 8, 8}, FILES " --groups 5", BAD_INPUT, "5 does not divide the 16 output channels"},
    {{1, 3, 8, 8}, FILES " --groups 4 --eps 0", BAD_INPUT, "--eps: '0' is not a positive number"},
    {{1, 3, 8, 8}, FILES " --groups 4 --eps nan", BAD_INPUT, "--eps: 'nan' is not a positive number"},
    {{1, 3, 8, 8}, FILES " --groups 4 --math fp64", BAD_INPUT, "--math: 'fp64' is none of"},
    {{1, 3, 8, 8}, FILES " --groups 4 --device tpu", BAD_INPUT, "--device: 'tpu' is none of cpu, cuda, auto"},
    {{1, 3, 8, 8}, FILES " --groups 4 --epilogue bias+rely", BAD_INPUT, "step 2, 'rely' is unknown"},
    {{1, 3, 8, 8},
     FILES " --epilogue bias+clamp",
     BAD_INPUT,
     "the constants of step 2, clamp, are missing: clamp(lo,hi)"},
    {{1, 3, 8, 8}, FILES " --epilogue bias+bias", BAD_INPUT, "no tensor 'conv.bias.2'; it has:"},
    {{1, 4, 8, 8}, FILES " --groups 4", BAD_INPUT, "with 4 channels; conv.weight in"},
    {{1, 3, 2, 8}, FILES " --groups 4", BAD_INPUT, "smaller than the 3x3 window"},
    {{0, 3, 8, 8}, FILES " --groups 4", BAD_INPUT, "none of them 0"},
    {{1, 3, 8, 8},
     "--x absent.npy --params " EDGES " --out y.npy --groups 4",
     BAD_INPUT,
     "absent.npy: cannot be opened"},
    {{1, 3, 8, 8}, "--x " EDGES " --params " EDGES " --out y.npy --groups 4", BAD_INPUT, "not an .npy file"},
    {{1, 3, 8, 8}, "--x x.npy --params x.npy --out y.npy --groups 4", BAD_INPUT, "x.npy: not a .safetensors file"},
    {{1, 3, 8, 8}, "--x x.npy --params " EDGES " --out absent/y.npy --groups 4", BAD_INPUT, "absent/y.npy: cannot be"},
    {{1, 3, 8, 8},
     "--x " TEST_SOURCE_DIR "/tests/data/files/version1.npy --params " EDGES " --out y.npy --groups 4",
     BAD_INPUT,
     "x is [2, 3, 4]; it should be [N, C_in, H, W]"},
    {{1, 3, 8, 8},
     "--x x.npy --params " TEST_SOURCE_DIR "/tests/data/files/five.safetensors --out y.npy --groups 4",
     BAD_INPUT,
     "conv.weight is [2, 3, 4]; it should be [C_out, C_in, KH, KW]"},
};

static void run_refuses_bad_input_and_writes_nothing(void **state) {
    for (size_t i = 0; i < sizeof bad_runs / sizeof *bad_runs; i++) {
        char arguments[1024];
        cs_tensor x;
        scratch_files(*state, 1);
        write_x(*state, bad_runs[i].x, &x);
        cs_tensor_destroy(&x);
        snprintf(arguments, sizeof arguments, "run %s", bad_runs[i].arguments);
        expect(*state, arguments, bad_runs[i].status, bad_runs[i].words);
        if (scratch_files(*state, 0) != 3) /* x.npy, out.txt, err.txt */
            fail_msg("convsmith %s: it should leave no file behind", arguments);
    }
}

/* A safetensors file of zeros; each tensor is "name", its shape as JSON, its number of elements. */
typedef struct zeros {
    const char *name, *shape;
    int count;
} zeros;

static void write_zeros(scratch *s, const zeros *tensors, int count) {
    char bytes[8192] = {0};
    int used = 8, data = 0;
    for (int i = 0; i < count; i++) {
        const int end = data + 4 * tensors[i].count;
        used += snprintf(bytes + used, sizeof bytes - (size_t)used,
                         "%s\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}", i ? "," : "{",
                         tensors[i].name, tensors[i].shape, data, end);
        data = end;
    }
    bytes[used++] = '}';
    assert_true((size_t)(used + data) < sizeof bytes);
    memset(bytes + used, 0, (size_t)data);
    bytes[0] = (char)((used - 8) & 0xff);
    bytes[1] = (char)((used - 8) >> 8);
    scratch_write(s, "p.safetensors", bytes, (size_t)(used + data));
}

#define RUN_ZEROS "run --x x.npy --params p.safetensors --out y.npy --groups 2"

static void run_without_a_row_takes_the_generic_kernel(void **state) {
    static const zeros tensors[] = {
        {"conv.weight", "[6,3,2,2]", 72}, {"conv.bias", "[6]", 6},         {"bias", "[6,1,1]", 6},
        {"scale", "[1,6,1,1]", 6},        {"group_norm.weight", "[6]", 6}, {"group_norm.bias", "[6]", 6},
    };
    cs_tensor x;
    write_x(*state, (const int64_t[]){1, 3, 8, 8}, &x);
    cs_tensor_destroy(&x);
    write_zeros(*state, tensors, 6);
    expect(*state, RUN_ZEROS, DONE, "kernel  generic_f32_");
}

static void run_wants_every_parameter_of_the_epilogue(void **state) {
    static const zeros tensors[] = {{"conv.weight", "[6,3,2,2]", 72}, {"conv.bias", "[6]", 6}, {"bias", "[5]", 5}};
    cs_tensor x;
    write_x(*state, (const int64_t[]){1, 3, 8, 8}, &x);
    cs_tensor_destroy(&x);
    write_zeros(*state, tensors, 2);
    expect(*state, RUN_ZEROS, BAD_INPUT,
           "no tensor 'bias'; it has: conv.weight, conv.bias; the epilogue's step add_channel");
    write_zeros(*state, tensors, 3);
    expect(*state, RUN_ZEROS, BAD_INPUT, "bias is [5]; it should be [6] or [6, 1, 1]");
}

/* Where there is no GPU, asking for one is an error; where there is one, it works. */
static void run_on_a_missing_gpu_is_an_error(void **state) {
    const convsmith_device cuda = {CONVSMITH_DEVICE_CUDA, 0};
    if (convsmith_target_supported(CONVSMITH_TARGET_SM80, cuda) == CONVSMITH_OK)
        skip();
    cs_tensor x;
    write_x(*state, (const int64_t[]){1, 3, 8, 8}, &x);
    cs_tensor_destroy(&x);
    expect(*state, "run " FILES " --groups 4 --device cuda", BAD_INPUT, "CUDA");
}

int main(void) {
    /* Threads that wait by spinning would slow each other down where tests run side by side. */
    setenv("OMP_WAIT_POLICY", "passive", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_its_version),
        cmocka_unit_test(each_command_helps_with_an_example),
        cmocka_unit_test(bad_arguments_are_told),
        cmocka_unit_test(output_that_cannot_be_written_is_an_error),
        cmocka_unit_test(list_names_every_kernel_once),
        cmocka_unit_test(list_as_json_has_every_row),
        cmocka_unit_test(find_tells_the_kernels_of_a_shape),
        cmocka_unit_test(find_without_a_hit_says_what_to_add),
        cmocka_unit_test(find_tells_what_a_row_lacks),
        cmocka_unit_test(check_ends_with_the_counts),
        cmocka_unit_test(check_repeats_one_case),
        cmocka_unit_test(check_draws_samples),
        cmocka_unit_test(check_of_no_kernel_is_told),
        cmocka_unit_test(check_and_bench_know_16_bit_kernels),
        cmocka_unit_test(bench_writes_json),
        cmocka_unit_test(bench_tells_what_it_cannot_do),
        cmocka_unit_test(run_agrees_with_the_reference_in_fp32),
        cmocka_unit_test(run_agrees_with_the_reference_in_tf32),
        cmocka_unit_test(run_takes_float16_and_writes_it),
        cmocka_unit_test(run_takes_parameters_of_16_bits),
        cmocka_unit_test(run_takes_eps),
        cmocka_unit_test(run_refuses_bad_input_and_writes_nothing),
        cmocka_unit_test(run_without_a_row_takes_the_generic_kernel),
        cmocka_unit_test(run_wants_every_parameter_of_the_epilogue),
        cmocka_unit_test(run_on_a_missing_gpu_is_an_error),
    };
    return cmocka_run_group_tests_name("cli", tests, scratch_create, scratch_destroy);
}
