/* SPDX-License-Identifier: Apache-2.0 */
#include "backend.h"

#ifdef CONVSMITH_WITH_CUDA
#include <cuda_runtime_api.h>

static bool check(cudaError_t error, const char *what, cs_message *message) {
    return error == cudaSuccess || cs_refuse(message, "CUDA: %s: %s", what, cudaGetErrorString(error));
}

static bool select_device(convsmith_device device, cs_message *message) {
    return check(cudaSetDevice(device.ordinal), "choosing the device", message);
}

static bool allocate(convsmith_device device, void **block, size_t size, cs_message *message) {
    if (!select_device(device, message))
        return false;
    const cudaError_t error = cudaMalloc(block, size);
    return error == cudaSuccess ||
           cs_refuse(message, "no device memory for a buffer of %zu bytes: %s", size, cudaGetErrorString(error));
}

static void release(void *block) { cudaFree(block); }

static bool to_device(convsmith_device device, void *target, const void *source, size_t size, cs_message *message) {
    return select_device(device, message) &&
           check(cudaMemcpy(target, source, size, cudaMemcpyHostToDevice), "copying to the device", message);
}

static bool to_host(convsmith_device device, void *target, const void *source, size_t size, cs_message *message) {
    return select_device(device, message) &&
           check(cudaMemcpy(target, source, size, cudaMemcpyDeviceToHost), "copying from the device", message);
}

static void watch_destroy(cs_stopwatch *watch) {
    for (int i = 0; i < 2; i++)
        if (watch->events[i])
            cudaEventDestroy(watch->events[i]);
    watch->events[0] = watch->events[1] = NULL;
}

static bool watch_create(cs_stopwatch *watch, cs_message *message) {
    if (!select_device(watch->device, message))
        return false;
    for (int i = 0; i < 2; i++) {
        cudaEvent_t event;
        if (!check(cudaEventCreate(&event), "creating an event", message)) {
            watch_destroy(watch);
            return false;
        }
        watch->events[i] = event;
    }
    return true;
}

static bool watch_start(cs_stopwatch *watch, cs_message *message) {
    return check(cudaEventRecord(watch->events[0], NULL), "recording an event", message);
}

static bool watch_end(cs_stopwatch *watch, cs_message *message) {
    return check(cudaEventRecord(watch->events[1], NULL), "recording an event", message);
}

static bool watch_read(cs_stopwatch *watch, double *milliseconds, cs_message *message) {
    float elapsed = 0;
    const bool good = check(cudaEventSynchronize(watch->events[1]), "waiting for the work", message) &&
                      check(cudaEventElapsedTime(&elapsed, watch->events[0], watch->events[1]), "timing", message);
    *milliseconds = (double)elapsed;
    return good;
}

const cs_backend cs_backend_cuda = {
    .allocate = allocate,
    .release = release,
    .to_device = to_device,
    .to_host = to_host,
    .watch_create = watch_create,
    .watch_destroy = watch_destroy,
    .watch_start = watch_start,
    .watch_end = watch_end,
    .watch_read = watch_read,
};

#endif
