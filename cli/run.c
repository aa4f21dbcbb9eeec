/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith run: the operator on real files.
 */
#include "convolution.h"
#include "device.h"
#include "support/known_constants.h"
#include "support/npy.h"
#include "support/operation.h"
#include "support/parameters.h"
#include "support/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The texts of the options, and what they and the files come to. */
typedef struct job {
    const char *x_path, *params_path, *out_path, *groups, *eps, *math, *device_text, *epilogue, *tuning_path;
    const char *tensor_paths[CONVSMITH_MAX_TENSORS];
    int tensor_count; /* of those that are given */
    cs_tensor x, y, tensors[CONVSMITH_MAX_TENSORS];
    cs_parameters parameters;
    cs_chain chain;
    cs_chain_text name; /* of the chain that the plan is for */
    cs_convolution_options convolution;
    convsmith_layout layout;
    convsmith_problem problem;
    convsmith_tuning *tuning; /* NULL: there is none */
    convsmith_device device;
} job;

/* ---- From options and files to a problem ------------------------------------------------------------------------- */

/* The chain is where they are given, whether or not a kernel fixes them. */
static bool check_constants(const cs_usage *usage, const cs_chain *chain) {
    for (int i = 0; i < chain->count; i++) {
        const cs_step_info *step = cs_step_get_info(chain->steps[i].step);
        if (step->constant_count > 0 && !chain->steps[i].is_fixed) {
            cs_complain(usage->command, "--epilogue: the constants of step %d, %s, are missing: %s(%s%s%s)", i + 1,
                        step->name, step->name, step->constants[0], step->constant_count > 1 ? "," : "",
                        step->constant_count > 1 ? step->constants[1] : "");
            return false;
        }
    }
    return true;
}

static bool parse_values(const cs_usage *usage, job *j) {
    convsmith_problem *p = &j->problem;
    cs_message message;
    p->eps = 1e-5f;
    p->epilogue = j->epilogue ? j->epilogue : CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM;
    if (!j->x_path || !j->params_path || !j->out_path) {
        cs_complain(usage->command, "%s is missing; see convsmith run --help",
                    !j->x_path        ? "--x"
                    : !j->params_path ? "--params"
                                      : "--out");
        return false;
    }
    if (!cs_chain_read(p->epilogue, &j->chain, &message)) {
        cs_complain(usage->command, "--epilogue: %s", message.text);
        return false;
    }
    if (!check_constants(usage, &j->chain))
        return false;
    if (j->tensor_count != j->chain.tensor_count) {
        cs_complain(usage->command, "--tensor is given %d time%s; the epilogue has %d add_tensor step%s",
                    j->tensor_count, j->tensor_count == 1 ? "" : "s", j->chain.tensor_count,
                    j->chain.tensor_count == 1 ? "" : "s");
        return false;
    }
    if (cs_chain_has(&j->chain, CS_STEP_GROUP_NORM) && !j->groups) {
        cs_complain(usage->command, "--groups is missing; the epilogue's step group_norm needs it");
        return false;
    }
    return cs_value_whole(usage, "--groups", j->groups, 1, INT32_MAX, &p->groups) &&
           cs_value_positive(usage, "--eps", j->eps, "1e-5", &p->eps) &&
           cs_value_convolution(usage, &j->convolution, p, &j->layout) && cs_value_math(usage, j->math, &p->math) &&
           cs_value_device(usage, j->device_text, &j->device);
}

/* The index of x's and y's files that has channels, rows, columns. */
static const int nchw[] = {1, 2, 3}, nhwc[] = {3, 1, 2};

static const int *indices_of(const job *j) { return j->layout == CONVSMITH_NHWC ? nhwc : nchw; }

static void set_sizes(job *j) {
    const int64_t *x = j->x.shape, *weight = j->parameters.weight.shape;
    const int *indices = indices_of(j);
    convsmith_problem *p = &j->problem;
    p->dtype = j->x.dtype;
    p->n = x[0];
    p->c_in = x[indices[0]];
    p->h = x[indices[1]];
    p->w = x[indices[2]];
    p->c_out = weight[0];
    p->kh = weight[2];
    p->kw = weight[3];
}

/* The groups that the weight would have been made for; 0 where they are given, or x is not for the weight at all. */
static int64_t missing_groups(const job *j) {
    const int64_t of_group = j->parameters.weight.shape[1], groups = j->problem.c_in / of_group;
    return !j->convolution.conv_groups && groups * of_group == j->problem.c_in && j->problem.c_out % groups == 0
               ? groups
               : 0;
}

static bool refuse_channels(const job *j, int64_t wanted, cs_message *message) {
    char advice[64] = "";
    const int64_t groups = missing_groups(j);
    if (groups)
        snprintf(advice, sizeof advice, "; if the convolution has %" PRId64 " groups, give --conv-groups %" PRId64,
                 groups, groups);
    return cs_refuse(message, "%s: x is %s, with %" PRId64 " channels; conv.weight in %s is %s, for %" PRId64 "%s",
                     j->x_path, cs_shape_text(4, j->x.shape).text, j->problem.c_in, j->params_path,
                     cs_shape_text(4, j->parameters.weight.shape).text, wanted, advice);
}

