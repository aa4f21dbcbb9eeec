/* SPDX-License-Identifier: Apache-2.0 */
#include "generic.h"

#include <string.h>

/* A block's stack scratch: sums of its channels, and inputs under as many taps. */
#define HOST_SCRATCH (2 * CS_HOST_TILE_CHANNELS * CS_HOST_TILE_PIXELS * 4)

/* Sizes of 0 and the epilogue "*" are any. */
#define HOST_KERNEL(DTYPE, NAME, TARGET, FUNCTIONS)                                                                    \
    {                                                                                                                  \
        .kernel = {.info = {.name = "generic_" NAME "_" #FUNCTIONS,                                                    \
                            .key = {.dtype = DTYPE, .epilogue = "*", .target = TARGET},                                \
                            .strategy = "generic",                                                                     \
                            .schedule = CONVSMITH_SCHEDULE_STORED,                                                     \
                            .tile_c = CS_HOST_TILE_CHANNELS,                                                           \
                            .tile_h = 1,                                                                               \
                            .tile_w = CS_HOST_TILE_PIXELS,                                                             \
                            .threads = 1,                                                                              \
                            .shared_bytes = HOST_SCRATCH}},                                                            \
        .host = {                                                                                                      \
            .convolve = cs_generic_##FUNCTIONS##_convolve,                                                             \
            .measure = cs_generic_##FUNCTIONS##_measure,                                                               \
            .merge = cs_generic_##FUNCTIONS##_merge,                                                                   \
            .apply = cs_generic_##FUNCTIONS##_apply,                                                                   \
            .prepack = cs_generic_##FUNCTIONS##_prepack,                                                               \
        },                                                                                                             \
    }
#define HOST_KERNELS(DTYPE, NAME)                                                                                      \
    HOST_KERNEL(DTYPE, NAME, CONVSMITH_TARGET_HOST_BASE, host_base),                                                   \
        HOST_KERNEL(DTYPE, NAME, CONVSMITH_TARGET_HOST_AVX2, host_avx2),                                               \
        HOST_KERNEL(DTYPE, NAME, CONVSMITH_TARGET_HOST_AVX512, host_avx512)

static const cs_generic_kernel kernels[] = {
    HOST_KERNELS(CONVSMITH_F32, "f32"),
    HOST_KERNELS(CONVSMITH_F16, "f16"),
    HOST_KERNELS(CONVSMITH_BF16, "bf16"),
};
enum { KERNEL_COUNT = sizeof kernels / sizeof kernels[0] };

const cs_generic_kernel *cs_generic_find(convsmith_dtype dtype, convsmith_target target) {
    for (int i = 0; i < KERNEL_COUNT; ++i)
        if (kernels[i].kernel.info.key.dtype == dtype && kernels[i].kernel.info.key.target == target)
            return &kernels[i];
    return NULL;
}

const cs_generic_kernel *cs_generic_of(const convsmith_kernel *kernel) {
    for (int i = 0; i < KERNEL_COUNT; ++i)
        if (&kernels[i].kernel == kernel)
            return &kernels[i];
    return NULL;
}
