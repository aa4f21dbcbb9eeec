// SPDX-License-Identifier: Apache-2.0
//
// The generic CUDA kernels, as the library has them.
#include <device/generic.cuh>

#include "cuda.h"

static_assert(CS_GENERIC_CUDA_THREADS == CS_GENERIC_THREADS && CS_GENERIC_THREADS == CS_GENERIC_MEASURE_THREADS,
              "the runtime launches blocks of as many threads");
static_assert(generic_plain::channels == CS_GENERIC_PLAIN_CHANNELS && generic_plain::pixels == CS_GENERIC_PLAIN_PIXELS,
              "the runtime counts as many tiles");

// Two blocks share a multiprocessor.
#define CS_CONVOLVE(ELEMENT, WAY, TILE, DIRECT)                                                                        \
    static_assert(sizeof(generic_memory<generic_shape<TILE>>) == CS_GENERIC_SHARED(TILE), "as the runtime has it");    \
    extern "C" __global__ void __launch_bounds__(CS_GENERIC_THREADS, 2)                                                \
        cs_generic_cuda_##ELEMENT##_##WAY(const __grid_constant__ cs_generic_args args) {                              \
        generic_convolve<generic_shape<TILE>, ELEMENT, DIRECT>(args);                                                  \
    }
#define CS_KERNELS(ELEMENT)                                                                                            \
    CS_CONVOLVE(ELEMENT, wide, CS_GENERIC_WIDE_TILE, false)                                                            \
    CS_CONVOLVE(ELEMENT, narrow, CS_GENERIC_NARROW_TILE, false)                                                        \
    CS_CONVOLVE(ELEMENT, small, CS_GENERIC_SMALL_TILE, false)                                                          \
    CS_CONVOLVE(ELEMENT, direct, CS_GENERIC_DIRECT_TILE, true)                                                         \
    extern "C" __global__ void __launch_bounds__(CS_GENERIC_THREADS, 2)                                                \
        cs_generic_cuda_##ELEMENT##_apply(const __grid_constant__ cs_generic_args args) {                              \
        generic_apply<ELEMENT>(args);                                                                                  \
    }

using f32 = float;
CS_KERNELS(f32)
CS_KERNELS(f16)
CS_KERNELS(bf16)

extern "C" __global__ void __launch_bounds__(CS_GENERIC_MEASURE_THREADS)
    cs_generic_cuda_measure(const __grid_constant__ cs_generic_args args) {
    const int64_t sets = static_cast<int64_t>(args.conv.n) * args.conv.groups * args.parts;
    for (int64_t set = block_index(); set < sets; set += block_count())
        generic_measure(args, set);
}

extern "C" __global__ void __launch_bounds__(CS_MERGE_THREADS)
    cs_generic_cuda_merge(const __grid_constant__ cs_generic_args args) {
    const int64_t sets = static_cast<int64_t>(args.conv.n) * args.conv.groups;
    for (int64_t set = block_index(); set < sets; set += block_count())
        generic_merge(args, set);
}

extern "C" __global__ void __launch_bounds__(256)
    cs_generic_cuda_prepack(const __grid_constant__ cs_generic_pack_args args) {
    generic_prepack(args);
}
