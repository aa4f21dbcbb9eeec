/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith bench: times on this machine.
 */
#include "bench_item.h"
#include "colour.h"
#include "device.h"
#include "progress.h"
#include "results.h"
#include "rows.h"

#include <cjson/cJSON.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>

typedef struct request {
    const char *glob, *json_path;
    cs_device_filter devices;
    int64_t n; /* 0: the reference size, less on a CPU */
    int64_t repeats;
} request;

static bool is_wanted(const request *r, const convsmith_kernel_info *info) {
    return cs_device_filter_takes(&r->devices, info) && (!r->glob || fnmatch(r->glob, info->name, 0) == 0) &&
           cs_kernel_runs_here(info);
}

/* ---- Output ------------------------------------------------------------------------------------------------------ */

static void print_heading(void) {
    printf("%-46s %-18s %10s %9s %8s %9s\n", "KERNEL", "N, HxW, GROUPS", "MEDIAN ms", "GFLOP/s", "GB/s", "MAX ERROR");
}

static void print_item(const cs_bench_item *item) {
    const convsmith_problem *p = &item->problem;
    char size[80];
    snprintf(size, sizeof size, "%" PRId64 ", %" PRId64 "x%" PRId64 ", %" PRId64, p->n, p->h, p->w, p->groups);
    printf("%-46s %-18s %10.3f %9.1f %8.1f %9.1e%s\n", item->name, size, item->median_ms, cs_bench_gflops(item),
           cs_bench_gigabytes(item), item->worst_error, item->is_reduced ? "  (N reduced)" : "");
    fflush(stdout);
}

static cJSON *make_row(const convsmith_kernel_info *info, const cs_bench_item *item) {
    cJSON *row = cs_row_json(info);
    if (row && cJSON_AddNumberToObject(row, "n", (double)item->problem.n) &&
        cJSON_AddNumberToObject(row, "h", (double)item->problem.h) &&
        cJSON_AddNumberToObject(row, "w", (double)item->problem.w) &&
        cJSON_AddNumberToObject(row, "groups", (double)item->problem.groups) &&
        cJSON_AddNumberToObject(row, "repeats", item->repeats) &&
        cJSON_AddNumberToObject(row, "median_ms", item->median_ms) &&
        cJSON_AddNumberToObject(row, "least_ms", item->least_ms) &&
        cJSON_AddNumberToObject(row, "spread", item->spread) &&
        cJSON_AddNumberToObject(row, "gflops", cs_bench_gflops(item)) &&
        cJSON_AddNumberToObject(row, "gigabytes_per_s", cs_bench_gigabytes(item)) &&
        cJSON_AddNumberToObject(row, "max_error", item->worst_error))
        return row;
    cJSON_Delete(row);
    return NULL;
}

/* ---- The command ------------------------------------------------------------------------------------------------- */

/* What goes on while kernels are timed. */
typedef struct work {
    int wanted, done;
    cs_progress progress;
    cs_results results;
} work;

static cs_exit bench_kernel(const request *r, const convsmith_kernel *kernel, work *w, cs_message *message) {
    const convsmith_kernel_info *info = convsmith_kernel_get_info(kernel);
    cs_bench_item item;
    cs_progress_show(&w->progress, w->done++ / (double)w->wanted, info->name);
    cs_bench_item_init(&item, info, r->n, (int)r->repeats);
    cs_bench_inputs *inputs = NULL;
    const cs_bench_outcome outcome = cs_bench_item_run(&item, kernel, &inputs, message);
    cs_bench_inputs_destroy(inputs);
    cs_progress_clear(&w->progress);
    switch (outcome) {
    case CS_BENCH_WRONG:
        printf("%-46s ", item.name);
        cs_print_coloured(stdout, CS_RED, "WRONG:");
        printf(" %s\n", message->text);
        return CS_EXIT_CHECK_FAILED;
    case CS_BENCH_REFUSED:
        printf("%-46s skipped: %s\n", item.name, message->text);
        return CS_EXIT_DONE;
    case CS_BENCH_FAILED:
        return CS_EXIT_BAD_INPUT;
    case CS_BENCH_TIMED:
        break;
    }
    print_item(&item);
    return !w->results.rows || cs_results_add(&w->results, make_row(info, &item), message) ? CS_EXIT_DONE
                                                                                           : CS_EXIT_BAD_INPUT;
}

