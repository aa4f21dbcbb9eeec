/* SPDX-License-Identifier: Apache-2.0 */
#include "dlpack_view.h"
#include "element.h"
#include "status.h"
#include "strides.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- What every tensor has --------------------------------------------------------------------------------------- */

static convsmith_status read_dtype(const DLTensor *tensor, const char *name, convsmith_dtype *dtype) {
    static const struct {
        uint8_t code, bits;
        convsmith_dtype dtype;
    } known[] = {{kDLFloat, 32, CONVSMITH_F32}, {kDLFloat, 16, CONVSMITH_F16}, {kDLBfloat, 16, CONVSMITH_BF16}};
    const DLDataType type = tensor->dtype;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; ++i)
        if (type.code == known[i].code && type.bits == known[i].bits && type.lanes == 1) {
            *dtype = known[i].dtype;
            return CONVSMITH_OK;
        }
    return cs_fail(
        CONVSMITH_INVALID_ARGUMENT,
        "%s->dtype has code %d, %d bits, %d lanes; it is kDLFloat (%d) of 32 or 16 bits or kDLBfloat (%d) of "
        "16, of 1 lane",
        name, type.code, type.bits, type.lanes, kDLFloat, kDLBfloat);
}

static convsmith_status read_device(const DLTensor *tensor, const char *name, convsmith_device *device) {
    switch (tensor->device.device_type) {
    case kDLCPU:
    case kDLCUDAHost: /* pinned: the CPU's all the same */
        *device = (convsmith_device){CONVSMITH_DEVICE_CPU, 0};
        return CONVSMITH_OK;
    case kDLCUDA:
    case kDLCUDAManaged:
        *device = (convsmith_device){CONVSMITH_DEVICE_CUDA, tensor->device.device_id};
        return CONVSMITH_OK;
    default:
        return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                       "%s->device.device_type is %d; it is kDLCPU (%d), kDLCUDAHost (%d), kDLCUDA (%d) or "
                       "kDLCUDAManaged (%d)",
                       name, (int)tensor->device.device_type, kDLCPU, kDLCUDAHost, kDLCUDA, kDLCUDAManaged);
    }
}

static convsmith_status read_data(const DLTensor *tensor, const char *name, const void **data) {
    uintptr_t first = 0;
    if (tensor->data != NULL && __builtin_add_overflow((uintptr_t)tensor->data, tensor->byte_offset, &first))
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s->byte_offset is %" PRIu64 ", beyond the address space", name,
                       tensor->byte_offset);
    *data = tensor->data != NULL ? (const char *)tensor->data + tensor->byte_offset : NULL;
    return CONVSMITH_OK;
}

static convsmith_status read_common(const DLTensor *tensor, const char *name, cs_dlpack_view *view) {
    if (tensor == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s is NULL", name);
    convsmith_status status = read_dtype(tensor, name, &view->dtype);
    if (status == CONVSMITH_OK)
        status = read_device(tensor, name, &view->device);
    return status == CONVSMITH_OK ? read_data(tensor, name, &view->data) : status;
}

static convsmith_status check_shape(const DLTensor *tensor, const char *name) {
    if (tensor->ndim > 0 && tensor->shape == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s->shape is NULL", name);
    for (int32_t i = 0; i < tensor->ndim; ++i)
        if (tensor->shape[i] < 1)
            return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s->shape[%" PRId32 "] is %" PRId64 "; a size is 1 or more",
                           name, i, tensor->shape[i]);
    return CONVSMITH_OK;
}

/* ---- Tensors of four indices ------------------------------------------------------------------------------------- */

/* The library takes strides of 0 alone for contiguous elements. One of an index of one place says nothing: it is set to
 * tell the two apart. */
static convsmith_status mark_expanded(const cs_dlpack_role *role, const int64_t sizes[4], int64_t strides[4]) {
    for (int i = 0; i < 4; ++i)
        if (strides[i] != 0)
            return CONVSMITH_OK;
    for (int i = 0; i < 4; ++i)
        if (sizes[i] == 1) {
            strides[i] = 1;
            return CONVSMITH_OK;
        }
    return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                   "%s->strides are all 0: copy what is one element expanded over all of %s", role->name, role->shape);
}

