// SPDX-License-Identifier: Apache-2.0
//
// The machine, by name: the one place with CUDA built-ins and inline PTX. Everything above it (the other device
// headers and the generated kernels) calls these names only, so tests/simt/device/ptx.cuh can supply the same names
// in C++ and run the kernels on a CPU.
#pragma once

#include <cstdint>

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

// The block's dynamic shared memory, 16-byte aligned.
template <class T> __device__ __forceinline__ T *shared_memory() {
    extern __shared__ float4 dynamic_shared_memory[];
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

// 16 bytes that no thread writes during the launch; `global` must be 16-byte aligned.
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
__device__ __forceinline__ void store_shared_16(float *shared, float4 value) {
    *reinterpret_cast<float4 *>(shared) = value;
}

// A counter that other blocks add to and poll during the launch.
__device__ __forceinline__ void reduce_add_global(uint64_t *global, uint64_t value) {
    asm volatile("red.relaxed.gpu.global.add.u64 [%0], %1;" ::"l"(global), "l"(value) : "memory");
}
__device__ __forceinline__ uint64_t load_relaxed_global(const uint64_t *global) {
    uint64_t value;
    asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];" : "=l"(value) : "l"(global) : "memory");
    return value;
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

// ---- Hopper (sm_90a)
// -------------------------------------------------------------------------------------------------

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define CS_HAS_SM90A

__device__ __forceinline__ uint32_t shared_address(const void *shared) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(shared));
}

