// SPDX-License-Identifier: Apache-2.0
//
// src/cuda_launch.c for the emulated machine.
#include "cuda_launch.h"
#include "cuda_shim.h"
#include "simt.h"

namespace {

template <class Args> void invoke(const void *kernel, const void *args) {
    void (*function)(Args);
    __builtin_memcpy(&function, &kernel, sizeof function);
    function(*static_cast<const Args *>(args));
}

template <class Args>
cudaError_t launch(void (*kernel)(Args), const Args *args, unsigned grid, unsigned block, std::size_t shared,
                   cudaStream_t stream, bool cooperative = false) {
    const void *address;
    __builtin_memcpy(&address, &kernel, sizeof address);
    cudaError_t error = simt::check_launch(address, grid, block, shared, stream);
    if (error == cudaSuccess && cooperative) {
        error = simt::check_cooperative(grid, block, shared);
    }
    if (error != cudaSuccess) {
        return error;
    }
    // A copy, as a launch takes one: what the caller does to its own later must not matter.
    const Args copy = *args;
    return simt::result(simt::enqueue(stream, [=] {
        simt::run({invoke<Args>, address, &copy, static_cast<std::int64_t>(grid), static_cast<int>(block), shared,
                   cooperative});
    }));
}

template <class Args> cudaError_t load(void (*kernel)(Args)) {
    const void *address;
    __builtin_memcpy(&address, &kernel, sizeof address);
    cudaFuncAttributes attributes;
    return cudaFuncGetAttributes(&attributes, address);
}

} // namespace

cudaError_t cs_prepare_conv(void (*kernel)(cs_conv_args), std::size_t shared) {
    const void *address;
    __builtin_memcpy(&address, &kernel, sizeof address);
    cudaFuncAttributes attributes;
    const cudaError_t error = cudaFuncGetAttributes(&attributes, address);
    if (error != cudaSuccess || shared <= simt::kDefaultShared) {
        return error;
    }
    return cudaFuncSetAttribute(address, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared));
}

cudaError_t cs_prepare_pack(void (*kernel)(cs_pack_args)) { return load(kernel); }
cudaError_t cs_prepare_generic(void (*kernel)(cs_generic_args)) { return load(kernel); }
cudaError_t cs_prepare_generic_pack(void (*kernel)(cs_generic_pack_args)) { return load(kernel); }

cudaError_t cs_launch_conv(void (*kernel)(cs_conv_args), const cs_conv_args *args, unsigned grid, unsigned block,
                           std::size_t shared, cudaStream_t stream) {
    return launch(kernel, args, grid, block, shared, stream);
}

cudaError_t cs_launch_pack(void (*kernel)(cs_pack_args), const cs_pack_args *args, unsigned grid, unsigned block,
                           std::size_t shared, cudaStream_t stream) {
    return launch(kernel, args, grid, block, shared, stream);
}

cudaError_t cs_launch_conv_cooperative(void (*kernel)(cs_conv_args), const cs_conv_args *args, unsigned grid,
                                       unsigned block, std::size_t shared, cudaStream_t stream) {
    return launch(kernel, args, grid, block, shared, stream, true);
}

cudaError_t cs_launch_generic(void (*kernel)(cs_generic_args), const cs_generic_args *args, unsigned grid,
                              unsigned block, std::size_t shared, cudaStream_t stream) {
    return launch(kernel, args, grid, block, shared, stream);
}

cudaError_t cs_launch_generic_pack(void (*kernel)(cs_generic_pack_args), const cs_generic_pack_args *args,
                                   unsigned grid, unsigned block, std::size_t shared, cudaStream_t stream) {
    return launch(kernel, args, grid, block, shared, stream);
}
