// SPDX-License-Identifier: Apache-2.0
#include "cuda_kernels.cuh"

using f32 = float;
CS_KERNELS(f32)