// Barriers in shared memory whose phases complete after so many arrivals. A wait for a parity returns once the phase of
// that parity is complete; before the first phase, parity 1 counts as complete.
__device__ __forceinline__ void mbarrier_init(uint64_t *barrier, int arrivals) {
    asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals) : "memory");
}
__device__ __forceinline__ void mbarrier_init_fence() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
__device__ __forceinline__ void mbarrier_arrive(uint64_t *barrier) {
    asm volatile("mbarrier.arrive.shared.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
}
__device__ __forceinline__ void mbarrier_wait(uint64_t *barrier, int parity) {
    asm volatile("{\n"
                 ".reg .pred complete;\n"
                 "again: mbarrier.try_wait.parity.shared.b64 complete, [%0], %1;\n"
                 "@!complete bra again;\n"
                 "}" ::"r"(shared_address(barrier)),
                 "r"(parity)
                 : "memory");
}
// Makes this thread's ordinary writes to shared memory visible to wgmma.
__device__ __forceinline__ void fence_async_shared() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// ---- Products of a warpgroup (four warps, the first one's number a multiple of four)
// An operand in shared memory without swizzle: 16 bytes (4 tf32, or 8 f16 or bf16) of one row lie together, eight rows
// lie one after the other, and the next eight rows `rows` bytes on; the other half of the step's k `half` bytes on.
// All are multiples of 16, and not negative. The whole warp asks, and the compiler learns that it gets one answer.
__device__ __forceinline__ uint64_t wgmma_operand(const void *shared, int half, int rows) {
    const uint32_t low = (shared_address(shared) & 0x3ffff) >> 4 | static_cast<uint32_t>(half >> 4) << 16;
    return static_cast<uint64_t>(rows >> 4) << 32 | __shfl_sync(0xffffffffu, low, 0);
}

// The operand that begins `by` times 16 bytes further on, its halves `half` times 16 bytes further apart.
__device__ __forceinline__ uint64_t wgmma_moved(uint64_t operand, int by, int half) {
    return (operand & 0xffffffff00000000u) |
           (static_cast<uint32_t>(operand) + static_cast<uint32_t>(by + (half << 16)));
}

// Before the first wgmma after registers or shared memory that it uses were written otherwise.
__device__ __forceinline__ void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
// Closes the group of products issued so far.
__device__ __forceinline__ void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
// Waits until at most PENDING of the newest groups are under way; `d` is of a group that is complete then.
template <int PENDING, int SIZE> __device__ __forceinline__ void wgmma_wait(float (&d)[SIZE]) {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
#pragma unroll
    for (int i = 0; i < SIZE; ++i)
        asm volatile("" : "+f"(d[i])::"memory"); // no use of d moves up
}

// d = a * b, plus d when `accumulate`: a is 64 rows of K, b is N rows of K (its columns), K being 8 for tf32 and 16 for
// f16 and bf16. Asynchronous. The fragment of d is that of the PTX manual's wgmma.mma_async: of the 16 rows of a warp,
// lane l has rows l / 4 and l / 4 + 8, columns 8 j + l % 4 * 2 and one more, as d[4 j] to d[4 j + 3].
template <class Element, int N>
__device__ __forceinline__ void wgmma(float (&d)[N / 2], uint64_t a, uint64_t b, bool accumulate);

#define CS_WGMMA(ELEMENT, N, K, TYPES, ARGUMENTS, AT_A, AT_B, AT_P, TRANSPOSE, ...)                                    \
    template <>                                                                                                        \
    __device__ __forceinline__ void wgmma<ELEMENT, N>(float(&d)[N / 2], uint64_t a, uint64_t b, bool accumulate) {     \
        asm volatile("{.reg .pred p; setp.ne.b32 p, " AT_P ", 0; wgmma.mma_async.sync.aligned.m64n" #N "k" #K          \
                     ".f32" TYPES " {" ARGUMENTS "}, " AT_A ", " AT_B ", p, 1, 1" TRANSPOSE ";}"                       \
                     : __VA_ARGS__                                                                                     \
                     : "l"(a), "l"(b), "r"(static_cast<int>(accumulate)));                                             \
    }
#define CS_WGMMA_ELEMENTS(N, ARGUMENTS, AT_A, AT_B, AT_P, ...)                                                         \
    CS_WGMMA(tf32, N, 8, ".tf32.tf32", ARGUMENTS, AT_A, AT_B, AT_P, "", __VA_ARGS__)                                   \
    CS_WGMMA(f16, N, 16, ".f16.f16", ARGUMENTS, AT_A, AT_B, AT_P, ", 0, 0", __VA_ARGS__)                               \
    CS_WGMMA(bf16, N, 16, ".bf16.bf16", ARGUMENTS, AT_A, AT_B, AT_P, ", 0, 0", __VA_ARGS__)
#define CS_D4(I) "+f"(d[I]), "+f"(d[I + 1]), "+f"(d[I + 2]), "+f"(d[I + 3])
#define CS_D8(I) CS_D4(I), CS_D4(I + 4)
#define CS_D16(I) CS_D8(I), CS_D8(I + 8)
#define CS_AT_0_3 "%0, %1, %2, %3"
#define CS_AT_0_7 CS_AT_0_3 ", %4, %5, %6, %7"
#define CS_AT_0_15 CS_AT_0_7 ", %8, %9, %10, %11, %12, %13, %14, %15"
#define CS_AT_0_31 CS_AT_0_15 ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
CS_WGMMA_ELEMENTS(8, CS_AT_0_3, "%4", "%5", "%6", CS_D4(0))
CS_WGMMA_ELEMENTS(16, CS_AT_0_7, "%8", "%9", "%10", CS_D8(0))
CS_WGMMA_ELEMENTS(32, CS_AT_0_15, "%16", "%17", "%18", CS_D16(0))
CS_WGMMA_ELEMENTS(64, CS_AT_0_31, "%32", "%33", "%34", CS_D16(0), CS_D16(16))
#undef CS_WGMMA_ELEMENTS
#undef CS_WGMMA
#undef CS_D4
#undef CS_D8
#undef CS_D16
#undef CS_AT_0_3
#undef CS_AT_0_7
#undef CS_AT_0_15
#undef CS_AT_0_31

// Changes the registers that each thread of a warpgroup has; all its warps call it.
template <int REGISTERS> __device__ __forceinline__ void registers_release() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}
template <int REGISTERS> __device__ __forceinline__ void registers_acquire() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}

#endif
