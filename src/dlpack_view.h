/* SPDX-License-Identifier: Apache-2.0
 *
 * What a DLTensor says, checked and in the library's own terms.
 */
#ifndef CONVSMITH_DLPACK_VIEW_H
#define CONVSMITH_DLPACK_VIEW_H

#include "convsmith/dlpack.h"

/* What messages call a tensor, its indices one by one, and its shape: "args->x", "nchw", "[N, C_in, H, W]". */
typedef struct cs_dlpack_role {
    const char *name, *indices, *shape;
} cs_dlpack_role;

typedef struct cs_dlpack_view {
    const void *data; /* its first element; NULL where the tensor has no data */
    convsmith_dtype dtype;
    convsmith_device device;
    int64_t sizes[4], strides[4];
} cs_dlpack_view;

/* Reads a tensor of four indices, none of them without a place; its strides become explicit, and as the library's own
 * where it is contiguous. CONVSMITH_INVALID_ARGUMENT, TOO_LARGE. */
convsmith_status cs_dlpack_read(const DLTensor *tensor, const cs_dlpack_role *role, cs_dlpack_view *view);

/* Reads a tensor of `count` elements that lie one behind the other: sizes and strides are left alone. */
convsmith_status cs_dlpack_read_vector(const DLTensor *tensor, const char *name, int64_t count, cs_dlpack_view *view);

/* CONVSMITH_INVALID_ARGUMENT unless the tensor is on the device, of `whom`: "the plan". */
convsmith_status cs_dlpack_check_device(const cs_dlpack_view *view, const char *name, convsmith_device device,
                                        const char *whom);

/* CONVSMITH_INVALID_ARGUMENT where there is no data. */
convsmith_status cs_dlpack_check_data(const cs_dlpack_view *view, const char *name);

#endif
