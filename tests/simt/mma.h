// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic of a warp's tensor-core operation.
#ifndef CONVSMITH_SIMT_MMA_H
#define CONVSMITH_SIMT_MMA_H

#include "simt.h"

namespace simt {

// d += a * b for a 16xK, b Kx8, d 16x8, given each lane's fragments as in the PTX manual's mma.m16n8k8 for .tf32 and
// mma.m16n8k16 for .f16 and .bf16: the low 13 bits of a tf32 are ignored, products are exact, sums are fp32.
void mma_warp(Element element, float *const (&d)[kWarp], const std::uint32_t *const (&a)[kWarp],
              const std::uint32_t *const (&b)[kWarp]);

} // namespace simt

#endif
