// SPDX-License-Identifier: Apache-2.0
#include "tensor.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace simt {
namespace {

// A map: the tensor, and what shows that the bytes are all there.
struct Map {
    Tensor tensor;
    std::uint64_t seal;
};
static_assert(sizeof(Map) <= 128, "a map's bytes");

std::uint64_t seal_of(const Tensor &tensor) {
    unsigned char bytes[sizeof tensor];
    std::memcpy(bytes, &tensor, sizeof bytes);
    std::uint64_t seal = 0x5EA15EA15EA15EA1u;
    for (const unsigned char byte : bytes) {
        seal = (seal ^ byte) * 0x100000001B3u;
    }
    return seal;
}

// What a box from `from` has in the tensor along index i: every so manieth place of [begin, end).
struct Span {
    std::int64_t begin, end;
    bool has(std::int64_t at) const { return at >= begin && at < end; }
};

Span span(const Tensor &tensor, std::size_t i, std::int64_t from) {
    const std::int64_t step = tensor.steps[i], size = static_cast<std::int64_t>(tensor.sizes[i]);
    const std::int64_t begin = from < 0 ? from + (step - 1 - from) / step * step : from;
    const std::int64_t last = from + (static_cast<std::int64_t>(tensor.box[i]) - 1) * step;
    return {begin, std::min(last, size > begin ? size - 1 - (size - 1 - begin) % step : begin - 1) + 1};
}

} // namespace

void Tensor::encode(void *map) const {
    const Map whole = {*this, seal_of(*this)};
    std::memset(map, 0, 128);
    std::memcpy(map, &whole, sizeof whole);
}

bool Tensor::decode(const void *map, Tensor *tensor) {
    Map whole;
    std::memcpy(&whole, map, sizeof whole);
    *tensor = whole.tensor;
    return whole.seal == seal_of(whole.tensor);
}

const unsigned char *Tensor::touched(const TensorPlace &from, std::size_t *bytes) const {
    std::uint64_t first = 0, last = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        const Span inside = span(*this, i, from[i]);
        if (inside.begin >= inside.end) {
            return nullptr;
        }
        first += static_cast<std::uint64_t>(inside.begin) * strides[i];
        last += static_cast<std::uint64_t>(inside.end - 1) * strides[i];
    }
    *bytes = static_cast<std::size_t>(last - first + element_bytes);
    return elements + first;
}

void Tensor::read(const TensorPlace &from, std::size_t offset, unsigned char *to) const {
    const Span c = span(*this, 0, from[0]), w = span(*this, 1, from[1]), h = span(*this, 2, from[2]),
               n = span(*this, 3, from[3]);
    std::vector<unsigned char> row(box_row_bytes());
    std::size_t at = 0;
    const std::int64_t ends[] = {0, from[1] + box[1] * steps[1], from[2] + box[2] * steps[2],
                                 from[3] + box[3] * steps[3]};
    for (std::int64_t i = from[3]; i < ends[3]; i += steps[3]) {
        for (std::int64_t y = from[2]; y < ends[2]; y += steps[2]) {
            for (std::int64_t x = from[1]; x < ends[1]; x += steps[1], at += row.size()) {
                std::fill(row.begin(), row.end(), static_cast<unsigned char>(0));
                if (c.begin < c.end && w.has(x) && h.has(y) && n.has(i)) {
                    const auto place =
                        static_cast<std::uint64_t>(c.begin) * strides[0] + static_cast<std::uint64_t>(x) * strides[1] +
                        static_cast<std::uint64_t>(y) * strides[2] + static_cast<std::uint64_t>(i) * strides[3];
                    std::memcpy(row.data() + static_cast<std::uint64_t>(c.begin - from[0]) * element_bytes,
                                elements + place, static_cast<std::uint64_t>(c.end - c.begin) * element_bytes);
                }
                for (std::size_t part = 0; part < row.size(); part += kPart) {
                    std::memcpy(to + swizzled(offset + at + part, row_bytes) - offset, row.data() + part, kPart);
                }
            }
        }
    }
}

} // namespace simt
