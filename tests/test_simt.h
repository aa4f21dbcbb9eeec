// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the emulated machine share.
#ifndef CONVSMITH_TEST_SIMT_H
#define CONVSMITH_TEST_SIMT_H

#include <cuda_launch.h>
#include <device/ptx.cuh>

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <setjmp.h>

extern "C" {
#include <cmocka.h>
}

namespace test_simt {

using Kernel = void (*)(cs_conv_args);

inline std::uint32_t bits_of(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

inline float float_of(std::uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline void *device_alloc(std::size_t bytes) {
    void *address;
    assert_int_equal(cudaMalloc(&address, bytes), cudaSuccess);
    return address;
}

inline void *device_copy(const void *from, std::size_t bytes) {
    void *const address = device_alloc(bytes);
    assert_int_equal(cudaMemcpy(address, from, bytes, cudaMemcpyHostToDevice), cudaSuccess);
    return address;
}

inline void fetch_and_free(void *to, void *from, std::size_t bytes) {
    assert_int_equal(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), cudaSuccess);
    assert_int_equal(cudaFree(from), cudaSuccess);
}

// Runs a kernel on the `n` floats at `x`, NULL if it needs none; `y` receives `m` floats.
inline void run(Kernel kernel, unsigned grid, unsigned block, std::size_t shared, const float *x, std::size_t n,
                float *y, std::size_t m) {
    cs_conv_args args = {};
    void *const in = n == 0 ? nullptr : device_copy(x, n * sizeof(float));
    args.x = in;
    args.y = device_alloc(m * sizeof(float));
    assert_int_equal(cs_launch_conv(kernel, &args, grid, block, shared, nullptr), cudaSuccess);
    fetch_and_free(y, args.y, m * sizeof(float));
    cudaFree(in);
}

inline void use_seed(int seed) {
    char text[16];
    std::snprintf(text, sizeof text, "%d", seed);
    setenv("CONVSMITH_SIMT_SEED", text, 1);
}

inline int forget_seed(void **) { return unsetenv("CONVSMITH_SIMT_SEED"); }

inline const float *input(const cs_conv_args &args) { return static_cast<const float *>(args.x); }
inline float *output(const cs_conv_args &args) { return static_cast<float *>(args.y); }
inline float *block_output(const cs_conv_args &args) { return output(args) + block_index() * block_threads(); }

} // namespace test_simt

#endif
