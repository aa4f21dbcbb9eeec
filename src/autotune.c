/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE
#include "autotune.h"
#include "choose.h"
#include "order.h"
#include "status.h"
#include "trial.h"
#include "tuning.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The file of a problem --------------------------------------------------------------------------------------- */

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
    for (size_t i = 0; i < size; ++i)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text) { return hash_bytes(hash, text, strlen(text) + 1); }

static uint64_t hash_identity(uint64_t hash, const cs_identity *id) {
    const int32_t numbers[] = {id->model.compute_capability, id->model.multiprocessors, id->runtime};
    hash = hash_text(hash_text(hash_text(hash, id->model.name), id->driver), id->version);
    return hash_bytes(hash, numbers, sizeof numbers);
}

static int64_t groups_of(const cs_settled *s) { return s->chain.normalisation >= 0 ? s->problem.groups : 0; }

static float eps_of(const cs_settled *s) { return s->chain.normalisation >= 0 ? s->problem.eps : 0; }

/* What of a problem the candidates do not tell; eps, as some of them refuse a small one. */
static uint64_t hash_problem(uint64_t hash, const cs_settled *s) {
    const convsmith_problem *p = &s->problem;
    const float eps = eps_of(s);
    const int64_t numbers[] = {p->n,          p->c_in,        p->h,         p->w,     p->c_out, p->kh,
                               p->kw,         p->stride_h,    p->stride_w,  p->pad_h, p->pad_w, p->dilation_h,
                               p->dilation_w, p->conv_groups, groups_of(s), p->dtype, p->math};
    hash = hash_bytes(hash, numbers, sizeof numbers);
    hash = hash_bytes(hash, &eps, sizeof eps);
    hash = hash_bytes(hash, p->x_strides, sizeof p->x_strides);
    hash = hash_bytes(hash, p->y_strides, sizeof p->y_strides);
    return hash_text(hash, p->epilogue);
}

/* A kernel that was planned anew may keep its name. */
static uint64_t hash_kernel(uint64_t hash, const convsmith_kernel_info *info) {
    const int64_t plan[] = {info->tile_c,        info->tile_h,    info->tile_w,       info->threads,
                            info->blocks_per_sm, info->registers, info->shared_bytes, info->packed_bytes};
    return hash_bytes(hash_text(hash, info->name), plan, sizeof plan);
}

static uint64_t hash_all(const cs_identity *here, const cs_settled *s, const cs_candidates *c) {
    uint64_t hash = hash_problem(hash_identity(UINT64_C(0xcbf29ce484222325), here), s);
    for (size_t i = 0; i < c->count; ++i)
        hash = hash_kernel(hash, &c->rows[i].kernel->info);
    return hash;
}

typedef struct cache {
    const char *folder;
    char path[1024];
    cs_identity here;
    int lock; /* a file's descriptor; negative: there is none */
} cache;

/* For people, the name begins with that of a kernel: the table's first for the problem, whichever is chosen. */
static convsmith_status name_file(cache *cache, const cs_settled *s, const cs_candidates *c) {
    const int length = snprintf(cache->path, sizeof cache->path, "%s/%.100s-%016" PRIx64 ".lua", cache->folder,
                                c->rows[0].kernel->info.name, hash_all(&cache->here, s, c));
    if (length >= 0 && (size_t)length < sizeof cache->path)
        return CONVSMITH_OK;
    return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->autotune: the folder's path is too long");
}

/* ---- One process at a time --------------------------------------------------------------------------------------- */

static convsmith_status fail_path(const char *path, const char *what) {
    return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->autotune: %s: %s: %s", path, what, strerror(errno));
}

/* Waits for other threads and processes that are timing, which would disturb each other. A file system that cannot lock
 * is no reason to fail: files are whole anyway. */
static convsmith_status lock(cache *cache) {
    char path[1024 + 8];
    if (mkdir(cache->folder, 0777) != 0 && errno != EEXIST)
        return fail_path(cache->folder, "the folder cannot be made");
    snprintf(path, sizeof path, "%.1000s/lock", cache->folder);
    cache->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (cache->lock < 0)
        return fail_path(path, "cannot be written");
    while (flock(cache->lock, LOCK_EX) != 0 && errno == EINTR)
        ;
    return CONVSMITH_OK;
}

static void unlock(cache *cache) {
    if (cache->lock >= 0)
        close(cache->lock);
    cache->lock = -1;
}

/* ---- Reading and writing ----------------------------------------------------------------------------------------- */

static bool is_all_the_same(const cs_identity *a, const cs_identity *b) {
    return cs_is_same_model(&a->model, &b->model) && strcmp(a->driver, b->driver) == 0 && a->runtime == b->runtime &&
           strcmp(a->version, b->version) == 0;
}

