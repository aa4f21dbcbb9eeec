// SPDX-License-Identifier: Apache-2.0
//
// The machine, by name: the one place with CUDA built-ins and inline PTX. Everything above it (the other device
// headers and the generated kernels) calls these names only, so tests/simt/device/ptx.cuh can supply the same names
// in C++ and run the kernels on a CPU.
#pragma once

#include <cstdint>

// Launches are one-dimensional.
__device__ __forceinline__ int thread_index() { return static_cast<int>(threadIdx.x); }
__device__ __forceinline__ int block_threads() { return static_cast<int>(blockDim.x); }
__device__ __forceinline__ int64_t block_index() { return static_cast<int64_t>(blockIdx.x); }
__device__ __forceinline__ int64_t block_count() { return static_cast<int64_t>(gridDim.x); }

__device__ __forceinline__ void sync_threads() { __syncthreads(); }

// The block's dynamic shared memory, 16-byte aligned.
template <class T> __device__ __forceinline__ T *shared_memory() {
    extern __shared__ float4 dynamic_shared_memory[];
    return reinterpret_cast<T *>(dynamic_shared_memory);
}

// A warp-wide exchange: all 32 lanes must take part.
__device__ __forceinline__ float shuffle_xor(float value, int lane_mask) {
    return __shfl_xor_sync(0xffffffffu, value, lane_mask);
}

// Asynchronous copies of 4 bytes to shared memory. An invalid one reads nothing and writes zero.
__device__ __forceinline__ void cp_async_4(float *shared, const float *global, bool valid) {
    const uint32_t address = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
    const int bytes = valid ? 4 : 0;
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(address), "l"(global), "r"(bytes) : "memory");
}

// Closes the group of copies issued so far; a wait returns when at most PENDING of the newest groups are under way.
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

template <int PENDING> __device__ __forceinline__ void cp_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
}

// 16 bytes that no thread writes during the launch; `global` must be 16-byte aligned.
__device__ __forceinline__ float4 load_global_16(const float *global) {
    return __ldg(reinterpret_cast<const float4 *>(global));
}
__device__ __forceinline__ float load_global(const float *global) { return __ldg(global); }
__device__ __forceinline__ void store_global(float *global, float value) { *global = value; }

// The nearest tf32 (10 mantissa bits, ties away from zero), as the bits of a float.
__device__ __forceinline__ uint32_t tf32_round(float value) {
    uint32_t bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return bits;
}

// d += a * b on the warp's tensor core: a is 16x8, b 8x8, d 16x8, in the fragment layout of the PTX manual's
// mma.m16n8k8 for .tf32.
__device__ __forceinline__ void mma_m16n8k8_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// 2^value and 1/value, one special-function operation each: relative error about 2^-22 and 2^-23.
__device__ __forceinline__ float exp2_approx(float value) {
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(value));
    return result;
}
__device__ __forceinline__ float reciprocal_approx(float value) {
    float result;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(value));
    return result;
}
