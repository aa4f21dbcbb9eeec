// SPDX-License-Identifier: Apache-2.0
//
// The memory of the emulated device. Each allocation ends at a page that cannot be touched, and another lies in front
// of it; its contents start as NaN. Outside kernels and the shim's copies none of it can be touched at all, as a real
// device's memory cannot be by the host.
#ifndef CONVSMITH_SIMT_MEMORY_H
#define CONVSMITH_SIMT_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace simt {

constexpr std::size_t kDeviceMemory = std::size_t{8} << 30;

std::size_t page_size();
inline std::size_t round_up(std::size_t value, std::size_t to) { return (value + to - 1) / to * to; }

// The bytes of one live allocation.
struct Range {
    std::uintptr_t begin, end;
};

// 16-byte aligned; NULL if the device has no more, or `bytes` is 0.
void *memory_allocate(std::size_t bytes);

// Takes back what memory_allocate gave, after which accesses fault; false if it gave no such thing.
bool memory_free(void *address);

std::size_t memory_in_use();

// Whether [address, address + bytes) lies in one live allocation; whether it touches any.
bool memory_contains(const void *address, std::size_t bytes);
bool memory_touches(const void *address, std::size_t bytes);

// All live allocations, by address.
std::vector<Range> memory_ranges();

// Says what lies at an address at which a kernel faulted; empty if it is nowhere near an allocation.
std::string memory_describe(std::uintptr_t address);

// Ends the program if something was written next to an allocation, in the few bytes that no page protects.
void memory_check();

// While one of these lives, device memory can be touched.
class MemoryAccess {
  public:
    MemoryAccess();
    ~MemoryAccess();
    MemoryAccess(const MemoryAccess &) = delete;
    MemoryAccess &operator=(const MemoryAccess &) = delete;
};

// Fills whole words with kPoison.
void poison(void *begin, std::size_t bytes);

// The first byte in [begin, end) that is no longer poison; `end` if all are.
const unsigned char *first_written(const unsigned char *begin, const unsigned char *end);

} // namespace simt

#endif
