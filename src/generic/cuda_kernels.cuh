// SPDX-License-Identifier: Apache-2.0
//
// The generic CUDA kernels, as the library has them: CS_KERNELS(ELEMENT) defines those of an element, one file each, so
// that they can be compiled side by side.
#pragma once

#include <device/generic.cuh>

#include "cuda.h"

static_assert(CS_GENERIC_CUDA_THREADS == CS_GENERIC_THREADS && CS_GENERIC_THREADS == CS_GENERIC_MEASURE_THREADS,
              "the runtime launches blocks of as many threads");
static_assert(generic_plain::channels == CS_GENERIC_PLAIN_CHANNELS && generic_plain::pixels == CS_GENERIC_PLAIN_PIXELS,
              "the runtime counts as many tiles");

// BLOCKS share a multiprocessor: as many as registers allow without spilling.
#define CS_CONVOLVE(ELEMENT, WAY, TILE, DIRECT, BLOCKS)                                                                \
    static_assert(sizeof(generic_memory<generic_shape<TILE>>) == CS_GENERIC_SHARED(TILE), "as the runtime has it");    \
    extern "C" __global__ void __launch_bounds__(CS_GENERIC_THREADS, BLOCKS)                                           \
        cs_generic_cuda_##ELEMENT##_##WAY(const __grid_constant__ cs_generic_args args) {                              \
        generic_convolve<generic_shape<TILE>, ELEMENT, DIRECT>(args);                                                  \
    }
#define CS_KERNELS(ELEMENT)                                                                                            \
    CS_CONVOLVE(ELEMENT, wide, CS_GENERIC_WIDE_TILE, false, 3)                                                         \
    CS_CONVOLVE(ELEMENT, narrow, CS_GENERIC_NARROW_TILE, false, 2)                                                     \
    CS_CONVOLVE(ELEMENT, small, CS_GENERIC_SMALL_TILE, false, 2)                                                       \
    CS_CONVOLVE(ELEMENT, direct, CS_GENERIC_DIRECT_TILE, true, 4)                                                      \
    extern "C" __global__ void __launch_bounds__(CS_GENERIC_THREADS, 4)                                                \
        cs_generic_cuda_##ELEMENT##_apply(const __grid_constant__ cs_generic_args args) {                              \
        generic_apply<ELEMENT>(args);                                                                                  \
    }
