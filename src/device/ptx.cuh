// SPDX-License-Identifier: Apache-2.0
//
// The machine, by name: the one place with CUDA built-ins and inline PTX. Everything above it (the other device
// headers and the generated kernels) calls these names only, so tests/simt/device/ptx.cuh can supply the same names
// in C++ and run the kernels on a CPU.
#pragma once

#include <cstdint>
#include <device/args.h>

// Elements as they lie in memory. float is its own.
struct f16 {
    uint16_t bits;
};
struct bf16 {
    uint16_t bits;
};
struct tf32 { // a float whose low 13 bits the tensor cores ignore
    uint32_t bits;
};

__device__ __forceinline__ float to_float(float value) { return value; }
__device__ __forceinline__ float to_float(f16 value) {
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
    return result;
}
__device__ __forceinline__ float to_float(bf16 value) {
    return __uint_as_float(static_cast<uint32_t>(value.bits) << 16);
}
__device__ __forceinline__ float to_float(tf32 value) { return __uint_as_float(value.bits); }

// The nearest T, ties to even (tf32: ties away from zero).
template <class T> __device__ __forceinline__ T from_float(float value);
template <> __device__ __forceinline__ float from_float<float>(float value) { return value; }
template <> __device__ __forceinline__ f16 from_float<f16>(float value) {
    f16 result;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
}
template <> __device__ __forceinline__ bf16 from_float<bf16>(float value) {
    bf16 result;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
}

// Launches are one-dimensional.
__device__ __forceinline__ int thread_index() { return static_cast<int>(threadIdx.x); }
__device__ __forceinline__ int block_threads() { return static_cast<int>(blockDim.x); }
__device__ __forceinline__ int64_t block_index() { return static_cast<int64_t>(blockIdx.x); }
__device__ __forceinline__ int64_t block_count() { return static_cast<int64_t>(gridDim.x); }

__device__ __forceinline__ void sync_threads() { __syncthreads(); }

// The block's dynamic shared memory, aligned as swizzled operands must be.
template <class T> __device__ __forceinline__ T *shared_memory() {
    extern __shared__ __align__(1024) float4 dynamic_shared_memory[];
    return reinterpret_cast<T *>(dynamic_shared_memory);
}

// Lane 0's value, as one that the compiler knows to be the same in all lanes.
__device__ __forceinline__ int warp_uniform(int value) { return __shfl_sync(0xffffffffu, value, 0); }

// The value, as one that the compiler knows nothing about: what follows from it is computed again in each round of a
// loop, where keeping it would cost registers.
__device__ __forceinline__ int opaque(int value) {
    asm volatile("" : "+r"(value));
    return value;
}

__device__ __forceinline__ void sync_warp() { __syncwarp(); }

// Warp-wide exchanges: all 32 lanes must take part.
__device__ __forceinline__ float shuffle(float value, int source) { return __shfl_sync(0xffffffffu, value, source); }
__device__ __forceinline__ float shuffle_xor(float value, int lane_mask) {
    return __shfl_xor_sync(0xffffffffu, value, lane_mask);
}
__device__ __forceinline__ double shuffle_xor(double value, int lane_mask) {
    return __shfl_xor_sync(0xffffffffu, value, lane_mask);
}

// Asynchronous copies of 4 bytes to shared memory. An invalid one reads nothing and writes zero.
__device__ __forceinline__ void cp_async_4(void *shared, const void *global, bool valid) {
    const uint32_t address = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
    const int bytes = valid ? 4 : 0;
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(address), "l"(global), "r"(bytes) : "memory");
}

// The same for 16 bytes, both addresses being multiples of as much; they bypass L1.
__device__ __forceinline__ void cp_async_16(void *shared, const void *global, bool valid) {
    const uint32_t address = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
    const int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(global), "r"(bytes) : "memory");
}

// Closes the group of copies issued so far; a wait returns when at most PENDING of the newest groups are under way.
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

template <int PENDING> __device__ __forceinline__ void cp_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
}

// 8 or 16 bytes that no thread writes during the launch; `global` must be aligned to as much.
__device__ __forceinline__ float2 load_global_8(const float *global) {
    return __ldg(reinterpret_cast<const float2 *>(global));
}
__device__ __forceinline__ float4 load_global_16(const float *global) {
    return __ldg(reinterpret_cast<const float4 *>(global));
}
// One element (float, f16 or bf16) that no thread writes during the launch.
__device__ __forceinline__ float load_global(const float *global) { return __ldg(global); }
__device__ __forceinline__ uint32_t load_global(const uint32_t *global) { return __ldg(global); }
template <class T> __device__ __forceinline__ T load_global(const T *global) { return {__ldg(&global->bits)}; }
template <class T> __device__ __forceinline__ void store_global(T *global, T value) { *global = value; }

// Stores of 8 and 16 bytes, aligned to as much, that are not read again soon.
__device__ __forceinline__ void store_global_8(void *global, uint32_t first, uint32_t second) {
    __stcs(static_cast<uint2 *>(global), make_uint2(first, second));
}
__device__ __forceinline__ void store_global_16(void *global, float4 value) {
    __stcs(reinterpret_cast<float4 *>(global), value);
}

