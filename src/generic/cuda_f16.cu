// SPDX-License-Identifier: Apache-2.0
#include "cuda_kernels.cuh"

CS_KERNELS(f16)
