/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_item.h"

#include "device.h"
#include "src/device/element.h"
#include "src/element.h"
#include "src/plan.h"
#include "support/compare.h"
#include "support/operation.h"
#include "support/random.h"
#include "support/tensor.h"
#include "support/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 3, LEAST_REPEATS = 5, MOST_REPEATS = 100, SLICES = 3 };

/* Milliseconds of runs before the timed ones, in which clocks settle, and of timed ones where their number is free. */
static const double warm_up_ms = 20, timed_ms = 50;

/* What a CPU is given by default: multiply-adds of one run. */
static const double cpu_budget = 3e8;

static double outputs(const convsmith_problem *p) {
    return (double)(p->n * p->c_out) * (double)(cs_problem_h_out(p) * cs_problem_w_out(p));
}

static double multiply_adds(const convsmith_problem *p) {
    return outputs(p) * (double)(p->c_in / p->conv_groups * p->kh * p->kw);
}

double cs_bench_gflops(const cs_bench_item *item) {
    return 2 * multiply_adds(&item->problem) / (item->median_ms * 1e6);
}

double cs_bench_gigabytes(const cs_bench_item *item) {
    const convsmith_problem *p = &item->problem;
    const double elements = (double)(p->n * p->c_in * p->h * p->w) + outputs(p) * (1 + item->tensors);
    return elements * (double)cs_element_bytes(p->dtype) / (item->median_ms * 1e6);
}

void cs_bench_item_init_for(cs_bench_item *item, const convsmith_kernel_info *info, const convsmith_problem *problem,
                            int repeats) {
    cs_chain chain;
    *item = (cs_bench_item){.name = info->name, .problem = *problem, .device = cs_device_of(info), .repeats = repeats};
    item->problem.math = info->key.math;
    item->tensors = cs_chain_read(problem->epilogue, &chain, NULL) ? chain.tensor_count : 0;
}

void cs_bench_item_init(cs_bench_item *item, const convsmith_kernel_info *info, int64_t n, int repeats) {
    convsmith_problem one = cs_problem_of_row(info);
    one.n = 1;
    cs_bench_item_init_for(item, info, &one, repeats);
    int64_t wanted = info->ref_n;
    if (item->device.kind == CONVSMITH_DEVICE_CPU)
        wanted = (int64_t)fmax(1, fmin((double)wanted, cpu_budget / multiply_adds(&item->problem)));
    item->problem.n = n ? n : wanted;
    item->is_reduced = item->problem.n < info->ref_n;
}

/* ---- Data -------------------------------------------------------------------------------------------------------- */

struct cs_bench_inputs {
    cs_chain chain;
    cs_tensor x, weight, channels[CS_MAX_VALUES]; /* by chain.values */
    cs_tensor added[CS_MAX_TENSORS];              /* those of add_tensor steps */
    const void *tensors[CS_MAX_TENSORS];          /* their data */
    convsmith_step steps[CS_MAX_STEPS];
};

static bool fill(cs_tensor *tensor, convsmith_dtype dtype, int rank, const int64_t *shape, double mean, double spread,
                 cs_random *random, cs_message *message) {
    if (!cs_tensor_create(tensor, dtype, rank, shape, message))
        return false;
    const int64_t count = cs_tensor_count(tensor);
    for (int64_t i = 0; i < count; i++)
        store_element((int32_t)dtype, tensor->data, i, (float)(mean + spread * cs_random_even(random)));
    return true;
}

static void fill_steps(cs_bench_inputs *in) {
    const void *values[CS_MAX_VALUES];
    float constants[CS_MAX_STEPS][CS_STEP_CONSTANTS];
    for (int i = 0; i < in->chain.value_count; i++)
        values[i] = in->channels[i].data;
    for (int i = 0; i < in->chain.count; i++)
        for (int j = 0; j < CS_STEP_CONSTANTS; j++)
            constants[i][j] = cs_usual_constants(in->chain.steps[i].step, 0)[j];
    cs_chain_fill_steps(&in->chain, values, constants, in->steps);
}

/* Pre-activations of about unit variance, as the bounds for random inputs suppose. */
static bool make_inputs(cs_bench_inputs *in, const convsmith_problem *p, cs_message *message) {
    const int64_t x[] = {p->n, p->c_in, p->h, p->w}, weight[] = {p->c_out, p->c_in / p->conv_groups, p->kh, p->kw};
    cs_random random = {1};
    if (!cs_chain_read(p->epilogue, &in->chain, message) || !fill(&in->x, p->dtype, 4, x, 0, 1, &random, message) ||
        !fill(&in->weight, CONVSMITH_F32, 4, weight, 0, 1 / sqrt((double)(weight[1] * p->kh * p->kw)), &random,
              message))
        return false;
    for (int i = 0; i < in->chain.value_count; i++) {
        const double mean = cs_chain_value_role(&in->chain, i) == CS_ADDEND ? 0 : 1;
        if (!fill(&in->channels[i], CONVSMITH_F32, 1, &p->c_out, mean, 0.2, &random, message))
            return false;
    }
    const int64_t y[] = {p->n, p->c_out, cs_problem_h_out(p), cs_problem_w_out(p)};
    for (int i = 0; i < in->chain.tensor_count; i++) {
        if (!fill(&in->added[i], p->dtype, 4, y, 0, 0.5, &random, message))
            return false;
        in->tensors[i] = in->added[i].data;
    }
    fill_steps(in);
    return true;
}

