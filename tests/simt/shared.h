// SPDX-License-Identifier: Apache-2.0
//
// A block's dynamic shared memory: its end touches a page that cannot be touched, as closely as 16 bytes allow, and so
// does, within a page, its begin. The bytes between are watched.
#ifndef CONVSMITH_SIMT_SHARED_H
#define CONVSMITH_SIMT_SHARED_H

#include <cstddef>
#include <cstdint>

namespace simt {

class SharedMemory {
  public:
    static constexpr std::size_t kGuard = 64 * 1024; // on each side

    SharedMemory();
    ~SharedMemory();
    SharedMemory(const SharedMemory &) = delete;
    SharedMemory &operator=(const SharedMemory &) = delete;

    // Makes it `bytes` big, at most kMaxShared.
    void resize(std::size_t bytes);
    // Fills it, and what is watched, with NaN.
    void poison();
    // The offset of the first changed byte of what is watched; 0 if none was (byte 0 is the user's).
    std::ptrdiff_t damage() const;

    unsigned char *base() const { return base_; }
    std::size_t bytes() const { return bytes_; }
    bool contains(const void *address, std::size_t bytes) const;
    // Whether the address is in the pages on either side, and its offset from the base.
    bool near(std::uintptr_t address) const;
    std::ptrdiff_t offset(std::uintptr_t address) const;

  private:
    unsigned char *mapping_;
    std::size_t mapped_;
    unsigned char *end_;  // of the pages that can be touched
    unsigned char *open_; // begin of them
    unsigned char *base_;
    std::size_t bytes_ = 0;
};

} // namespace simt

#endif
