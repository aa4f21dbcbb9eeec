/* SPDX-License-Identifier: Apache-2.0
 *
 * Recorded times, as the report shows them: those of bench/results, and records of `convsmith tune`.
 */
#ifndef CS_CLI_REPORT_RESULTS_H
#define CS_CLI_REPORT_RESULTS_H

#include "gen/error.h"

struct cJSON;

/* The lists of the page: `measured`, a time of a kernel each { gpu, file, date, kernel, n, h, w, ms, other_plan }, and
 * `sweeps`, { gpu, file, date, workloads }, of the GPUs that times of are found. */
typedef struct cs_report_results {
    struct cJSON *measured, *sweeps;
    int files; /* that were read */
} cs_report_results;

/* Reads what there is of these files of each profile (cs_resources): in `results` <profile>-table.json, the rows of
 * `convsmith bench --json`, and <profile>-sweep.json, of bench/bench.py; in `tuning` <profile>.lua. False, with *error,
 * where one is damaged; the lists are the caller's to delete, then too. */
bool cs_report_results_read(cs_report_results *r, const struct cJSON *profiles, const char *results, const char *tuning,
                            cs_error *error);

void cs_report_results_free(cs_report_results *r);

#endif
