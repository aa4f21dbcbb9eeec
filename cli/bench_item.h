/* SPDX-License-Identifier: Apache-2.0
 *
 * One kernel, checked and timed at one problem size.
 */
#ifndef CS_CLI_BENCH_ITEM_H
#define CS_CLI_BENCH_ITEM_H

#include "convsmith/convsmith.h"
#include "support/message.h"

/* What became of an item. */
typedef enum cs_bench_outcome {
    CS_BENCH_TIMED,
    CS_BENCH_WRONG,   /* the run's result was beyond its bound */
    CS_BENCH_REFUSED, /* the kernel takes no such problem on this device: a resident one, where a sample is too large */
    CS_BENCH_FAILED,  /* it could not be run: no memory, an error of the device */
} cs_bench_outcome;

typedef struct cs_bench_item {
    const char *name;
    convsmith_problem problem;
    convsmith_device device;
    int repeats;     /* timed runs; 0: as many as take a twentieth of a second, from 5 to 100, which it becomes */
    int tensors;     /* of the epilogue's add_tensor steps */
    bool is_reduced; /* fewer samples than its reference size has */
    double worst_error, median_ms, least_ms;
    double spread; /* from the 10th to the 90th percentile of the times, as a share of the median */
} cs_bench_item;

/* The kernel's reference size; `n` samples in place of the reference's, or, when that is 0, as many as a CPU does in
 * fair time. */
void cs_bench_item_init(cs_bench_item *item, const convsmith_kernel_info *info, int64_t n, int repeats);

/* A problem in full that the kernel, which may be a generic one, computes; its math becomes the kernel's. */
void cs_bench_item_init_for(cs_bench_item *item, const convsmith_kernel_info *info, const convsmith_problem *problem,
                            int repeats);

/* Random data for a problem, whichever kernel and math it is run with. */
typedef struct cs_bench_inputs cs_bench_inputs;

void cs_bench_inputs_destroy(cs_bench_inputs *inputs);

/* Runs the kernel on *inputs, the data of its problem, which is made where it is NULL and the caller's to destroy;
 * compares whole groups of the first, the middle and the last sample with the reference, and times it. Runs are
 * enqueued one behind the other, so that a GPU need not wait for the host. Anything but CS_BENCH_TIMED comes with the
 * reason. */
cs_bench_outcome cs_bench_item_run(cs_bench_item *item, const convsmith_kernel *kernel, cs_bench_inputs **inputs,
                                   cs_message *message);

/* Arithmetic and traffic at the median time: two operations a multiply-add counted once, x, y and the tensors that are
 * added moved once. */
double cs_bench_gflops(const cs_bench_item *item);
double cs_bench_gigabytes(const cs_bench_item *item);

#endif
