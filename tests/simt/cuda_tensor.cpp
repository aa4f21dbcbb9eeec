// SPDX-License-Identifier: Apache-2.0
//
// The driver's function that describes tensors to the copy engine. It refuses what the driver refuses.
#include "cuda_shim.h"
#include "tensor.h"

#include <algorithm>
#include <cstring>
#include <cuda.h>

using simt::result;

namespace {

constexpr unsigned kVersion = 12000; // from which on the driver has it
constexpr cuuint32_t kMaxBox = 256, kMaxStep = 8;
constexpr cuuint64_t kMaxSize = cuuint64_t{1} << 32, kMaxStride = cuuint64_t{1} << 40;

bool is_multiple(std::uint64_t value, std::uint64_t of) { return value % of == 0; }

constexpr std::uint64_t kUnknown = ~std::uint64_t{0};

// 0 for what this machine does not know.
std::uint64_t bytes_of(CUtensorMapDataType type) {
    return type == CU_TENSOR_MAP_DATA_TYPE_UINT16 ? 2 : type == CU_TENSOR_MAP_DATA_TYPE_FLOAT32 ? 4 : 0;
}

std::uint64_t bytes_of(CUtensorMapSwizzle swizzle) {
    if (swizzle == CU_TENSOR_MAP_SWIZZLE_NONE) {
        return 0;
    }
    return swizzle >= CU_TENSOR_MAP_SWIZZLE_32B && swizzle <= CU_TENSOR_MAP_SWIZZLE_128B ? std::uint64_t{16} << swizzle
                                                                                         : kUnknown;
}

bool has_good_sizes(const simt::Tensor &tensor) {
    for (std::size_t i = 0; i < tensor.sizes.size(); ++i) {
        if (tensor.sizes[i] < 1 || tensor.sizes[i] > kMaxSize) {
            return false;
        }
    }
    return is_multiple(tensor.box_row_bytes(), simt::kPart) &&
           (tensor.row_bytes == 0 || tensor.box_row_bytes() <= tensor.row_bytes);
}

// Places of different indices may be the same: only that a stride is 0 is refused here, since nothing says that the
// driver takes it.
bool has_good_strides(const simt::Tensor &tensor) {
    for (std::size_t i = 1; i < tensor.strides.size(); ++i) {
        if (!is_multiple(tensor.strides[i], simt::kPart) || tensor.strides[i] == 0 || tensor.strides[i] >= kMaxStride) {
            return false;
        }
    }
    return true;
}

CUresult encode(CUtensorMap *map, CUtensorMapDataType type, cuuint32_t indices, void *elements, const cuuint64_t *sizes,
                const cuuint64_t *strides, const cuuint32_t *box, const cuuint32_t *steps,
                CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle, CUtensorMapL2promotion,
                CUtensorMapFloatOOBfill fill) {
    simt::Tensor tensor = {};
    if (map == nullptr || reinterpret_cast<std::uintptr_t>(map) % alignof(CUtensorMap) != 0 ||
        indices != tensor.sizes.size() || elements == nullptr ||
        !is_multiple(reinterpret_cast<std::uintptr_t>(elements), simt::kPart)) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    tensor.elements = static_cast<unsigned char *>(elements);
    tensor.element_bytes = bytes_of(type);
    tensor.row_bytes = bytes_of(swizzle);
    std::copy_n(sizes, tensor.sizes.size(), tensor.sizes.begin());
    for (std::size_t i = 0; i < tensor.box.size(); ++i) {
        if (box[i] < 1 || box[i] > kMaxBox || steps[i] < 1 || steps[i] > (i == 0 ? 1 : kMaxStep)) {
            return CUDA_ERROR_INVALID_VALUE;
        }
        tensor.steps[i] = steps[i];
        tensor.box[i] = (box[i] + steps[i] - 1) / steps[i];
    }
    tensor.strides[0] = tensor.element_bytes;
    std::copy_n(strides, tensor.strides.size() - 1, tensor.strides.begin() + 1);
    const bool plain = interleave == CU_TENSOR_MAP_INTERLEAVE_NONE && fill == CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;
    if (!plain || tensor.element_bytes == 0 || tensor.row_bytes == kUnknown || !has_good_sizes(tensor) ||
        !has_good_strides(tensor)) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    tensor.encode(map);
    return CUDA_SUCCESS;
}

CUresult replace_address(CUtensorMap *map, void *elements) {
    simt::Tensor tensor;
    if (map == nullptr || reinterpret_cast<std::uintptr_t>(map) % alignof(CUtensorMap) != 0 || elements == nullptr ||
        !is_multiple(reinterpret_cast<std::uintptr_t>(elements), simt::kPart) || !simt::Tensor::decode(map, &tensor)) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    tensor.elements = static_cast<unsigned char *>(elements);
    tensor.encode(map);
    return CUDA_SUCCESS;
}

// The driver's functions that this machine has.
void *driver_function(const char *symbol) {
    if (std::strcmp(symbol, "cuTensorMapEncodeTiled") == 0) {
        return reinterpret_cast<void *>(encode);
    }
    return std::strcmp(symbol, "cuTensorMapReplaceAddress") == 0 ? reinterpret_cast<void *>(replace_address) : nullptr;
}

} // namespace

cudaError_t cudaGetDriverEntryPointByVersion(const char *symbol, void **function, unsigned int version,
                                             unsigned long long flags, cudaDriverEntryPointQueryResult *found) {
    if (symbol == nullptr || function == nullptr || found == nullptr || flags != cudaEnableDefault) {
        return result(cudaErrorInvalidValue);
    }
    const cudaError_t error = simt::check_device(simt::current_device());
    if (error != cudaSuccess) {
        return result(error);
    }
    *function = nullptr;
    if (driver_function(symbol) == nullptr) {
        *found = cudaDriverEntryPointSymbolNotFound;
    } else if (version < kVersion) {
        *found = cudaDriverEntryPointVersionNotSufficent;
    } else {
        *found = cudaDriverEntryPointSuccess;
        *function = driver_function(symbol);
    }
    return cudaSuccess;
}
