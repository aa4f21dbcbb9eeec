/* SPDX-License-Identifier: Apache-2.0 */
#include "resident.h"

#include <math.h>

/* The figures of device/resident.cuh. */
enum { COLUMNS = 64, COMPUTERS = 8, MAX_BUFFERS = 4, LEAST_BUFFERS = 2, BARRIERS = 3 + 2 * MAX_BUFFERS + 4 };

/* A sum's fraction in fixed point must leave the variance accurate beside eps: with 2^47 for the whole sum the error
 * is below 1e-11 for groups of up to 2^24 values, so that 1/sqrt(variance + eps) is good to six digits. */
#define LEAST_EPS 1e-6f
#define MOST_VALUES ((int64_t)1 << 24)

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* The least size from `floats` on that is `rest` modulo `modulus`. */
static int64_t pad(int64_t floats, int64_t modulus, int64_t rest) {
    return floats + ((rest - floats) % modulus + modulus) % modulus;
}

/* The last row of a plane: whole segments are read, with their taps in fours, whatever the row's end; what lies behind
 * it must not be the buffers, which are written meanwhile. */
static int64_t row_floats(const convsmith_problem *problem, int64_t segments) {
    const int64_t read = segments * COLUMNS + problem->kw + 2;
    return problem->w > read ? problem->w : read;
}

static int64_t padded_channels(const convsmith_kernel_info *info) {
    const int64_t parts = COMPUTERS / info->tile_h;
    const int64_t tiles = divide_up(info->key.c_out, 16);
    return 16 * parts * divide_up(tiles, parts);
}

/* Everything in shared memory but the buffers. */
static int64_t fixed_bytes(const convsmith_kernel_info *info, const cs_resident *r) {
    const int64_t c = info->key.c_out;
    return (int64_t)info->input_planes * r->plane * (int64_t)sizeof(float) +
           info->tile_h * padded_channels(info) * (int64_t)sizeof(cs_moments) + c * (int64_t)sizeof(cs_moments) +
           2 * c * (int64_t)sizeof(cs_affine) + BARRIERS * (int64_t)sizeof(uint64_t);
}

static int64_t buffer_bytes(const convsmith_kernel_info *info, const cs_resident *r) {
    return (int64_t)info->key.c_out * r->pitch * (int64_t)sizeof(float);
}

int64_t cs_resident_shared_bytes(const convsmith_kernel_info *info, const cs_resident *r) {
    return fixed_bytes(info, r) + r->buffers * buffer_bytes(info, r);
}

int64_t cs_resident_sums_bytes(const convsmith_problem *problem) {
    return problem->n * problem->groups * 2 * (int64_t)sizeof(uint64_t);
}

bool cs_resident_fit(const convsmith_kernel_info *info, const convsmith_problem *problem,
                     const cs_device_traits *traits, cs_resident *r) {
    const int64_t h_out = problem->h - problem->kh + 1, w_out = problem->w - problem->kw + 1;
    const int64_t segments = divide_up(w_out, COLUMNS);
    if (segments > info->tile_h || problem->eps < LEAST_EPS)
        return false;
    const int64_t most_rows = info->tile_h / segments;
    const int64_t rows = most_rows < h_out ? most_rows : h_out;
    const int64_t bands = divide_up(h_out, rows);
    if (bands > traits->multiprocessors || h_out * w_out > MOST_VALUES / problem->c_out)
        return false;
    const int64_t most_lanes = traits->multiprocessors / bands;
    const int64_t values = problem->c_out / problem->groups * h_out * w_out;
    *r = (cs_resident){
        .rows = (int32_t)rows,
        .segments = (int32_t)segments,
        .bands = (int32_t)bands,
        .lanes = (int32_t)(most_lanes < problem->n ? most_lanes : problem->n),
        /* Banks: the four k of a quad a plane apart, and a warp's channels a pitch apart, must not meet. */
        .plane = (int32_t)pad((rows + problem->kh - 2) * problem->w + row_floats(problem, segments), 32, 8),
        .pitch = (int32_t)pad(rows * w_out, 8, 4),
        .scale = ldexp(1.0, 47 - (int)ceil(log2((double)values + 1.0))),
    };
    const int64_t room = traits->shared_bytes - fixed_bytes(info, r);
    const int64_t buffers = room > 0 ? room / buffer_bytes(info, r) : 0;
    r->buffers = (int32_t)(buffers < MAX_BUFFERS ? buffers : MAX_BUFFERS);
    return buffers >= LEAST_BUFFERS;
}
