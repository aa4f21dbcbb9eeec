// SPDX-License-Identifier: Apache-2.0
//
// The emulated device, and the kernels' attributes.
#include "cuda_shim.h"
#include "memory.h"
#include "simt.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

using simt::check_device;
using simt::current_device;
using simt::kDefaultShared;
using simt::result;

namespace {

constexpr int kOldestSm = 80; // kernels are compiled for this and newer

// What a multiprocessor has, for all its blocks.
constexpr int kSmThreads = 2048;
constexpr int kSmBlocks = 32;
constexpr std::size_t kSmShared = 228 << 10;
constexpr std::size_t kReservedShared = 1024; // of it, by each block

thread_local int device_in_use = 0;

// The dynamic shared memory that kernels asked for.
class SharedLimits {
  public:
    static SharedLimits &get() {
        static SharedLimits limits;
        return limits;
    }
    void set(const void *kernel, std::size_t bytes) {
        const std::lock_guard<std::mutex> lock(mutex_);
        limits_[kernel] = bytes;
    }
    std::size_t of(const void *kernel) {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto found = limits_.find(kernel);
        return found == limits_.end() ? kDefaultShared : found->second;
    }

  private:
    std::mutex mutex_;
    std::map<const void *, std::size_t> limits_;
};

int from_environment(const char *name, int otherwise) {
    const char *const text = std::getenv(name);
    if (text == nullptr) {
        return otherwise;
    }
    char *end;
    const long value = std::strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 0 || value > INT_MAX) {
        simt::fail("%s is \"%s\"; it must be a decimal number", name, text);
    }
    return static_cast<int>(value);
}

int device_count() { return from_environment("CONVSMITH_SIMT_DEVICES", 1); }
int device_sm() { return from_environment("CONVSMITH_SIMT_SM", 90); }
int device_shared() { return from_environment("CONVSMITH_SIMT_SHARED", static_cast<int>(simt::kMaxShared)); }
int device_sms() { return from_environment("CONVSMITH_SIMT_SMS", 132); }

cudaError_t attribute_value(int *value, cudaDeviceAttr attribute) {
    static const std::map<int, int> values = {
        {cudaDevAttrMaxThreadsPerBlock, simt::kMaxBlock},
        {cudaDevAttrMaxBlockDimX, simt::kMaxBlock},
        {cudaDevAttrMaxGridDimX, INT_MAX},
        {cudaDevAttrMaxSharedMemoryPerBlock, kDefaultShared},
        {cudaDevAttrWarpSize, simt::kWarp},
        {cudaDevAttrMaxRegistersPerBlock, 65536},
        {cudaDevAttrL2CacheSize, 50 << 20},
        {cudaDevAttrMaxThreadsPerMultiProcessor, kSmThreads},
        {cudaDevAttrMaxSharedMemoryPerMultiprocessor, static_cast<int>(kSmShared)},
        {cudaDevAttrMaxRegistersPerMultiprocessor, 65536},
        {cudaDevAttrMaxSharedMemoryPerBlockOptin, device_shared()},
        {cudaDevAttrMaxBlocksPerMultiprocessor, kSmBlocks},
        {cudaDevAttrReservedSharedMemoryPerBlock, static_cast<int>(kReservedShared)},
        {cudaDevAttrCooperativeLaunch, 1},
    };
    if (attribute == cudaDevAttrComputeCapabilityMajor || attribute == cudaDevAttrComputeCapabilityMinor) {
        *value = attribute == cudaDevAttrComputeCapabilityMajor ? device_sm() / 10 : device_sm() % 10;
        return cudaSuccess;
    }
    if (attribute == cudaDevAttrMultiProcessorCount) {
        *value = device_sms();
        return cudaSuccess;
    }
    const auto found = values.find(attribute);
    if (found == values.end()) {
        return cudaErrorInvalidValue;
    }
    *value = found->second;
    return cudaSuccess;
}

cudaError_t check_function(const void *function) {
    const cudaError_t error = check_device(current_device());
    if (error != cudaSuccess) {
        return error;
    }
    if (function == nullptr) {
        return cudaErrorInvalidDeviceFunction;
    }
    return device_sm() < kOldestSm ? cudaErrorNoKernelImageForDevice : cudaSuccess;
}

} // namespace

