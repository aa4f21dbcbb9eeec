/* SPDX-License-Identifier: Apache-2.0
 *
 * The operator on a picture, through the public calls:
 *
 *     demo landscape.png edges.safetensors FOLDER
 *
 * prints the kernel that the table gave, the time and the error against a reference in double precision, and writes to
 * the folder the output, y.npy, and one of its feature maps, edges.png. What reads and writes files, computes the
 * reference and copies to and from a GPU is in support/, and no part of the library.
 */
#define _XOPEN_SOURCE 700
#include <convsmith/convsmith.h>

#include "support/buffer.h"
#include "support/compare.h"
#include "support/npy.h"
#include "support/parameters.h"
#include "support/picture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { GROUPS = 4, RUNS = 20, SHOWN_CHANNEL = 3 };

typedef struct demo {
    cs_tensor picture, y;
    cs_parameters parameters;
    convsmith_problem problem;
    convsmith_device device;
    convsmith_plan *plan;
    cs_buffer x, weight, channels[CS_MAX_VALUES], packed, workspace, output;
    double milliseconds;
} demo;

/* ---- Input ------------------------------------------------------------------------------------------------------- */

static bool load(demo *d, const char *picture, const char *parameters, cs_message *message) {
    cs_chain chain;
    return cs_chain_read(CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM, &chain, message) &&
           cs_picture_read(picture, &d->picture, message) &&
           cs_parameters_load(&d->parameters, parameters, &chain, CONVSMITH_F32, message);
}

static bool describe(demo *d, cs_message *message) {
    const int64_t *image = d->picture.shape, *weight = d->parameters.weight.shape;
    d->problem = (convsmith_problem){
        .n = 1,
        .c_in = weight[1],
        .h = image[1],
        .w = image[2],
        .c_out = weight[0],
        .kh = weight[2],
        .kw = weight[3],
        .groups = GROUPS,
        .eps = 1e-5f,
        .dtype = CONVSMITH_F32,
        .math = CONVSMITH_MATH_FP32,
        .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
    };
    if (image[0] != weight[1])
        return cs_refuse(message, "the picture has %" PRId64 " channels, conv.weight is for %" PRId64, image[0],
                         weight[1]);
    if (image[1] < weight[2] || image[2] < weight[3])
        return cs_refuse(message, "the picture is smaller than the window of conv.weight");
    const int64_t y[] = {1, weight[0], image[1] - weight[2] + 1, image[2] - weight[3] + 1};
    return cs_tensor_create(&d->y, CONVSMITH_F32, 4, y, message);
}

/* ---- The library's calls ----------------------------------------------------------------------------------------- */

static bool check(convsmith_status status, cs_message *message) {
    return status == CONVSMITH_OK || cs_refuse(message, "%s: %s", convsmith_status_string(status), convsmith_detail());
}

/* A GPU where there is one, else the CPU. */
static convsmith_device choose_device(void) {
    const convsmith_device cuda = {CONVSMITH_DEVICE_CUDA, 0}, cpu = {CONVSMITH_DEVICE_CPU, 0};
    return convsmith_target_supported(CONVSMITH_TARGET_SM80, cuda) == CONVSMITH_OK ? cuda : cpu;
}

static bool place(cs_buffer *buffer, convsmith_device device, const cs_tensor *tensor, cs_message *message) {
    const size_t size = cs_tensor_bytes(tensor);
    return cs_buffer_create(buffer, device, size, message) && cs_buffer_upload(buffer, 0, tensor->data, size, message);
}

static bool place_all(demo *d, cs_message *message) {
    if (!place(&d->x, d->device, &d->picture, message) || !place(&d->weight, d->device, &d->parameters.weight, message))
        return false;
    for (int i = 0; i < d->parameters.chain.value_count; i++)
        if (!place(&d->channels[i], d->device, &d->parameters.channels[i], message))
            return false;
    return cs_buffer_create(&d->packed, d->device, convsmith_plan_packed_size(d->plan), message) &&
           cs_buffer_create(&d->workspace, d->device, convsmith_plan_workspace_size(d->plan), message) &&
           cs_buffer_create(&d->output, d->device, cs_tensor_bytes(&d->y), message);
}

static bool prepack(const demo *d, cs_message *message) {
    /* The steps of the epilogue, in its order, and what they read. */
    const convsmith_step steps[] = {
        {.values = {d->channels[0].data}},                      /* bias: conv.bias */
        {.values = {d->channels[1].data}},                      /* add_channel: bias */
        {.values = {d->channels[2].data}},                      /* mul_channel: scale */
        {.values = {NULL}},                                     /* sigmoid */
        {.values = {d->channels[3].data, d->channels[4].data}}, /* group_norm: weight, bias */
    };
    const convsmith_params params = {
        .weight = d->weight.data, .steps = steps, .step_count = sizeof steps / sizeof *steps};
    return check(convsmith_plan_prepack(d->plan, &params, d->packed.data, NULL), message);
}