void cs_bench_inputs_destroy(cs_bench_inputs *in) {
    if (!in)
        return;
    cs_tensor_destroy(&in->x);
    cs_tensor_destroy(&in->weight);
    for (int i = 0; i < CS_MAX_VALUES; i++)
        cs_tensor_destroy(&in->channels[i]);
    for (int i = 0; i < CS_MAX_TENSORS; i++)
        cs_tensor_destroy(&in->added[i]);
    free(in);
}

static cs_bench_inputs *create_inputs(const convsmith_problem *problem, cs_message *message) {
    cs_bench_inputs *in = calloc(1, sizeof *in);
    if (!in) {
        cs_refuse(message, "no memory for the data of a problem");
        return NULL;
    }
    if (make_inputs(in, problem, message))
        return in;
    cs_bench_inputs_destroy(in);
    return NULL;
}

static convsmith_params view(const cs_bench_inputs *in) {
    return (convsmith_params){
        .weight = in->weight.data, .steps = in->chain.count ? in->steps : NULL, .step_count = (size_t)in->chain.count};
}

/* ---- Checking ---------------------------------------------------------------------------------------------------- */

/* The elements of one slice, contiguous, of the sample that `y` has as it lies. */
static void gather(const cs_bench_item *item, const cs_reference *r, int64_t slice, const char *y, char *got) {
    const size_t bytes = cs_element_bytes(item->problem.dtype);
    cs_view view = cs_view_y(&item->problem);
    view.sizes[0] = 1;
    for (int64_t i = 0; i < r->slice_size; i++)
        memcpy(got + (size_t)i * bytes, y + (size_t)cs_view_place(&view, slice * r->slice_size + i) * bytes, bytes);
}

/* x and y are contiguous in their layout, a sample behind the other. */
static cs_bench_outcome check_slice(cs_bench_item *item, const cs_reference *r, const cs_operation *o, int64_t index,
                                    char *y, char *got, double *expected, cs_message *message) {
    const int64_t sample = index / r->slices, slice = index % r->slices;
    const size_t bytes = (size_t)(r->slices * r->slice_size) * cs_element_bytes(item->problem.dtype);
    cs_slice_statistics statistics;
    if (!cs_buffer_download(&o->y, (size_t)sample * bytes, y, bytes, message))
        return CS_BENCH_FAILED;
    gather(item, r, slice, y, got);
    cs_reference_slice(r, sample, slice, expected, &statistics);
    return cs_compare_slice(r, cs_bound_of(item->problem.math), sample, slice, got, expected, &statistics,
                            &item->worst_error, message)
               ? CS_BENCH_TIMED
               : CS_BENCH_WRONG;
}

static cs_bench_outcome check(cs_bench_item *item, const cs_bench_inputs *in, const cs_operation *o,
                              cs_message *message) {
    const convsmith_params params = view(in);
    cs_reference r;
    if (!cs_reference_init(&r, &item->problem, &params, in->x.data, message))
        return CS_BENCH_FAILED;
    r.tensors = in->tensors;
    const size_t bytes = (size_t)r.slice_size * cs_element_bytes(item->problem.dtype);
    char *y = malloc((size_t)r.slices * bytes), *got = malloc(bytes);
    double *expected = malloc((size_t)r.slice_size * sizeof *expected);
    const bool is_ready = (y && got && expected) || cs_refuse(message, "no memory to check a group of %s", item->name);
    cs_bench_outcome outcome = is_ready ? CS_BENCH_TIMED : CS_BENCH_FAILED;
    const int64_t count = item->problem.n * r.slices;
    for (int i = 0; outcome == CS_BENCH_TIMED && i < SLICES; i++)
        outcome = check_slice(item, &r, o, (count - 1) * i / (SLICES - 1), y, got, expected, message);
    free(y);
    free(got);
    free(expected);
    return outcome;
}

/* ---- Timing ------------------------------------------------------------------------------------------------------ */