int simt::current_device() { return device_in_use; }

cudaError_t simt::check_device(int device) {
    if (device_count() == 0) {
        return cudaErrorNoDevice;
    }
    return device < 0 || device >= device_count() ? cudaErrorInvalidDevice : cudaSuccess;
}

cudaError_t simt::check_launch(const void *kernel, unsigned grid, unsigned block, std::size_t shared,
                               cudaStream_t stream) {
    const cudaError_t error = check_function(kernel);
    if (error != cudaSuccess) {
        return result(error);
    }
    if (!known(stream)) {
        return result(cudaErrorInvalidResourceHandle);
    }
    if (grid == 0 || grid > static_cast<unsigned>(INT_MAX) || block == 0 || block > static_cast<unsigned>(kMaxBlock)) {
        return result(cudaErrorInvalidConfiguration);
    }
    return result(shared > SharedLimits::get().of(kernel) ? cudaErrorInvalidValue : cudaSuccess);
}

cudaError_t simt::check_cooperative(unsigned grid, unsigned block, std::size_t shared) {
    const std::size_t by_threads = kSmThreads / round_up(block, kWarp);
    const std::size_t by_shared = kSmShared / (shared + kReservedShared);
    const std::size_t per_sm = std::min({by_threads, by_shared, static_cast<std::size_t>(kSmBlocks)});
    const bool fits = grid <= per_sm * static_cast<std::size_t>(device_sms());
    return result(fits ? cudaSuccess : cudaErrorCooperativeLaunchTooLarge);
}

cudaError_t cudaDriverGetVersion(int *version) { return cudaRuntimeGetVersion(version); }

cudaError_t cudaRuntimeGetVersion(int *version) {
    if (version == nullptr) {
        return result(cudaErrorInvalidValue);
    }
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count) {
    if (count == nullptr) {
        return result(cudaErrorInvalidValue);
    }
    *count = device_count();
    return result(*count == 0 ? cudaErrorNoDevice : cudaSuccess);
}

cudaError_t cudaGetDevice(int *device) {
    if (device == nullptr) {
        return result(cudaErrorInvalidValue);
    }
    *device = current_device();
    return result(check_device(current_device()));
}

cudaError_t cudaSetDevice(int device) {
    const cudaError_t error = check_device(device);
    if (error == cudaSuccess) {
        device_in_use = device;
    }
    return result(error);
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int device) {
    if (value == nullptr) {
        return result(cudaErrorInvalidValue);
    }
    const cudaError_t error = check_device(device);
    return result(error == cudaSuccess ? attribute_value(value, attribute) : error);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device) {
    const cudaError_t error = properties == nullptr ? cudaErrorInvalidValue : check_device(device);
    if (error == cudaSuccess) {
        std::strcpy(properties->name, "emulated GPU");
    }
    return result(error);
}

cudaError_t cudaDeviceSynchronize(void) {
    return result(simt::is_capturing() ? cudaErrorStreamCaptureUnsupported : check_device(current_device()));
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *attributes, const void *function) {
    if (attributes == nullptr) {
        return result(cudaErrorInvalidValue);
    }
    const cudaError_t error = check_function(function);
    if (error != cudaSuccess) {
        return result(error);
    }
    *attributes = {};
    attributes->maxThreadsPerBlock = simt::kMaxBlock;
    attributes->numRegs = 64;
    attributes->ptxVersion = device_sm();
    attributes->binaryVersion = device_sm();
    attributes->maxDynamicSharedSizeBytes = static_cast<int>(SharedLimits::get().of(function));
    return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void *function, cudaFuncAttribute attribute, int value) {
    const cudaError_t error = check_function(function);
    if (error != cudaSuccess) {
        return result(error);
    }
    if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) {
        return cudaSuccess;
    }
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 || value > device_shared()) {
        return result(cudaErrorInvalidValue);
    }
    SharedLimits::get().set(function, static_cast<std::size_t>(value));
    return cudaSuccess;
}
