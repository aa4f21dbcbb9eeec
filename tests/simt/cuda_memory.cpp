// SPDX-License-Identifier: Apache-2.0
#include "cuda_shim.h"
#include "memory.h"

#include <cstring>

using simt::check_device;
using simt::current_device;
using simt::known;
using simt::MemoryAccess;
using simt::result;

namespace {

// Where bytes may lie; what lies partly in an allocation is in neither place.
enum Side { kNowhere = 0, kHost = 1, kDevice = 2, kAnywhere = kHost | kDevice };

Side side_of(const void *address, std::size_t bytes) {
    if (address == nullptr) {
        return kNowhere;
    }
    if (simt::memory_contains(address, bytes)) {
        return kDevice;
    }
    return simt::memory_touches(address, bytes) ? kNowhere : kHost;
}

// By cudaMemcpyKind.
struct Direction {
    Side from, to;
};
constexpr Direction kDirections[] = {
    {kHost, kHost}, {kHost, kDevice}, {kDevice, kHost}, {kDevice, kDevice}, {kAnywhere, kAnywhere},
};

cudaError_t copy(void *to, const void *from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
    if (!known(stream)) {
        return cudaErrorInvalidResourceHandle;
    }
    if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault) {
        return cudaErrorInvalidMemcpyDirection;
    }
    if (bytes == 0) {
        return cudaSuccess;
    }
    if ((side_of(from, bytes) & kDirections[kind].from) == 0 || (side_of(to, bytes) & kDirections[kind].to) == 0) {
        return cudaErrorInvalidValue;
    }
    return simt::enqueue(stream, [=] {
        const MemoryAccess access;
        std::memmove(to, from, bytes);
    });
}

cudaError_t fill(void *to, int value, std::size_t bytes, cudaStream_t stream) {
    if (!known(stream)) {
        return cudaErrorInvalidResourceHandle;
    }
    if (bytes != 0 && side_of(to, bytes) != kDevice) {
        return cudaErrorInvalidValue;
    }
    return simt::enqueue(stream, [=] {
        const MemoryAccess access;
        std::memset(to, value, bytes);
    });
}

} // namespace

cudaError_t cudaMalloc(void **address, std::size_t bytes) {
    if (address == nullptr) {
        return result(cudaErrorInvalidValue);
    }
    *address = nullptr;
    const cudaError_t error = simt::is_capturing() ? cudaErrorStreamCaptureUnsupported : check_device(current_device());
    if (error != cudaSuccess || bytes == 0) {
        return result(error);
    }
    *address = simt::memory_allocate(bytes);
    return result(*address == nullptr ? cudaErrorMemoryAllocation : cudaSuccess);
}

cudaError_t cudaFree(void *address) {
    if (address == nullptr) {
        return cudaSuccess;
    }
    return result(simt::memory_free(address) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMemGetInfo(std::size_t *available, std::size_t *total) {
    if (available == nullptr || total == nullptr) {
        return result(cudaErrorInvalidValue);
    }
    *total = simt::kDeviceMemory;
    *available = simt::kDeviceMemory - simt::memory_in_use();
    return result(check_device(current_device()));
}

cudaError_t cudaMemcpy(void *to, const void *from, std::size_t bytes, cudaMemcpyKind kind) {
    return result(copy(to, from, bytes, kind, nullptr));
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
    return result(copy(to, from, bytes, kind, stream));
}

cudaError_t cudaMemset(void *to, int value, std::size_t bytes) { return result(fill(to, value, bytes, nullptr)); }

cudaError_t cudaMemsetAsync(void *to, int value, std::size_t bytes, cudaStream_t stream) {
    return result(fill(to, value, bytes, stream));
}
