/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "backend.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCK_ALIGNMENT = 256 /* as the CUDA runtime's */ };

static bool allocate(convsmith_device device, void **block, size_t size, cs_message *message) {
    (void)device;
    *block = aligned_alloc(BLOCK_ALIGNMENT, (size + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT);
    return *block || cs_refuse(message, "no memory for a buffer of %zu bytes", size);
}

static void release(void *block) { free(block); }

static bool copy(convsmith_device device, void *target, const void *source, size_t size, cs_message *message) {
    (void)device;
    (void)message;
    memcpy(target, source, size);
    return true;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static bool watch_create(cs_stopwatch *watch, cs_message *message) {
    (void)watch;
    (void)message;
    return true;
}

static void watch_destroy(cs_stopwatch *watch) { (void)watch; }

static bool watch_start(cs_stopwatch *watch, cs_message *message) {
    (void)message;
    watch->started = now();
    return true;
}

static bool watch_end(cs_stopwatch *watch, cs_message *message) {
    (void)message;
    watch->ended = now();
    return true;
}

static bool watch_read(cs_stopwatch *watch, double *milliseconds, cs_message *message) {
    (void)message;
    *milliseconds = watch->ended - watch->started;
    return true;
}

const cs_backend cs_backend_cpu = {
    .allocate = allocate,
    .release = release,
    .to_device = copy,
    .to_host = copy,
    .watch_create = watch_create,
    .watch_destroy = watch_destroy,
    .watch_start = watch_start,
    .watch_end = watch_end,
    .watch_read = watch_read,
};
