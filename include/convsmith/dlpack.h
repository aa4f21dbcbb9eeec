/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 *
 * convsmith for tensors that other libraries hand over as DLPack's DLTensor: NumPy, CuPy, JAX, PyTorch, ...
 *
 * The calls take the place of those of convsmith.h with the same names and mean the same; sizes, strides, element types
 * and devices come from the tensors, or are compared with the plan's, and nothing is copied. All but PROBLEM, PARAMS
 * and ARGS is as convsmith.h says, ownership and threads too: a DLTensor is only read during the call, its data is the
 * caller's. On failure the detail names the field: "args->x->strides[1] is ...".
 *
 * A tensor is of kDLFloat of 32 or 16 bits or kDLBfloat of 16, one lane, and lies on kDLCPU or kDLCUDAHost for a plan
 * on the CPU, on kDLCUDA or kDLCUDAManaged for one on the CUDA device of its device_id. Its strides are in elements;
 * NULL is contiguous, the last index fastest. data + byte_offset is its first element.
 *
 * If another dlpack.h is included before this header, its DLTensor is taken.
 */
#ifndef CONVSMITH_DLPACK_H
#define CONVSMITH_DLPACK_H

#include "convsmith.h"
#include "third_party/dlpack.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Fills in what tensors say of a problem, n to kw, conv_groups, dtype and the strides, and the device that they are
 * on, for convsmith_plan_create. What they don't say, stride, padding, dilation, groups, eps, math, epilogue and table,
 * is set before the call: the size of y depends on it.
 *
 *     x       [N, C_in, H, W]
 *     weight  [C_out, C_in / conv_groups, KH, KW], of x's dtype or float
 *     y       [N, C_out, H_out, W_out], of x's dtype; NULL: contiguous
 *
 * Of no tensor the data is looked at. CONVSMITH_INVALID_ARGUMENT, CONVSMITH_TOO_LARGE; *problem and *device stay as
 * they were then. */
CONVSMITH_API convsmith_status convsmith_problem_from_dlpack(convsmith_problem *problem, convsmith_device *device,
                                                             const DLTensor *x, const DLTensor *weight,
                                                             const DLTensor *y);

/** As convsmith_step. A value has C_out elements, one behind the other, whatever its other indices of one place:
 * [C_out], [C_out, 1, 1], ... */
typedef struct convsmith_dlpack_step {
    const DLTensor *values[4]; /**< C_out elements each; the others NULL */
    float constants[2];        /**< as convsmith_step.constants */
} convsmith_dlpack_step;

/** As convsmith_params; weight and values are all of one dtype, which is the problem's or float. */
typedef struct convsmith_dlpack_params {
    const DLTensor *weight;             /**< [C_out, C_in / conv_groups, KH, KW], of any strides */
    const convsmith_dlpack_step *steps; /**< one for each step of the epilogue, in its order; host memory */
    size_t step_count;                  /**< the number of the epilogue's steps; 0, with steps NULL, for none */
} convsmith_dlpack_params;

/** As convsmith_plan_prepack: `packed` is convsmith_plan_packed_size bytes, 16-byte aligned, where the plan's kernel
 * reads it. CONVSMITH_INVALID_ARGUMENT, CONVSMITH_TOO_LARGE, CONVSMITH_CUDA_ERROR. */
CONVSMITH_API convsmith_status convsmith_plan_prepack_dlpack(const convsmith_plan *plan,
                                                             const convsmith_dlpack_params *params, void *packed,
                                                             void *stream);

/** As convsmith_args; each tensor has the sizes, the strides and the dtype that the plan was made for. */
typedef struct convsmith_dlpack_args {
    const DLTensor *x;  /**< [N, C_in, H, W] */
    const void *packed; /**< as convsmith_plan_prepack or convsmith_plan_prepack_dlpack filled it */
    const DLTensor *y;  /**< [N, C_out, H_out, W_out], every element is written */
    const DLTensor *tensors[CONVSMITH_MAX_TENSORS]; /**< one for each add_tensor step, in order: as y */
} convsmith_dlpack_args;

/** As convsmith_plan_run: `workspace` is convsmith_plan_workspace_size bytes, 16-byte aligned.
 * CONVSMITH_INVALID_ARGUMENT, CONVSMITH_TOO_LARGE, CONVSMITH_CUDA_ERROR. */
CONVSMITH_API convsmith_status convsmith_plan_run_dlpack(const convsmith_plan *plan, const convsmith_dlpack_args *args,
                                                         void *workspace, void *stream);

#ifdef __cplusplus
}
#endif

#endif
