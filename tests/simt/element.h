// SPDX-License-Identifier: Apache-2.0
//
// The bits of 16-bit elements and of tf32, as numbers and back.
#ifndef CONVSMITH_SIMT_ELEMENT_H
#define CONVSMITH_SIMT_ELEMENT_H

#include <cmath>
#include <cstdint>
#include <cstring>

namespace simt {

constexpr std::uint16_t kNan16 = 0x7FFF; // what the hardware makes of every NaN, in either 16-bit format

inline std::uint32_t bits_of(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

inline float float_of(std::uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline float f16_value(std::uint16_t bits) {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    const std::uint32_t magnitude = static_cast<std::uint32_t>(bits & 0x7FFFu) << 13;
    if (magnitude >= 0x7C00u << 13) {
        return float_of(sign | 0x7F800000u | magnitude);
    }
    // The exponents' zeros are 112 apart; this holds for subnormal numbers too.
    return float_of(sign | bits_of(float_of(magnitude) * 0x1p112f));
}

inline std::uint16_t f16_bits(float value) {
    if (std::isnan(value)) {
        return kNan16;
    }
    const std::uint32_t sign = bits_of(value) >> 16 & 0x8000u;
    const float magnitude = std::fabs(value);
    std::uint32_t bits;
    if (magnitude >= 65520.0f) { // half way from the largest to 2^16
        bits = 0x7C00u;
    } else if (magnitude < 0x1p-14f) { // what 1/2 cannot hold of it, f16 cannot
        bits = bits_of(magnitude + 0.5f) - bits_of(0.5f);
    } else {
        const std::uint32_t wide = bits_of(magnitude);
        bits = (wide - (112u << 23) + 0xFFFu + (wide >> 13 & 1u)) >> 13;
    }
    return static_cast<std::uint16_t>(sign | bits);
}

inline float bf16_value(std::uint16_t bits) { return float_of(static_cast<std::uint32_t>(bits) << 16); }

inline std::uint16_t bf16_bits(float value) {
    const std::uint32_t bits = bits_of(value);
    return std::isnan(value) ? kNan16 : static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

// Round to nearest, ties away from zero, to 10 bits of mantissa. NaN becomes the canonical NaN, which survives the cut
// to tf32.
inline std::uint32_t tf32_bits(float value) {
    const std::uint32_t bits = bits_of(value);
    if (std::isnan(value)) {
        return 0x7FFFFFFFu;
    }
    return std::isinf(value) ? bits : (bits + 0x1000u) & ~0x1FFFu;
}

// What a tensor core takes a tf32 for.
inline float tf32_value(std::uint32_t bits) { return float_of(bits & ~0x1FFFu); }

} // namespace simt

#endif
