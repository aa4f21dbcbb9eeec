/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith check --samples: problems drawn from all that a problem may be.
 */
#ifndef CS_CLI_CHECK_SAMPLES_H
#define CS_CLI_CHECK_SAMPLES_H

#include "options.h"
#include "support/sample.h"

/* The texts of the options; NULL where they are not given. */
typedef struct cs_sample_options {
    const char *samples, *sample, *small, *seed, *device, *filter, *json_path;
} cs_sample_options;

/* Runs --samples N of a seed, or the one --sample SEED:INDEX. */
cs_exit cs_check_samples(const cs_usage *usage, const cs_sample_options *options);

/* The generic kernels, in no order; NULL past the last. They are rows of no table. */
const convsmith_kernel *cs_generic_at(int index);

/* Checks a generic kernel with some samples of the families: as cs_check_kernel. */
cs_verdict cs_check_generic(const convsmith_kernel *kernel, uint64_t seed, int first_family, int last_family,
                            int *cases, cs_message *message);

#endif
