/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of epilogues in double precision, and how errors of fp32 arithmetic grow through them.
 */
#ifndef CS_SUPPORT_STEPS_H
#define CS_SUPPORT_STEPS_H

#include "src/chain.h"

/* A step of one channel: what it reads, as numbers. */
typedef struct cs_operands {
    cs_step step;
    double values[CS_STEP_VALUES], constants[CS_STEP_CONSTANTS];
} cs_operands;

/* An affine step, v * a + b. In fp32 it may be folded with its neighbours. */
typedef struct cs_line {
    double a, b;
    double mass;   /* the magnitudes of all that b is the sum of, added up */
    int roundings; /* of numbers as great as the result can be without cancellation */
} cs_line;

cs_line cs_line_of(const cs_operands *operands);

/* Whether a step is a function that fp32 computes by way of exponentials, quotients or polynomials, and that is flat or
 * straight far from 0. */
bool cs_step_is_curved(cs_step step);

/* A value on its way through the steps on one side of a normalisation. compare.h says what the errors are for. */
typedef struct cs_traced {
    double value;
    double mass;  /* what fp32 rounds in the affine steps since the last pointwise one: value without cancellation */
    double error; /* how far fp32 arithmetic may be off, given the exact sum of the convolution */
    double gain;  /* by how much it enlarges an error of that sum */
} cs_traced;

cs_traced cs_trace_begin(double value);
void cs_trace_step(cs_traced *traced, const cs_operands *operands);
void cs_trace_end(cs_traced *traced);

/* The sum with a number, which fp32 computes by itself: add_tensor. */
void cs_trace_sum(cs_traced *traced, double addend);

/* The product with a value that came out of the same sum: mul_input_of. Ends both sums of affine steps first. */
void cs_trace_product(cs_traced *traced, const cs_traced *other);

#endif
