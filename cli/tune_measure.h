/* SPDX-License-Identifier: Apache-2.0
 *
 * All kernels that can serve a problem, checked and timed.
 */
#ifndef CS_CLI_TUNE_MEASURE_H
#define CS_CLI_TUNE_MEASURE_H

#include "bench_item.h"
#include "progress.h"
#include "tune_jobs.h"

#include "src/tuning.h"

#define CS_TUNE_NEVER (-1)

typedef struct cs_tune_kernel {
    const convsmith_kernel *kernel;
    const convsmith_kernel_info *info; /* of it */
    int rank[CONVSMITH_MATH_TF32 + 1]; /* when a plan of that math asks it if nothing was measured; CS_TUNE_NEVER */
    cs_bench_outcome outcome;
    double us, spread, worst_error; /* where it is timed */
    cs_message reason;              /* where it is not */
} cs_tune_kernel;

typedef struct cs_tune_result {
    const cs_tune_job *job;
    cs_tune_kernel *kernels; /* the generic one last */
    size_t count;
} cs_tune_result;

typedef enum cs_tune_outcome {
    CS_TUNE_DONE,
    CS_TUNE_INTERRUPTED, /* before all kernels were timed */
    CS_TUNE_FAILED,      /* the device or the memory failed, as the message says */
} cs_tune_outcome;

/* Where a job stands among all, for the bar. */
typedef struct cs_tune_place {
    cs_progress *progress;
    size_t index, count;
} cs_tune_place;

/* The result is the caller's to free, whatever the outcome. */
cs_tune_outcome cs_tune_measure(cs_tune_result *result, const cs_tune_job *job, convsmith_device device, int repeats,
                                const cs_tune_place *place, cs_message *message);
void cs_tune_result_free(cs_tune_result *result);

/* The planner's first choice where nothing was measured, and the fastest, of the timed kernels that a plan of this math
 * can have; NULL where there is none. */
const cs_tune_kernel *cs_tune_planned(const cs_tune_result *result, convsmith_math math);
const cs_tune_kernel *cs_tune_fastest(const cs_tune_result *result, convsmith_math math);

/* Puts the timed kernels into a record, if there are any but the generic one, which tells nothing alone. */
convsmith_status cs_tune_record(convsmith_tuning *tuning, const cs_tune_result *result);

#endif
