/* SPDX-License-Identifier: Apache-2.0 */
#include "strides.h"
#include "status.h"

#include <inttypes.h>

static convsmith_status beyond_memory(const cs_shape *shape) {
    return cs_fail(CONVSMITH_TOO_LARGE,
                   "%s, %" PRId64 "x%" PRId64 "x%" PRId64 "x%" PRId64 ", exceeds the address space", shape->tensor,
                   shape->sizes[0], shape->sizes[1], shape->sizes[2], shape->sizes[3]);
}

static bool all_are_zero(const int64_t strides[4]) {
    return strides[0] == 0 && strides[1] == 0 && strides[2] == 0 && strides[3] == 0;
}

/* False when a stride overflows. */
static bool make_contiguous(const int64_t sizes[4], int64_t strides[4]) {
    strides[3] = 1;
    for (int i = 3; i-- > 0;)
        if (__builtin_mul_overflow(strides[i + 1], sizes[i + 1], &strides[i]))
            return false;
    return true;
}

/* How far the last place of an index lies behind its first; false on overflow. */
static bool reach_of(int64_t size, int64_t stride, int64_t *reach) {
    return !__builtin_mul_overflow(size - 1, stride, reach);
}

static bool can_be_addressed(const int64_t sizes[4], const int64_t strides[4], int64_t bytes) {
    int64_t elements = 1, reach;
    for (int i = 0; i < 4; ++i)
        if (!reach_of(sizes[i], strides[i], &reach) || __builtin_add_overflow(elements, reach, &elements))
            return false;
    return elements <= PTRDIFF_MAX / bytes;
}

convsmith_status cs_strides_settle(const cs_shape *shape, const int64_t given[4], int64_t bytes, int64_t strides[4]) {
    for (int i = 0; i < 4; ++i) {
        if (given[i] < 0)
            return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s[%d] (%c) is %" PRId64 "; a stride is 0 or more",
                           shape->strides, i, shape->indices[i], given[i]);
        strides[i] = given[i];
    }
    if (all_are_zero(given) && !make_contiguous(shape->sizes, strides))
        return beyond_memory(shape);
    return can_be_addressed(shape->sizes, strides, bytes) ? CONVSMITH_OK : beyond_memory(shape);
}

/* The index of more than one place that comes behind those in `seen` by its stride; -1 when there is none. */
static int next_by_stride(const int64_t sizes[4], const int64_t strides[4], unsigned seen) {
    int next = -1;
    for (int i = 0; i < 4; ++i)
        if (sizes[i] > 1 && (seen >> i & 1) == 0 && (next < 0 || strides[i] < strides[next]))
            next = i;
    return next;
}

convsmith_status cs_strides_check_apart(const cs_shape *shape, const int64_t strides[4]) {
    unsigned seen = 0;
    int64_t reached = 0;
    for (int i; (i = next_by_stride(shape->sizes, strides, seen)) >= 0; seen |= 1u << i) {
        if (strides[i] <= reached)
            return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                           "%s[%d] (%c) is %" PRId64 "; it must be more than %" PRId64
                           ", as far as the indices of smaller strides reach, since no two elements may share a place",
                           shape->strides, i, shape->indices[i], strides[i], reached);
        reached += (shape->sizes[i] - 1) * strides[i];
    }
    return CONVSMITH_OK;
}

bool cs_strides_are_contiguous(const int64_t sizes[4], const int64_t strides[4]) {
    int64_t contiguous[4];
    if (!make_contiguous(sizes, contiguous))
        return false;
    for (int i = 0; i < 4; ++i)
        if (sizes[i] > 1 && strides[i] != contiguous[i])
            return false;
    return true;
}