/* Runs several times; the least time is the one that other programs disturbed least. */
static bool run(demo *d, cs_stopwatch *watch, cs_message *message) {
    const convsmith_args args = {.x = d->x.data, .packed = d->packed.data, .y = d->output.data};
    for (int i = 0; i < RUNS; i++) {
        double elapsed = 0;
        if (!cs_stopwatch_start(watch, message) ||
            !check(convsmith_plan_run(d->plan, &args, d->workspace.data, NULL), message) ||
            !cs_stopwatch_stop(watch, &elapsed, message))
            return false;
        if (i == 0 || elapsed < d->milliseconds)
            d->milliseconds = elapsed;
    }
    return cs_buffer_download(&d->output, 0, d->y.data, d->output.size, message);
}

static bool compute(demo *d, cs_message *message) {
    cs_stopwatch watch;
    d->device = choose_device();
    if (!check(convsmith_plan_create(&d->plan, &d->problem, d->device), message) || !place_all(d, message) ||
        !prepack(d, message) || !cs_stopwatch_create(&watch, d->device, message))
        return false;
    const bool good = run(d, &watch, message);
    cs_stopwatch_destroy(&watch);
    return good;
}

/* ---- What came of it --------------------------------------------------------------------------------------------- */

static bool compare(const demo *d, double *error, cs_message *message) {
    const convsmith_params params = cs_parameters_view(&d->parameters);
    cs_reference reference;
    if (!cs_reference_init(&reference, &d->problem, &params, d->picture.data, message))
        return false;
    double *expected = malloc((size_t)reference.slice_size * sizeof *expected);
    bool good = expected || cs_refuse(message, "no memory for the reference");
    for (int64_t group = 0; good && group < GROUPS; group++) {
        cs_slice_statistics statistics;
        cs_reference_slice(&reference, 0, group, expected, &statistics);
        good = cs_compare_slice(&reference, CS_BOUND_FP32, 0, group, d->y.floats + group * reference.slice_size,
                                expected, &statistics, error, message);
    }
    free(expected);
    return good;
}

static bool make_folder(const char *path, cs_message *message) {
    return mkdir(path, 0777) == 0 || errno == EEXIST ||
           cs_refuse(message, "%s: cannot be made: %s", path, strerror(errno));
}

static bool write_results(const demo *d, const char *folder, cs_message *message) {
    char y_path[4096], map_path[4096];
    const int64_t height = d->y.shape[2], width = d->y.shape[3];
    snprintf(y_path, sizeof y_path, "%s/y.npy", folder);
    snprintf(map_path, sizeof map_path, "%s/edges.png", folder);
    if (!make_folder(folder, message) || !cs_npy_write(y_path, &d->y, message) ||
        !cs_picture_write_map(map_path, d->y.floats + SHOWN_CHANNEL * height * width, height, width, message))
        return false;
    printf("wrote    %s, %s\nwrote    %s, feature map %d\n", y_path, cs_shape_text(4, d->y.shape).text, map_path,
           SHOWN_CHANNEL);
    return true;
}

static void print_run(const demo *d, double error) {
    const convsmith_kernel_info *info = convsmith_kernel_get_info(convsmith_plan_kernel(d->plan));
    printf("kernel   %s\n", info->name);
    printf("time     %.3f ms (the least of %d runs, on the %s)\n", d->milliseconds, RUNS,
           d->device.kind == CONVSMITH_DEVICE_CUDA ? "GPU" : "CPU");
    printf("error    at most %.1e against double precision, where 1e-4 + 1e-4 |y| is allowed\n", error);
}

static bool demonstrate(demo *d, char **arguments, cs_message *message) {
    double error = 0;
    if (!load(d, arguments[1], arguments[2], message) || !describe(d, message))
        return false;
    printf("picture  %s, %s\n", arguments[1], cs_shape_text(3, d->picture.shape).text);
    printf("layer    %s, conv.weight %s, %d groups\n", arguments[2], cs_shape_text(4, d->parameters.weight.shape).text,
           GROUPS);
    if (!compute(d, message) || !compare(d, &error, message))
        return false;
    print_run(d, error);
    return write_results(d, arguments[3], message);
}

static void clear(demo *d) {
    convsmith_plan_destroy(d->plan);
    cs_buffer_destroy(&d->x);
    cs_buffer_destroy(&d->weight);
    for (int i = 0; i < CS_MAX_VALUES; i++)
        cs_buffer_destroy(&d->channels[i]);
    cs_buffer_destroy(&d->packed);
    cs_buffer_destroy(&d->workspace);
    cs_buffer_destroy(&d->output);
    cs_parameters_destroy(&d->parameters);
    cs_tensor_destroy(&d->picture);
    cs_tensor_destroy(&d->y);
}

int main(int argc, char **argv) {
    demo d = {0};
    cs_message message = {""};
    if (argc != 4) {
        fprintf(stderr, "usage: demo PICTURE.png PARAMETERS.safetensors FOLDER\n");
        return 2;
    }
    const bool good = demonstrate(&d, argv, &message);
    clear(&d);
    if (!good)
        fprintf(stderr, "demo: error: %s\n", message.text);
    return good ? 0 : 1;
}
