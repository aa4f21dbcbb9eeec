/* SPDX-License-Identifier: Apache-2.0
 *
 * The register tile of the CPU kernels of one input channel an output channel: vectors of neighbouring pixels of one
 * channel.
 */
#ifndef CONVSMITH_DEVICE_HOST_DEPTHWISE_H
#define CONVSMITH_DEVICE_HOST_DEPTHWISE_H

#include <device/host_vector.h>

/* One tap: a weight times `vectors` vectors of neighbouring pixels. */
CS_INLINE void cs_fma_row(cs_vec *z, int vectors, float weight, const float *x) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
        z[v] += weight * cs_load(x + v * CS_LANES);
}

#endif
