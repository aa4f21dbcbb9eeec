/* SPDX-License-Identifier: Apache-2.0
 *
 * A small seeded generator (splitmix64): the same numbers on every machine.
 */
#ifndef CS_SUPPORT_RANDOM_H
#define CS_SUPPORT_RANDOM_H

#include <stdint.h>

typedef struct cs_random {
    uint64_t state;
} cs_random;

static inline uint64_t cs_random_bits(cs_random *random) {
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* A whole number in least..most, both included. */
static inline int64_t cs_random_whole(cs_random *random, int64_t least, int64_t most) {
    return least + (int64_t)(cs_random_bits(random) % (uint64_t)(most - least + 1));
}

/* In [0, 1). */
static inline double cs_random_unit(cs_random *random) { return (double)(cs_random_bits(random) >> 11) * 0x1p-53; }

/* Mean 0 and variance 1, evenly spread over +-sqrt(3). */
static inline double cs_random_even(cs_random *random) { return (2 * cs_random_unit(random) - 1) * 1.7320508075688772; }

#endif
