/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the elements of x, y and the weight lie: tensors of four indices with strides.
 */
#ifndef CS_SUPPORT_VIEW_H
#define CS_SUPPORT_VIEW_H

#include "convsmith/convsmith.h"

#include <stdbool.h>

typedef struct cs_view {
    int64_t sizes[4], strides[4]; /* in elements */
} cs_view;

/* The contiguous view of these sizes, the last index fastest; and the one whose second index is fastest. The product of
 * the sizes is the caller's to check: it must be below 2^63, as that of a tensor in memory is. */
cs_view cs_view_nchw(const int64_t sizes[4]);
cs_view cs_view_nhwc(const int64_t sizes[4]);

/* The view of these sizes with these strides; contiguous where all of them are 0. */
cs_view cs_view_of(const int64_t sizes[4], const int64_t strides[4]);

/* x [N, C_in, H, W], y [N, C_out, H_out, W_out] and weight [C_out, C_in / conv_groups, KH, KW] of a problem in full. */
cs_view cs_view_x(const convsmith_problem *problem);
cs_view cs_view_y(const convsmith_problem *problem);
cs_view cs_view_weight(const convsmith_problem *problem, const convsmith_params *params);

/* Its elements, and the places from the first of them to the last. False when that many elements of `element_size`
 * bytes cannot be addressed, or for a negative size. */
bool cs_view_extent(const cs_view *view, size_t element_size, int64_t *extent);
int64_t cs_view_count(const cs_view *view);

/* The place of element i, counted with the last index fastest. */
int64_t cs_view_place(const cs_view *view, int64_t i);

/* Whether the elements lie as cs_view_nchw has them. */
bool cs_view_is_contiguous(const cs_view *view);

/* The problem with a number for each 0 that stands for a default: strides, dilations, conv_groups of 1, contiguous x
 * and y. */
convsmith_problem cs_problem_in_full(const convsmith_problem *problem);

/* A problem that a kernel of this key computes, as far as the key says: n, h, w, groups, eps, strides and the table are
 * 0. The epilogue's text is not copied. */
convsmith_problem cs_problem_of(const convsmith_key *key);

/* Makes x and y of a problem contiguous in a layout, explicitly; the other defaults may stay. */
void cs_problem_lay_out(convsmith_problem *problem, convsmith_layout layout);

/* The reference problem of a table's row, in full and contiguous in its layout, with an eps of 1e-5. */
convsmith_problem cs_problem_of_row(const convsmith_kernel_info *info);

/* The sizes of y; 0 or less where the kernel does not fit the padded input. Of a problem in full. */
int64_t cs_problem_h_out(const convsmith_problem *problem);
int64_t cs_problem_w_out(const convsmith_problem *problem);

#endif
