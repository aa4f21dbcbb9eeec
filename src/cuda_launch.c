/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda_launch.h"
#include <cuda.h>
#include <string.h>

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

/* From CUDA 12.0 on the driver has it; by this name and version it keeps its form. */
cudaError_t cs_find_tensor_encoder(void **encoder) {
    enum cudaDriverEntryPointQueryResult found;
    const cudaError_t error =
        cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", encoder, 12000, cudaEnableDefault, &found);
    if (error == cudaSuccess && found != cudaDriverEntryPointSuccess)
        return cudaErrorNotSupported;
    return error;
}

typedef CUresult (*tensor_encoder)(CUtensorMap *, CUtensorMapDataType, cuuint32_t, void *, const cuuint64_t *,
                                   const cuuint64_t *, const cuuint32_t *, const cuuint32_t *, CUtensorMapInterleave,
                                   CUtensorMapSwizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill);

cudaError_t cs_encode_tensor(void *encoder, cs_tensor_map *map, const cs_tensor *t) {
    const cuuint64_t bytes = (cuuint64_t)t->operand_bytes;
    cuuint64_t sizes[4], strides[3];
    cuuint32_t box[4];
    for (int i = 0; i < 4; ++i) {
        sizes[i] = (cuuint64_t)t->sizes[i];
        box[i] = (cuuint32_t)t->box[i];
        if (i > 0)
            strides[i - 1] = (i > 1 ? strides[i - 2] : bytes) * sizes[i - 1];
    }
    const CUtensorMapDataType type = bytes == 4 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT32 : CU_TENSOR_MAP_DATA_TYPE_UINT16;
    const CUtensorMapSwizzle swizzle = t->row_bytes == 128  ? CU_TENSOR_MAP_SWIZZLE_128B
                                       : t->row_bytes == 64 ? CU_TENSOR_MAP_SWIZZLE_64B
                                                            : CU_TENSOR_MAP_SWIZZLE_32B;
    const cuuint32_t every[] = {1, 1, 1, 1};
    CUtensorMap encoded;
    tensor_encoder encode;
    memcpy(&encode, &encoder, sizeof encode);
    const CUresult result =
        encode(&encoded, type, 4, t->elements, sizes, strides, box, every, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle,
               CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    memcpy(map, &encoded, sizeof encoded);
    return result == CUDA_SUCCESS ? cudaSuccess : cudaErrorInvalidValue;
}
