/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a result may be from the reference, and whether it is.
 *
 * With u = 2^-24, half a unit in the last place of 1.0 in fp32:
 *
 * CS_BOUND_ROUNDING, for inputs whose sums are exact: only the epilogue rounds. Its error is carried along with each
 * value of the reference, from e = 0 for the exact sum on (steps.h).
 *     An affine step, v p or v + p: fp32 may fold it with its neighbours, v a + b, in which the terms of b do not
 * cancel as those of v + p may. So each rounding is of a number no greater than m, the value with the magnitudes of all
 * terms in place of the terms: e becomes e |p| + k u m, k being the roundings of the step (addition, product 1;
 * division 2; batch_norm 5). Behind the last one come 2 u m, for the product and sum themselves and for a constant
 * folded into them. A pointwise step f: e becomes e times the greatest slope of f from v - e to v + e, plus what
 * computing f adds: nothing where it chooses among numbers, u |f(v)| where it is one product, otherwise 6 u max(1,
 * |f(v)|), a few units in the last place of exponentials, quotients and polynomials. A saturated sigmoid has no slope,
 * so that whatever was rounded before it is forgotten, as it should be. Let d be the greatest e of the slice; behind a
 * sigmoid of unit-variance values it is about 8 u. The mean is then off by at most d too, the standard deviation by d,
 * relatively by d rstd. For y = (v - mean) rstd w + b, w and b with the affine steps behind the normalisation folded
 * into them by n roundings, that is, to first order, |error| <= d rstd (2 |w| + |y - b|) + (16 + n) u (|y - b| + m_b),
 * the last term for the rounding of sums over many elements and of the final steps; m_b is |b| without cancellation.
 * Without a normalisation the error is at most d + 16 u |y|. Steps behind a normalisation that are not folded into it
 * carry that error on, from each element's own; the bound is the greatest that comes out of them in the slice.
 * Near-constant groups have a large rstd, and so a bound that is wide in y but as tight as ever in v; a variance taken
 * as E[v^2] - E[v]^2 in fp32 is off by 2 u mean^2 whatever the variance is, and exceeds it.
 *
 * CS_BOUND_FP32 and CS_BOUND_TF32, for random inputs: 1e-4 and 5e-3 of (1 + |y|), and the bound above. The sums are off
 * themselves; the epilogue enlarges that by the product of its slopes, whose mean over a slice is its gain, and the
 * normalisation by rstd. For sums of unit variance gain times rstd is about 1 whatever the epilogue. A slice of few
 * elements may chance to be spread less, or an epilogue without a normalisation to enlarge: where the product exceeds 1
 * the bound grows by it. Factors behind a normalisation, their product if that exceeds 1, enlarge y and the bound; so
 * does the greatest product of slopes of what else stands there.
 * Where values have a mean far greater than their spread, as those of an add_const(100), or a channel is constant, gain
 * times rstd says nothing of how fp32 rounds the values themselves, which d rstd does: hence the bound above. Sums of
 * another spread (cs_reference.spread), which data have where an epilogue would else leave fp32's range, count by that.
 *
 * fp32 holds no number beyond 2^128, and need not hold one below 2^-126. A value that a step makes as great is an
 * infinity for the steps behind it, in the reference too; each rounding is off by 2^-126 at least. Where y's dtype has
 * no number as great as the value, an infinity is right, and close to its greatest, by the bound, either.
 * Where the squares that a variance is the mean of exceed fp32's range, anything is right.
 *
 * Where y is of 16 bits, products are exact and all that was said of fp32 holds for the value that is rounded at the
 * end. Rounding a value to p bits (f16 11, bf16 8) is off by at most half of its last place, 2^(e - p) for magnitudes
 * from 2^e to 2^(e + 1), or 2^-25, half of the least f16. A bound d for the value becomes |error| <= d + half of the
 * last place of |y| + d, which rounding to nearest meets and cutting off does not. The reference's weights are those of
 * prepack, rounded to the tensors' dtype, so that their rounding is no error.
 */
#ifndef CS_SUPPORT_COMPARE_H
#define CS_SUPPORT_COMPARE_H

#include "reference.h"

typedef enum cs_bound { CS_BOUND_ROUNDING, CS_BOUND_FP32, CS_BOUND_TF32 } cs_bound;

/* The bound for random inputs of a way of forming products. */
cs_bound cs_bound_of(convsmith_math math);

/* Compares one slice of y, of the problem's dtype, with what the reference expects: NaN where it has NaN, the same
 * infinity where it has one, and within the bound elsewhere. False with the first element that differs: its index, what
 * it is, what it should be. `worst` (may be NULL) becomes the greatest absolute error among the finite elements, if it
 * is greater. */
bool cs_compare_slice(const cs_reference *reference, cs_bound bound, int64_t sample, int64_t slice, const void *y,
                      const double *expected, const cs_slice_statistics *statistics, double *worst,
                      cs_message *message);

#endif
