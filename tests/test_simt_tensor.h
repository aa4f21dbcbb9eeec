// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the emulated copy engine share: tensors of floats, and kernels' arguments with a map of one.
#ifndef CONVSMITH_TEST_SIMT_TENSOR_H
#define CONVSMITH_TEST_SIMT_TENSOR_H

#include "test_simt.h"

namespace test_simt {

// The contiguous index first: c, w, h, n.
struct Box {
    int sizes[4], box[4];
    int row_bytes; // by which it is swizzled
    int steps[4] = {1, 1, 1, 1};
};

inline cudaError_t encode(const Box &of, void *elements, cs_tensor_map *map) {
    cs_tensor tensor = {};
    tensor.elements = elements;
    tensor.operand_bytes = sizeof(float);
    tensor.row_bytes = of.row_bytes;
    for (int i = 0; i < 4; ++i) {
        tensor.sizes[i] = of.sizes[i];
        tensor.box[i] = of.box[i];
        tensor.steps[i] = of.steps[i];
    }
    tensor.strides[0] = tensor.sizes[0] * tensor.operand_bytes;
    for (int i = 1; i < 3; ++i) {
        tensor.strides[i] = tensor.strides[i - 1] * tensor.sizes[i];
    }
    cs_tensor_driver driver;
    assert_int_equal(cs_find_tensor_driver(&driver), cudaSuccess);
    return cs_encode_tensor(&driver, map, &tensor);
}

inline int count(const int (&sizes)[4]) { return sizes[0] * sizes[1] * sizes[2] * sizes[3]; }

} // namespace test_simt

#endif
