// SPDX-License-Identifier: Apache-2.0
//
// Numbers as the tensor cores take them. A number of fp32 is the sum of two tf32, to about 20 bits, and a product of
// two such sums is three products, first * first + rest * first + first * rest: the error of a product of fp32 but for
// a few last bits. (Ootomo and Yokota, "Recovering single precision accuracy from Tensor Cores while surpassing the
// FP32 theoretical peak performance", 2022.)
#pragma once

#include <device/ptx.cuh>

// The bits of an input for the tensor cores, which cut off the low 13. The factor, 1 + ln(2) / 2048, adds 0.35 to 0.69
// units of what is left, so that the error is at most 0.69 of them and zero on average, and an input that is a tf32
// stays what it is. One multiplication; rounding proper takes a test for NaN and one operation more.
__device__ __forceinline__ uint32_t tf32_input(float value) { return float_bits(value * 1.00033845f); }

// The two pieces, the first one cut off, so that the largest numbers stay finite: what both lack is less than 2^-20 of
// the number. They have the same sign or the second one is zero, as it is for infinities: see tf32_weight.
__device__ __forceinline__ uint32_t tf32_first(float value) { return float_bits(value) & 0xffffe000u; }
__device__ __forceinline__ float tf32_rest(float value) {
    return fabsf(value) == INFINITY ? 0.0f : value - to_float(tf32{tf32_first(value)});
}

// Both pieces of inputs. Cut off by a mask that the compiler does not know: it would leave the cutting to the tensor
// cores, and move what is uncut from where loads have left it to where an operand has to lie before each product.
class tf32_cut {
    uint32_t mask_;

  public:
    __device__ __forceinline__ tf32_cut() : mask_(static_cast<uint32_t>(warp_uniform(~0x1fff))) {}
    __device__ __forceinline__ uint32_t first(float value) const { return float_bits(value) & mask_; }
    __device__ __forceinline__ uint32_t rest(float value) const {
        return fabsf(value) == INFINITY ? 0u : float_bits(value - to_float(tf32{first(value)}));
    }
};

// Of a weight, `piece` of `pieces`. Where there is no rest, the second piece is the least number of the weight's sign:
// an infinite input times it is then the same infinity as times the first piece, not NaN. (An infinite weight in two
// pieces makes NaN all the same, and so may one below 2^-114; below 2^-106 a weight loses digits.)
__device__ __forceinline__ uint32_t tf32_weight(float value, int piece, int pieces) {
    if (pieces == 1 || !(fabsf(value) < INFINITY))
        return piece == 0 ? tf32_round(value) : 0u;
    if (piece == 0)
        return tf32_first(value);
    const float rest = tf32_rest(value);
    return tf32_round(rest == 0.0f && value != 0.0f ? copysignf(0x1p-126f, value) : rest);
}

// The bits of an element, and element i of a word of 32 bits.
__device__ __forceinline__ uint32_t element_bits(float value) { return float_bits(value); }
template <class T> __device__ __forceinline__ uint32_t element_bits(T value) { return value.bits; }
template <class T> __device__ __forceinline__ T element_of(uint32_t word, int i) {
    return {static_cast<uint16_t>(word >> (i * 16))};
}
template <> __device__ __forceinline__ float element_of<float>(uint32_t word, int) { return to_float(tf32{word}); }

// Piece `piece` of PIECES of an input or a weight, as an element of an operand; a number of 16 bits is its one piece.
template <int PIECES> __device__ __forceinline__ tf32 input_piece(float value, int piece) {
    if (PIECES == 1)
        return {tf32_input(value)};
    return {piece == 0 ? tf32_first(value) : tf32_input(tf32_rest(value))};
}
template <int PIECES> __device__ __forceinline__ f16 input_piece(f16 value, int) { return value; }
template <int PIECES> __device__ __forceinline__ bf16 input_piece(bf16 value, int) { return value; }

template <class Operand> __device__ __forceinline__ Operand weight_piece(float value, int, int) {
    return from_float<Operand>(value);
}
template <> __device__ __forceinline__ tf32 weight_piece<tf32>(float value, int piece, int pieces) {
    return {tf32_weight(value, piece, pieces)};
}

// One of two halves of a weight that two rows of k share: both of its sign, so that an infinite input is no NaN (but
// for the least f16 of all, whose halves are itself and nothing). Together they are what one element would be.
template <class Operand> __device__ __forceinline__ float shared_weight(float value, bool second) {
    const float whole = to_float(from_float<Operand>(value)), half = to_float(from_float<Operand>(whole * 0.5f));
    return second && fabsf(whole) < INFINITY ? whole - half : half;
}
template <> __device__ __forceinline__ float shared_weight<tf32>(float value, bool) { return value * 0.5f; }