static int by_size(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The milliseconds of some runs together. */
static bool time_some(const cs_operation *o, cs_stopwatch *watch, int runs, double *elapsed, cs_message *message) {
    if (!cs_stopwatch_start(watch, message))
        return false;
    for (int i = 0; i < runs; i++)
        if (!cs_operation_run(o, message))
            return false;
    return cs_stopwatch_stop(watch, elapsed, message);
}

/* Tells about how long a run takes. */
static bool warm_up(const cs_bench_item *item, const cs_operation *o, double *run_ms, cs_message *message) {
    cs_stopwatch watch;
    if (!cs_stopwatch_create(&watch, item->device, message))
        return false;
    double spent = 0, elapsed = 0;
    bool good = true;
    while (good && spent < warm_up_ms) {
        good = time_some(o, &watch, WARM_UP, &elapsed, message);
        spent += fmax(elapsed, 1e-2); /* a clock too coarse for the runs must not keep this going */
    }
    *run_ms = elapsed / WARM_UP;
    cs_stopwatch_destroy(&watch);
    return good;
}

/* All runs are on their way before the first of their times is asked for. */
static bool time_repeats(const cs_operation *o, cs_stopwatch *watches, double *times, int repeats,
                         cs_message *message) {
    for (int i = 0; i < repeats; i++)
        if (!cs_stopwatch_start(&watches[i], message) || !cs_operation_run(o, message) ||
            !cs_stopwatch_end(&watches[i], message))
            return false;
    for (int i = 0; i < repeats; i++)
        if (!cs_stopwatch_read(&watches[i], &times[i], message))
            return false;
    return true;
}

/* With a stopwatch for each run. */
static bool watch_repeats(const cs_bench_item *item, const cs_operation *o, double *times, cs_message *message) {
    cs_stopwatch *watches = malloc((size_t)item->repeats * sizeof *watches);
    if (!watches)
        return cs_refuse(message, "no memory for %d stopwatches", item->repeats);
    int made = 0;
    while (made < item->repeats && cs_stopwatch_create(&watches[made], item->device, message))
        made++;
    const bool good = made == item->repeats && time_repeats(o, watches, times, item->repeats, message);
    while (made > 0)
        cs_stopwatch_destroy(&watches[--made]);
    free(watches);
    return good;
}

static void summarise(cs_bench_item *item, double *times) {
    const int middle = item->repeats / 2, last = item->repeats - 1;
    qsort(times, (size_t)item->repeats, sizeof *times, by_size);
    item->least_ms = times[0];
    item->median_ms = item->repeats % 2 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
    item->spread = (times[last - last / 10] - times[last / 10]) / item->median_ms;
}

static bool measure(cs_bench_item *item, const cs_operation *o, cs_message *message) {
    double run_ms = 0;
    if (!warm_up(item, o, &run_ms, message))
        return false;
    if (item->repeats == 0)
        item->repeats = (int)fmax(LEAST_REPEATS, fmin(MOST_REPEATS, timed_ms / fmax(run_ms, 1e-6)));
    double *times = malloc((size_t)item->repeats * sizeof *times);
    if (!times)
        return cs_refuse(message, "no memory for %d times", item->repeats);
    const bool good = watch_repeats(item, o, times, message);
    if (good)
        summarise(item, times);
    free(times);
    return good;
}

/* A plan that the kernel refuses for its size, or that there is no code for, is no error: another device may take it.
 */
static cs_bench_outcome create_plan(convsmith_plan **plan, const cs_bench_item *item, const convsmith_kernel *kernel,
                                    cs_message *message) {
    const convsmith_status status = cs_plan_create_for(plan, &item->problem, item->device, kernel);
    if (cs_check_status(status, "creating the plan", message))
        return CS_BENCH_TIMED;
    const bool refused = status == CONVSMITH_TOO_LARGE || status == CONVSMITH_UNSUPPORTED_DEVICE;
    return refused ? CS_BENCH_REFUSED : CS_BENCH_FAILED;
}

/* Takes the plan over. */
static cs_bench_outcome run_on(cs_bench_item *item, const cs_bench_inputs *in, convsmith_plan *plan,
                               cs_message *message) {
    const cs_placement placement = {.device = item->device};
    const convsmith_params params = view(in);
    cs_operation o;
    if (!cs_operation_create(&o, plan, &item->problem, &params, in->x.data, &placement, message))
        return CS_BENCH_FAILED;
    cs_bench_outcome outcome = CS_BENCH_FAILED;
    if (cs_operation_add_tensors(&o, &item->problem, in->tensors, &placement, message) && cs_operation_run(&o, message))
        outcome = check(item, in, &o, message);
    if (outcome == CS_BENCH_TIMED && !measure(item, &o, message))
        outcome = CS_BENCH_FAILED;
    cs_operation_destroy(&o);
    return outcome;
}

cs_bench_outcome cs_bench_item_run(cs_bench_item *item, const convsmith_kernel *kernel, cs_bench_inputs **inputs,
                                   cs_message *message) {
    convsmith_plan *plan;
    const cs_bench_outcome outcome = create_plan(&plan, item, kernel, message);
    if (outcome != CS_BENCH_TIMED)
        return outcome;
    if (!*inputs)
        *inputs = create_inputs(&item->problem, message);
    if (*inputs)
        return run_on(item, *inputs, plan, message);
    convsmith_plan_destroy(plan);
    return CS_BENCH_FAILED;
}
