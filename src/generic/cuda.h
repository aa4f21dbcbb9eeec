/* SPDX-License-Identifier: Apache-2.0
 *
 * The generic kernel on CUDA devices: its entry points, which are launched as the table's are, and their tiles.
 */
#ifndef CONVSMITH_GENERIC_CUDA_H
#define CONVSMITH_GENERIC_CUDA_H

#include "../device/generic_args.h"

/* Ways to convolve, by what the problem is like: device/generic.cuh says which tile is for what. */
typedef enum cs_generic_way {
    CS_GENERIC_WIDE = 0,
    CS_GENERIC_NARROW,
    CS_GENERIC_SMALL,
    CS_GENERIC_DIRECT,
    CS_GENERIC_WAYS,
} cs_generic_way;

/* The tile of each way: channels, pixels, and slices of 16 taps that are in shared memory at a time. */
#define CS_GENERIC_WIDE_TILE 64, 64, 1
#define CS_GENERIC_NARROW_TILE 16, 256, 1
#define CS_GENERIC_SMALL_TILE 32, 32, 4
#define CS_GENERIC_DIRECT_TILE 64, 64, 1

enum {
    CS_GENERIC_CUDA_THREADS = 256,
    CS_GENERIC_PLAIN_CHANNELS = 64, /* of a tile of the direct way, and of applying the normalisation */
    CS_GENERIC_PLAIN_PIXELS = 64,
};

/* Shared memory of a block of such a tile: two stages of weights and inputs, 40 bytes a pixel, 16 a tap. */
#define CS_GENERIC_SHARED(...) CS_GENERIC_SHARED_OF(__VA_ARGS__)
#define CS_GENERIC_SHARED_OF(CHANNELS, PIXELS, SLICES)                                                                 \
    (2 * 16 * (SLICES) * (((CHANNELS) + (PIXELS) + 4) * 4 + 16) + 40 * (PIXELS))

typedef struct cs_generic_cuda {
    void (*convolve[CS_GENERIC_WAYS])(cs_generic_args args);
    void (*measure)(cs_generic_args args);
    void (*merge)(cs_generic_args args);
    void (*apply)(cs_generic_args args);
    void (*prepack)(cs_generic_pack_args args);
} cs_generic_cuda;

#endif
