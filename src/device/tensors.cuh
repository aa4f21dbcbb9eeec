// SPDX-License-Identifier: Apache-2.0
//
// The tensors that add_tensor steps add: of y's elements, each where y has the value that it is added to.
#pragma once

#include <device/args.h>
#include <device/ptx.cuh>

// Where y has a value, in elements from its first.
__device__ __forceinline__ int64_t y_place(const cs_conv_args &args, int n, int channel, int row, int col) {
    return n * args.y_strides[0] + channel * args.y_strides[1] + row * args.y_strides[2] + col * args.y_strides[3];
}

// What COUNT tensors have for one value.
template <int COUNT> struct tensor_values {
    float value[COUNT];
    __device__ __forceinline__ float operator[](int i) const { return value[i]; }
};

// The run's tensors FIRST to FIRST + COUNT - 1, from element `place` on.
template <class E, int FIRST, int COUNT> class tensor_places {
    const E *from_[COUNT];

  public:
    __device__ __forceinline__ tensor_places(const cs_conv_args &args, int64_t place) {
#pragma unroll
        for (int i = 0; i < COUNT; ++i)
            from_[i] = static_cast<const E *>(args.tensors[FIRST + i]) + place;
    }

    // Those at element `at` from there, zeros where that is not `inside` of y.
    __device__ __forceinline__ tensor_values<COUNT> load(int64_t at, bool inside) const {
        tensor_values<COUNT> values;
#pragma unroll
        for (int i = 0; i < COUNT; ++i)
            values.value[i] = inside ? to_float(load_global(from_[i] + at)) : 0.0f;
        return values;
    }
};
