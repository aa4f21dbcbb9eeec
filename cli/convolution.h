/* SPDX-License-Identifier: Apache-2.0
 *
 * The options that say how a convolution goes over x, and how tensors lie.
 */
#ifndef CS_CLI_CONVOLUTION_H
#define CS_CLI_CONVOLUTION_H

#include "options.h"

/* The texts of the options; NULL where they are not given. */
typedef struct cs_convolution_options {
    const char *stride, *padding, *dilation, *conv_groups, *layout;
} cs_convolution_options;

/* Rows of a table of options. */
#define CS_CONVOLUTION_OPTIONS(OPTIONS, STRIDE, PADDING, DILATION, GROUPS, LAYOUT)                                     \
    {"--stride", "S|SHxSW", STRIDE, &(OPTIONS).stride}, {"--padding", "P|PHxPW", PADDING, &(OPTIONS).padding},         \
        {"--dilation", "D|DHxDW", DILATION, &(OPTIONS).dilation},                                                      \
        {"--conv-groups", "N", GROUPS, &(OPTIONS).conv_groups}, {                                                      \
        "--layout", "nchw|nhwc", LAYOUT, &(OPTIONS).layout                                                             \
    }

/* Sets the fields of the problem, and the layout, that are given; the others stay as they are. False with an error
 * printed. */
bool cs_value_convolution(const cs_usage *usage, const cs_convolution_options *options, convsmith_problem *problem,
                          convsmith_layout *layout);

/* "nchw" or "nhwc". */
const char *cs_layout_name(convsmith_layout layout);

#endif
