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

#ifdef CONVSMITH_WITH_CUDA
#define DECLARE_CUDA_KERNEL(ELEMENT)                                                                                   \
    void cs_generic_cuda_##ELEMENT##_wide(cs_generic_args args);                                                       \
    void cs_generic_cuda_##ELEMENT##_narrow(cs_generic_args args);                                                     \
    void cs_generic_cuda_##ELEMENT##_small(cs_generic_args args);                                                      \
    void cs_generic_cuda_##ELEMENT##_direct(cs_generic_args args);                                                     \
    void cs_generic_cuda_##ELEMENT##_apply(cs_generic_args args);
DECLARE_CUDA_KERNEL(f32)
DECLARE_CUDA_KERNEL(f16)
DECLARE_CUDA_KERNEL(bf16)
void cs_generic_cuda_measure(cs_generic_args args);
void cs_generic_cuda_merge(cs_generic_args args);
void cs_generic_cuda_prepack(cs_generic_pack_args args);

#define CUDA_KERNEL(DTYPE, ELEMENT)                                                                                    \
    {                                                                                                                  \
        .kernel = {.info = {.name = "generic_" #ELEMENT "_sm80",                                                       \
                            .key = {.dtype = DTYPE, .epilogue = "*", .target = CONVSMITH_TARGET_SM80},                 \
                            .strategy = "generic",                                                                     \
                            .schedule = CONVSMITH_SCHEDULE_STORED,                                                     \
                            .tile_c = CS_GENERIC_PLAIN_CHANNELS,                                                       \
                            .tile_h = 1,                                                                               \
                            .tile_w = CS_GENERIC_PLAIN_PIXELS,                                                         \
                            .threads = CS_GENERIC_CUDA_THREADS,                                                        \
                            .shared_bytes = CS_GENERIC_SHARED(CS_GENERIC_WIDE_TILE)}},                                 \
        .cuda = {                                                                                                      \
            .convolve =                                                                                                \
                {                                                                                                      \
                    [CS_GENERIC_WIDE] = cs_generic_cuda_##ELEMENT##_wide,                                              \
                    [CS_GENERIC_NARROW] = cs_generic_cuda_##ELEMENT##_narrow,                                          \
                    [CS_GENERIC_SMALL] = cs_generic_cuda_##ELEMENT##_small,                                            \
                    [CS_GENERIC_DIRECT] = cs_generic_cuda_##ELEMENT##_direct,                                          \
                },                                                                                                     \
            .measure = cs_generic_cuda_measure,                                                                        \
            .merge = cs_generic_cuda_merge,                                                                            \
            .apply = cs_generic_cuda_##ELEMENT##_apply,                                                                \
            .prepack = cs_generic_cuda_prepack,                                                                        \
        },                                                                                                             \
    }
#endif

static const cs_generic_kernel kernels[] = {
    HOST_KERNELS(CONVSMITH_F32, "f32"), HOST_KERNELS(CONVSMITH_F16, "f16"), HOST_KERNELS(CONVSMITH_BF16, "bf16"),
#ifdef CONVSMITH_WITH_CUDA
    CUDA_KERNEL(CONVSMITH_F32, f32),    CUDA_KERNEL(CONVSMITH_F16, f16),    CUDA_KERNEL(CONVSMITH_BF16, bf16),
#endif
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
