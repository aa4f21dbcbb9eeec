// SPDX-License-Identifier: Apache-2.0
//
// What an epilogue's pointwise steps need: their functions, and the per-channel constants and the tensors that they
// read.
#pragma once

#include <device/element.h>
#include <device/steps.cuh>
#include <device/tensors.cuh>

// A channel's slots (gen/lower.lua), pairs of constants, kept in registers.
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
