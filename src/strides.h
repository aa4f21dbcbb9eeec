/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the elements of a tensor of four indices lie: their strides, in elements.
 */
#ifndef CONVSMITH_STRIDES_H
#define CONVSMITH_STRIDES_H

#include "convsmith/convsmith.h"
#include <stdbool.h>

/* The sizes of a tensor, and what messages call it, its strides and its indices: "problem: x", "problem->x_strides",
 * "nchw". */
typedef struct cs_shape {
    const char *tensor, *strides, *indices;
    int64_t sizes[4];
} cs_shape;

/* Makes the strides that a caller gives explicit: where all are 0, those of contiguous elements, the last index
 * fastest. CONVSMITH_INVALID_ARGUMENT for negative ones, CONVSMITH_TOO_LARGE for elements of `bytes` bytes beyond what
 * can be addressed. */
convsmith_status cs_strides_settle(const cs_shape *shape, const int64_t given[4], int64_t bytes, int64_t strides[4]);

/* CONVSMITH_INVALID_ARGUMENT where elements may share a place. Of indices of more than one place each stride must be
 * greater than all that those of smaller strides reach together; that is more than is needed. */
convsmith_status cs_strides_check_apart(const cs_shape *shape, const int64_t strides[4]);

/* Whether the elements are contiguous, the last index fastest. The stride of an index of one place is not looked at. */
bool cs_strides_are_contiguous(const int64_t sizes[4], const int64_t strides[4]);

#endif
