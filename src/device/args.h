/* SPDX-License-Identifier: Apache-2.0
 *
 * What every generated kernel is called with; plain data, shared by C, CUDA and the CPU emulation.
 */
#ifndef CONVSMITH_DEVICE_ARGS_H
#define CONVSMITH_DEVICE_ARGS_H

#include <stdint.h>

#ifdef __cplusplus
#define CS_ALIGNED(bytes) alignas(bytes)
#else
#define CS_ALIGNED(bytes) _Alignas(bytes)
#endif

/* Mean and sum of squared deviations (M2) of one channel over one tile; the count follows from the tile's place. */
typedef struct cs_moments {
    float mean, m2;
} cs_moments;

/* y = a * value + b, per sample and channel: the normalisation once its statistics are known. */
typedef struct cs_affine {
    float a, b;
} cs_affine;

/* Which half of the recompute schedule a launch is. Without a normalisation there is only CS_PASS_APPLY. */
typedef enum cs_pass {
    CS_PASS_STATISTICS = 0, /* compute the tile, write its moments */
    CS_PASS_APPLY = 1,      /* compute the tile again, normalise it, write y */
} cs_pass;

/* The resident schedule's geometry (device/resident.cuh). A sample is cut into `bands` of `places`; `lanes` samples are
 * under way at once, one block a band and lane. */
typedef struct cs_resident {
    int32_t places, bands, lanes;
    int32_t pixels;    /* room of a plane of operands */
    int32_t buffers;   /* of values */
    int32_t y_aligned; /* whether y begins at a multiple of 16 bytes */
    double scale;      /* of the fixed point of `sums` */
    uint64_t *sums;    /* [n][groups][words], zero before the launch; not read where bands is 1 */
    int32_t part;      /* places of a part of a band, of a kernel with such: whole rows */
} cs_resident;

/* A tensor in global memory as the copy engine knows it: a CUtensorMap. */
typedef struct cs_tensor_map {
    CS_ALIGNED(64) uint64_t opaque[16];
} cs_tensor_map;

/* What the stored schedule's kernels on the bulk tensor engine are told (device/gemm.cuh). A tile has rows x cols
 * outputs, and its inputs lie in shared memory in boxes of box_rows rows of `pitch` places. */
typedef struct cs_gemm {
    cs_tensor_map inputs; /* [n][h][w][channels], four indices, the last one the fastest; or in planes, [1][n][channels]
                             [pixels] */
    int32_t copy_channels;
    void *copy;      /* that tensor, where it is made of x */
    int32_t copied;  /* samples of it that a launch makes; the convolving blocks make the others (gemm_overlap.cuh), */
    uint64_t *marks; /* [1 + n], and count here how far they are */
    int32_t rows, cols, pitch, box_rows;
    int32_t line, plane;   /* of x in planes: pixels from one row to the next, and of the copy from one plane */
    int32_t width;         /* places of a row of outputs in shared memory, from where the engine stores them; 0: it does
                              not */
    cs_tensor_map outputs; /* y then, its indices in the order of the layout */
    int32_t at_once;       /* whether the launch normalises by itself (device/gemm_normalise.cuh) */
    int32_t joined; /* cs_conv_args.moments are then words of 8 bytes, zero before it, each of 2^joined channels, at
                       most 2^CS_MOST_JOINED */
} cs_gemm;

/* The most add_tensor steps of a chain. */
#define CS_MAX_TENSORS 4

/* Block b of a launch of the recompute schedule with a block for each tile computes tile b % tiles, channel block (b /
 * tiles) % channel_blocks, sample b / (tiles * channel_blocks), where tiles = tiles_h * tiles_w, row-major. Of fewer
 * blocks, block b computes channel block b % channel_blocks of every so manieth tile (device/tile.cuh). */
typedef struct cs_conv_args {
    const void *x;       /* [n][C_in][h][w] */
    const void *packed;  /* the kernel's own layout */
    void *y;             /* [n][C_out][h_out][w_out] */
    cs_moments *moments; /* [n][C_out][tiles] */
    cs_affine *affine;   /* [n][C_out] */
    int32_t n, h, w, h_out, w_out;
    int32_t tiles_h, tiles_w, channel_blocks;
    int32_t groups;
    float eps;
    int32_t pass; /* cs_pass */
    cs_resident resident;
    /* What came later comes later: kernels at the limit of their registers read the fields above. */
    const void *tensors[CS_MAX_TENSORS]; /* as y, one for each add_tensor step */
    int64_t x_strides[4], y_strides[4];  /* from one n, c, h, w to the next, in elements */
    float *values;                       /* of the stored schedule, in the kernel's own layout */
    cs_gemm gemm;
} cs_conv_args;

/* The launch of a CUDA kernel's merge: one block a (sample, group), and its scratch of three doubles a thread. */
#define CS_MERGE_THREADS 128
#define CS_MERGE_SHARED_BYTES (CS_MERGE_THREADS * 3 * 8)

/* Launches of a kernel on the copy engine: what copies x, 64 channels of 64 pixels of four bytes at most, and what
 * normalises. */
#define CS_COPY_THREADS 256
#define CS_COPY_SHARED_BYTES (64 * 65 * 4)
#define CS_APPLY_THREADS 256

/* Of a plane of x, what such a kernel reads at once. */
#define CS_PLANE_BYTES 128

/* Of y, what a kernel on the copy engine stages to be stored at once: planes of elements of so many bytes, and bytes of
 * a pixel. */
#define CS_STORED_PLANES(element_bytes) (32 / (element_bytes))
#define CS_STORED_BYTES 128

/* Log2 of the most channels whose moments such a kernel publishes together. */
#define CS_MOST_JOINED 3

/* The elements of tensors and parameters; the values are those of convsmith_dtype. */
typedef enum cs_element { CS_F32 = 0, CS_F16 = 1, CS_BF16 = 2 } cs_element;

/* The most steps of an epilogue chain. */
#define CS_MAX_STEPS 16

/* What one step of a chain reads: per-channel values [C_out], and constants that its row does not fix. */
typedef struct cs_step_args {
    const void *values[4];
    float constants[2];
} cs_step_args;

/* The parameters as the caller holds them, and where their packed form goes. device/element.h reads them. */
typedef struct cs_pack_args {
    const void *weight;        /* [C_out][C_in / conv_groups][KH][KW] */
    int64_t weight_strides[4]; /* of its indices, in elements */
    void *packed;
    int32_t parameter_dtype; /* cs_element, of weight and of all values */
    cs_step_args steps[CS_MAX_STEPS];
} cs_pack_args;

#endif
