// SPDX-License-Identifier: Apache-2.0
//
// The device helpers for the emulated machine: the same names as src/device/ptx.cuh, which is for nvcc. The trailing
// file and line arguments are never given: they default to the place of the call.
#ifndef CONVSMITH_DEVICE_PTX_CUH
#define CONVSMITH_DEVICE_PTX_CUH

#include "../element.h"
#include "../simt.h"

#include <device/args.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define __global__ __attribute__((visibility("default"))) // messages find the names of such functions
#define __device__
#define __host__
#define __grid_constant__
#define __forceinline__ inline
#define __launch_bounds__(...)

#define SIMT_SITE_PARAMETERS const char *file = __builtin_FILE(), int line = __builtin_LINE()
#define SIMT_SITE                                                                                                      \
    simt::Site { file, line }

// What CUDA C++ has built in.
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(8) float2 {
    float x, y;
};
static inline constexpr int min(int a, int b) { return b < a ? b : a; }
static inline constexpr int max(int a, int b) { return a < b ? b : a; }

static inline int thread_index() { return simt::thread_index(); }
static inline int block_threads() { return simt::block_threads(); }
static inline int64_t block_index() { return simt::block_index(); }
static inline int64_t block_count() { return simt::block_count(); }

static inline void sync_threads(SIMT_SITE_PARAMETERS) { simt::barrier(SIMT_SITE); }

template <class T> static inline T *shared_memory() { return static_cast<T *>(simt::shared_base()); }

static inline void cp_async_4(void *shared, const void *global, bool valid, SIMT_SITE_PARAMETERS) {
    simt::copy_async(shared, global, 4, valid, SIMT_SITE);
}

static inline void cp_async_16(void *shared, const void *global, bool valid = true, SIMT_SITE_PARAMETERS) {
    simt::copy_async(shared, global, 16, valid, SIMT_SITE);
}

static inline void cp_async_commit() { simt::copy_commit(); }

template <int N> static inline void cp_async_wait() {
    static_assert(N >= 0, "the number of groups that may stay pending");
    simt::copy_wait(N);
}

static inline float simt_shuffle(float v, int source, simt::Site site) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    bits = static_cast<uint32_t>(simt::shuffle(bits, source, site));
    memcpy(&v, &bits, sizeof bits);
    return v;
}

static inline double simt_shuffle(double v, int source, simt::Site site) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    bits = simt::shuffle(bits, source, site);
    memcpy(&v, &bits, sizeof bits);
    return v;
}

static inline float shuffle_xor(float v, int lane_mask, SIMT_SITE_PARAMETERS) {
    return simt_shuffle(v, simt::lane() ^ lane_mask, SIMT_SITE);
}

static inline double shuffle_xor(double v, int lane_mask, SIMT_SITE_PARAMETERS) {
    return simt_shuffle(v, simt::lane() ^ lane_mask, SIMT_SITE);
}

static inline float shuffle(float v, int src_lane, SIMT_SITE_PARAMETERS) {
    return simt_shuffle(v, src_lane, SIMT_SITE);
}

static inline double shuffle(double v, int src_lane, SIMT_SITE_PARAMETERS) {
    return simt_shuffle(v, src_lane, SIMT_SITE);
}

static inline int warp_uniform(int value, SIMT_SITE_PARAMETERS) {
    return static_cast<int>(simt::shuffle(static_cast<uint32_t>(value), 0, SIMT_SITE));
}
static inline int opaque(int value) { return value; }

static inline void sync_warp(SIMT_SITE_PARAMETERS) { simt::sync_warp(SIMT_SITE); }
static inline bool all_lanes(bool predicate, SIMT_SITE_PARAMETERS) { return simt::all_lanes(predicate, SIMT_SITE); }

// Whole warps come, to a number always the same ones. That is checked, and that all name the same number of threads; a
// wait in vain is a fault.
static inline void sync_some_threads(int number, int threads, SIMT_SITE_PARAMETERS) {
    simt::sync_some_threads(number, threads, SIMT_SITE);
}

// Registers are not counted; that the four warps of a group do the same is checked.
template <int N> static inline void registers_release(SIMT_SITE_PARAMETERS) {
    static_assert(N >= 24 && N <= 256 && N % 8 == 0, "the registers a thread keeps");
    simt::set_registers(true, N, SIMT_SITE);
}

template <int N> static inline void registers_acquire(SIMT_SITE_PARAMETERS) {
    static_assert(N >= 24 && N <= 256 && N % 8 == 0, "the registers a thread gets");
    simt::set_registers(false, N, SIMT_SITE);
}

// A thread initialises, then fences; the others may use a barrier after the sync_threads that follows. All of that is
// checked.
static inline void mbarrier_init(uint64_t *barrier, int arrivals, SIMT_SITE_PARAMETERS) {
    simt::phase_init(barrier, arrivals, SIMT_SITE);
}

