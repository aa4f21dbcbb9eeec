// SPDX-License-Identifier: Apache-2.0
//
// The machine, by name: Hopper's products of a warpgroup (four warps, the first one's number a multiple of four). Part
// of device/ptx.cuh.
#pragma once

#ifdef CS_HAS_SM90A

// An operand in shared memory without swizzle: 16 bytes (4 tf32, or 8 f16 or bf16) of one row lie together, eight rows
// lie one after the other, and the next eight rows `rows` bytes on; the other half of the step's k `half` bytes on.
// All are multiples of 16, and not negative. The whole warp asks, and the compiler learns that it gets one answer.
__device__ __forceinline__ uint64_t wgmma_operand(const void *shared, int half, int rows) {
    const uint32_t low = (shared_address(shared) & 0x3ffff) >> 4 | static_cast<uint32_t>(half >> 4) << 16;
    return static_cast<uint64_t>(rows >> 4) << 32 | __shfl_sync(0xffffffffu, low, 0);
}

// An operand in shared memory as the copy engine swizzles it: rows of ROW_BYTES (32, 64, 128) one after the other, from
// a row of a place whose own begin is a multiple of 1024. In each place of 1024 bytes the 16-byte parts of a row have
// changed places; the hardware sees to that by the address, so that an operand may begin at any row.
template <int ROW_BYTES> __device__ __forceinline__ uint64_t wgmma_swizzled_operand(const void *shared) {
    static_assert(ROW_BYTES == 32 || ROW_BYTES == 64 || ROW_BYTES == 128, "the swizzles that there are");
    constexpr uint64_t swizzle = ROW_BYTES == 128 ? 1 : ROW_BYTES == 64 ? 2 : 3;
    return swizzle << 62 | wgmma_operand(shared, 16, 8 * ROW_BYTES);
}

// The operand b of 16 bits whose columns are contiguous, swizzled so as well: rows of 64 columns of one k, one k after
// the other, and the next 64 columns `apart` bytes on, a multiple of 1024 as is where it begins.
__device__ __forceinline__ uint64_t wgmma_swizzled_columns(const void *shared, int apart) {
    return uint64_t{1} << 62 | wgmma_operand(shared, apart, 1024);
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

// The same, without the use of any registers: those of all groups stay as they are.
template <int PENDING> __device__ __forceinline__ void wgmma_wait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
}

// d = a * b, plus d when `accumulate`: a is 64 rows of K, b is N rows of K (its columns), K being 8 for tf32 and 16 for
// f16 and bf16; with COLUMNS it is given as columns (wgmma_swizzled_columns). Asynchronous. The fragment of d is that
// of the PTX manual's wgmma.mma_async: of the 16 rows of a warp, lane l has rows l / 4 and l / 4 + 8, columns 8 j + l %
// 4 * 2 and one more, as d[4 j] to d[4 j + 3].
template <class Element, int N, bool COLUMNS = false>
__device__ __forceinline__ void wgmma(float (&d)[N / 2], uint64_t a, uint64_t b, bool accumulate);

#define CS_WGMMA(ELEMENT, N, COLUMNS, K, TYPES, ARGUMENTS, AT_A, AT_B, AT_P, TRANSPOSE, ...)                           \
    template <>                                                                                                        \
    __device__ __forceinline__ void wgmma<ELEMENT, N, COLUMNS>(float(&d)[N / 2], uint64_t a, uint64_t b,               \
                                                               bool accumulate) {                                      \
        asm volatile("{.reg .pred p; setp.ne.b32 p, " AT_P ", 0; wgmma.mma_async.sync.aligned.m64n" #N "k" #K          \
                     ".f32" TYPES " {" ARGUMENTS "}, " AT_A ", " AT_B ", p, 1, 1" TRANSPOSE ";}"                       \
                     : __VA_ARGS__                                                                                     \
                     : "l"(a), "l"(b), "r"(static_cast<int>(accumulate)));                                             \
    }
#define CS_WGMMA_ELEMENTS(N, ARGUMENTS, AT_A, AT_B, AT_P, ...)                                                         \
    CS_WGMMA(tf32, N, false, 8, ".tf32.tf32", ARGUMENTS, AT_A, AT_B, AT_P, "", __VA_ARGS__)                            \
    CS_WGMMA(f16, N, false, 16, ".f16.f16", ARGUMENTS, AT_A, AT_B, AT_P, ", 0, 0", __VA_ARGS__)                        \
    CS_WGMMA(f16, N, true, 16, ".f16.f16", ARGUMENTS, AT_A, AT_B, AT_P, ", 0, 1", __VA_ARGS__)                         \
    CS_WGMMA(bf16, N, false, 16, ".bf16.bf16", ARGUMENTS, AT_A, AT_B, AT_P, ", 0, 0", __VA_ARGS__)                     \
    CS_WGMMA(bf16, N, true, 16, ".bf16.bf16", ARGUMENTS, AT_A, AT_B, AT_P, ", 0, 1", __VA_ARGS__)
