/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels on the copy engine (device/gemm.cuh): how a problem is cut into their tiles.
 */
#ifndef CONVSMITH_GEMM_H
#define CONVSMITH_GEMM_H

#include "kernel.h"
#include "problem.h"

#define CS_TENSOR_ALIGNMENT 16 /* bytes at which a tensor and its pixels begin for the copy engine */

/* What runs of a plan need only let begin where their tensors do: args.gemm.inputs, of x as it is, and
 * args.gemm.outputs; and of the copy of x this. */
typedef struct cs_gemm_maps {
    cs_tensor_driver driver;
    cs_tensor_map copy;
} cs_gemm_maps;

/* The sizes that follow from a problem's cut. */
typedef struct cs_gemm_sizes {
    int64_t tiles, copy_blocks;       /* blocks of a launch that normalises, and of one that copies x */
    int64_t copy_bytes, values_bytes; /* of the workspace */
    int64_t copied, marks_bytes;      /* samples that a launch copies before the convolution, whose blocks copy the
                                         others if x begins at a multiple of CS_TENSOR_ALIGNMENT; of the workspace */
    int64_t published_bytes;          /* of the moments, to be cleared where the launch normalises by itself */
    bool copies;                      /* x is copied, wherever it begins; else only where it begins between multiples of
                                         CS_TENSOR_ALIGNMENT: the copy engine reads it where it lies */
} cs_gemm_sizes;

/* Cuts the problem into the fewest of the kernel's tiles: fills in args->gemm, tiles_h, tiles_w and channel_blocks
 * (gemm.width as for a y that begins at a multiple of CS_TENSOR_ALIGNMENT). False when its rows are too long for any,
 * or there are more than INT32_MAX tiles. For a kernel of planes args has an image of one row where y's pixels follow
 * each other. */
bool cs_gemm_fit(const convsmith_kernel *kernel, const cs_settled *settled, cs_conv_args *args, cs_gemm_sizes *sizes);

/* Settles who copies x: fills in copied and marks_bytes, once the blocks of the convolution are known. */
void cs_gemm_share_copy(const convsmith_kernel *kernel, const convsmith_problem *problem, int64_t blocks,
                        cs_gemm_sizes *sizes);

/* The same of where values stay until they are normalised: on the chip, or in the workspace. Fills in what args->gemm
 * tells of that, values_bytes and published_bytes; false when the workspace exceeds the address space. */
bool cs_gemm_place_values(const convsmith_kernel *kernel, const cs_settled *settled, int64_t blocks, cs_conv_args *args,
                          cs_gemm_sizes *sizes);

/* A tensor as the copy engine is told it: the sizes of its indices, the contiguous one first, and the strides of the
 * others in bytes; an index of one place steps over all that the ones before cover. */
typedef struct cs_gemm_tensor {
    int64_t sizes[4], strides[3];
} cs_gemm_tensor;

/* x as the kernel reads it, of planes: pixels, channels, samples, and one of all. */
cs_gemm_tensor cs_gemm_x(const convsmith_kernel *kernel, const convsmith_problem *problem);
cs_gemm_tensor cs_gemm_copy(const convsmith_kernel *kernel, const convsmith_problem *problem, const cs_gemm *gemm);
cs_gemm_tensor cs_gemm_y(const convsmith_kernel *kernel, const convsmith_problem *problem, const cs_conv_args *args);

#endif
