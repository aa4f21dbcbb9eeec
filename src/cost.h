/* SPDX-License-Identifier: Apache-2.0
 *
 * What a kernel asks of a GPU, tile by tile, and what a GPU gives: the figures that cs_predict (predict.h) makes times
 * of. A kernel's are in its row of a table, a GPU's in generated/rates.inc; both come from gen/.
 */
#ifndef CONVSMITH_COST_H
#define CONVSMITH_COST_H

#include <stdint.h>

/* Where products are formed: plain fp32 multiply-adds, tensor cores through mma.sync or, on Hopper, for warpgroups. */
typedef enum cs_product_unit {
    CS_UNIT_FFMA = 0,
    CS_UNIT_MMA_TF32,
    CS_UNIT_MMA_F16, /* and bf16 */
    CS_UNIT_WGMMA_TF32,
    CS_UNIT_WGMMA_F16,
    CS_UNIT_COUNT,
} cs_product_unit;

/* What a block asks for to compute one tile, the padding of channels and taps included. Units are asked by all blocks
 * of a multiprocessor in turn; while one waits, the others go on. */
typedef struct cs_tile_cost {
    float products; /* multiply-adds, more where the kernel does not reach the unit's rate */
    float special;  /* results of special functions */
    float shared;   /* bytes of shared memory, of operands */
    float issue;    /* cycles in which its warps issue instructions */
    float wait;     /* cycles in which they wait for each other, for memory or for results */
    float l2;       /* bytes of x and of weights */
} cs_tile_cost;

/* Zeros: nothing is known of the kernel (those of the CPU, and generic ones). */
typedef struct cs_cost {
    cs_product_unit unit;
    int32_t registers;              /* a thread, at launch */
    cs_tile_cost statistics, apply; /* of the passes of schedule "recompute"; others have `apply` alone */
    /* What comes on top of a tile where lines of x, or of y, do not all begin at multiples of 16 bytes. */
    cs_tile_cost unaligned_x, unaligned_y;
    float start; /* cycles of a launch beside its tiles: the first one's inputs, the last one's y */
} cs_cost;

/* A GPU, by the figures of its architecture profile (gen/arch). */
typedef struct cs_rates {
    const char *name; /* "h200" */
    int32_t compute_capability, sms;
    int32_t registers_per_sm, shared_per_sm, warps_per_sm, blocks_per_sm, shared_per_block;
    int64_t l2_bytes;
    double clock;                   /* cycles a second */
    double dram, l2;                /* bytes a second */
    double products[CS_UNIT_COUNT]; /* multiply-adds a second, of all multiprocessors */
    double special, shared;         /* of a multiprocessor in a cycle: results; bytes */
} cs_rates;

#endif
