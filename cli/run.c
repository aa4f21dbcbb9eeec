/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith run: the operator on real files.
 */
#include "device.h"
#include "support/npy.h"
#include "support/operation.h"
#include "support/parameters.h"

#include <inttypes.h>
#include <stdio.h>

/* The texts of the options, and what they and the files come to. */
typedef struct job {
    const char *x_path, *params_path, *out_path, *groups, *eps, *math, *device_text, *epilogue;
    cs_tensor x, y;
    cs_parameters parameters;
    cs_chain chain;
    cs_chain_text free_name; /* the chain without its constants */
    convsmith_problem problem;
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
    if (cs_chain_has(&j->chain, CS_STEP_GROUP_NORM) && !j->groups) {
        cs_complain(usage->command, "--groups is missing; the epilogue's step group_norm needs it");
        return false;
    }
    return cs_value_whole(usage, "--groups", j->groups, 1, INT32_MAX, &p->groups) &&
           cs_value_positive(usage, "--eps", j->eps, &p->eps) && cs_value_math(usage, j->math, &p->math) &&
           cs_value_device(usage, j->device_text, &j->device);
}

static bool check_shapes(const job *j, cs_message *message) {
    const int64_t *x = j->x.shape, *weight = j->parameters.weight.shape;
    if (j->x.rank != 4 || cs_tensor_count(&j->x) == 0)
        return cs_refuse(message, "%s: x is %s; it should be [N, C_in, H, W], none of them 0", j->x_path,
                         cs_shape_text(j->x.rank, x).text);
    if (x[1] != weight[1])
        return cs_refuse(message, "%s: x is %s, with %" PRId64 " channels; conv.weight in %s is %s, for %" PRId64,
                         j->x_path, cs_shape_text(4, x).text, x[1], j->params_path, cs_shape_text(4, weight).text,
                         weight[1]);
    if (x[2] < weight[2] || x[3] < weight[3])
        return cs_refuse(message, "%s: x is %s, smaller than the %" PRId64 "x%" PRId64 " window of conv.weight in %s",
                         j->x_path, cs_shape_text(4, x).text, weight[2], weight[3], j->params_path);
    if (cs_chain_has(&j->chain, CS_STEP_GROUP_NORM) && weight[0] % j->problem.groups != 0)
        return cs_refuse(message, "--groups: %" PRId64 " does not divide the %" PRId64 " output channels of %s",
                         j->problem.groups, weight[0], j->params_path);
    return true;
}

static void set_sizes(job *j) {
    const int64_t *x = j->x.shape, *weight = j->parameters.weight.shape;
    convsmith_problem *p = &j->problem;
    p->dtype = j->x.dtype;
    p->n = x[0];
    p->c_in = x[1];
    p->h = x[2];
    p->w = x[3];
    p->c_out = weight[0];
    p->kh = weight[2];
    p->kw = weight[3];
}

static bool load(job *j, cs_message *message) {
    if (!cs_npy_read(j->x_path, &j->x, message) ||
        !cs_parameters_load(&j->parameters, j->params_path, &j->chain, j->x.dtype, message) ||
        !check_shapes(j, message))
        return false;
    set_sizes(j);
    const convsmith_problem *p = &j->problem;
    const int64_t y[] = {p->n, p->c_out, p->h - p->kh + 1, p->w - p->kw + 1};
    return cs_tensor_create(&j->y, p->dtype, 4, y, message);
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
    const bool good = time_run(&operation, milliseconds, message) &&
                      cs_buffer_download(&operation.y, 0, j->y.data, operation.y.size, message);
    cs_operation_destroy(&operation);
    return good;
}

/* The chain with the constants handed to prepack in place of a kernel that is made for them. */
static convsmith_status create_with_constants(job *j, convsmith_plan **plan) {
    cs_chain free_chain = j->chain;
    for (int i = 0; i < free_chain.count; i++)
        free_chain.steps[i].is_fixed = false;
    j->free_name = cs_chain_name(&free_chain);
    j->problem.epilogue = j->free_name.text;
    const convsmith_status status = convsmith_plan_create(plan, &j->problem, j->device);
    for (int i = 0; i < free_chain.count && status == CONVSMITH_OK; i++)
        for (int k = 0; k < CS_STEP_CONSTANTS; k++)
            j->parameters.steps[i].constants[k] = free_chain.steps[i].constants[k];
    return status;
}

static convsmith_status create_plan(job *j, convsmith_plan **plan) {
    const char *epilogue = j->problem.epilogue;
    const convsmith_status status = convsmith_plan_create(plan, &j->problem, j->device);
    if (status != CONVSMITH_NO_KERNEL || create_with_constants(j, plan) == CONVSMITH_OK)
        return status == CONVSMITH_NO_KERNEL ? CONVSMITH_OK : status;
    j->problem.epilogue = epilogue;
    return convsmith_plan_create(plan, &j->problem, j->device); /* the words of the chain as it was written */
}

static cs_exit run(const cs_usage *usage, job *j) {
    cs_message message = {""};
    if (!load(j, &message))
        return cs_complain(usage->command, "%s", message.text);
    convsmith_plan *plan;
    const convsmith_status status = create_plan(j, &plan);
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
        {"--epilogue", "CHAIN", "steps after the convolution, bias+clamp(0,6)", &j.epilogue},
    };
    const cs_usage usage = {
        .command = "run",
        .about = "Runs the operator on files:\n"
                 "    y = GroupNorm(sigmoid((conv2d(x, conv.weight) + conv.bias + bias) * scale))\n"
                 "or another --epilogue than " CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM ".\n"
                 "What steps there are, and what they read from --params, is in convsmith.h; their constants stand\n"
                 "behind them in parentheses.",
        .example = "run --x x.npy --params model.safetensors --groups 8 --out y.npy",
        .options = options,
        .count = sizeof options / sizeof *options,
    };
    const cs_parsed parsed = cs_options_parse(&usage, argc, argv);
    if (parsed != CS_PARSED)
        return parsed == CS_PARSED_HELP ? CS_EXIT_DONE : CS_EXIT_BAD_INPUT;
    const cs_exit status = parse_values(&usage, &j) ? run(&usage, &j) : CS_EXIT_BAD_INPUT;
    cs_tensor_destroy(&j.x);
    cs_tensor_destroy(&j.y);
    cs_parameters_destroy(&j.parameters);
    return status;
}
