// SPDX-License-Identifier: Apache-2.0
//
// Tensors as the copy engine knows them: maps, boxes, and how boxes lie in shared memory.
#ifndef CONVSMITH_SIMT_TENSOR_H
#define CONVSMITH_SIMT_TENSOR_H

#include <array>
#include <cstddef>
#include <cstdint>

namespace simt {

constexpr std::size_t kPart = 16; // bytes that stay together

// Where in shared memory the part at `offset` is, of rows of `row_bytes` (32, 64, 128) that are swizzled.
inline std::size_t swizzled(std::size_t offset, std::size_t row_bytes) {
    return offset ^ (offset / 128 % (row_bytes / kPart)) * kPart;
}

using TensorPlace = std::array<std::int64_t, 4>; // the contiguous index first

struct Tensor {
    const unsigned char *elements;
    std::uint64_t element_bytes, row_bytes;      // row_bytes: by which it is swizzled
    std::array<std::uint64_t, 4> sizes, strides; // strides in bytes
    std::array<std::uint32_t, 4> box, steps;     // so many places, `steps` apart; those of the contiguous index are 1
    // Writes the 128 bytes of a map; false if these are not of a map that was written.
    void encode(void *map) const;
    static bool decode(const void *map, Tensor *tensor);

    std::size_t box_row_bytes() const { return static_cast<std::size_t>(box[0] * element_bytes); }
    std::size_t box_bytes() const { return box_row_bytes() * box[1] * box[2] * box[3]; }
    // From the first byte to behind the last that the box at `from` has in the tensor; NULL if it has none.
    const unsigned char *touched(const TensorPlace &from, std::size_t *bytes) const;
    // The box at `from`, zeros where it lies outside, as shared memory has it from an `offset` that is a multiple of
    // eight rows.
    void read(const TensorPlace &from, std::size_t offset, unsigned char *to) const;
};

} // namespace simt

#endif