static bool check_channels(const job *j, cs_message *message) {
    const convsmith_problem *p = &j->problem;
    const int64_t *weight = j->parameters.weight.shape, groups = p->conv_groups ? p->conv_groups : 1;
    if (p->c_in != weight[1] * groups)
        return refuse_channels(j, weight[1] * groups, message);
    if (p->c_out % groups != 0)
        return cs_refuse(message, "--conv-groups: %" PRId64 " does not divide the %" PRId64 " output channels of %s",
                         groups, p->c_out, j->params_path);
    if (cs_chain_has(&j->chain, CS_STEP_GROUP_NORM) && p->c_out % p->groups != 0)
        return cs_refuse(message, "--groups: %" PRId64 " does not divide the %" PRId64 " output channels of %s",
                         p->groups, p->c_out, j->params_path);
    return true;
}

static bool check_rank(const job *j, cs_message *message) {
    return (j->x.rank == 4 && cs_tensor_count(&j->x) > 0) ||
           cs_refuse(message, "%s: x is %s; it should be %s, none of them 0", j->x_path,
                     cs_shape_text(j->x.rank, j->x.shape).text,
                     j->layout == CONVSMITH_NHWC ? "[N, H, W, C_in]" : "[N, C_in, H, W]");
}

/* The library's words name sizes; whose they are is said here. */
static bool make_y(job *j, cs_message *message) {
    const int *indices = indices_of(j);
    int64_t y[4] = {j->problem.n};
    y[indices[0]] = j->problem.c_out;
    if (convsmith_output_size(&j->problem, &y[indices[1]], &y[indices[2]]) != CONVSMITH_OK)
        return cs_refuse(message, "%s: x is %s, conv.weight in %s is %s: %s", j->x_path,
                         cs_shape_text(4, j->x.shape).text, j->params_path,
                         cs_shape_text(4, j->parameters.weight.shape).text, convsmith_detail());
    return cs_tensor_create(&j->y, j->problem.dtype, 4, y, message);
}

/* Tensor i: as y is, and of x's dtype. */
static bool load_tensor(job *j, int i, cs_message *message) {
    cs_tensor *tensor = &j->tensors[i];
    if (!cs_npy_read(j->tensor_paths[i], tensor, message))
        return false;
    if (tensor->rank != 4 || memcmp(tensor->shape, j->y.shape, 4 * sizeof *tensor->shape) != 0)
        return cs_refuse(message, "%s: it is %s; it should be %s, as y is", j->tensor_paths[i],
                         cs_shape_text(tensor->rank, tensor->shape).text, cs_shape_text(4, j->y.shape).text);
    if (tensor->dtype != j->y.dtype)
        return cs_refuse(message, "%s: it is %s; it should be %s, as x is", j->tensor_paths[i],
                         convsmith_dtype_name(tensor->dtype), convsmith_dtype_name(j->y.dtype));
    return true;
}

static bool load_tensors(job *j, cs_message *message) {
    for (int i = 0; i < j->tensor_count; i++)
        if (!load_tensor(j, i, message))
            return false;
    return true;
}

static bool load_tuning(job *j, cs_message *message) {
    if (j->tuning_path && convsmith_tuning_load(&j->tuning, j->tuning_path) != CONVSMITH_OK)
        return cs_refuse(message, "%s", convsmith_detail());
    j->problem.tuning = j->tuning;
    return true;
}

static bool load(job *j, cs_message *message) {
    if (!cs_npy_read(j->x_path, &j->x, message) ||
        !cs_parameters_load(&j->parameters, j->params_path, &j->chain, j->x.dtype, message) || !check_rank(j, message))
        return false;
    set_sizes(j);
    if (!check_channels(j, message) || !make_y(j, message))
        return false;
    cs_problem_lay_out(&j->problem, j->layout); /* x and y, which are there, are within memory */
    return load_tensors(j, message);
}

/* ---- Running ----------------------------------------------------------------------------------------------------- */

static bool time_run(const cs_operation *o, double *milliseconds, cs_message *message) {
    cs_stopwatch watch;
    if (!cs_stopwatch_create(&watch, o->x.device, message))
        return false;
    const bool good = cs_stopwatch_start(&watch, message) && cs_operation_run(o, message) &&
                      cs_stopwatch_stop(&watch, milliseconds, message);
    cs_stopwatch_destroy(&watch);
    return good;
}

