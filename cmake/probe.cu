// SPDX-License-Identifier: Apache-2.0
//
// What the configure step compiles to see whether nvcc, its host compiler and the chosen architectures work together.
#include <cstdint>
extern "C" __global__ void convsmith_probe(int64_t *out) { *out = 1; }
