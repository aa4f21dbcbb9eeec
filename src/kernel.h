/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows behind the dispatch table. Private, but installed, since a project that specialises its own shapes
 * (convsmith_add_kernels) compiles a table of its own.
 */
#ifndef CONVSMITH_KERNEL_H
#define CONVSMITH_KERNEL_H

#include "convsmith/convsmith.h"
#include "cost.h"
#include "device/args.h"
#include "tuned.h"
#include <stdbool.h>

/* Raised whenever a field here, in cost.h, tuned.h or device/args.h changes its meaning: a table of another layout is
 * refused. */
#define CS_TABLE_LAYOUT 10

/* Entry points of a CUDA kernel. These are the host stubs that nvcc emits for extern "C" __global__ functions: not
 * called, but passed to cudaLaunchKernel. */
typedef struct cs_cuda_entry {
    void (*convolve)(cs_conv_args args);
    void (*merge)(cs_conv_args args); /* one block per (sample, group) */
    void (*prepack)(cs_pack_args args);
    void (*copy)(cs_conv_args args);  /* of the stored schedule: x, its channels contiguous */
    void (*apply)(cs_conv_args args); /* likewise: from the values in the workspace to y */
} cs_cuda_entry;

/* Entry points of a CPU kernel. */
typedef struct cs_host_entry {
    void (*convolve)(const cs_conv_args *args, int64_t block);
    void (*merge)(const cs_conv_args *args, int64_t block); /* block: sample * groups + group */
    void (*prepack)(const cs_pack_args *args);
} cs_host_entry;

/* What a resident kernel needs of a block's shared memory, beside buffers of values: device/resident.cuh. */
typedef struct cs_resident_needs {
    int32_t planes;      /* of operands, 16 bytes a pixel each */
    int32_t fixed_bytes; /* whatever the problem */
    int32_t words;       /* of a group's sums, of 8 bytes */
    int32_t pitch;       /* of the channels of a buffer, in floats */
    bool in_parts;       /* keeps a band in parts of whole rows */
} cs_resident_needs;

/* What tiles a kernel on the copy engine can take: device/gemm.cuh. */
typedef struct cs_gemm_needs {
    int32_t columns;       /* of a product; 0: it is no such kernel */
    int32_t input_bytes;   /* of shared memory, for a tile's inputs */
    int32_t row_bytes;     /* of a pixel there */
    int32_t operand_bytes; /* of one element there */
    int32_t apply_bytes;   /* of shared memory, of a block that normalises */
    bool planes;           /* reads x in planes: one tap, no stride, elements of 16 bits */
    int32_t staged;        /* outputs of a channel that there is room for on their way to planes of y */
    int32_t copiers;       /* warps of a block that can copy x */
    bool at_once;          /* can normalise in the launch that convolves */
} cs_gemm_needs;

struct convsmith_kernel {
    convsmith_kernel_info info;
    cs_cuda_entry cuda;
    cs_host_entry host;
    cs_resident_needs resident;
    cs_gemm_needs gemm;
    cs_cost cost;
};

/* The driver's functions that describe tensors to the copy engine. */
typedef struct cs_tensor_driver {
    void *encode, *move;
} cs_tensor_driver;

/* The CUDA runtime that a table's kernels are registered with. A program may hold several (the library's own, the
 * application's); a kernel can only be launched by its own. Defined in cuda_launch.h. */
struct cs_cuda_runtime;

struct convsmith_table {
    int32_t layout; /* CS_TABLE_LAYOUT of the headers it was compiled with */
    const convsmith_kernel *rows;
    size_t count;
    const struct cs_cuda_runtime *cuda; /* NULL in a build without CUDA */
    const cs_tuned_device *tunings;     /* no two of one model */
    size_t tuning_count;
};

#endif
