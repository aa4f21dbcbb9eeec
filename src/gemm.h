/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels on the copy engine (device/gemm.cuh): how a problem is cut into their tiles.
 */
#ifndef CONVSMITH_GEMM_H
#define CONVSMITH_GEMM_H

#include "kernel.h"
#include "problem.h"

#define CS_TENSOR_ALIGNMENT 16 /* bytes at which a tensor and its pixels begin for the copy engine */

/* The sizes that follow from a problem's cut. */
typedef struct cs_gemm_sizes {
    int64_t tiles, copy_blocks;       /* blocks of a launch that normalises, and of one that copies x */
    int64_t copy_bytes, values_bytes; /* of the workspace */
    int64_t copied, marks_bytes;      /* samples that a launch copies before the convolution, whose blocks copy the
                                         others if x begins at a multiple of CS_TENSOR_ALIGNMENT; of the workspace */
    bool copies;                      /* x is copied, wherever it begins; else only where it begins between multiples of
                                         CS_TENSOR_ALIGNMENT: the copy engine reads it where it lies */
} cs_gemm_sizes;

/* Cuts the problem into the fewest of the kernel's tiles: fills in args->gemm, tiles_h, tiles_w and channel_blocks.
 * False when its rows are too long for any, or there are more than INT32_MAX tiles. */
bool cs_gemm_fit(const convsmith_kernel *kernel, const cs_settled *settled, cs_conv_args *args, cs_gemm_sizes *sizes);

/* Settles who copies x: fills in copied and marks_bytes, once the blocks of the convolution are known. */
void cs_gemm_share_copy(const convsmith_kernel *kernel, const convsmith_problem *problem, int64_t blocks,
                        cs_gemm_sizes *sizes);

/* The strides of x's w, h and n in bytes, as the copy engine is told them: an index of one place steps over all that
 * the ones before cover. */
void cs_gemm_strides(const convsmith_problem *problem, int64_t element_bytes, int64_t strides[3]);

#endif
