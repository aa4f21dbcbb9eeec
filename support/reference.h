/* SPDX-License-Identifier: Apache-2.0
 *
 * The operator in double precision, written to be read: what every kernel is measured against.
 */
#ifndef CS_SUPPORT_REFERENCE_H
#define CS_SUPPORT_REFERENCE_H

#include "chain.h"

/* A problem and its data, in host memory. x and the parameters are of the dtypes that problem and params say; a problem
 * of 16-bit elements convolves with the weights rounded to its dtype, as convsmith_params has it. The result comes in
 * slices: the channels of one group of one sample, or all channels of a sample when the chain has no group_norm. */
typedef struct cs_reference {
    convsmith_problem problem;
    cs_chain chain;
    convsmith_params params;
    const void *x;
    int64_t h_out, w_out;
    int64_t slices, slice_channels, slice_size; /* slices a sample; channels and elements a slice */
} cs_reference;

/* Of one slice, before the normalisation: mean and 1 / sqrt(variance + eps) (0 and 1 without group_norm), and the
 * greatest finite magnitude. */
typedef struct cs_slice_statistics {
    double mean, rstd, peak;
} cs_slice_statistics;

/* Takes the problem apart; the pointers are kept, not copied. False for a chain or sizes that cannot be. */
bool cs_reference_init(cs_reference *reference, const convsmith_problem *problem, const convsmith_params *params,
                       const void *x, cs_message *message);

/* Computes one slice into y [slice_channels, h_out, w_out]. `statistics` may be NULL. */
void cs_reference_slice(const cs_reference *reference, int64_t sample, int64_t slice, double *y,
                        cs_slice_statistics *statistics);

/* Computes all of y [N, C_out, h_out, w_out]; `statistics` (may be NULL) is [N, slices]. */
void cs_reference_run(const cs_reference *reference, double *y, cs_slice_statistics *statistics);

#endif