static bool compute(job *j, convsmith_plan *plan, double *milliseconds, cs_message *message) {
    const cs_placement placement = {.device = j->device};
    const convsmith_params params = cs_parameters_view(&j->parameters);
    cs_operation operation;
    if (!cs_operation_create(&operation, plan, &j->problem, &params, j->x.data, &placement, message))
        return false;
    const void *tensors[CONVSMITH_MAX_TENSORS];
    for (int i = 0; i < CONVSMITH_MAX_TENSORS; i++)
        tensors[i] = j->tensors[i].data;
    const bool good = cs_operation_add_tensors(&operation, &j->problem, tensors, &placement, message) &&
                      time_run(&operation, milliseconds, message) &&
                      cs_buffer_download(&operation.y, 0, j->y.data, operation.y.size, message);
    cs_operation_destroy(&operation);
    return good;
}

static cs_exit run(const cs_usage *usage, job *j) {
    cs_message message = {""};
    if (!load_tuning(j, &message) || !load(j, &message))
        return cs_complain(usage->command, "%s", message.text);
    convsmith_plan *plan;
    const convsmith_status status =
        cs_plan_of_constants(&plan, &j->problem, &j->chain, j->device, &j->name, j->parameters.steps);
    if (status != CONVSMITH_OK)
        return cs_complain_status(usage->command, status);
    const char *kernel = convsmith_kernel_get_info(convsmith_plan_kernel(plan))->name;
    double milliseconds = 0;
    if (!compute(j, plan, &milliseconds, &message) || !cs_npy_write(j->out_path, &j->y, &message))
        return cs_complain(usage->command, "%s", message.text);
    printf("kernel  %s\ntime    %.3f ms on %s, one run\ny       %s %s in %s\n", kernel, milliseconds,
           cs_device_name(j->device), convsmith_dtype_name(j->y.dtype), cs_shape_text(4, j->y.shape).text, j->out_path);
    return CS_EXIT_DONE;
}

cs_exit cs_command_run(int argc, char **argv) {
    job j = {0};
    const cs_option options[] = {
        {"--x", "FILE.npy", "the input [N, C_in, H, W], float32 or float16; y is of the same type", &j.x_path},
        {"--params", "FILE.safetensors", "the parameters by their state-dict names: conv.weight, ...", &j.params_path},
        {"--out", "FILE.npy", "where y goes", &j.out_path},
        {"--groups", "G", "groups of the normalisation, a divisor of C_out", &j.groups},
        {"--eps", "E", "of the normalisation; 1e-5 unless given", &j.eps},
        {"--math", "fp32|tf32", "how products may be formed; fp32 unless given", &j.math},
        {"--device", "auto|cpu|cuda", "where to run; auto is cuda where that is usable", &j.device_text},
        CS_CONVOLUTION_OPTIONS(j.convolution, "from one output's place in x to the next; 1 unless given",
                               "rows and columns of zeros around x; 0 unless given",
                               "from one tap's place in x to the next; 1 unless given",
                               "groups of channels that the convolution keeps apart; 1 unless given",
                               "the files' x and y: [N, C, H, W] or [N, H, W, C]; nchw unless given"),
        {"--tuning", "FILE", "choose the kernel by this record of `convsmith tune`", &j.tuning_path},
        {"--autotune", "DIR", "choose the kernel by times, taken now if the folder has none", &j.problem.autotune},
        {"--epilogue", "CHAIN", "steps after the convolution, bias+clamp(0,6)", &j.epilogue},
    };
    cs_repeated tensors = {.name = "--tensor",
                           .value = "FILE.npy",
                           .help = "what an add_tensor step adds, as y is; once for each such step",
                           .texts = j.tensor_paths,
                           .most = CONVSMITH_MAX_TENSORS};
    const cs_usage usage = {
        .command = "run",
        .about = "Runs the operator on files:\n"
                 "    y = GroupNorm(sigmoid((conv2d(x, conv.weight) + conv.bias + bias) * scale))\n"
                 "or another --epilogue than " CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM ".\n"
                 "What steps there are, and what they read from --params, is in convsmith.h; their constants stand\n"
                 "behind them in parentheses. A kernel of the table serves whichever of them it is made for, if the\n"
                 "others are given to it; where the table has none, one that takes any problem does.",
        .example = "run --x x.npy --params model.safetensors --groups 8 --out y.npy",
        .options = options,
        .count = sizeof options / sizeof *options,
        .repeated = &tensors,
    };
    const cs_parsed parsed = cs_options_parse(&usage, argc, argv);
    if (parsed != CS_PARSED)
        return parsed == CS_PARSED_HELP ? CS_EXIT_DONE : CS_EXIT_BAD_INPUT;
    j.tensor_count = tensors.count;
    const cs_exit status = parse_values(&usage, &j) ? run(&usage, &j) : CS_EXIT_BAD_INPUT;
    cs_tensor_destroy(&j.x);
    cs_tensor_destroy(&j.y);
    for (int i = 0; i < CONVSMITH_MAX_TENSORS; i++)
        cs_tensor_destroy(&j.tensors[i]);
    cs_parameters_destroy(&j.parameters);
    convsmith_tuning_destroy(j.tuning);
    return status;
}
