/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes that cannot overflow unseen.
 */
#ifndef CONVSMITH_CHECKED_H
#define CONVSMITH_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The product of `count` non-negative factors in *product; false when it exceeds INT64_MAX. */
static inline bool cs_product(const int64_t *factors, size_t count, int64_t *product) {
    *product = 1;
    for (size_t i = 0; i < count; ++i)
        if (__builtin_mul_overflow(*product, factors[i], product))
            return false;
    return true;
}

#endif