static inline void mbarrier_init_fence() { simt::phase_init_fence(); }
static inline void mbarrier_arrive(uint64_t *barrier, SIMT_SITE_PARAMETERS) { simt::phase_arrive(barrier, SIMT_SITE); }

static inline void mbarrier_expect(uint64_t *barrier, int bytes, SIMT_SITE_PARAMETERS) {
    simt::phase_expect(barrier, bytes, SIMT_SITE);
}

static inline void mbarrier_wait(uint64_t *barrier, int parity, SIMT_SITE_PARAMETERS) {
    simt::phase_wait(barrier, parity, SIMT_SITE);
}

// The destination is NaN from the call to the first wait, by any thread, that shows the phase's end. The source is
// read at the call or at that wait. A load that no thread has waited for when the block ends is a fault.
static inline void bulk_load(void *shared, const void *global, int bytes, uint64_t *barrier, SIMT_SITE_PARAMETERS) {
    simt::bulk_load(shared, global, bytes, barrier, SIMT_SITE);
}

// The box of a tensor that begins at c, w, h, n, zeros where that is outside; otherwise as bulk_load. The destination
// is a multiple of eight rows of the box, within which the hardware swizzles by the address.
static inline void tensor_load(void *shared, const cs_tensor_map &map, int c, int w, int h, int n, uint64_t *barrier,
                               SIMT_SITE_PARAMETERS) {
    simt::tensor_load(shared, &map, c, w, h, n, barrier, SIMT_SITE);
}

// The source is read at the thread's wait for that, the destination NaN until its wait for that, or until the launch
// ends if there is none. Not to wait even for the reads is a fault.
static inline void bulk_store(void *global, const void *shared, int bytes, SIMT_SITE_PARAMETERS) {
    simt::bulk_store(global, shared, bytes, SIMT_SITE);
}

// The same to a box of a tensor, of which only what lies inside is read and written.
static inline void tensor_store(const cs_tensor_map &map, const void *shared, int c, int w, int h, int n,
                                SIMT_SITE_PARAMETERS) {
    simt::tensor_store(&map, shared, c, w, h, n, SIMT_SITE);
}

static inline void bulk_commit() { simt::bulk_commit(); }

template <int N> static inline void bulk_wait_read() {
    static_assert(N >= 0, "the number of groups that may stay pending");
    simt::bulk_wait_read(N);
}

template <int N> static inline void bulk_wait() {
    static_assert(N >= 0, "the number of groups that may stay pending");
    simt::bulk_wait(N);
}

// One thread's fence stands for all threads of its block: what is checked is that some fence came between the last
// ordinary write that changed a byte and the bulk_store or wgmma that reads it. For the first use of a place by a
// block's machine all that is asked is a fence at any time before. (cp_async copies are ordinary writes, bulk_load's
// are not.) Global memory needs such fences too; those are not checked.
static inline void fence_async_shared() { simt::fence_async_shared(); }
static inline void fence_async_global() {}

// Each lane writes its own elements of the columns, to where other lanes point.
static inline void store_matrices_transposed(void *shared, const uint32_t (&words)[4], SIMT_SITE_PARAMETERS) {
    simt::check_shared(shared, 16, "store_matrices_transposed", SIMT_SITE);
    for (int i = 0; i < 8; ++i) {
        const int matrix = i / 2, row = simt::lane() / 4, column = simt::lane() % 4 * 2 + i % 2;
        const uint64_t to = simt::shuffle(reinterpret_cast<uint64_t>(shared), 8 * matrix + column, SIMT_SITE);
        const uint16_t element = static_cast<uint16_t>(words[matrix] >> 16 * (i % 2));
        memcpy(reinterpret_cast<uint16_t *>(to) + row, &element, sizeof element);
    }
}

static inline uint32_t float_bits(float v) { return simt::bits_of(v); }

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

static inline float to_float(float v) { return v; }
static inline float to_float(f16 v) { return simt::f16_value(v.bits); }
static inline float to_float(bf16 v) { return simt::bf16_value(v.bits); }
static inline float to_float(tf32 v) { return simt::float_of(v.bits); }

// The nearest tf32, as the bits of a float.
static inline uint32_t tf32_round(float v) { return simt::tf32_bits(v); }

// The nearest T, ties to even (tf32: ties away from zero).
template <class T> static inline T from_float(float v);
template <> inline float from_float<float>(float v) { return v; }
template <> inline f16 from_float<f16>(float v) { return {simt::f16_bits(v)}; }
template <> inline bf16 from_float<bf16>(float v) { return {simt::bf16_bits(v)}; }
template <> inline tf32 from_float<tf32>(float v) { return {simt::tf32_bits(v)}; }

