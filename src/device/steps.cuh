// SPDX-License-Identifier: Apache-2.0
//
// The pointwise steps of an epilogue, for CUDA code.
#pragma once

#include <device/ptx.cuh>

// What device/steps.h is made of, beside functions of device/ptx.cuh.
__device__ __forceinline__ float absolute(float value) { return fabsf(value); }
__device__ __forceinline__ float choose(bool condition, float yes, float no) { return condition ? yes : no; }
__device__ __forceinline__ float log1p_approx(float value) { return log2_approx(1.0f + value) * 0.693147180559945309f; }

using cs_value = float;
#define CS_STEP __device__ __forceinline__
#include <device/steps.h>
#undef CS_STEP

// The sigmoid of v, given t = -log2(e) * v.
__device__ __forceinline__ float sigmoid_exp2(float t) { return reciprocal_approx(1.0f + exp2_approx(t)); }

// The same for two values at the price of three special-function operations: 1/p and 1/q are q/(pq) and p/(pq). The
// limit keeps the product finite; a sigmoid below 2^-63 comes out as 2^-63. If one of the two is NaN, both become NaN:
// only for values that the same normalisation makes NaN anyway.
__device__ __forceinline__ void sigmoid_exp2_pair(float &first, float &second) {
    const float p = 1.0f + exp2_approx(min_or_nan(first, 63.0f)), q = 1.0f + exp2_approx(min_or_nan(second, 63.0f));
    const float inverse = reciprocal_approx(p * q);
    first = inverse * q;
    second = inverse * p;
}
