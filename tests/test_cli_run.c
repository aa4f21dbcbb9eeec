/* SPDX-License-Identifier: Apache-2.0
 *
 * The program convsmith: `run` on real files.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "program.h"
#include "src/device/element.h"
#include "src/element.h"
#include "src/tuning.h"
#include "support/compare.h"
#include "support/npy.h"
#include "support/parameters.h"
#include "support/random.h"

/* ---- Running and comparing --------------------------------------------------------------------------------------- */

#define EDGES TEST_SOURCE_DIR "/examples/edges.safetensors"
#define FILES "--x x.npy --params " EDGES " --out y.npy"

/* Writes a file [n, c, h, w] of random numbers, others for names of other lengths, to the scratch folder. */
static void write_random(scratch *s, const char *name, convsmith_dtype dtype, const int64_t shape[4], cs_tensor *x) {
    cs_random random = {(uint64_t)strlen(name)};
    assert_true(cs_tensor_create(x, dtype, 4, shape, NULL));
    const int64_t count = cs_tensor_count(x);
    for (int64_t i = 0; i < count; i++)
        store_element((int32_t)dtype, x->data, i, (float)cs_random_even(&random));
    assert_true(cs_npy_write(scratch_path(s, name), x, NULL));
}

static void write_x_of(scratch *s, convsmith_dtype dtype, const int64_t shape[4], cs_tensor *x) {
    write_random(s, "x.npy", dtype, shape, x);
}

static void write_x(scratch *s, const int64_t shape[4], cs_tensor *x) { write_x_of(s, CONVSMITH_F32, shape, x); }

