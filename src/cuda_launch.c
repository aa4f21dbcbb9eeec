/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda_launch.h"

#define DEFAULT_SHARED_LIMIT (48u * 1024u)

cudaError_t cs_prepare_conv(void (*kernel)(cs_conv_args), size_t shared) {
    struct cudaFuncAttributes attributes;
    cudaError_t error = cudaFuncGetAttributes(&attributes, (const void *)(uintptr_t)kernel);
    if (error == cudaSuccess && shared > DEFAULT_SHARED_LIMIT)
        error = cudaFuncSetAttribute((const void *)(uintptr_t)kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     (int)shared);
    return error;
}

static cudaError_t load(const void *kernel) {
    struct cudaFuncAttributes attributes;
    return cudaFuncGetAttributes(&attributes, kernel);
}

cudaError_t cs_prepare_pack(void (*kernel)(cs_pack_args)) { return load((const void *)(uintptr_t)kernel); }

cudaError_t cs_prepare_generic(void (*kernel)(cs_generic_args)) { return load((const void *)(uintptr_t)kernel); }

cudaError_t cs_prepare_generic_pack(void (*kernel)(cs_generic_pack_args)) {
    return load((const void *)(uintptr_t)kernel);
}

static cudaError_t launch(const void *kernel, const void *args, unsigned grid, unsigned block, size_t shared,
                          cudaStream_t stream) {
    /* cudaLaunchKernel takes the arguments by address and only reads them. */
    void *pointers[] = {(void *)args};
    const dim3 blocks = {grid, 1, 1};
    const dim3 threads = {block, 1, 1};
    return cudaLaunchKernel(kernel, blocks, threads, pointers, shared, stream);
}

cudaError_t cs_launch_conv(void (*kernel)(cs_conv_args), const cs_conv_args *args, unsigned grid, unsigned block,
                           size_t shared, cudaStream_t stream) {
    return launch((const void *)(uintptr_t)kernel, args, grid, block, shared, stream);
}

cudaError_t cs_launch_pack(void (*kernel)(cs_pack_args), const cs_pack_args *args, unsigned grid, unsigned block,
                           size_t shared, cudaStream_t stream) {
    return launch((const void *)(uintptr_t)kernel, args, grid, block, shared, stream);
}

cudaError_t cs_launch_generic(void (*kernel)(cs_generic_args), const cs_generic_args *args, unsigned grid,
                              unsigned block, size_t shared, cudaStream_t stream) {
    return launch((const void *)(uintptr_t)kernel, args, grid, block, shared, stream);
}

cudaError_t cs_launch_generic_pack(void (*kernel)(cs_generic_pack_args), const cs_generic_pack_args *args,
                                   unsigned grid, unsigned block, size_t shared, cudaStream_t stream) {
    return launch((const void *)(uintptr_t)kernel, args, grid, block, shared, stream);
}

cudaError_t cs_launch_conv_cooperative(void (*kernel)(cs_conv_args), const cs_conv_args *args, unsigned grid,
                                       unsigned block, size_t shared, cudaStream_t stream) {
    void *pointers[] = {(void *)args};
    const dim3 blocks = {grid, 1, 1};
    const dim3 threads = {block, 1, 1};
    return cudaLaunchCooperativeKernel((const void *)(uintptr_t)kernel, blocks, threads, pointers, shared, stream);
}
