/* SPDX-License-Identifier: Apache-2.0
 *
 * What the generic kernels are called with: sizes that generated kernels have in their code, and the epilogue as a list
 * of operations. Plain data, shared by C, CUDA and the CPU emulation.
 *
 * The packed parameters are floats: the weight first (its layout is the kernels' own), then, from operands_at on, the
 * pairs of operands of the epilogue's operations: of pair i the first of each channel at 2 * i * c_out, the second at
 * (2 * i + 1) * c_out. Taps are numbered (ky * kw + kx) * group_in + channel of the group.
 */
#ifndef CONVSMITH_DEVICE_GENERIC_ARGS_H
#define CONVSMITH_DEVICE_GENERIC_ARGS_H

#include "args.h"

/* Where an operation's pair of operands comes from. */
typedef enum cs_operand_source {
    CS_OPERANDS_NONE = 0,
    CS_OPERANDS_VALUE,         /* the step's one value */
    CS_OPERANDS_CONSTANTS,     /* its constants */
    CS_OPERANDS_BATCH_NORM,    /* factor and addend */
    CS_OPERANDS_NORMALISATION, /* weight and bias, 1 and 0 where the caller gives none */
} cs_operand_source;

/* One step of the epilogue: operation number i is step number i. */
typedef struct cs_generic_op {
    uint8_t code;   /* cs_opcode, of device/generic_steps.h */
    uint8_t source; /* cs_operand_source */
    uint8_t pair;   /* of operands */
    uint8_t which;  /* the tensor that is added, or the operation whose input is multiplied by */
} cs_generic_op;

typedef struct cs_generic_program {
    int32_t count;
    int32_t normalisation; /* the operation that waits for the statistics, or count */
    int32_t pairs;
    uint32_t kept; /* bit i: the input of operation i is wanted later */
    cs_generic_op ops[CS_MAX_STEPS];
} cs_generic_program;

/* The weight's sizes, and what of the convolution follows from them. */
typedef struct cs_generic_weight {
    int32_t c_out, conv_groups, kh, kw;
    int32_t group_in, group_out; /* channels of a group of the convolution */
    int64_t taps;                /* kh * kw * group_in */
    int64_t operands_at;         /* in floats */
} cs_generic_weight;

/* Values of a group (of the normalisation) that are measured together. */
#define CS_GENERIC_PART 4096

typedef struct cs_generic_args {
    cs_conv_args conv; /* all but its tiles, pass and resident; moments are [n][groups][parts] */
    cs_generic_weight weight;
    cs_generic_program program;
    float *values;                            /* [n][c_out][h_out * w_out], in front of the normalisation */
    int32_t stride_h, stride_w, pad_h, pad_w; /* of the convolution */
    int32_t dilation_h, dilation_w;
    int64_t pixels, all_pixels;         /* h_out * w_out, and n times as many */
    int64_t parts;                      /* of a group's values */
    int64_t pixel_tiles, channel_tiles; /* of all pixels and channels, convolving */
    int32_t tile_groups, tile_channels; /* what a channel tile is made of: groups, and channels of each */
    int32_t group_tiles;                /* channel tiles of a group, where tile_groups is 1 */
    int32_t weight_room;                /* CUDA: channels that a tap of the packed weight has room for */
    int32_t x_channels_fastest;         /* CUDA: neighbouring threads read neighbouring channels of x */
    int32_t y_channels_fastest;         /* CUDA: they write neighbouring channels of y */
} cs_generic_args;

typedef struct cs_generic_pack_args {
    cs_pack_args pack; /* with the constants that the epilogue's text fixes, too */
    cs_generic_weight weight;
    cs_generic_program program;
    int32_t dtype;       /* cs_element of the tensors, to which the weight is rounded */
    int32_t weight_room; /* CUDA, as above */
} cs_generic_pack_args;

#endif