// Shared memory, 16 and 8 bytes at a time, aligned to as much.
static inline float4 load_shared_16(const void *shared, SIMT_SITE_PARAMETERS) {
    simt::check_shared(shared, 16, "load_shared_16", SIMT_SITE);
    float4 v;
    memcpy(&v, shared, sizeof v);
    return v;
}
static inline float2 load_shared_8(const void *shared) {
    float2 v;
    memcpy(&v, shared, sizeof v);
    return v;
}
static inline uint32_t load_shared_4(const void *shared) {
    uint32_t v;
    memcpy(&v, shared, sizeof v);
    return v;
}
static inline void store_shared_4(void *shared, uint32_t v, SIMT_SITE_PARAMETERS) {
    simt::check_shared(shared, 4, "store_shared_4", SIMT_SITE);
    memcpy(shared, &v, sizeof v);
}
static inline void store_shared_8(void *shared, float2 v, SIMT_SITE_PARAMETERS) {
    simt::check_shared(shared, 8, "store_shared_8", SIMT_SITE);
    memcpy(shared, &v, sizeof v);
}
static inline void store_shared_16(float *shared, float4 v, SIMT_SITE_PARAMETERS) {
    simt::check_shared(shared, 16, "store_shared_16", SIMT_SITE);
    memcpy(shared, &v, sizeof v);
}
static inline void store_shared_8(float *shared, float first, float second, SIMT_SITE_PARAMETERS) {
    simt::check_shared(shared, 8, "store_shared_8", SIMT_SITE);
    shared[0] = first;
    shared[1] = second;
}

// All of Hopper's helpers are here.
#define CS_HAS_SM90A

// Arrives once this thread's copies so far are complete: at once, by completing them.
static inline void cp_async_arrive(uint64_t *barrier, SIMT_SITE_PARAMETERS) {
    simt::copy_commit();
    simt::copy_wait(0);
    simt::phase_arrive(barrier, SIMT_SITE);
}

// Products of a warpgroup. Shared memory is read at the wgmma or at the wgmma_wait; d is NaN from the one to the other,
// and a group of products is complete only when all four warps have issued it. A wait gives back the registers that it
// names and no others. A missing wgmma_fence, registers that are written too early or waited for too early or never,
// operands outside shared memory or written without a fence_async_shared, and lanes or warps that differ are faults; so
// is a swizzled operand that does not begin within a row, and one that moves to where no descriptor reaches.
static inline uint64_t wgmma_operand(const void *shared, int half, int rows, SIMT_SITE_PARAMETERS) {
    return simt::wgmma_operand(shared, {half, rows, 0}, SIMT_SITE);
}

template <int ROW_BYTES> static inline uint64_t wgmma_swizzled_operand(const void *shared, SIMT_SITE_PARAMETERS) {
    static_assert(ROW_BYTES == 32 || ROW_BYTES == 64 || ROW_BYTES == 128, "the swizzles that there are");
    return simt::wgmma_operand(shared, {16, 8 * ROW_BYTES, ROW_BYTES}, SIMT_SITE);
}

static inline uint64_t wgmma_swizzled_columns(const void *shared, int apart, SIMT_SITE_PARAMETERS) {
    return simt::wgmma_operand(shared, {apart, 1024, 128}, SIMT_SITE);
}

// The bits are those of the machine's descriptors.
static inline uint64_t wgmma_moved(uint64_t operand, int by, int half, SIMT_SITE_PARAMETERS) {
    return simt::wgmma_moved(operand, by, half, SIMT_SITE);
}

static inline void wgmma_fence(SIMT_SITE_PARAMETERS) { simt::wgmma_fence(SIMT_SITE); }
static inline void wgmma_commit(SIMT_SITE_PARAMETERS) { simt::wgmma_commit(SIMT_SITE); }

template <int PENDING, int SIZE> static inline void wgmma_wait(float (&d)[SIZE], SIMT_SITE_PARAMETERS) {
    static_assert(PENDING >= 0, "the number of groups that may stay pending");
    simt::wgmma_wait(PENDING, d, SIZE * 2, SIMT_SITE);
}

// The products are complete, but their registers are given back by another wait.
template <int PENDING> static inline void wgmma_wait(SIMT_SITE_PARAMETERS) {
    static_assert(PENDING >= 0, "the number of groups that may stay pending");
    simt::wgmma_wait(PENDING, nullptr, 0, SIMT_SITE);
}

template <class Element> struct simt_element;
template <> struct simt_element<tf32> { static constexpr simt::Element value = simt::Element::tf32; };
template <> struct simt_element<f16> { static constexpr simt::Element value = simt::Element::f16; };
template <> struct simt_element<bf16> { static constexpr simt::Element value = simt::Element::bf16; };

