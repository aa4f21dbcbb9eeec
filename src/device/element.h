/* SPDX-License-Identifier: Apache-2.0
 *
 * Elements of 16 bits as numbers, by integer arithmetic alone and without branches, so that loops over them vectorise:
 * the same in the CPU kernels, in CUDA code that need not be fast (prepack), and in what checks both.
 */
#ifndef CONVSMITH_DEVICE_ELEMENT_H
#define CONVSMITH_DEVICE_ELEMENT_H

#include "args.h"
#include <string.h>

#ifdef __CUDACC__
#define CS_ELEMENT static __device__ __forceinline__
#else
#define CS_ELEMENT static inline
#endif

CS_ELEMENT float cs_float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

CS_ELEMENT uint32_t cs_bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The value of a bf16 and of an f16: exact. */
CS_ELEMENT float cs_bf16_value(uint16_t element) { return cs_float_of_bits((uint32_t)element << 16); }

CS_ELEMENT float cs_f16_value(uint16_t element) {
    const uint32_t sign = (uint32_t)(element & 0x8000) << 16, magnitude = element & 0x7fff;
    const uint32_t tiny = cs_bits_of_float((float)(int32_t)magnitude * 0x1p-24f); /* below 2^-14 all are multiples */
    const uint32_t normal = (magnitude << 13) + 0x38000000;                       /* exponents: 127 - 15 more */
    const uint32_t huge = (magnitude << 13) | 0x7f800000;                         /* infinities and NaN */
    const uint32_t finite = magnitude < 0x0400 ? tiny : normal;
    return cs_float_of_bits(sign | (magnitude < 0x7c00 ? finite : huge));
}

/* The nearest bf16 and f16, ties to even; beyond the greatest an infinity; NaN stays NaN. */
CS_ELEMENT uint16_t cs_bf16_nearest(float value) {
    const uint32_t bits = cs_bits_of_float(value);
    const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (uint16_t)((bits & 0x7fffffff) <= 0x7f800000 ? rounded : bits >> 16 | 0x0040);
}

CS_ELEMENT uint16_t cs_f16_nearest(float value) {
    const uint32_t bits = cs_bits_of_float(value);
    const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    /* Beside 0.5 a float's last place is 2^-24, that of the f16 below 2^-14. */
    const uint32_t tiny = cs_bits_of_float(cs_float_of_bits(magnitude) + 0.5f) - 0x3f000000;
    const uint32_t normal = (magnitude - 0x38000000 + 0x0fff + (magnitude >> 13 & 1)) >> 13;
    const uint32_t small = magnitude < 0x38800000 ? tiny : normal;
    const uint32_t finite = magnitude < 0x47800000 ? small : 0x7c00;
    return (uint16_t)(sign | (magnitude <= 0x7f800000 ? finite : 0x7e00));
}

/* Element i of a tensor (or a parameter) of `dtype`, a cs_element. */
CS_ELEMENT float load_element(int32_t dtype, const void *tensor, int64_t i) {
    if (dtype == CS_F16)
        return cs_f16_value(((const uint16_t *)tensor)[i]);
    if (dtype == CS_BF16)
        return cs_bf16_value(((const uint16_t *)tensor)[i]);
    return ((const float *)tensor)[i];
}

/* The weight of an output channel, an input channel (of its group) and a tap. */
CS_ELEMENT float load_weight(const cs_pack_args *args, int channel, int c_in, int ky, int kx) {
    const int64_t *strides = args->weight_strides;
    return load_element(args->parameter_dtype, args->weight,
                        channel * strides[0] + c_in * strides[1] + ky * strides[2] + kx * strides[3]);
}

/* The float nearest to a finite number: the greatest for what is beyond, since what steps are folded to must not make
 * an infinity of finite parameters. */
CS_ELEMENT float nearest_finite(double value) {
    const double greatest = 0x1.fffffep127, infinite = (double)cs_float_of_bits(0x7f800000);
    if (value > greatest && value < infinite)
        return (float)greatest;
    if (value < -greatest && value > -infinite)
        return -(float)greatest;
    return (float)value;
}

/* Sets element i of a tensor to the nearest that there is. */
CS_ELEMENT void store_element(int32_t dtype, void *tensor, int64_t i, float value) {
    if (dtype == CS_F16)
        ((uint16_t *)tensor)[i] = cs_f16_nearest(value);
    else if (dtype == CS_BF16)
        ((uint16_t *)tensor)[i] = cs_bf16_nearest(value);
    else
        ((float *)tensor)[i] = value;
}

/* The element of `dtype` nearest to a value, as a float. */
CS_ELEMENT float round_to_element(int32_t dtype, float value) {
    if (dtype == CS_F16)
        return cs_f16_value(cs_f16_nearest(value));
    if (dtype == CS_BF16)
        return cs_bf16_value(cs_bf16_nearest(value));
    return value;
}

#endif
