/* SPDX-License-Identifier: Apache-2.0
 *
 * A dense tensor in host memory, as it is read from a file: row-major, the last index fastest.
 */
#ifndef CS_SUPPORT_TENSOR_H
#define CS_SUPPORT_TENSOR_H

#include "convsmith/convsmith.h"
#include "message.h"

#define CS_MAX_RANK 8

typedef struct cs_tensor {
    convsmith_dtype dtype;
    int rank;
    int64_t shape[CS_MAX_RANK];
    union { /* owned: cs_tensor_destroy */
        void *data;
        float *floats; /* of an f32 tensor */
    };
} cs_tensor;

/* Room for what cs_shape_text writes. */
typedef struct cs_shape_words {
    char text[24 * CS_MAX_RANK];
} cs_shape_words;

/* The number of elements of a shape, 1 for rank 0. False when a dimension is negative or when the bytes of that many
 * elements of `element_size` cannot be addressed. */
bool cs_shape_count(int rank, const int64_t *shape, size_t element_size, int64_t *count);

/* Allocates `data` for the shape, not initialised; at least one byte, so that an empty tensor has a pointer too. */
bool cs_tensor_create(cs_tensor *tensor, convsmith_dtype dtype, int rank, const int64_t *shape, cs_message *message);

/* Frees the data and zeroes the tensor; a zeroed tensor may be destroyed. */
void cs_tensor_destroy(cs_tensor *tensor);

int64_t cs_tensor_count(const cs_tensor *tensor);

/* The bytes of its elements. */
size_t cs_tensor_bytes(const cs_tensor *tensor);

/* Makes an f32 tensor of the same values of any, without rounding. False, nothing changed, when there is no memory. */
bool cs_tensor_widen(cs_tensor *tensor, cs_message *message);

/* A shape for people: "[3, 240, 320]". */
cs_shape_words cs_shape_text(int rank, const int64_t *shape);

#endif
