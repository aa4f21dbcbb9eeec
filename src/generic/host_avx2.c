/* SPDX-License-Identifier: Apache-2.0 */
#define CS_LANES 8
#define CS_VECTORS 3
#define CS_CHANNELS 4
#define CS_GENERIC_HOST(FUNCTION) cs_generic_host_avx2_##FUNCTION
#include "host_kernel.h"
