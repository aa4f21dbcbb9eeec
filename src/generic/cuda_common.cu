// SPDX-License-Identifier: Apache-2.0
//
// The generic CUDA kernels that are the same for all elements.
#include "cuda_kernels.cuh"

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
