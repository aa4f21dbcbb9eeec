// SPDX-License-Identifier: Apache-2.0
#include "cuda_graph.h"
#include "cuda_handles.h"

#include <utility>

using simt::known;
using simt::result;

namespace {

using Graphs = simt::Handles<cudaGraph_t>;
using Executables = simt::Handles<cudaGraphExec_t>;

thread_local int captures = 0; // that this CPU thread has begun and not ended

} // namespace

bool simt::is_capturing() { return captures > 0; }

cudaError_t simt::enqueue(cudaStream_t stream, std::function<void()> work) {
    if (stream != nullptr && stream->captured) {
        stream->captured->work.push_back(std::move(work));
    } else if (is_capturing()) {
        return cudaErrorStreamCaptureUnsupported; // it would not be in the graph
    } else {
        work();
    }
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
    if (!known(stream)) {
        return result(cudaErrorInvalidResourceHandle);
    }
    if (stream == nullptr) {
        return result(cudaErrorStreamCaptureUnsupported);
    }
    if (stream->captured) {
        return result(cudaErrorIllegalState);
    }
    stream->captured = std::make_unique<CUgraph_st>();
    ++captures;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph) {
    if (stream == nullptr || !known(stream) || graph == nullptr) {
        return result(cudaErrorInvalidValue);
    }
    if (!stream->captured) {
        return result(cudaErrorIllegalState);
    }
    const std::unique_ptr<CUgraph_st> captured = std::move(stream->captured);
    --captures;
    const cudaError_t error = Graphs::get().create(graph);
    if (error == cudaSuccess) {
        **graph = std::move(*captured);
    }
    return result(error);
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return result(Graphs::get().destroy(graph)); }

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *executable, cudaGraph_t graph, unsigned long long) {
    if (!Graphs::get().known(graph)) {
        return result(cudaErrorInvalidValue);
    }
    const cudaError_t error = Executables::get().create(executable);
    if (error == cudaSuccess) {
        (*executable)->work = graph->work;
    }
    return result(error);
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
    if (!Executables::get().known(executable) || !known(stream)) {
        return result(cudaErrorInvalidValue);
    }
    for (const std::function<void()> &work : executable->work) {
        const cudaError_t error = simt::enqueue(stream, work);
        if (error != cudaSuccess) {
            return result(error);
        }
    }
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) { return result(Executables::get().destroy(executable)); }
