/* SPDX-License-Identifier: Apache-2.0 */
#include "buffer.h"

#include "backend.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD_SIZE = 4096 };

static const cs_backend *const backends[] = {
    [CONVSMITH_DEVICE_CPU] = &cs_backend_cpu,
#ifdef CONVSMITH_WITH_CUDA
    [CONVSMITH_DEVICE_CUDA] = &cs_backend_cuda,
#else
    [CONVSMITH_DEVICE_CUDA] = NULL,
#endif
};

/* Not NULL once cs_buffer_create or cs_stopwatch_create has succeeded on the device. */
static const cs_backend *backend_of(convsmith_device device) { return backends[device.kind]; }

static bool check_device(convsmith_device device, cs_message *message) {
    return backend_of(device) || cs_refuse(message, "this build has no CUDA support");
}

static bool create(cs_buffer *buffer, convsmith_device device, size_t size, size_t lead, size_t guard,
                   cs_message *message) {
    *buffer = (cs_buffer){.device = device, .size = size, .lead = lead, .guard = guard};
    if (size > PTRDIFF_MAX - lead - guard)
        return cs_refuse(message, "a buffer of %zu bytes cannot be addressed", size);
    const size_t bytes = lead + size + guard;
    if (!check_device(device, message) ||
        !backend_of(device)->allocate(device, &buffer->block, bytes > 0 ? bytes : 1, message))
        return false;
    buffer->data = (char *)buffer->block + buffer->lead;
    return true;
}

static bool fill(const cs_buffer *buffer, void *target, size_t size, unsigned char byte, cs_message *message) {
    if (size == 0)
        return true;
    void *pattern = malloc(size);
    if (!pattern)
        return cs_refuse(message, "no memory for %zu bytes", size);
    memset(pattern, byte, size);
    const bool good = backend_of(buffer->device)->to_device(buffer->device, target, pattern, size, message);
    free(pattern);
    return good;
}

bool cs_buffer_create(cs_buffer *buffer, convsmith_device device, size_t size, cs_message *message) {
    return create(buffer, device, size, 0, 0, message);
}

bool cs_buffer_create_guarded(cs_buffer *buffer, convsmith_device device, size_t size, size_t alignment,
                              cs_message *message) {
    if (!create(buffer, device, size, GUARD_SIZE + alignment, GUARD_SIZE, message)) /* an odd multiple */
        return false;
    if (!fill(buffer, buffer->block, buffer->lead + size + buffer->guard, CS_POISON, message)) {
        cs_buffer_destroy(buffer);
        return false;
    }
    return true;
}

void cs_buffer_destroy(cs_buffer *buffer) {
    if (buffer->block)
        backend_of(buffer->device)->release(buffer->block);
    *buffer = (cs_buffer){0};
}

bool cs_buffer_upload(const cs_buffer *buffer, size_t offset, const void *source, size_t size, cs_message *message) {
    return size == 0 ||
           backend_of(buffer->device)->to_device(buffer->device, (char *)buffer->data + offset, source, size, message);
}

bool cs_buffer_download(const cs_buffer *buffer, size_t offset, void *target, size_t size, cs_message *message) {
    return size == 0 ||
           backend_of(buffer->device)->to_host(buffer->device, target, (char *)buffer->data + offset, size, message);
}

bool cs_buffer_fill(const cs_buffer *buffer, unsigned char byte, cs_message *message) {
    return fill(buffer, buffer->data, buffer->size, byte, message);
}

/* How far from the contents the nearest damaged byte of a zone lies, 0 when the zone is whole. `step` leads away from
 * the contents, which begin beside `nearest`. */
static size_t damage(const unsigned char *nearest, ptrdiff_t step, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (nearest[(ptrdiff_t)i * step] != CS_POISON)
            return i + 1;
    return 0;
}

static bool check_zones(const cs_buffer *buffer, unsigned char *zone, const char *name, cs_message *message) {
    const cs_backend *backend = backend_of(buffer->device);
    if (!backend->to_host(buffer->device, zone, buffer->block, buffer->lead, message))
        return false;
    const size_t before = damage(zone + buffer->lead - 1, -1, buffer->lead);
    if (before)
        return cs_refuse(message, "something was written %zu byte(s) before the start of %s", before, name);
    if (!backend->to_host(buffer->device, zone, (char *)buffer->data + buffer->size, buffer->guard, message))
        return false;
    const size_t behind = damage(zone, 1, buffer->guard);
    if (behind)
        return cs_refuse(message, "something was written %zu byte(s) behind the end of %s", behind, name);
    return true;
}

bool cs_buffer_check_guards(const cs_buffer *buffer, const char *name, cs_message *message) {
    unsigned char *zone = malloc(buffer->lead);
    if (!zone)
        return cs_refuse(message, "no memory to check %s", name);
    const bool good = check_zones(buffer, zone, name, message);
    free(zone);
    return good;
}

bool cs_stopwatch_create(cs_stopwatch *watch, convsmith_device device, cs_message *message) {
    *watch = (cs_stopwatch){.device = device};
    return check_device(device, message) && backend_of(device)->watch_create(watch, message);
}

void cs_stopwatch_destroy(cs_stopwatch *watch) {
    if (backend_of(watch->device))
        backend_of(watch->device)->watch_destroy(watch);
}

bool cs_stopwatch_start(cs_stopwatch *watch, cs_message *message) {
    return backend_of(watch->device)->watch_start(watch, message);
}

bool cs_stopwatch_end(cs_stopwatch *watch, cs_message *message) {
    return backend_of(watch->device)->watch_end(watch, message);
}

bool cs_stopwatch_read(cs_stopwatch *watch, double *milliseconds, cs_message *message) {
    return backend_of(watch->device)->watch_read(watch, milliseconds, message);
}

bool cs_stopwatch_stop(cs_stopwatch *watch, double *milliseconds, cs_message *message) {
    return cs_stopwatch_end(watch, message) && cs_stopwatch_read(watch, milliseconds, message);
}
