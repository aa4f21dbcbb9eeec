/* SPDX-License-Identifier: Apache-2.0
 *
 * The pointwise steps of an epilogue as CPU kernels compute them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CS_LANES 4
#include <device/host_vector.h>

static cs_value step_argument(float v) { return cs_splat(v); }
static float step_result(cs_value value) { return value[2]; }

#include "step_accuracy.h"

int main(void) { return test_steps(); }
