// SPDX-License-Identifier: Apache-2.0
//
// Streams and events: all work is done when its call returns, so these are only handles, of streams that are captured
// (cuda_graph.h) also what they keep.
#include "cuda_graph.h"
#include "cuda_handles.h"

#include <chrono>

struct CUevent_st {
    bool recorded = false;
    std::chrono::steady_clock::time_point time;
};

using simt::known;
using simt::result;

namespace {

using Streams = simt::Handles<cudaStream_t>;
using Events = simt::Handles<cudaEvent_t>;

} // namespace

bool simt::known(cudaStream_t stream) { return stream == nullptr || Streams::get().known(stream); }

bool simt::known(cudaEvent_t event) { return Events::get().known(event); }

cudaError_t cudaStreamCreate(cudaStream_t *stream) { return result(Streams::get().create(stream)); }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned) { return cudaStreamCreate(stream); }

cudaError_t cudaStreamDestroy(cudaStream_t stream) { return result(Streams::get().destroy(stream)); }

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    if (!known(stream)) {
        return result(cudaErrorInvalidResourceHandle);
    }
    return result(simt::is_capturing() ? cudaErrorStreamCaptureUnsupported : cudaSuccess);
}

cudaError_t cudaEventCreate(cudaEvent_t *event) { return result(Events::get().create(event)); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned) { return cudaEventCreate(event); }

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    if (!known(event) || !known(stream)) {
        return result(cudaErrorInvalidResourceHandle);
    }
    event->recorded = true;
    event->time = std::chrono::steady_clock::now();
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    return result(known(event) ? cudaSuccess : cudaErrorInvalidResourceHandle);
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end) {
    if (milliseconds == nullptr) {
        return result(cudaErrorInvalidValue);
    }
    if (!known(start) || !known(end) || !start->recorded || !end->recorded) {
        return result(cudaErrorInvalidResourceHandle);
    }
    *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) { return result(Events::get().destroy(event)); }
