/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor.h"

#include "src/device/element.h"
#include "src/element.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

bool cs_shape_count(int rank, const int64_t *shape, size_t element_size, int64_t *count) {
    const int64_t most = (int64_t)(PTRDIFF_MAX / (ptrdiff_t)element_size);
    int64_t product = 1;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 0)
            return false;
        if (shape[i] == 0)
            empty = true;
        else if (product > most / shape[i])
            return false;
        else
            product *= shape[i];
    }
    *count = empty ? 0 : product;
    return true;
}

bool cs_tensor_create(cs_tensor *tensor, convsmith_dtype dtype, int rank, const int64_t *shape, cs_message *message) {
    const size_t element = cs_element_bytes(dtype);
    *tensor = (cs_tensor){.dtype = dtype, .rank = rank};
    if (rank < 0 || rank > CS_MAX_RANK)
        return cs_refuse(message, "a tensor of %d dimensions; at most %d are possible", rank, CS_MAX_RANK);
    int64_t count;
    if (!cs_shape_count(rank, shape, element, &count))
        return cs_refuse(message, "a tensor of shape %s is too large to address", cs_shape_text(rank, shape).text);
    for (int i = 0; i < rank; i++)
        tensor->shape[i] = shape[i];
    tensor->data = malloc(count ? (size_t)count * element : 1);
    if (!tensor->data)
        return cs_refuse(message, "no memory for a tensor of shape %s", cs_shape_text(rank, shape).text);
    return true;
}

void cs_tensor_destroy(cs_tensor *tensor) {
    free(tensor->data);
    *tensor = (cs_tensor){0};
}

int64_t cs_tensor_count(const cs_tensor *tensor) {
    int64_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->shape[i];
    return count;
}

size_t cs_tensor_bytes(const cs_tensor *tensor) {
    return (size_t)cs_tensor_count(tensor) * cs_element_bytes(tensor->dtype);
}

bool cs_tensor_widen(cs_tensor *tensor, cs_message *message) {
    cs_tensor wide;
    if (tensor->dtype == CONVSMITH_F32)
        return true;
    if (!cs_tensor_create(&wide, CONVSMITH_F32, tensor->rank, tensor->shape, message))
        return false;
    const int64_t count = cs_tensor_count(tensor);
    for (int64_t i = 0; i < count; i++)
        wide.floats[i] = load_element((int32_t)tensor->dtype, tensor->data, i);
    cs_tensor_destroy(tensor);
    *tensor = wide;
    return true;
}

cs_shape_words cs_shape_text(int rank, const int64_t *shape) {
    cs_shape_words words = {"["};
    size_t used = 1;
    for (int i = 0; i < rank && i < CS_MAX_RANK; i++) {
        const int written =
            snprintf(words.text + used, sizeof words.text - used, "%s%" PRId64, i ? ", " : "", shape[i]);
        used += written > 0 ? (size_t)written : 0;
    }
    snprintf(words.text + used, sizeof words.text - used, "]");
    return words;
}
