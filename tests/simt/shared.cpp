// SPDX-License-Identifier: Apache-2.0
#include "shared.h"
#include "memory.h"
#include "simt.h"

#include <sys/mman.h>

namespace simt {

SharedMemory::SharedMemory() : mapped_(round_up(kMaxShared, page_size()) + 2 * kGuard) {
    void *const mapping = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) {
        fail("no memory for a block's shared memory");
    }
    mapping_ = static_cast<unsigned char *>(mapping);
    end_ = mapping_ + mapped_ - kGuard;
    open_ = end_;
    base_ = end_;
}

SharedMemory::~SharedMemory() { munmap(mapping_, mapped_); }

void SharedMemory::resize(std::size_t bytes) {
    bytes_ = bytes;
    base_ = end_ - round_up(bytes, 16);
    unsigned char *const open = end_ - round_up(bytes, page_size());
    if (open == open_) {
        return;
    }
    const auto closed = static_cast<std::size_t>(open - mapping_);
    if (mprotect(mapping_, closed, PROT_NONE) != 0 ||
        mprotect(open, static_cast<std::size_t>(end_ - open), PROT_READ | PROT_WRITE) != 0) {
        fail("mprotect of a block's shared memory failed");
    }
    open_ = open;
}

void SharedMemory::poison() { simt::poison(open_, static_cast<std::size_t>(end_ - open_)); }

std::ptrdiff_t SharedMemory::damage() const {
    const unsigned char *const before = first_written(open_, base_);
    if (before != base_) {
        return before - base_;
    }
    const unsigned char *const after = first_written(base_ + bytes_, end_);
    return after != end_ ? after - base_ : 0;
}

bool SharedMemory::contains(const void *address, std::size_t bytes) const {
    const auto at = static_cast<std::size_t>(offset(reinterpret_cast<std::uintptr_t>(address)));
    return at <= bytes_ && bytes <= bytes_ - at;
}

bool SharedMemory::near(std::uintptr_t address) const {
    return address - reinterpret_cast<std::uintptr_t>(mapping_) < mapped_;
}

std::ptrdiff_t SharedMemory::offset(std::uintptr_t address) const {
    return static_cast<std::ptrdiff_t>(address - reinterpret_cast<std::uintptr_t>(base_));
}

} // namespace simt