// 16 bytes that are read again soon, perhaps in this launch.
__device__ __forceinline__ void store_global_16_kept(void *global, float4 value) {
    *static_cast<float4 *>(global) = value;
}
__device__ __forceinline__ float4 load_kept_16(const float *global) {
    return *reinterpret_cast<const float4 *>(global);
}

// Where a pointer to global memory points, to ask for its alignment.
__device__ __forceinline__ uint64_t global_address(const void *global) { return reinterpret_cast<uint64_t>(global); }

// The same pointer, from which the compiler does not know any more that loads through it could be made earlier.
__device__ __forceinline__ const float *opaque(const float *pointer) {
    asm volatile("" : "+l"(pointer));
    return pointer;
}

// Shared memory, 16, 8 and 4 bytes at a time, aligned to as much.
__device__ __forceinline__ float4 load_shared_16(const void *shared) {
    return *reinterpret_cast<const float4 *>(shared);
}
__device__ __forceinline__ float2 load_shared_8(const void *shared) {
    return *reinterpret_cast<const float2 *>(shared);
}
__device__ __forceinline__ uint32_t load_shared_4(const void *shared) { return *static_cast<const uint32_t *>(shared); }
__device__ __forceinline__ void store_shared_4(void *shared, uint32_t value) {
    *static_cast<uint32_t *>(shared) = value;
}
__device__ __forceinline__ void store_shared_8(void *shared, float2 value) { *static_cast<float2 *>(shared) = value; }
__device__ __forceinline__ void store_shared_16(float *shared, float4 value) {
    *reinterpret_cast<float4 *>(shared) = value;
}

// A word that blocks add to or write, and others poll, during the launch; it tells of nothing but itself.
__device__ __forceinline__ void reduce_add_global(uint64_t *global, uint64_t value) {
    asm volatile("red.relaxed.gpu.global.add.u64 [%0], %1;" ::"l"(global), "l"(value) : "memory");
}
__device__ __forceinline__ uint64_t load_relaxed_global(const uint64_t *global) {
    uint64_t value;
    asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];" : "=l"(value) : "l"(global) : "memory");
    return value;
}

__device__ __forceinline__ void store_relaxed_global(uint64_t *global, uint64_t value) {
    asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(global), "l"(value) : "memory");
}

// A word by which threads of different blocks tell each other what they have written: adding to it publishes what came
// before, and what was found in it, which is returned, lets be read what came before that.
__device__ __forceinline__ uint64_t fetch_add_global(uint64_t *global, uint64_t value) {
    uint64_t before;
    asm volatile("atom.acq_rel.gpu.global.add.u64 %0, [%1], %2;" : "=l"(before) : "l"(global), "l"(value) : "memory");
    return before;
}

__device__ __forceinline__ uint32_t float_bits(float value) { return __float_as_uint(value); }

// The nearest T of both, the first one in the low half.
template <class T> __device__ __forceinline__ uint32_t pack_elements(float first, float second);
template <> __device__ __forceinline__ uint32_t pack_elements<f16>(float first, float second) {
    uint32_t result;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(second), "f"(first));
    return result;
}
template <> __device__ __forceinline__ uint32_t pack_elements<bf16>(float first, float second) {
    uint32_t result;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(second), "f"(first));
    return result;
}

// The nearest tf32 (10 mantissa bits, ties away from zero), as the bits of a float.
__device__ __forceinline__ uint32_t tf32_round(float value) {
    uint32_t bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return bits;
}

template <> __device__ __forceinline__ tf32 from_float<tf32>(float value) { return {tf32_round(value)}; }

// d += a * b on the warp's tensor core: a is 16x8, b 8x8, d 16x8, in the fragment layout of the PTX manual's
// mma.m16n8k8 for .tf32.
__device__ __forceinline__ void mma_m16n8k8_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// The same for 16x16 and 16x8 f16 or bf16, two neighbours in k of which share a register, the first in the low half.
template <class Element>
__device__ __forceinline__ void mma_m16n8k16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
#define CS_MMA_M16N8K16(ELEMENT)                                                                                       \
    template <>                                                                                                        \
    __device__ __forceinline__ void mma_m16n8k16<ELEMENT>(float(&d)[4], const uint32_t(&a)[4],                         \
                                                          const uint32_t(&b)[2]) {                                     \
        asm("mma.sync.aligned.m16n8k16.row.col.f32." #ELEMENT "." #ELEMENT ".f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, " \
            "{%8, %9}, {%0, %1, %2, %3};"                                                                              \
            : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                                           \
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));                                       \
    }
CS_MMA_M16N8K16(f16)
CS_MMA_M16N8K16(bf16)
#undef CS_MMA_M16N8K16

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

// The binary logarithm, one special-function operation: off by 2^-22 between 1/2 and 2.
__device__ __forceinline__ float log2_approx(float value) {
    float result;
    asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(value));
    return result;
}

// The lesser and the greater of the two, NaN when one of them is.
__device__ __forceinline__ float min_or_nan(float a, float b) {
    float result;
    asm("min.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
    return result;
}
__device__ __forceinline__ float max_or_nan(float a, float b) {
    float result;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
    return result;
}

// What a kernel does where it is not compiled to anything: it fails at once, and the next CUDA call says so.
template <class Args> __device__ __forceinline__ void unsupported_architecture(const Args &) { __trap(); }

#include <device/ptx_sm90a.cuh>
#include <device/ptx_wgmma.cuh>
