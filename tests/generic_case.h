/* SPDX-License-Identifier: Apache-2.0
 *
 * Problems for the generic kernels, made from a seed: sizes, convolution parameters, strides, dtypes and epilogues of
 * all kinds; and their results by loops in double precision.
 */
#ifndef CS_TESTS_GENERIC_CASE_H
#define CS_TESTS_GENERIC_CASE_H

#include "src/chain.h"
#include "support/message.h"
#include <stdbool.h>

typedef struct generic_case {
    convsmith_problem problem;
    cs_chain chain;
    int64_t h_out, w_out;
    convsmith_dtype params_dtype;
    int64_t weight_strides[4];
    /* Elements, of the problem's dtype and of params_dtype, and how many of them there are. */
    void *x, *weight, *channels[CS_MAX_VALUES];
    int64_t x_count, weight_count, y_count;
    float constants[CS_MAX_STEPS][CS_STEP_CONSTANTS];
    double *expected, *bound; /* [n][c_out][h_out][w_out] */
    char text[512];
} generic_case;

/* `small` for where arithmetic is dear. False, with a message, when there is no memory. */
bool generic_case_create(generic_case *c, convsmith_dtype dtype, uint64_t seed, bool small, cs_message *message);
void generic_case_destroy(generic_case *c);

/* Whether y, of the problem's dtype and strides, is as expected; its elements outside must still have all bits set. */
bool generic_case_check(const generic_case *c, const void *y, cs_message *message);

#endif
