/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of one dispatch table, and the times of its kernels, as the generator wrote them. Compiled once for each
 * table: CS_KERNELS_INC is the rows' file, CS_TABLE_NAME the table's symbol. The defaults are the library's own table.
 */
#include "kernel.h"

#ifdef CONVSMITH_WITH_CUDA
#include "cuda_launch.h"
#endif

#ifndef CS_KERNELS_INC
#define CS_KERNELS_INC "kernels.inc"
#endif
#ifndef CS_TABLE_NAME
#define CS_TABLE_NAME cs_builtin_table
#endif

extern const convsmith_table CS_TABLE_NAME;

/* Kernels of sm_90a alone are compiled to nothing where it is not among the architectures. */
#if defined(CONVSMITH_WITH_CUDA) && defined(CONVSMITH_WITH_SM90A)
#define SM90A_KERNEL(...) __VA_ARGS__
#else
#define SM90A_KERNEL(...)
#endif
#define BRACED(...)                                                                                                    \
    { __VA_ARGS__ }
#define CUDA_ENTRY(NAME) NAME, NAME##_merge, NAME##_prepack

#define CS_RESIDENT_KERNEL(NAME, COST, NEEDS, ...) SM90A_KERNEL(CS_CUDA_KERNEL(NAME, ))
#define CS_GEMM_KERNEL(NAME, COST, NEEDS, ...)                                                                         \
    SM90A_KERNEL(CS_CUDA_KERNEL(NAME, ) void NAME##_copy(cs_conv_args args); void NAME##_apply(cs_conv_args args);)
#ifdef CONVSMITH_WITH_CUDA
#define CS_CUDA_KERNEL(NAME, ...)                                                                                      \
    void NAME(cs_conv_args args);                                                                                      \
    void NAME##_merge(cs_conv_args args);                                                                              \
    void NAME##_prepack(cs_pack_args args);
#else
#define CS_CUDA_KERNEL(NAME, ...)
#endif
#define CS_HOST_KERNEL(NAME, ...)                                                                                      \
    void NAME(const cs_conv_args *args, int64_t block);                                                                \
    void NAME##_merge(const cs_conv_args *args, int64_t block);                                                        \
    void NAME##_prepack(const cs_pack_args *args);
#include CS_KERNELS_INC
#undef CS_RESIDENT_KERNEL
#undef CS_GEMM_KERNEL
#undef CS_CUDA_KERNEL
#undef CS_HOST_KERNEL

#define CS_RESIDENT_KERNEL(NAME, COST, NEEDS, ...)                                                                     \
    SM90A_KERNEL({.info = {.name = #NAME, __VA_ARGS__},                                                                \
                  .cuda = {CUDA_ENTRY(NAME)},                                                                          \
                  .resident = BRACED NEEDS,                                                                            \
                  .cost = BRACED COST}, )
#define CS_GEMM_KERNEL(NAME, COST, NEEDS, ...)                                                                         \
    SM90A_KERNEL({.info = {.name = #NAME, __VA_ARGS__},                                                                \
                  .cuda = {CUDA_ENTRY(NAME), NAME##_copy, NAME##_apply},                                               \
                  .gemm = BRACED NEEDS,                                                                                \
                  .cost = BRACED COST}, )
#ifdef CONVSMITH_WITH_CUDA
#define CS_CUDA_KERNEL(NAME, COST, ...)                                                                                \
    {.info = {.name = #NAME, __VA_ARGS__}, .cuda = {CUDA_ENTRY(NAME)}, .cost = BRACED COST},
#else
#define CS_CUDA_KERNEL(NAME, ...)
#endif
#define CS_HOST_KERNEL(NAME, ...) {.info = {.name = #NAME, __VA_ARGS__}, .host = {NAME, NAME##_merge, NAME##_prepack}},
static const convsmith_kernel rows[] = {
#include CS_KERNELS_INC
};

#ifdef CONVSMITH_WITH_CUDA
static const struct cs_cuda_runtime runtime = {
    cs_prepare_conv, cs_prepare_pack,       cs_launch_conv,   cs_launch_conv_cooperative,
    cs_launch_pack,  cs_find_tensor_driver, cs_encode_tensor, cs_move_tensor};
#define RUNTIME &runtime
#else
#define RUNTIME NULL
#endif

/* With one more at the end, since there may be no other, and C has no empty arrays. */
static const cs_tuned_device tunings[] = {
#include "tunings.inc"
    {.problems = NULL}};

const convsmith_table CS_TABLE_NAME = {
    .layout = CS_TABLE_LAYOUT,
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .cuda = RUNTIME,
    .tunings = tunings,
    .tuning_count = sizeof tunings / sizeof tunings[0] - 1,
};