#define CS_D8(I)                                                                                                       \
    "+f"(d[I]), "+f"(d[I + 1]), "+f"(d[I + 2]), "+f"(d[I + 3]), "+f"(d[I + 4]), "+f"(d[I + 5]), "+f"(d[I + 6]),        \
        "+f"(d[I + 7])
#define CS_D16(I) CS_D8(I), CS_D8(I + 8)
#define CS_D32(I) CS_D16(I), CS_D16(I + 16)
#define CS_D64(I) CS_D32(I), CS_D32(I + 32)
#define CS_AT_0_3 "%0, %1, %2, %3"
#define CS_AT_0_7 CS_AT_0_3 ", %4, %5, %6, %7"
#define CS_AT_0_15 CS_AT_0_7 ", %8, %9, %10, %11, %12, %13, %14, %15"
#define CS_AT_0_23 CS_AT_0_15 ", %16, %17, %18, %19, %20, %21, %22, %23"
#define CS_AT_0_31 CS_AT_0_23 ", %24, %25, %26, %27, %28, %29, %30, %31"
#define CS_AT_0_39 CS_AT_0_31 ", %32, %33, %34, %35, %36, %37, %38, %39"
#define CS_AT_0_47 CS_AT_0_39 ", %40, %41, %42, %43, %44, %45, %46, %47"
#define CS_AT_0_55 CS_AT_0_47 ", %48, %49, %50, %51, %52, %53, %54, %55"
#define CS_AT_0_63 CS_AT_0_55 ", %56, %57, %58, %59, %60, %61, %62, %63"
#define CS_AT_0_71 CS_AT_0_63 ", %64, %65, %66, %67, %68, %69, %70, %71"
#define CS_AT_0_79 CS_AT_0_71 ", %72, %73, %74, %75, %76, %77, %78, %79"
#define CS_AT_0_87 CS_AT_0_79 ", %80, %81, %82, %83, %84, %85, %86, %87"
#define CS_AT_0_95 CS_AT_0_87 ", %88, %89, %90, %91, %92, %93, %94, %95"
#define CS_AT_0_103 CS_AT_0_95 ", %96, %97, %98, %99, %100, %101, %102, %103"
#define CS_AT_0_111 CS_AT_0_103 ", %104, %105, %106, %107, %108, %109, %110, %111"
#define CS_AT_0_119 CS_AT_0_111 ", %112, %113, %114, %115, %116, %117, %118, %119"
#define CS_AT_0_127 CS_AT_0_119 ", %120, %121, %122, %123, %124, %125, %126, %127"
CS_WGMMA_ELEMENTS(8, CS_AT_0_3, "%4", "%5", "%6", "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]))
CS_WGMMA_ELEMENTS(16, CS_AT_0_7, "%8", "%9", "%10", CS_D8(0))
CS_WGMMA_ELEMENTS(32, CS_AT_0_15, "%16", "%17", "%18", CS_D16(0))
CS_WGMMA_ELEMENTS(64, CS_AT_0_31, "%32", "%33", "%34", CS_D32(0))
CS_WGMMA_ELEMENTS(96, CS_AT_0_47, "%48", "%49", "%50", CS_D32(0), CS_D16(32))
CS_WGMMA_ELEMENTS(128, CS_AT_0_63, "%64", "%65", "%66", CS_D64(0))
CS_WGMMA_ELEMENTS(160, CS_AT_0_79, "%80", "%81", "%82", CS_D64(0), CS_D16(64))
CS_WGMMA_ELEMENTS(192, CS_AT_0_95, "%96", "%97", "%98", CS_D64(0), CS_D32(64))
CS_WGMMA_ELEMENTS(208, CS_AT_0_103, "%104", "%105", "%106", CS_D64(0), CS_D32(64), CS_D8(96))
CS_WGMMA_ELEMENTS(224, CS_AT_0_111, "%112", "%113", "%114", CS_D64(0), CS_D32(64), CS_D16(96))
CS_WGMMA_ELEMENTS(240, CS_AT_0_119, "%120", "%121", "%122", CS_D64(0), CS_D32(64), CS_D16(96), CS_D8(112))
CS_WGMMA_ELEMENTS(256, CS_AT_0_127, "%128", "%129", "%130", CS_D64(0), CS_D64(64))
#undef CS_WGMMA_ELEMENTS
#undef CS_WGMMA
#undef CS_D8
#undef CS_D16
#undef CS_D32
#undef CS_D64
#undef CS_AT_0_3
#undef CS_AT_0_7
#undef CS_AT_0_15
#undef CS_AT_0_23
#undef CS_AT_0_31
#undef CS_AT_0_39
#undef CS_AT_0_47
#undef CS_AT_0_55
#undef CS_AT_0_63
#undef CS_AT_0_71
#undef CS_AT_0_79
#undef CS_AT_0_87
#undef CS_AT_0_95
#undef CS_AT_0_103
#undef CS_AT_0_111
#undef CS_AT_0_119
#undef CS_AT_0_127

#endif
