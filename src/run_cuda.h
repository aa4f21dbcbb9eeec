/* SPDX-License-Identifier: Apache-2.0
 *
 * What the ways of running CUDA kernels share.
 */
#ifndef CONVSMITH_RUN_CUDA_H
#define CONVSMITH_RUN_CUDA_H

#include "plan.h"
#include <cuda_runtime_api.h>

/* The error is reported here; it must not be found again by the caller's next check of its own. */
convsmith_status cs_cuda_status(cudaError_t error, const convsmith_plan *plan, const char *what);

/* The same after cs_prepare_*, which fail where the build has no code for the device. */
convsmith_status cs_cuda_prepared(cudaError_t error, const convsmith_plan *plan);

/* Calls `work` with the plan's device current, and leaves the caller's device current again. */
convsmith_status cs_on_device(const convsmith_plan *plan,
                              convsmith_status (*work)(const convsmith_plan *, const void *, cudaStream_t),
                              const void *args, void *stream);

#endif
