/* SPDX-License-Identifier: Apache-2.0
 *
 * The register tile of the CPU kernels: CS_CHANNELS x CS_VECTORS accumulators. A kernel defines both macros, and
 * CS_LANES, to its plan's figures, which are the same for all kernels of an instruction set.
 */
#ifndef CONVSMITH_DEVICE_HOST_TILE_H
#define CONVSMITH_DEVICE_HOST_TILE_H

#include <device/host_vector.h>

/* One tap of one input channel: a weight a channel times CS_VECTORS vectors of neighbouring pixels. */
CS_INLINE void cs_fma_tap(cs_vec z[CS_CHANNELS][CS_VECTORS], const float *weights, const float *x) {
#pragma GCC unroll 8
    for (int v = 0; v < CS_VECTORS; ++v) {
        const cs_vec in = cs_load(x + v * CS_LANES);
#pragma GCC unroll 8
        for (int c = 0; c < CS_CHANNELS; ++c)
            z[c][v] += weights[c] * in;
    }
}

#endif
