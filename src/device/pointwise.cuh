// SPDX-License-Identifier: Apache-2.0
//
// Pointwise steps of an epilogue, and the per-channel constants they read.
#pragma once

#include <device/element.h>
#include <device/ptx.cuh>

// The (a, b) pairs of a channel's affine operations, kept in registers.
template <int SLOTS> struct channel_constants {
    float value[2 * (SLOTS > 0 ? SLOTS : 1)];
    __device__ __forceinline__ float operator[](int i) const { return value[i]; }
};

// The packed form holds them channel by channel.
template <int SLOTS>
__device__ __forceinline__ channel_constants<SLOTS> load_constants(const float *packed, int channel) {
    channel_constants<SLOTS> constants = {};
#pragma unroll
    for (int i = 0; i < 2 * SLOTS; ++i)
        constants.value[i] = load_global(packed + channel * 2 * SLOTS + i);
    return constants;
}

// The sigmoid of v, given t = -log2(e) * v.
__device__ __forceinline__ float sigmoid_exp2(float t) { return reciprocal_approx(1.0f + exp2_approx(t)); }
