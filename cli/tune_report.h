/* SPDX-License-Identifier: Apache-2.0
 *
 * What `convsmith tune` found, for people and as JSON.
 */
#ifndef CS_CLI_TUNE_REPORT_H
#define CS_CLI_TUNE_REPORT_H

#include "tune_measure.h"

struct cJSON;

typedef struct cs_tune_tally {
    int problems; /* a family counts once for each math that it has */
    int gained;   /* of them, where another kernel is faster than the planner's choice */
    int doubtful; /* of these, where the times spread more than that */
    double log_gain;
    int wrong; /* kernels whose results were beyond their bounds */
} cs_tune_tally;

void cs_tune_print_heading(void);

/* A line for each math, and one for each kernel that computes something wrong; counts them. */
void cs_tune_print(const cs_tune_result *result, cs_tune_tally *tally);
void cs_tune_print_tally(const cs_tune_tally *tally);

/* Appends the result to an array and counts it; false when there is no memory. */
bool cs_tune_add_json(struct cJSON *results, const cs_tune_result *result, cs_tune_tally *tally);

#endif
