// SPDX-License-Identifier: Apache-2.0
//
// The handles of one type that were created and not destroyed.
#ifndef CONVSMITH_SIMT_CUDA_HANDLES_H
#define CONVSMITH_SIMT_CUDA_HANDLES_H

#include "cuda_shim.h"

#include <map>
#include <memory>
#include <mutex>
#include <type_traits>

namespace simt {

template <class Handle> class Handles {
  public:
    static Handles &get() {
        static Handles handles;
        return handles;
    }

    cudaError_t create(Handle *handle) {
        if (handle == nullptr) {
            return cudaErrorInvalidValue;
        }
        const cudaError_t error = simt::check_device(simt::current_device());
        if (error != cudaSuccess) {
            return error;
        }
        auto object = std::make_unique<Object>();
        *handle = object.get();
        const std::lock_guard<std::mutex> lock(mutex_);
        live_[*handle] = std::move(object);
        return cudaSuccess;
    }

    cudaError_t destroy(Handle handle) {
        const std::lock_guard<std::mutex> lock(mutex_);
        return live_.erase(handle) == 0 ? cudaErrorInvalidResourceHandle : cudaSuccess;
    }

    bool known(Handle handle) {
        const std::lock_guard<std::mutex> lock(mutex_);
        return live_.count(handle) != 0;
    }

  private:
    using Object = std::remove_pointer_t<Handle>;

    std::mutex mutex_;
    std::map<Handle, std::unique_ptr<Object>> live_;
};

} // namespace simt

#endif