template <class Element, int N, bool COLUMNS = false>
static inline void wgmma(float (&d)[N / 2], uint64_t a, uint64_t b, bool accumulate, SIMT_SITE_PARAMETERS) {
    static_assert(!COLUMNS || sizeof(Element) == 2, "columns of 16 bits");
    static_assert(N == 8 || N == 16 || (N % 32 == 0 && N <= 256) || N == 208 || N == 240, "the columns of d");
    simt::wgmma(d, {simt_element<Element>::value, N, a, b, accumulate, COLUMNS}, SIMT_SITE);
}

static inline void mma_m16n8k8_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                                    SIMT_SITE_PARAMETERS) {
    simt::mma(d, a, b, simt::Element::tf32, SIMT_SITE);
}

template <class Element>
static inline void mma_m16n8k16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SIMT_SITE_PARAMETERS) {
    static_assert(sizeof(Element) == 2, "elements of 16 bits");
    simt::mma(d, a, b, simt_element<Element>::value, SIMT_SITE);
}

// The approximations take and give no subnormal numbers: those become zero of the same sign.
static inline float simt_flush(float v) { return fabsf(v) < 0x1p-126f ? copysignf(0.0f, v) : v; }
static inline float exp2_approx(float v) { return simt_flush(exp2f(simt_flush(v))); }
static inline float reciprocal_approx(float v) { return simt_flush(1.0f / simt_flush(v)); }
static inline float log2_approx(float v) { return simt_flush(log2f(simt_flush(v))); }

// As coarse as the real one: a relative error of up to 2^-11.
static inline float tanh_approx(float v) {
    const uint32_t bits = tf32_round(tanhf(v));
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

static inline float min_or_nan(float a, float b) { return isnan(a) || isnan(b) ? NAN : fminf(a, b); }
static inline float max_or_nan(float a, float b) { return isnan(a) || isnan(b) ? NAN : fmaxf(a, b); }

// The nearest T of both, the first one in the low half.
template <class T> static inline uint32_t pack_elements(float first, float second) {
    return from_float<T>(first).bits | static_cast<uint32_t>(from_float<T>(second).bits) << 16;
}

static inline uint64_t global_address(const void *p) { return reinterpret_cast<uint64_t>(p); }
static inline const float *opaque(const float *p) { return p; }

static inline float2 load_global_8(const float *p, SIMT_SITE_PARAMETERS) {
    simt::check_global(p, 8, "load_global_8", SIMT_SITE);
    float2 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline float4 load_global_16(const float *p, SIMT_SITE_PARAMETERS) {
    simt::check_global(p, 16, "load_global_16", SIMT_SITE);
    float4 v;
    memcpy(&v, p, sizeof v);
    return v;
}

// One element: float, f16 or bf16.
template <class T> static inline T load_global(const T *p, SIMT_SITE_PARAMETERS) {
    simt::check_global(p, sizeof *p, "load_global", SIMT_SITE);
    return *p;
}

template <class T> static inline void store_global(T *p, T v, SIMT_SITE_PARAMETERS) {
    simt::check_global(p, sizeof *p, "store_global", SIMT_SITE);
    *p = v;
}

static inline void store_global_8(void *p, uint32_t first, uint32_t second, SIMT_SITE_PARAMETERS) {
    simt::check_global(p, 8, "store_global_8", SIMT_SITE);
    const uint32_t words[2] = {first, second};
    memcpy(p, words, sizeof words);
}

static inline void store_global_16(void *p, float4 v, SIMT_SITE_PARAMETERS) {
    simt::check_global(p, 16, "store_global_16", SIMT_SITE);
    memcpy(p, &v, sizeof v);
}

static inline void store_global_16_kept(void *p, float4 v, SIMT_SITE_PARAMETERS) {
    simt::check_global(p, 16, "store_global_16_kept", SIMT_SITE);
    memcpy(p, &v, sizeof v);
}

static inline float4 load_kept_16(const float *p, SIMT_SITE_PARAMETERS) {
    simt::check_global(p, 16, "load_kept_16", SIMT_SITE);
    float4 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void reduce_add_global(uint64_t *p, uint64_t v, SIMT_SITE_PARAMETERS) {
    simt::add_global(p, v, SIMT_SITE);
}
static inline uint64_t fetch_add_global(uint64_t *p, uint64_t v, SIMT_SITE_PARAMETERS) {
    return simt::add_global(p, v, SIMT_SITE);
}

// Lets other threads run, of other blocks too.
static inline uint64_t load_relaxed_global(const uint64_t *p, SIMT_SITE_PARAMETERS) {
    return simt::poll_global(p, SIMT_SITE);
}

static inline void store_relaxed_global(uint64_t *p, uint64_t v, SIMT_SITE_PARAMETERS) {
    simt::check_global(p, sizeof *p, "store_relaxed_global", SIMT_SITE);
    *p = v;
}

#undef SIMT_SITE
#undef SIMT_SITE_PARAMETERS

#endif
