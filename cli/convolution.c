/* SPDX-License-Identifier: Apache-2.0 */
#include "convolution.h"

static const char *const layouts[] = {[CONVSMITH_NCHW] = "nchw", [CONVSMITH_NHWC] = "nhwc"};

const char *cs_layout_name(convsmith_layout layout) { return layouts[layout]; }

bool cs_value_convolution(const cs_usage *usage, const cs_convolution_options *o, convsmith_problem *p,
                          convsmith_layout *layout) {
    int index = (int)*layout;
    if (!cs_value_pair(usage, "--stride", o->stride, 1, INT32_MAX, &p->stride_h, &p->stride_w) ||
        !cs_value_pair(usage, "--padding", o->padding, 0, INT32_MAX, &p->pad_h, &p->pad_w) ||
        !cs_value_pair(usage, "--dilation", o->dilation, 1, INT32_MAX, &p->dilation_h, &p->dilation_w) ||
        !cs_value_whole(usage, "--conv-groups", o->conv_groups, 1, INT32_MAX, &p->conv_groups) ||
        !cs_value_word(usage, "--layout", o->layout, layouts, 2, &index))
        return false;
    *layout = (convsmith_layout)index;
    return true;
}
