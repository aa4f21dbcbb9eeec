/* SPDX-License-Identifier: Apache-2.0
 *
 * Launching a table's CUDA kernels. A program may hold several CUDA runtimes (the library's static one, the
 * application's); a kernel can only be launched by the runtime it is registered with, the one linked beside it. So a
 * table carries these functions, compiled and linked where its kernels are.
 */
#ifndef CONVSMITH_CUDA_LAUNCH_H
#define CONVSMITH_CUDA_LAUNCH_H

#include "device/args.h"
#include "device/generic_args.h"
#include "kernel.h"
#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Check that the current device has code for `kernel` and load it, so that its first launch does not; lets a
 * convolution use `shared` bytes of dynamic shared memory. */
cudaError_t cs_prepare_conv(void (*kernel)(cs_conv_args), size_t shared);
cudaError_t cs_prepare_pack(void (*kernel)(cs_pack_args));

/* Enqueue one launch of `grid` blocks of `block` threads on the current device. */
cudaError_t cs_launch_conv(void (*kernel)(cs_conv_args), const cs_conv_args *args, unsigned grid, unsigned block,
                           size_t shared, cudaStream_t stream);
cudaError_t cs_launch_pack(void (*kernel)(cs_pack_args), const cs_pack_args *args, unsigned grid, unsigned block,
                           size_t shared, cudaStream_t stream);

/* As cs_launch_conv, with all blocks on the device at once. */
cudaError_t cs_launch_conv_cooperative(void (*kernel)(cs_conv_args), const cs_conv_args *args, unsigned grid,
                                       unsigned block, size_t shared, cudaStream_t stream);

/* A tensor of four indices for the copy engine, and the box of it that is brought at once to shared memory or from
 * there. */
typedef struct cs_tensor {
    void *elements;
    int32_t operand_bytes; /* 2, or 4: floats */
    int32_t row_bytes;     /* of the box's contiguous index, by which it is swizzled: 32, 64 or 128; 0: it is not */
    int64_t sizes[4];      /* the contiguous index first */
    int64_t strides[3];    /* of the others, in bytes: multiples of 16, from 16 to below 2^40 */
    int64_t box[4];
    int64_t steps[4]; /* 1 to 8: the box has every so manieth place; 1 of the contiguous index */
} cs_tensor;

/* The driver's functions for tensors, found for a plan once; the form in which kernels get one; and the same of another
 * that begins elsewhere, which takes far less time. */
cudaError_t cs_find_tensor_driver(cs_tensor_driver *driver);
cudaError_t cs_encode_tensor(const cs_tensor_driver *driver, cs_tensor_map *map, const cs_tensor *tensor);
cudaError_t cs_move_tensor(const cs_tensor_driver *driver, cs_tensor_map *map, const void *elements);

/* The same for the generic kernels, which no table carries. */
cudaError_t cs_prepare_generic(void (*kernel)(cs_generic_args));
cudaError_t cs_prepare_generic_pack(void (*kernel)(cs_generic_pack_args));
cudaError_t cs_launch_generic(void (*kernel)(cs_generic_args), const cs_generic_args *args, unsigned grid,
                              unsigned block, size_t shared, cudaStream_t stream);
cudaError_t cs_launch_generic_pack(void (*kernel)(cs_generic_pack_args), const cs_generic_pack_args *args,
                                   unsigned grid, unsigned block, size_t shared, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

/* The first functions above as a table carries them. */
struct cs_cuda_runtime {
    cudaError_t (*prepare_conv)(void (*)(cs_conv_args), size_t);
    cudaError_t (*prepare_pack)(void (*)(cs_pack_args));
    cudaError_t (*launch_conv)(void (*)(cs_conv_args), const cs_conv_args *, unsigned, unsigned, size_t, cudaStream_t);
    cudaError_t (*launch_conv_cooperative)(void (*)(cs_conv_args), const cs_conv_args *, unsigned, unsigned, size_t,
                                           cudaStream_t);
    cudaError_t (*launch_pack)(void (*)(cs_pack_args), const cs_pack_args *, unsigned, unsigned, size_t, cudaStream_t);
    cudaError_t (*find_tensor_driver)(cs_tensor_driver *);
    cudaError_t (*encode_tensor)(const cs_tensor_driver *, cs_tensor_map *, const cs_tensor *);
    cudaError_t (*move_tensor)(const cs_tensor_driver *, cs_tensor_map *, const void *);
};

#endif
