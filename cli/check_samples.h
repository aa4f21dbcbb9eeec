/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith check --samples: problems drawn from all that a problem may be.
 */
#ifndef CS_CLI_CHECK_SAMPLES_H
#define CS_CLI_CHECK_SAMPLES_H

#include "options.h"

/* The texts of the options; NULL where they are not given. */
typedef struct cs_sample_options {
    const char *samples, *sample, *small, *seed, *device;
} cs_sample_options;

/* Runs --samples N of a seed, or the one --sample SEED:INDEX. */
cs_exit cs_check_samples(const cs_usage *usage, const cs_sample_options *options);

#endif