/* Whether it is what would be written for this problem; two may have one hash. */
static bool is_of_problem(const convsmith_tuning *tuning, const cache *cache, const cs_settled *s,
                          const cs_candidates *c) {
    if (!is_all_the_same(&tuning->identity, &cache->here) || tuning->count != 1)
        return false;
    const cs_tuned_problem *p = &tuning->problems[0];
    if (p->n != s->problem.n || p->h != s->problem.h || p->w != s->problem.w || p->groups != groups_of(s))
        return false;
    for (size_t i = 0; i < p->kernels.count; ++i)
        if (!cs_has_candidate(c, p->kernels.rows[i].name))
            return false;
    return true;
}

/* Orders the candidates by the file; false where it is not there, damaged or another's. */
static bool read_cache(const cache *cache, const cs_settled *s, cs_candidates *c) {
    convsmith_tuning *tuning;
    if (cs_tuning_read(&tuning, cache->path) != CONVSMITH_OK)
        return false;
    const bool good = is_of_problem(tuning, cache, s, c);
    if (good)
        cs_order_by_times(c, &tuning->problems[0].kernels);
    convsmith_tuning_destroy(tuning);
    return good;
}

/* To a temporary beside it, which takes its name once it is whole. */
static convsmith_status write_file(const convsmith_tuning *tuning, const char *path) {
    char temporary[1024 + 64];
    /* No two threads have a place on their stacks in common. */
    snprintf(temporary, sizeof temporary, "%s.%ld-%p.tmp", path, (long)getpid(), (void *)temporary);
    FILE *stream = fopen(temporary, "w");
    if (stream == NULL)
        return fail_path(temporary, "cannot be written");
    cs_tuning_write(tuning, stream);
    const bool written = fflush(stream) == 0 && !ferror(stream);
    const bool closed = fclose(stream) == 0;
    if (written && closed && rename(temporary, path) == 0)
        return CONVSMITH_OK;
    const convsmith_status status = fail_path(path, "cannot be written in full");
    unlink(temporary);
    return status;
}

static convsmith_status write_cache(const cache *cache, const cs_settled *s, const cs_timings *timings) {
    const cs_tuned_problem problem = {
        .n = s->problem.n, .h = s->problem.h, .w = s->problem.w, .groups = groups_of(s), .kernels = *timings};
    convsmith_tuning *tuning;
    convsmith_status status = cs_tuning_create(&tuning, &cache->here);
    if (status != CONVSMITH_OK)
        return status;
    cs_tuning_set_date(tuning);
    status = cs_tuning_put(tuning, &problem);
    if (status == CONVSMITH_OK)
        status = write_file(tuning, cache->path);
    convsmith_tuning_destroy(tuning);
    return status;
}

/* ---- Timing ------------------------------------------------------------------------------------------------------ */

/* Those that cannot be launched are left out. */
static convsmith_status time_candidates(const convsmith_plan *plan, const cs_settled *s, const cs_candidates *c,
                                        cs_timing *rows, size_t *count) {
    for (size_t i = 0; i < c->count; ++i) {
        convsmith_plan trial = *plan;
        if (cs_take_candidate(&trial, s, &c->rows[i]) != CONVSMITH_OK)
            continue;
        const convsmith_status status = cs_trial_run(&trial, &rows[*count]);
        if (status != CONVSMITH_OK)
            return status;
        ++*count;
    }
    return CONVSMITH_OK;
}

static convsmith_status measure(const cache *cache, const convsmith_plan *plan, const cs_settled *s, cs_candidates *c) {
    cs_timing *rows = malloc(c->count * sizeof *rows);
    if (rows == NULL)
        return cs_fail(CONVSMITH_OUT_OF_MEMORY, "no memory for the times of %zu kernels", c->count);
    cs_timings timings = {rows, 0};
    convsmith_status status = time_candidates(plan, s, c, rows, &timings.count);
    if (status == CONVSMITH_OK && timings.count > 0) {
        status = write_cache(cache, s, &timings);
        cs_order_by_times(c, &timings);
    }
    free(rows);
    return status;
}

convsmith_status cs_autotune(const convsmith_plan *plan, const cs_settled *s, cs_candidates *candidates) {
    cache cache = {.folder = s->problem.autotune, .lock = -1};
    convsmith_status status = cs_identify(&plan->traits, &cache.here);
    if (status == CONVSMITH_OK)
        status = name_file(&cache, s, candidates);
    if (status != CONVSMITH_OK || read_cache(&cache, s, candidates))
        return status;
    status = lock(&cache);
    /* Another may have written it meanwhile. */
    if (status == CONVSMITH_OK && !read_cache(&cache, s, candidates))
        status = measure(&cache, plan, s, candidates);
    unlock(&cache);
    return status;
}
