// SPDX-License-Identifier: Apache-2.0
//
// Boxes of tensors, brought to shared memory and from there.
#include "block.h"

namespace simt {
namespace {

constexpr std::size_t kStored = 128; // what the place of a box that is stored is a multiple of

Tensor decoded(const void *map, const char *what, Site site) {
    Tensor tensor;
    if (reinterpret_cast<std::uintptr_t>(map) % 64 != 0 || !Tensor::decode(map, &tensor)) {
        fail("%s (%s) by a map that was not encoded, or not at a multiple of 64 bytes", what, text(site).c_str());
    }
    return tensor;
}

} // namespace

// The offset of the box's place in shared memory.
std::ptrdiff_t Block::check_box(const void *shared, const Tensor &tensor, std::size_t alignment, const char *what,
                                Site site) const {
    // The hardware would take shorter rows too, at distances that nothing here has been held against.
    if (tensor.row_bytes != 0 && tensor.box_row_bytes() != tensor.row_bytes) {
        fail("%s (%s) of rows of %zu bytes, swizzled as those of %zu bytes", what, text(site).c_str(),
             tensor.box_row_bytes(), static_cast<std::size_t>(tensor.row_bytes));
    }
    check_shared(shared, tensor.box_bytes(), alignment, what, site);
    const std::ptrdiff_t offset = shared_.offset(reinterpret_cast<std::uintptr_t>(shared));
    const std::size_t period = 8 * tensor.row_bytes;
    if (period != 0 && static_cast<std::size_t>(offset) % period != 0) {
        fail("%s (%s) to byte %td of shared memory; rows of %zu bytes are swizzled in places of %zu", what,
             text(site).c_str(), offset, tensor.box_row_bytes(), period);
    }
    return offset;
}

void Block::tensor_load(void *shared, const void *map, const TensorPlace &from, void *word, Site site) {
    static constexpr char what[] = "tensor_load";
    pause();
    const Tensor tensor = decoded(map, what, site);
    const std::int64_t begin = from[0] * static_cast<std::int64_t>(tensor.element_bytes);
    if (tensor.row_bytes != 0 && begin % static_cast<std::int64_t>(kPart) != 0) {
        fail("%s (%s) of a swizzled box that begins %lld bytes into a row, no multiple of %zu", what,
             text(site).c_str(), static_cast<long long>(begin), kPart);
    }
    PhaseBarrier &barrier = phase_barrier(word, what, site);
    const std::ptrdiff_t offset = check_box(shared, tensor, kPart, what, site);
    std::size_t bytes = 0;
    if (const unsigned char *const first = tensor.touched(from, &bytes)) {
        check_global(first, bytes, 1, what, site);
    }
    start_load({static_cast<unsigned char *>(shared), tensor.box_bytes(), &barrier, what, site,
                [=](unsigned char *to) { tensor.read(from, static_cast<std::size_t>(offset), to); }});
}

void Block::tensor_store(const void *map, const void *shared, const TensorPlace &from, Site site) {
    static constexpr char what[] = "tensor_store";
    pause();
    const Tensor tensor = decoded(map, what, site);
    const std::ptrdiff_t offset = check_box(shared, tensor, kStored, what, site);
    std::size_t bytes = 0;
    if (const unsigned char *const first = tensor.touched(from, &bytes)) {
        check_global(first, bytes, 1, what, site);
    }
    tensor.for_parts(from, static_cast<std::size_t>(offset), [&](std::size_t at, unsigned char *part) {
        start_store({part, shared_.base() + at, kPart, site, {}}, what);
    });
}

} // namespace simt
