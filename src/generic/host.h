/* SPDX-License-Identifier: Apache-2.0
 *
 * The generic kernel on the CPU: its functions for each instruction set (host_kernel.h), and its tiles.
 */
#ifndef CONVSMITH_GENERIC_HOST_H
#define CONVSMITH_GENERIC_HOST_H

#include "../device/generic_args.h"

/* The most channels of a tile, and its pixels. */
enum { CS_HOST_TILE_CHANNELS = 128, CS_HOST_TILE_PIXELS = 48 };

/* Each does one block, and writes only what is that block's. */
typedef struct cs_generic_host {
    void (*convolve)(const cs_generic_args *args, int32_t dtype, int64_t block); /* pixel tile * channel_tiles + ... */
    void (*measure)(const cs_generic_args *args, int64_t block);              /* (n * groups + group) * parts + ... */
    void (*merge)(const cs_generic_args *args, int64_t block);                /* n * groups + group */
    void (*apply)(const cs_generic_args *args, int32_t dtype, int64_t block); /* as convolve */
    void (*prepack)(const cs_generic_pack_args *args, int64_t channel);       /* a channel of y */
} cs_generic_host;

#define CS_DECLARE_GENERIC_HOST(TARGET)                                                                                \
    void cs_generic_##TARGET##_convolve(const cs_generic_args *args, int32_t dtype, int64_t block);                    \
    void cs_generic_##TARGET##_measure(const cs_generic_args *args, int64_t block);                                    \
    void cs_generic_##TARGET##_merge(const cs_generic_args *args, int64_t block);                                      \
    void cs_generic_##TARGET##_apply(const cs_generic_args *args, int32_t dtype, int64_t block);                       \
    void cs_generic_##TARGET##_prepack(const cs_generic_pack_args *args, int64_t channel);
CS_DECLARE_GENERIC_HOST(host_base)
CS_DECLARE_GENERIC_HOST(host_avx2)
CS_DECLARE_GENERIC_HOST(host_avx512)
#undef CS_DECLARE_GENERIC_HOST

#endif
