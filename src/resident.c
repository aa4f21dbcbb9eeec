/* SPDX-License-Identifier: Apache-2.0 */
#include "resident.h"

#include <math.h>

/* The figures of device/resident.cuh. */
enum {
    TILE = 64,
    ROW_BYTES = 16,
    MAX_BUFFERS = 4,
    LEAST_BUFFERS = 2,
    MAX_BANDS = 255,
    MOST_LEAD = 3,
    MOST_WIDTH = 1 << 16
};

/* A sum's fraction in fixed point must leave the variance accurate beside eps. The sum of values of 1 has about 2^47
 * units, and each band and channel rounds by half of one at most: 6e-11 of the mean if 132 bands of 64 channels all
 * round alike, some 1e-12 as a rule. So 1/sqrt(variance + eps) is good to four digits at the worst, to six as a rule.
 */
#define LEAST_EPS 1e-6f
#define MOST_VALUES ((int64_t)1 << 24)

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* The least size from `floats` on that is 4 or 12 modulo 16: then a warp's stores, eight pixels of four pairs of
 * channels, fall into different banks; and each channel's room begins at a multiple of 16 bytes. */
static int64_t pitch_for(int64_t floats) { return divide_up(floats - 4, 8) * 8 + 4; }

static int64_t buffer_bytes(const convsmith_kernel *kernel, const cs_resident *r) {
    return (int64_t)kernel->info.key.c_out * r->pitch * (int64_t)sizeof(float);
}

/* Everything in shared memory but the buffers. */
static int64_t other_bytes(const convsmith_kernel *kernel, const cs_resident *r) {
    return kernel->resident.fixed_bytes + (int64_t)kernel->resident.planes * r->pixels * ROW_BYTES;
}

int64_t cs_resident_shared_bytes(const convsmith_kernel *kernel, const cs_resident *r) {
    return other_bytes(kernel, r) + r->buffers * buffer_bytes(kernel, r);
}

int64_t cs_resident_sums_bytes(const convsmith_kernel *kernel, const convsmith_problem *problem, const cs_resident *r) {
    return r->bands == 1 ? 0 : problem->n * problem->groups * kernel->resident.words * (int64_t)sizeof(uint64_t);
}

/* A sample's outputs, and the places of a row of x: its columns and those of padding on its left. */
typedef struct image {
    int64_t h_out, w_out, width;
} image;

static image image_of(const convsmith_problem *p) {
    return (image){.h_out = p->h + 2 * (int64_t)p->pad_h - p->kh + 1,
                   .w_out = p->w + 2 * (int64_t)p->pad_w - p->kw + 1,
                   .width = (int64_t)p->w + p->pad_w};
}

/* Values of a channel in a band of so many places, at most. */
static int64_t values_in(const image *image, int64_t places) {
    return places / image->width * image->w_out + least(places % image->width, image->w_out);
}

/* Bands of so many tiles at most, the same for all but the last; false where they do not fit. */
static bool cut(const convsmith_kernel *kernel, const convsmith_problem *problem, const cs_device_traits *traits,
                int64_t tiles, cs_resident *r) {
    const image image = image_of(problem);
    const int64_t all = divide_up((image.h_out - 1) * image.width + image.w_out, TILE);
    const int64_t places = divide_up(all, divide_up(all, tiles)) * TILE, bands = divide_up(all * TILE, places);
    if (bands > traits->multiprocessors || bands > MAX_BANDS)
        return false;
    const int64_t values = problem->c_out / problem->groups * image.h_out * image.w_out;
    /* Whole tiles are read under every tap, whatever lies behind a band's last pixel. */
    const int64_t reach = (problem->kh - 1) * image.width + problem->kw - 1;
    *r = (cs_resident){
        .places = (int32_t)places,
        .bands = (int32_t)bands,
        .lanes = (int32_t)least(traits->multiprocessors / bands, problem->n),
        .pixels = (int32_t)least(places + reach, INT32_MAX),
        .pitch = (int32_t)pitch_for(values_in(&image, places) + MOST_LEAD),
        .scale = ldexp(1.0, 47 - (int)ceil(log2((double)values + 1.0))),
    };
    const int64_t room = traits->shared_bytes - other_bytes(kernel, r);
    r->buffers = (int32_t)least(room > 0 ? room / buffer_bytes(kernel, r) : 0, MAX_BUFFERS);
    return r->buffers >= LEAST_BUFFERS;
}

bool cs_resident_fit(const convsmith_kernel *kernel, const convsmith_problem *problem, const cs_device_traits *traits,
                     cs_resident *r) {
    const image image = image_of(problem);
    if (problem->eps < LEAST_EPS || image.h_out * image.w_out > MOST_VALUES / problem->c_out)
        return false;
    /* A block steps over `lanes` samples, the last time beyond n. */
    if (problem->n > INT32_MAX - traits->multiprocessors || image.width > MOST_WIDTH)
        return false;
    for (int64_t tiles = kernel->info.tile_w / TILE; tiles > 0; --tiles)
        if (cut(kernel, problem, traits, tiles, r))
            return true;
    return false;
}
