// SPDX-License-Identifier: Apache-2.0
#include "memory.h"
#include "simt.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

namespace simt {
namespace {

// A mapping is: guard page, front slack, the user's bytes, back slack (less than 16 bytes), guard page.
struct Allocation {
    unsigned char *mapping;
    std::size_t mapped;
    unsigned char *user;
    std::size_t bytes;
};

unsigned char *inner_begin(const Allocation &a) { return a.mapping + page_size(); }
unsigned char *inner_end(const Allocation &a) { return a.mapping + a.mapped - page_size(); }

// The first byte written next to the user's, in what no page protects; NULL if none was.
const unsigned char *damage(const Allocation &a) {
    const unsigned char *const before = first_written(inner_begin(a), a.user);
    if (before != a.user) {
        return before;
    }
    const unsigned char *const after = first_written(a.user + a.bytes, inner_end(a));
    return after == inner_end(a) ? nullptr : after;
}

void protect(const Allocation &a, int protection) {
    const auto inner = static_cast<std::size_t>(inner_end(a) - inner_begin(a));
    if (mprotect(inner_begin(a), inner, protection) != 0) {
        fail("mprotect of %zu bytes of device memory failed", inner);
    }
}

class Device {
  public:
    static Device &get() {
        static Device device;
        return device;
    }

    void *allocate(std::size_t bytes) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (bytes == 0 || bytes > kDeviceMemory - in_use_) {
            return nullptr;
        }
        const std::size_t padded = round_up(bytes, 16);
        const std::size_t inner = round_up(padded, page_size());
        const std::size_t mapped = inner + 2 * page_size();
        void *const mapping = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapping == MAP_FAILED) {
            return nullptr;
        }
        Allocation a{static_cast<unsigned char *>(mapping), mapped, nullptr, bytes};
        a.user = inner_end(a) - padded;
        protect(a, PROT_READ | PROT_WRITE);
        poison(inner_begin(a), inner);
        if (users_ == 0) {
            protect(a, PROT_NONE);
        }
        live_[reinterpret_cast<std::uintptr_t>(a.user)] = a;
        in_use_ += bytes;
        return a.user;
    }

    bool free(void *address) {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto found = live_.find(reinterpret_cast<std::uintptr_t>(address));
        if (found == live_.end()) {
            return false;
        }
        const Allocation a = found->second;
        protect(a, PROT_NONE);
        madvise(inner_begin(a), static_cast<std::size_t>(inner_end(a) - inner_begin(a)), MADV_DONTNEED);
        live_.erase(found);
        in_use_ -= a.bytes;
        retire(a);
        return true;
    }

    std::size_t in_use() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return in_use_;
    }

    std::vector<Range> ranges() {
        const std::lock_guard<std::mutex> lock(mutex_);
        std::vector<Range> ranges;
        ranges.reserve(live_.size());
        for (const auto &[begin, a] : live_) {
            ranges.push_back({begin, begin + a.bytes});
        }
        return ranges;
    }

    // No lock: the program is about to end, perhaps while it was held.
    std::string describe(std::uintptr_t address) const {
        for (const auto &entry : live_) {
            if (covers(entry.second, address)) {
                return place(entry.second, address, kLive);
            }
        }
        for (const Allocation &a : retired_) {
            if (covers(a, address)) {
                return place(a, address, "a freed allocation");
            }
        }
        return {};
    }

    void check() {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (const auto &entry : live_) {
            if (const unsigned char *const byte = damage(entry.second)) {
                fail("a write to %s", place(entry.second, reinterpret_cast<std::uintptr_t>(byte), kLive).c_str());
            }
        }
    }

    void open() {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (users_++ == 0) {
            protect_all(PROT_READ | PROT_WRITE);
        }
    }

    void close() {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (--users_ == 0) {
            protect_all(PROT_NONE);
        }
    }

  private:
    static constexpr std::size_t kRetired = 1024;
    static constexpr const char *kLive = "an allocation";

    static bool covers(const Allocation &a, std::uintptr_t address) {
        return address - reinterpret_cast<std::uintptr_t>(a.mapping) < a.mapped;
    }

    static std::string place(const Allocation &a, std::uintptr_t address, const char *what) {
        const auto offset = static_cast<std::int64_t>(address - reinterpret_cast<std::uintptr_t>(a.user));
        return "byte " + std::to_string(offset) + " of " + what + " of " + std::to_string(a.bytes) + " bytes";
    }

    void protect_all(int protection) {
        for (const auto &entry : live_) {
            protect(entry.second, protection);
        }
    }

    // The addresses of what was freed last are not given out again, so that a late access still faults.
    void retire(const Allocation &a) {
        retired_.push_back(a);
        if (retired_.size() > kRetired) {
            munmap(retired_.front().mapping, retired_.front().mapped);
            retired_.pop_front();
        }
    }

    std::mutex mutex_;
    std::map<std::uintptr_t, Allocation> live_;
    std::deque<Allocation> retired_;
    std::size_t in_use_ = 0;
    int users_ = 0;
};

} // namespace

std::size_t page_size() {
    static const std::size_t size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return size;
}

void *memory_allocate(std::size_t bytes) { return Device::get().allocate(bytes); }
bool memory_free(void *address) { return Device::get().free(address); }
std::size_t memory_in_use() { return Device::get().in_use(); }
std::vector<Range> memory_ranges() { return Device::get().ranges(); }
std::string memory_describe(std::uintptr_t address) { return Device::get().describe(address); }
void memory_check() { Device::get().check(); }

bool memory_contains(const void *address, std::size_t bytes) {
    const auto begin = reinterpret_cast<std::uintptr_t>(address);
    const std::vector<Range> ranges = memory_ranges();
    return std::any_of(ranges.begin(), ranges.end(),
                       [=](const Range &r) { return begin >= r.begin && begin <= r.end && bytes <= r.end - begin; });
}

bool memory_touches(const void *address, std::size_t bytes) {
    const auto begin = reinterpret_cast<std::uintptr_t>(address);
    const std::vector<Range> ranges = memory_ranges();
    return std::any_of(ranges.begin(), ranges.end(),
                       [=](const Range &r) { return begin < r.end && r.begin < begin + bytes; });
}

MemoryAccess::MemoryAccess() { Device::get().open(); }
MemoryAccess::~MemoryAccess() { Device::get().close(); }

void poison(void *begin, std::size_t bytes) {
    auto *const words = static_cast<std::uint32_t *>(begin);
    std::fill(words, words + bytes / sizeof *words, kPoison);
}

const unsigned char *first_written(const unsigned char *begin, const unsigned char *end) {
    unsigned char word[sizeof kPoison];
    std::memcpy(word, &kPoison, sizeof word);
    return std::find_if(begin, end, [&](const unsigned char &byte) {
        return byte != word[reinterpret_cast<std::uintptr_t>(&byte) % sizeof word];
    });
}

} // namespace simt
