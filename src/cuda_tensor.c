/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda_launch.h"
#include <cuda.h>
#include <string.h>

/* From CUDA 12.0 on the driver has them; by this name and version they keep their form. */
static cudaError_t find(const char *name, void **function) {
    enum cudaDriverEntryPointQueryResult found;
    const cudaError_t error = cudaGetDriverEntryPointByVersion(name, function, 12000, cudaEnableDefault, &found);
    if (error == cudaSuccess && found != cudaDriverEntryPointSuccess)
        return cudaErrorNotSupported;
    return error;
}

cudaError_t cs_find_tensor_driver(cs_tensor_driver *driver) {
    const cudaError_t error = find("cuTensorMapEncodeTiled", &driver->encode);
    return error == cudaSuccess ? find("cuTensorMapReplaceAddress", &driver->move) : error;
}

typedef CUresult (*tensor_encoder)(CUtensorMap *, CUtensorMapDataType, cuuint32_t, void *, const cuuint64_t *,
                                   const cuuint64_t *, const cuuint32_t *, const cuuint32_t *, CUtensorMapInterleave,
                                   CUtensorMapSwizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill);

cudaError_t cs_encode_tensor(const cs_tensor_driver *driver, cs_tensor_map *map, const cs_tensor *t) {
    cuuint64_t sizes[4], strides[3];
    cuuint32_t box[4], steps[4];
    for (int i = 0; i < 4; ++i) {
        sizes[i] = (cuuint64_t)t->sizes[i];
        steps[i] = (cuuint32_t)t->steps[i];
        box[i] = (cuuint32_t)((t->box[i] - 1) * t->steps[i] + 1); /* what it steps over */
        if (i > 0)
            strides[i - 1] = (cuuint64_t)t->strides[i - 1];
    }
    const CUtensorMapDataType type =
        t->operand_bytes == 4 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT32 : CU_TENSOR_MAP_DATA_TYPE_UINT16;
    const CUtensorMapSwizzle swizzle = t->row_bytes == 128  ? CU_TENSOR_MAP_SWIZZLE_128B
                                       : t->row_bytes == 64 ? CU_TENSOR_MAP_SWIZZLE_64B
                                       : t->row_bytes == 32 ? CU_TENSOR_MAP_SWIZZLE_32B
                                                            : CU_TENSOR_MAP_SWIZZLE_NONE;
    CUtensorMap encoded;
    tensor_encoder encode;
    memcpy(&encode, &driver->encode, sizeof encode);
    const CUresult result =
        encode(&encoded, type, 4, t->elements, sizes, strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle,
               CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    memcpy(map, &encoded, sizeof encoded);
    return result == CUDA_SUCCESS ? cudaSuccess : cudaErrorInvalidValue;
}

cudaError_t cs_move_tensor(const cs_tensor_driver *driver, cs_tensor_map *map, const void *elements) {
    CUtensorMap moved;
    CUresult (*move)(CUtensorMap *, void *);
    memcpy(&moved, map, sizeof moved);
    memcpy(&move, &driver->move, sizeof move);
    const CUresult result = move(&moved, (void *)(uintptr_t)elements);
    memcpy(map, &moved, sizeof moved);
    return result == CUDA_SUCCESS ? cudaSuccess : cudaErrorInvalidValue;
}
