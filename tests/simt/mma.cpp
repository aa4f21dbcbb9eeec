// SPDX-License-Identifier: Apache-2.0
#include "mma.h"

#include <cstring>

namespace simt {
namespace {

constexpr int kM = 16, kN = 8, kK = 8;

float from_tf32(std::uint32_t bits) {
    float value;
    bits &= ~0x1FFFu;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

} // namespace

void mma_m16n8k8_warp(float *const (&d)[kWarp], const std::uint32_t *const (&a)[kWarp],
                      const std::uint32_t *const (&b)[kWarp]) {
    float rows[kM][kK], columns[kK][kN], sums[kM][kN];
    for (int lane = 0; lane < kWarp; ++lane) {
        const int group = lane / 4, member = lane % 4;
        for (int i = 0; i < 4; ++i) {
            rows[group + i % 2 * 8][member + i / 2 * 4] = from_tf32(a[lane][i]);
            sums[group + i / 2 * 8][member * 2 + i % 2] = d[lane][i];
        }
        for (int i = 0; i < 2; ++i) {
            columns[member + i * 4][group] = from_tf32(b[lane][i]);
        }
    }
    for (int m = 0; m < kM; ++m) {
        for (int k = 0; k < kK; ++k) {
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
