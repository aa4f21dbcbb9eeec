/* SPDX-License-Identifier: Apache-2.0
 *
 * The operator in double precision, written to be read: what every kernel is measured against.
 */
#ifndef CS_SUPPORT_REFERENCE_H
#define CS_SUPPORT_REFERENCE_H

#include "chain.h"
#include "steps.h"
#include "view.h"

/* A problem and its data, in host memory. x and the parameters are of the dtypes and strides that problem and params
 * say; a problem of 16-bit elements convolves with the weights rounded to its dtype, as convsmith_params has it. A tap
 * that lies in the padding adds nothing, not even NaN for a weight that is none or infinite. The result is contiguous,
 * whatever y_strides are, and comes in slices: the channels that are normalised together of one sample, or all of them
 * without a normalisation. */
typedef struct cs_reference {
    convsmith_problem problem; /* in full (view.h) */
    cs_chain chain;
    convsmith_params params;
    const void *x;
    cs_view x_view, weight_view, y_view;
    const void *const *tensors; /* those of add_tensor steps, each lying as y; set behind cs_reference_init */
    int64_t h_out, w_out;
    int64_t slices, slice_channels, slice_size; /* slices a sample; channels and elements a slice */
    double spread;    /* of the convolution's sums, of random inputs (compare.h); 1 at first */
    double sum_error; /* how far those sums may be off before the epilogue; 0 at first */
} cs_reference;

/* Of one slice, before the normalisation: mean and 1 / sqrt(variance + eps) (0 and 1 without one), the greatest error
 * of fp32 arithmetic among the finite elements (infinite where fp32 does not hold the variance), and their mean gain
 * (steps.h). Where steps stand behind the normalisation that are not folded into it (cs_chain_behind): the greatest
 * error behind them, and the greatest gain of these steps. */
typedef struct cs_slice_statistics {
    double mean, rstd, error, gain, behind_error, behind_gain;
} cs_slice_statistics;

/* Takes the problem apart; the pointers are kept, not copied. False for a chain, steps or sizes that cannot be. */
bool cs_reference_init(cs_reference *reference, const convsmith_problem *problem, const convsmith_params *params,
                       const void *x, cs_message *message);

/* The normalisation's weight and bias of a channel with the affine steps that are folded into it: v becomes (v - mean)
 * * rstd * a + b; and by how much these steps enlarge that. */
cs_line cs_reference_line(const cs_reference *reference, int64_t channel, double *enlarged);

/* How far fp32 arithmetic may be off in such a value, of a slice of these statistics. */
double cs_reference_normalised_error(const cs_line *line, double value, const cs_slice_statistics *statistics);

/* Computes one slice into y [slice_channels, h_out, w_out]. `statistics` may be NULL. */
void cs_reference_slice(const cs_reference *reference, int64_t sample, int64_t slice, double *y,
                        cs_slice_statistics *statistics);

/* Computes all of y [N, C_out, h_out, w_out]; `statistics` (may be NULL) is [N, slices]. */
void cs_reference_run(const cs_reference *reference, double *y, cs_slice_statistics *statistics);

#endif
