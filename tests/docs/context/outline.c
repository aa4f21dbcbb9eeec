/* SPDX-License-Identifier: Apache-2.0
 *
 * What README.md's outline of a program leaves out: data, buffers, and to look whether it worked.
 */
#include <convsmith/convsmith.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static _Alignas(16) float x[2 * 3 * 64 * 64], y[2 * 16 * 62 * 62], weight[16 * 3 * 3 * 3];
static const float conv_bias[16], bias[16], scale[16], norm_weight[16], norm_bias[16] = {0.5f};
static _Alignas(16) unsigned char packed[1 << 16], workspace[1 << 20];

int main(void) {
    const convsmith_args args = {.x = x, .packed = packed, .y = y};
    y[0] = NAN;
#include BLOCK
    return y[0] == 0.5f ? EXIT_SUCCESS : EXIT_FAILURE;
}
