// SPDX-License-Identifier: Apache-2.0
//
// The device helpers for the emulated machine: the same names as src/device/ptx.cuh, which is for nvcc. The trailing
// file and line arguments are never given: they default to the place of the call.
#ifndef CONVSMITH_DEVICE_PTX_CUH
#define CONVSMITH_DEVICE_PTX_CUH

#include "../simt.h"

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
static inline constexpr int min(int a, int b) { return b < a ? b : a; }
static inline constexpr int max(int a, int b) { return a < b ? b : a; }

static inline int thread_index() { return simt::thread_index(); }
static inline int block_threads() { return simt::block_threads(); }
static inline int64_t block_index() { return simt::block_index(); }
static inline int64_t block_count() { return simt::block_count(); }

static inline void sync_threads(SIMT_SITE_PARAMETERS) { simt::barrier(SIMT_SITE); }

template <class T> static inline T *shared_memory() { return static_cast<T *>(simt::shared_base()); }

static inline void cp_async_4(float *shared, const float *global, bool valid, SIMT_SITE_PARAMETERS) {
    simt::copy_async(shared, global, 4, valid, SIMT_SITE);
}

static inline void cp_async_16(void *shared, const void *global, SIMT_SITE_PARAMETERS) {
    simt::copy_async(shared, global, 16, true, SIMT_SITE);
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

// Round to nearest, ties away from zero, to tf32's 10 bits of mantissa. NaN becomes the canonical NaN, which survives
// the cut to tf32.
static inline uint32_t tf32_round(float v) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    if (isnan(v)) {
        return 0x7FFFFFFFu;
    }
    return isinf(v) ? bits : (bits + 0x1000u) & ~0x1FFFu;
}

static inline void mma_m16n8k8_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                                    SIMT_SITE_PARAMETERS) {
    simt::mma_m16n8k8(d, a, b, SIMT_SITE);
}

// The approximations take and give no subnormal numbers: those become zero of the same sign.
static inline float simt_flush(float v) { return fabsf(v) < 0x1p-126f ? copysignf(0.0f, v) : v; }
static inline float exp2_approx(float v) { return simt_flush(exp2f(simt_flush(v))); }
static inline float reciprocal_approx(float v) { return simt_flush(1.0f / simt_flush(v)); }

static inline float4 load_global_16(const float *p, SIMT_SITE_PARAMETERS) {
    simt::check_global(p, 16, "load_global_16", SIMT_SITE);
    float4 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline float load_global(const float *p, SIMT_SITE_PARAMETERS) {
    simt::check_global(p, 4, "load_global", SIMT_SITE);
    return *p;
}

static inline void store_global(float *p, float v, SIMT_SITE_PARAMETERS) {
    simt::check_global(p, 4, "store_global", SIMT_SITE);
    *p = v;
}

#undef SIMT_SITE
#undef SIMT_SITE_PARAMETERS

#endif