static convsmith_status read_strides(const DLTensor *tensor, const cs_dlpack_role *role, cs_dlpack_view *view) {
    char name[96];
    snprintf(name, sizeof name, "%s->strides", role->name);
    cs_shape shape = {role->name, name, role->indices, {0}};
    memcpy(shape.sizes, view->sizes, sizeof shape.sizes);
    const int64_t bytes = (int64_t)cs_element_bytes(view->dtype);
    int64_t given[4] = {0};
    if (tensor->strides != NULL && !cs_strides_are_contiguous(view->sizes, tensor->strides)) {
        for (int i = 0; i < 4; ++i)
            given[i] = view->sizes[i] > 1 || tensor->strides[i] > 0 ? tensor->strides[i] : 0;
        const convsmith_status status = mark_expanded(role, view->sizes, given);
        if (status != CONVSMITH_OK)
            return status;
    }
    return cs_strides_settle(&shape, given, bytes, view->strides);
}

convsmith_status cs_dlpack_read(const DLTensor *tensor, const cs_dlpack_role *role, cs_dlpack_view *view) {
    convsmith_status status = read_common(tensor, role->name, view);
    if (status == CONVSMITH_OK && tensor->ndim != 4)
        status = cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s->ndim is %" PRId32 "; it is 4: %s", role->name, tensor->ndim,
                         role->shape);
    if (status == CONVSMITH_OK)
        status = check_shape(tensor, role->name);
    if (status != CONVSMITH_OK)
        return status;
    memcpy(view->sizes, tensor->shape, sizeof view->sizes);
    return read_strides(tensor, role, view);
}

/* ---- Vectors ----------------------------------------------------------------------------------------------------- */

static convsmith_status refuse_count(const DLTensor *tensor, const char *name, int64_t count) {
    char sizes[96] = "";
    size_t used = 0;
    for (int32_t i = 0; i < tensor->ndim && used < sizeof sizes; ++i)
        used += (size_t)snprintf(sizes + used, sizeof sizes - used, "%s%" PRId64, i ? "x" : "", tensor->shape[i]);
    return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s->shape is %s; it has C_out = %" PRId64 " elements, along one index",
                   name, tensor->ndim > 0 ? sizes : "that of a scalar", count);
}

/* The one index of more than one place; -1 where there is none, -2 where there are several. */
static int32_t long_index(const DLTensor *tensor) {
    int32_t found = -1;
    for (int32_t i = 0; i < tensor->ndim; ++i)
        if (tensor->shape[i] > 1)
            found = found == -1 ? i : -2;
    return found;
}

convsmith_status cs_dlpack_read_vector(const DLTensor *tensor, const char *name, int64_t count, cs_dlpack_view *view) {
    convsmith_status status = read_common(tensor, name, view);
    if (status == CONVSMITH_OK)
        status = check_shape(tensor, name);
    if (status != CONVSMITH_OK)
        return status;
    const int32_t index = long_index(tensor);
    if (index == -2 || (index == -1 ? 1 : tensor->shape[index]) != count)
        return refuse_count(tensor, name, count);
    if (index >= 0 && tensor->strides != NULL && tensor->strides[index] != 1)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                       "%s->strides[%" PRId32 "] is %" PRId64 "; it is 1: the elements lie one behind the other", name,
                       index, tensor->strides[index]);
    return CONVSMITH_OK;
}

/* ---- Comparing --------------------------------------------------------------------------------------------------- */

typedef struct device_words {
    char text[32];
} device_words;

static device_words describe(convsmith_device device) {
    device_words words = {"the CPU"};
    if (device.kind == CONVSMITH_DEVICE_CUDA)
        snprintf(words.text, sizeof words.text, "CUDA device %d", device.ordinal);
    return words;
}

convsmith_status cs_dlpack_check_device(const cs_dlpack_view *view, const char *name, convsmith_device device,
                                        const char *whom) {
    if (view->device.kind == device.kind && view->device.ordinal == device.ordinal)
        return CONVSMITH_OK;
    return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s->device is %s; it is that of %s, %s", name,
                   describe(view->device).text, whom, describe(device).text);
}

convsmith_status cs_dlpack_check_data(const cs_dlpack_view *view, const char *name) {
    return view->data != NULL ? CONVSMITH_OK : cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s->data is NULL", name);
}
