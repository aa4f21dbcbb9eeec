// SPDX-License-Identifier: Apache-2.0
#include "mma.h"
#include "element.h"

namespace simt {
namespace {

constexpr int kM = 16, kN = 8, kMostK = 16;

// Element i of a register, which holds one tf32 or two of 16 bits.
float element_of(Element element, std::uint32_t bits, int i) {
    const std::uint16_t half = static_cast<std::uint16_t>(bits >> (16 * i));
    return element == Element::tf32 ? tf32_value(bits) : element == Element::f16 ? f16_value(half) : bf16_value(half);
}

} // namespace

void mma_warp(Element element, float *const (&d)[kWarp], const std::uint32_t *const (&a)[kWarp],
              const std::uint32_t *const (&b)[kWarp]) {
    const int share = element == Element::tf32 ? 1 : 2; // elements of a register
    float rows[kM][kMostK], columns[kMostK][kN], sums[kM][kN];
    for (int lane = 0; lane < kWarp; ++lane) {
        const int group = lane / 4, member = lane % 4;
        for (int i = 0; i < 4; ++i) {
            for (int e = 0; e < share; ++e) {
                rows[group + i % 2 * 8][(member + i / 2 * 4) * share + e] = element_of(element, a[lane][i], e);
            }
            sums[group + i / 2 * 8][member * 2 + i % 2] = d[lane][i];
        }
        for (int i = 0; i < 2; ++i) {
            for (int e = 0; e < share; ++e) {
                columns[(member + i * 4) * share + e][group] = element_of(element, b[lane][i], e);
            }
        }
    }
    for (int m = 0; m < kM; ++m) {
        for (int k = 0; k < 8 * share; ++k) {
            for (int n = 0; n < kN; ++n) {
                sums[m][n] += rows[m][k] * columns[k][n];
            }
        }
    }
    for (int lane = 0; lane < kWarp; ++lane) {
        const int group = lane / 4, member = lane % 4;
        for (int i = 0; i < 4; ++i) {
            d[lane][i] = sums[group + i / 2 * 8][member * 2 + i % 2];
        }
    }
}

} // namespace simt
