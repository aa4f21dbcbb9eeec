/* SPDX-License-Identifier: Apache-2.0
 *
 * The elements of tensors as the runtime knows them.
 */
#ifndef CONVSMITH_ELEMENT_H
#define CONVSMITH_ELEMENT_H

#include "convsmith/convsmith.h"
#include "device/args.h"

_Static_assert((int)CS_F32 == CONVSMITH_F32 && (int)CS_F16 == CONVSMITH_F16 && (int)CS_BF16 == CONVSMITH_BF16,
               "kernels are told a convsmith_dtype as a cs_element");

/* The size and the alignment of an element; 0 for a value that is no dtype. */
static inline size_t cs_element_bytes(convsmith_dtype dtype) {
    static const size_t bytes[] = {[CONVSMITH_F32] = 4, [CONVSMITH_F16] = 2, [CONVSMITH_BF16] = 2};
    return (size_t)dtype < sizeof bytes / sizeof bytes[0] ? bytes[dtype] : 0;
}

#endif
