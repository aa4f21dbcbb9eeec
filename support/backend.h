/* SPDX-License-Identifier: Apache-2.0
 *
 * What buffers and stopwatches need of a kind of device. Every function is false, with a message, on failure.
 */
#ifndef CS_SUPPORT_BACKEND_H
#define CS_SUPPORT_BACKEND_H

#include "buffer.h"

typedef struct cs_backend {
    bool (*allocate)(convsmith_device device, void **block, size_t size, cs_message *message);
    void (*release)(void *block);
    bool (*to_device)(convsmith_device device, void *target, const void *source, size_t size, cs_message *message);
    bool (*to_host)(convsmith_device device, void *target, const void *source, size_t size, cs_message *message);
    bool (*watch_create)(cs_stopwatch *watch, cs_message *message);
    void (*watch_destroy)(cs_stopwatch *watch);
    bool (*watch_start)(cs_stopwatch *watch, cs_message *message);
    bool (*watch_end)(cs_stopwatch *watch, cs_message *message);
    bool (*watch_read)(cs_stopwatch *watch, double *milliseconds, cs_message *message);
} cs_backend;

extern const cs_backend cs_backend_cpu;
#ifdef CONVSMITH_WITH_CUDA
extern const cs_backend cs_backend_cuda;
#endif

#endif