static void compare_with(const convsmith_problem *problem, const cs_parameters *parameters, const cs_tensor *x,
                         const void *const *tensors, const cs_tensor *y) {
    const convsmith_params params = cs_parameters_view(parameters);
    const cs_bound bound = cs_bound_of(problem->math);
    cs_reference r;
    cs_message message = {""};
    assert_true(cs_reference_init(&r, problem, &params, x->data, NULL));
    r.tensors = tensors;
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

static void compare(const convsmith_problem *problem, const cs_parameters *parameters, const cs_tensor *x,
                    const cs_tensor *y) {
    compare_with(problem, parameters, x, NULL, y);
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

/* The elements of [N, H, W, C] as [N, C, H, W]. */
static void channels_first(const cs_tensor *given, cs_tensor *x) {
    const int64_t *s = given->shape;
    assert_true(cs_tensor_create(x, CONVSMITH_F32, 4, (const int64_t[]){s[0], s[3], s[1], s[2]}, NULL));
    for (int64_t n = 0; n < s[0]; n++)
        for (int64_t i = 0; i < s[1] * s[2]; i++)
            for (int64_t c = 0; c < s[3]; c++)
                x->floats[(n * s[3] + c) * s[1] * s[2] + i] = given->floats[(n * s[1] * s[2] + i) * s[3] + c];
}

/* Runs the program on a file of the problem's x [2, 3, 19, 70], the channels last, and compares. */
static void run_channels_last_and_compare(scratch *s, const char *options, const convsmith_problem *problem,
                                          const int64_t y_shape[4]) {
    char arguments[1024];
    cs_chain chain;
    cs_tensor file, x, y_file, y;
    cs_parameters parameters;
    write_x(s, (const int64_t[]){problem->n, problem->h, problem->w, problem->c_in}, &file);
    channels_first(&file, &x);
    snprintf(arguments, sizeof arguments, "run " FILES " --layout nhwc %s", options);
    expect(s, arguments, DONE, "kernel  generic_f32_");
    assert_true(cs_chain_read(problem->epilogue, &chain, NULL));
    assert_true(cs_parameters_load(&parameters, EDGES, &chain, CONVSMITH_F32, NULL));
    assert_true(cs_npy_read(scratch_path(s, "y.npy"), &y_file, NULL));
    assert_memory_equal(y_file.shape, y_shape, 4 * sizeof *y_shape);
    channels_first(&y_file, &y);
    compare(problem, &parameters, &x, &y);
    cs_parameters_destroy(&parameters);
    cs_tensor_destroy(&file);
    cs_tensor_destroy(&x);
    cs_tensor_destroy(&y_file);
    cs_tensor_destroy(&y);
}

static void run_goes_over_x_as_it_is_told(void **state) {
    convsmith_problem problem = {.n = 2,
                                 .c_in = 3,
                                 .h = 19,
                                 .w = 70,
                                 .c_out = 16,
                                 .kh = 3,
                                 .kw = 3,
                                 .stride_h = 2,
                                 .stride_w = 3,
                                 .pad_h = 1,
                                 .pad_w = 4,
                                 .dilation_w = 5,
                                 .epilogue = "bias+clamp(-0.5,0.75)"};
    run_channels_last_and_compare(*state,
                                  "--stride 2x3 --padding 1x4 --dilation 1x5 --epilogue 'bias + clamp(-0.5, 0.75)'",
                                  &problem, (const int64_t[]){2, 10, 23, 16});
    problem.c_in = 24; /* the file's weight is [16, 3, 3, 3] */
    problem.conv_groups = 8;
    problem.stride_h = problem.stride_w = problem.dilation_w = 1;
    problem.pad_h = problem.pad_w = 0;
    run_channels_last_and_compare(*state, "--conv-groups 8 --epilogue 'bias+clamp(-0.5,0.75)'", &problem,
                                  (const int64_t[]){2, 17, 68, 16});
}

static void run_adds_tensors_in_order(void **state) {
    const convsmith_problem problem = {.n = 1,
                                       .c_in = 3,
                                       .h = 5,
                                       .w = 6,
                                       .c_out = 16,
                                       .kh = 3,
                                       .kw = 3,
                                       .epilogue = "bias+add_tensor+relu+add_tensor"};
    const int64_t of_y[] = {1, 16, 3, 4};
    cs_chain chain;
    cs_tensor x, a, b, y;
    cs_parameters parameters;
    write_x(*state, (const int64_t[]){1, 3, 5, 6}, &x);
    write_random(*state, "a.npy", CONVSMITH_F32, of_y, &a);
    write_random(*state, "other.npy", CONVSMITH_F32, of_y, &b);
    expect(*state, "run " FILES " --epilogue bias+add_tensor+relu+add_tensor --tensor a.npy --tensor=other.npy", DONE,
           "kernel  generic_f32_");
    assert_true(cs_chain_read(problem.epilogue, &chain, NULL));
    assert_true(cs_parameters_load(&parameters, EDGES, &chain, CONVSMITH_F32, NULL));
    assert_true(cs_npy_read(scratch_path(*state, "y.npy"), &y, NULL));
    compare_with(&problem, &parameters, &x, (const void *const[]){a.data, b.data}, &y);
    cs_parameters_destroy(&parameters);
    cs_tensor_destroy(&x);
    cs_tensor_destroy(&a);
    cs_tensor_destroy(&b);
    cs_tensor_destroy(&y);
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
    {{1, 3, 2, 8}, FILES " --groups 4", BAD_INPUT, "the kernel, 3x3, is larger than the input, 2x8"},
    {{1, 3, 8, 8},
     FILES " --groups 4 --dilation 8x9 --padding 4x1",
     BAD_INPUT,
     "the kernel, 3x3 (17x19 with its dilation), is larger than the input, 8x8 (16x10 with its padding)"},
    {{1, 3, 8, 8},
     FILES " --epilogue add_tensor --padding 2147483647 --tensor x.npy",
     BAD_INPUT,
     "problem->pad_h is 2147483647; the padded input, "},
    {{1, 3, 8, 8},
     FILES " --epilogue add_tensor --padding 1073741819 --tensor x.npy",
     BAD_INPUT,
     "is too large to address"},
    {{1, 3, 8, 8}, FILES " --groups 4 --conv-groups 2", BAD_INPUT, "with 3 channels; conv.weight in"},
    {{1, 6, 8, 8}, FILES " --groups 4", BAD_INPUT, "for 3; if the convolution has 2 groups, give --conv-groups 2"},
    {{1, 9, 8, 8}, FILES " --groups 4 --conv-groups 3", BAD_INPUT, "--conv-groups: 3 does not divide the 16 output"},
    {{1, 3, 8, 8}, FILES " --groups 4 --layout nhwc", BAD_INPUT, "with 8 channels; conv.weight in"},
    {{1, 3, 8, 8}, FILES " --groups 4 --tuning absent.lua", BAD_INPUT, "absent.lua: No such file"},
    {{1, 3, 8, 8}, FILES " --groups 4 --tuning x.npy", BAD_INPUT, "x.npy: it holds a zero byte"},
    {{1, 3, 8, 8}, FILES " --groups 4 --autotune absent/folder", BAD_INPUT, "the folder cannot be made"},
    {{1, 3, 8, 8}, FILES " --groups 4 --stride two", BAD_INPUT, "--stride: 'two' is neither"},
    {{0, 3, 8, 8}, FILES " --groups 4 --layout nhwc", BAD_INPUT, "it should be [N, H, W, C_in], none of them 0"},
    {{0, 3, 8, 8}, FILES " --groups 4", BAD_INPUT, "none of them 0"},
    {{1, 3, 8, 8},
     FILES " --epilogue add_tensor",
     BAD_INPUT,
     "--tensor is given 0 times; the epilogue has 1 add_tensor step\n"},
    {{1, 3, 8, 8},
     FILES " --epilogue relu --tensor x.npy",
     BAD_INPUT,
     "--tensor is given 1 time; the epilogue has 0 add_tensor steps\n"},
    {{1, 3, 8, 8}, FILES " --epilogue add_tensor --tensor x.npy", BAD_INPUT, "it should be [1, 16, 6, 6], as y is"},
    {{1, 3, 8, 8}, FILES " --epilogue add_tensor --tensor", BAD_INPUT, "--tensor needs a value: FILE.npy"},
    {{1, 3, 8, 8},
     FILES " --tensor 1 --tensor 2 --tensor 3 --tensor 4 --tensor 5",
     BAD_INPUT,
     "--tensor is given more than 4 times"},
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
     "conv.weight is [2, 3, 4]; it should be [C_out, C_in / conv_groups, KH, KW]"},
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

/* A record by which a kernel that nobody would take is the fastest. */
static void write_record(scratch *s, const char *name) {
    const cs_device_traits traits = {.device = {CONVSMITH_DEVICE_CPU, 0}};
    cs_identity identity;
    convsmith_tuning *tuning;
    cs_timing timing = {"conv_f32_c3_k3x3_o16_bamsg_host_base", 1, 0};
    const cs_tuned_problem problem = {.n = 2, .h = 19, .w = 70, .groups = 4, .kernels = {&timing, 1}};
    assert_int_equal(cs_identify(&traits, &identity), CONVSMITH_OK);
    assert_int_equal(cs_tuning_create(&tuning, &identity), CONVSMITH_OK);
    assert_int_equal(cs_tuning_put(tuning, &problem), CONVSMITH_OK);
    FILE *stream = fopen(scratch_path(s, name), "w");
    assert_non_null(stream);
    cs_tuning_write(tuning, stream);
    assert_int_equal(fclose(stream), 0);
    convsmith_tuning_destroy(tuning);
}

static void run_chooses_by_a_record(void **state) {
    write_record(*state, "record.lua");
    run_and_compare(*state, "--groups 4 --device cpu --tuning record.lua", 4, 1e-5f, CONVSMITH_MATH_FP32);
    expect(*state, "run " FILES " --groups 4 --device cpu --tuning record.lua", DONE,
           "kernel  conv_f32_c3_k3x3_o16_bamsg_host_base\n");
}

/* Whichever kernel they choose. */
static void run_keeps_its_own_times_in_a_folder(void **state) {
    char command[600];
    cs_tensor x;
    write_x(*state, (const int64_t[]){1, 3, 8, 8}, &x);
    cs_tensor_destroy(&x);
    expect(*state, "run " FILES " --groups 4 --device cpu --autotune times", DONE,
           "y       f32 [1, 16, 6, 6] in y.npy");
    snprintf(command, sizeof command,
             "cd '%s' && ls times/conv_f32_c3_k3x3_o16_bamsg_host_*.lua >out.txt && rm -r times",
             ((scratch *)*state)->folder);
    assert_int_equal(system(command), 0);
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
    setenv("OMP_WAIT_POLICY", "passive", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_agrees_with_the_reference_in_fp32),
        cmocka_unit_test(run_agrees_with_the_reference_in_tf32),
        cmocka_unit_test(run_takes_float16_and_writes_it),
        cmocka_unit_test(run_goes_over_x_as_it_is_told),
        cmocka_unit_test(run_adds_tensors_in_order),
        cmocka_unit_test(run_takes_parameters_of_16_bits),
        cmocka_unit_test(run_takes_eps),
        cmocka_unit_test(run_refuses_bad_input_and_writes_nothing),
        cmocka_unit_test(run_without_a_row_takes_the_generic_kernel),
        cmocka_unit_test(run_wants_every_parameter_of_the_epilogue),
        cmocka_unit_test(run_chooses_by_a_record),
        cmocka_unit_test(run_keeps_its_own_times_in_a_folder),
        cmocka_unit_test(run_on_a_missing_gpu_is_an_error),
    };
    return cmocka_run_group_tests_name("cli_run", tests, scratch_create, scratch_destroy);
}
