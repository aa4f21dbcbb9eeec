// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the CUDA runtime's stand-in share.
#ifndef CONVSMITH_SIMT_CUDA_SHIM_H
#define CONVSMITH_SIMT_CUDA_SHIM_H

#include <cstddef>
#include <cuda_runtime_api.h>
#include <functional>

namespace simt {

constexpr std::size_t kDefaultShared = 48 * 1024; // what a kernel may have without asking for more

// Keeps an error for cudaGetLastError, and returns it.
cudaError_t result(cudaError_t error);

// The device this CPU thread uses; whether there is such a device.
int current_device();
cudaError_t check_device(int device);

// Whether a handle is of a stream (NULL is the default one), an event, that is not destroyed.
bool known(cudaStream_t stream);
bool known(cudaEvent_t event);

// Does the work at once or, where the stream is being captured, leaves it to launches of its graph.
cudaError_t enqueue(cudaStream_t stream, std::function<void()> work);

// Whether this CPU thread captures a stream: memory is not allocated then, and nothing waited for.
bool is_capturing();

// The error a device would refuse this launch with, also left for cudaGetLastError.
cudaError_t check_launch(const void *kernel, unsigned grid, unsigned block, std::size_t shared, cudaStream_t stream);

// The same for the grid of a cooperative launch that has passed the check above.
cudaError_t check_cooperative(unsigned grid, unsigned block, std::size_t shared);

} // namespace simt

#endif
