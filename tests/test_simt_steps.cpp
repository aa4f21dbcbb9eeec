// SPDX-License-Identifier: Apache-2.0
//
// The pointwise steps of an epilogue as CUDA kernels compute them, but for what the GPU's special functions are off by.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <device/steps.cuh>

extern "C" {
#include <cmocka.h>
}

static cs_value step_argument(float v) { return v; }
static float step_result(cs_value value) { return value; }

#include "step_accuracy.h"

int main() { return test_steps(); }