static int count_wanted(const request *r) {
    int count = 0;
    for (size_t i = 0; i < convsmith_table_size(NULL); i++)
        count += is_wanted(r, convsmith_kernel_get_info(convsmith_table_at(NULL, i)));
    return count;
}

/* Wrong results and kernels that refuse are told, and the rest goes on; anything else ends it, with a message. */
static cs_exit bench_kernels(const request *r, work *w, cs_message *message) {
    cs_exit status = CS_EXIT_DONE;
    print_heading();
    cs_progress_start(&w->progress);
    for (size_t i = 0; i < convsmith_table_size(NULL); i++) {
        const convsmith_kernel *kernel = convsmith_table_at(NULL, i);
        if (!is_wanted(r, convsmith_kernel_get_info(kernel)))
            continue;
        const cs_exit found = bench_kernel(r, kernel, w, message);
        if (found == CS_EXIT_BAD_INPUT)
            return found;
        if (found != CS_EXIT_DONE)
            status = found;
    }
    return status;
}

static cs_exit bench_all(const cs_usage *usage, const request *r) {
    work w = {.wanted = count_wanted(r)};
    cs_message message = {""};
    if (w.wanted == 0) {
        cs_complain(usage->command, "the table has no such kernel that this machine can run; see convsmith list");
        return CS_EXIT_NO_KERNEL;
    }
    if (!cs_results_open(&w.results, r->json_path, &message))
        return cs_complain(usage->command, "%s", message.text);
    const cs_exit status = bench_kernels(r, &w, &message);
    if (status == CS_EXIT_BAD_INPUT)
        cs_results_discard(&w.results);
    else if (cs_results_save(&w.results, &message))
        return status;
    return cs_complain(usage->command, "%s", message.text);
}

cs_exit cs_command_bench(int argc, char **argv) {
    const char *device = NULL, *n = NULL, *repeats = NULL;
    request r = {NULL, NULL, {true, true}, 0, 10};
    const cs_option options[] = {
        {"--json", "FILE", "write the results as a JSON array too", &r.json_path},
        {"--filter", "GLOB", "only kernels whose names match", &r.glob},
        {"--device", "cpu|cuda", "only kernels for this kind of device", &device},
        {"--n", "N", "samples, in place of the reference size", &n},
        {"--repeats", "N", "timed runs, after some to warm up; 10 unless given", &repeats},
    };
    const cs_usage usage = {
        .command = "bench",
        .about = "Times the kernels of the table that this machine can run, each at the problem size its manifest row\n"
                 "is planned at (8x3x3x32 is the seed workload: N=128, 256x256, 8 groups), after checking parts of y\n"
                 "against the fp64 reference. The time is of convsmith_plan_run alone: parameters are packed and all\n"
                 "data on the device before. On a CPU fewer samples are taken, so that it ends soon. A kernel that\n"
                 "takes no problem of this size on this device, as its reason says, is skipped.",
        .example = "bench --device cpu --filter 'conv_f32_c8_*' --json times.json",
        .options = options,
        .count = sizeof options / sizeof *options,
    };
    const cs_parsed parsed = cs_options_parse(&usage, argc, argv);
    if (parsed != CS_PARSED)
        return parsed == CS_PARSED_HELP ? CS_EXIT_DONE : CS_EXIT_BAD_INPUT;
    if (!cs_value_device_filter(&usage, device, &r.devices) || !cs_value_whole(&usage, "--n", n, 1, INT32_MAX, &r.n) ||
        !cs_value_whole(&usage, "--repeats", repeats, 1, 10000, &r.repeats))
        return CS_EXIT_BAD_INPUT;
    return bench_all(&usage, &r);
}
