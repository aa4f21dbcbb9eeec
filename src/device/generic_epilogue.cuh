// SPDX-License-Identifier: Apache-2.0
//
// The epilogue of the generic CUDA kernels: a list of operations that is interpreted, four values of a thread at a
// time.
#pragma once

#include <device/generic_tile.cuh>
#include <device/steps.cuh>

#include <device/generic_steps.h>

// What operations received whose input is wanted later; apart from the rest, which stays in registers.
using generic_kept = float[CS_MAX_STEPS][4];

// Four values of a thread, and where they belong.
template <class E> struct generic_values {
    static constexpr int count = 4;
    const cs_generic_args &args;
    float value[count];
    int channel[count]; // of all channels
    const generic_pixel *pixel[count];
    bool real[count];

    __device__ __forceinline__ explicit generic_values(const cs_generic_args &args) : args(args) {}

    __device__ __forceinline__ int64_t place_in_y(int i) const {
        return pixel[i]->y + channel[i] * args.conv.y_strides[1];
    }
    __device__ __forceinline__ int64_t place_in_values(int i) const {
        return pixel[i]->value + channel[i] * args.pixels;
    }

    // An operation's first or second operand for a value.
    __device__ __forceinline__ float operand(const cs_generic_op &op, int which, int i) const {
        if (op.source == CS_OPERANDS_NONE)
            return 0.0f;
        const int64_t at = args.weight.operands_at + (2 * op.pair + which) * static_cast<int64_t>(args.weight.c_out);
        return load_global(static_cast<const float *>(args.conv.packed) + at + channel[i]);
    }

    __device__ __forceinline__ void normalise() {
#pragma unroll
        for (int i = 0; i < count; ++i) {
            const cs_affine *norm = args.conv.affine + pixel[i]->n * args.weight.c_out + channel[i];
            value[i] = value[i] * load_global(&norm->a) + load_global(&norm->b);
        }
    }

    __device__ __forceinline__ void add_tensor(int which) {
        const E *const tensor = static_cast<const E *>(args.conv.tensors[which]);
#pragma unroll
        for (int i = 0; i < count; ++i)
            if (real[i])
                value[i] += to_float(load_global(tensor + place_in_y(i)));
    }

    __device__ __forceinline__ void apply_pointwise(const cs_generic_op &op) {
#define CS_CASE(CODE, VALUE)                                                                                           \
    case CODE:                                                                                                         \
        _Pragma("unroll") for (int i = 0; i < count; ++i) {                                                            \
            const float v = value[i];                                                                                  \
            [[maybe_unused]] const float p = operand(op, 0, i), q = operand(op, 1, i);                                 \
            value[i] = VALUE;                                                                                          \
        }                                                                                                              \
        break;
        switch (op.code) { CS_POINTWISE_OPERATIONS(CS_CASE) }
#undef CS_CASE
    }

    __device__ __forceinline__ void apply(int first, int last, generic_kept &kept) {
        for (int step = first; step < last; ++step) {
            const cs_generic_op &op = args.program.ops[step];
            if (args.program.kept >> step & 1)
#pragma unroll
                for (int i = 0; i < count; ++i)
                    kept[step][i] = value[i];
            if (op.code == CS_OP_NORMALISE)
                normalise();
            else if (op.code == CS_OP_ADD_TENSOR)
                add_tensor(op.which);
            else if (op.code == CS_OP_MULTIPLY_BY)
#pragma unroll
                for (int i = 0; i < count; ++i)
                    value[i] *= kept[op.which][i];
            else
                apply_pointwise(op);
        }
    }

    __device__ __forceinline__ void write(bool stored) const {
#pragma unroll
        for (int i = 0; i < count; ++i)
            if (real[i]) {
                if (stored)
                    store_global(args.values + place_in_values(i), value[i]);
                else
                    store_global(static_cast<E *>(args.conv.y) + place_in_y(i), from_float<E>(value[i]));
            }
    }
};

// A tile's values through operations `first` to `last`, and to the workspace (stored) or to y. `values` and `pixels`
// are in shared memory, and are not read any more when all threads have come back.
template <class S, class E>
__device__ __forceinline__ void generic_epilogue(const cs_generic_args &args, const generic_place &place, int first,
                                                 int last, bool stored, const float *values,
                                                 const generic_pixel *pixels) {
    const generic_share share = share_of_thread<S>(!stored && args.y_channels_fastest != 0);
    constexpr int count = generic_values<E>::count;
    static_assert(S::values % count == 0, "values come four at a time");
    generic_kept kept;
    for (int begin = 0; begin < S::values; begin += count) {
        generic_values<E> four(args);
#pragma unroll
        for (int i = 0; i < count; ++i) {
            const int pixel = share.pixel + (begin + i) * share.next_pixel;
            const int channel = share.channel + (begin + i) * share.next_channel;
            four.real[i] = pixel < place.pixels && channel < place.channels;
            four.channel[i] = place.channel + (four.real[i] ? channel : 0);
            four.pixel[i] = pixels + (four.real[i] ? pixel : 0);
            four.value[i] = four.real[i] ? values[channel * S::pitch + pixel] : 0.0f;
        }
        four.apply(first, last, kept);
        four.write(stored);
    }
}
