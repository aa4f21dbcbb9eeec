/* SPDX-License-Identifier: Apache-2.0 */
#include "resident.h"

#include <math.h>

/* The figures of device/resident.cuh. */
enum { TILE = 64, ROW_BYTES = 16, MAX_BUFFERS = 4, LEAST_BUFFERS = 2, MAX_BANDS = 255, MOST_WIDTH = 1 << 16 };

/* A sum's fraction in fixed point must leave the variance accurate beside eps. The sum of values of 1 has about 2^47
 * units, and each band and channel rounds by half of one at most: 6e-11 of the mean if 132 bands of 64 channels all
 * round alike, some 1e-12 as a rule. So 1/sqrt(variance + eps) is good to four digits at the worst, to six as a rule.
 */
#define LEAST_EPS 1e-6f
#define MOST_VALUES ((int64_t)1 << 24)

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t buffer_bytes(const convsmith_kernel *kernel) {
    return (int64_t)kernel->info.key.c_out * kernel->resident.pitch * (int64_t)sizeof(float);
}

/* Everything in shared memory but the buffers. */
static int64_t other_bytes(const convsmith_kernel *kernel, const cs_resident *r) {
    return kernel->resident.fixed_bytes + (int64_t)kernel->resident.planes * r->pixels * ROW_BYTES;
}

int64_t cs_resident_shared_bytes(const convsmith_kernel *kernel, const cs_resident *r) {
    return other_bytes(kernel, r) + r->buffers * buffer_bytes(kernel);
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

/* Bands of so many parts of so many places, the same for all but the last; false where they do not fit. */
static bool cut(const convsmith_kernel *kernel, const convsmith_problem *problem, const cs_device_traits *traits,
                int64_t parts, int64_t part, cs_resident *r) {
    const image image = image_of(problem);
    const int64_t places = parts * part;
    const int64_t bands = divide_up((image.h_out - 1) * image.width + image.w_out, places);
    if (bands > traits->multiprocessors || bands > MAX_BANDS)
        return false;
    const int64_t values = problem->c_out / problem->groups * image.h_out * image.w_out;
    /* Whole tiles are read under every tap, whatever lies behind a part's last pixel. */
    const int64_t read = places - part + divide_up(part, TILE) * TILE;
    const int64_t reach = (problem->kh - 1) * image.width + problem->kw - 1;
    *r = (cs_resident){
        .places = (int32_t)places,
        .part = (int32_t)part,
        .bands = (int32_t)bands,
        .lanes = (int32_t)least(traits->multiprocessors / bands, problem->n),
        .pixels = (int32_t)least(read + reach, INT32_MAX),
        .scale = ldexp(1.0, 47 - (int)ceil(log2((double)values + 1.0))),
    };
    const int64_t room = traits->shared_bytes - other_bytes(kernel, r);
    r->buffers = (int32_t)least(room > 0 ? room / buffer_bytes(kernel) : 0, MAX_BUFFERS);
    return r->buffers >= LEAST_BUFFERS && r->buffers >= parts;
}

/* Bands of one part, as many tiles as fit. */
static bool cut_tiles(const convsmith_kernel *kernel, const convsmith_problem *problem, const cs_device_traits *traits,
                      cs_resident *r) {
    const image image = image_of(problem);
    const int64_t all = divide_up((image.h_out - 1) * image.width + image.w_out, TILE);
    for (int64_t tiles = kernel->info.tile_w / TILE; tiles > 0; --tiles)
        if (cut(kernel, problem, traits, 1, divide_up(all, divide_up(all, tiles)) * TILE, r))
            return true;
    return false;
}

/* Bands of as few parts as fit, each as many whole rows as its tiles hold. */
static bool cut_rows(const convsmith_kernel *kernel, const convsmith_problem *problem, const cs_device_traits *traits,
                     cs_resident *r) {
    const image image = image_of(problem);
    const int64_t rows = least(kernel->info.tile_w / image.width, image.h_out);
    for (int64_t parts = 1; rows > 0 && parts <= MAX_BUFFERS; ++parts)
        if (cut(kernel, problem, traits, parts, rows * image.width, r))
            return true;
    return false;
}

bool cs_resident_fit(const convsmith_kernel *kernel, const convsmith_problem *problem, const cs_device_traits *traits,
                     cs_resident *r) {
    const image image = image_of(problem);
    if (problem->eps < LEAST_EPS || image.h_out * image.w_out > MOST_VALUES / problem->c_out)
        return false;
    /* A block steps over `lanes` samples, the last time beyond n. */
    if (problem->n > INT32_MAX - traits->multiprocessors || image.width > MOST_WIDTH)
        return false;
    return kernel->resident.in_parts ? cut_rows(kernel, problem, traits, r) : cut_tiles(kernel, problem, traits, r);
}
