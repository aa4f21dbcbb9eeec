// SPDX-License-Identifier: Apache-2.0
//
// A thread's accesses to global memory and its asynchronous copies.
#include "block.h"
#include "grid.h"

#include <cstring>

namespace simt {

static bool misaligned(const void *address, std::size_t alignment) {
    return reinterpret_cast<std::uintptr_t>(address) % alignment != 0;
}

void Block::check_global(const void *address, std::size_t bytes, std::size_t alignment, const char *what, Site site) {
    const auto begin = reinterpret_cast<std::uintptr_t>(address);
    if (misaligned(address, alignment)) {
        fail("%s (%s) of %p, which is not aligned to %zu bytes", what, text(site).c_str(), address, alignment);
    }
    if (begin >= recent_.begin && begin + bytes <= recent_.end) {
        return;
    }
    for (const Range &range : grid_.ranges()) {
        if (begin >= range.begin && begin + bytes <= range.end) {
            recent_ = range;
            return;
        }
    }
    const std::string near = memory_describe(begin);
    fail("%s (%s) of %zu bytes at %p, outside every allocation%s%s", what, text(site).c_str(), bytes, address,
         near.empty() ? "" : ": ", near.c_str());
}

void Block::check_shared(const void *address, std::size_t bytes, std::size_t alignment, const char *what,
                         Site site) const {
    const std::ptrdiff_t offset = shared_.offset(reinterpret_cast<std::uintptr_t>(address));
    if (!shared_.contains(address, bytes)) {
        fail("%s (%s) to byte %td of shared memory, which has %zu bytes", what, text(site).c_str(), offset,
             shared_.bytes());
    }
    if (misaligned(address, alignment)) {
        fail("%s (%s) to byte %td of shared memory, which is not aligned to %zu bytes", what, text(site).c_str(),
             offset, alignment);
    }
}

void Block::copy_async(void *shared, const void *global, std::size_t bytes, bool valid, Site site) {
    const char *const what = bytes == 16 ? "cp_async_16" : "cp_async_4";
    if (valid) {
        check_global(global, bytes, bytes, what, site);
    }
    check_shared(shared, bytes, bytes, what, site);
    // From now until it is waited for, the hardware may write at any moment.
    poison(shared, bytes);
    grid_.note_event();
    current_->queue.copies.push_back({shared, valid ? global : nullptr, bytes});
}

void Block::copy_commit() { current_->queue.groups.push_back(current_->queue.copies.size()); }

void Block::copy_wait(std::size_t pending) {
    CopyQueue &queue = current_->queue;
    if (queue.groups.size() <= pending) {
        return;
    }
    const std::size_t groups = queue.groups.size() - pending;
    const std::size_t landing = queue.groups[groups - 1];
    for (std::size_t i = 0; i < landing; ++i) {
        const Copy &copy = queue.copies[i];
        if (copy.global != nullptr) {
            std::memcpy(copy.shared, copy.global, copy.bytes);
        } else {
            std::memset(copy.shared, 0, copy.bytes);
        }
    }
    queue.copies.erase(queue.copies.begin(), queue.copies.begin() + static_cast<std::ptrdiff_t>(landing));
    queue.groups.erase(queue.groups.begin(), queue.groups.begin() + static_cast<std::ptrdiff_t>(groups));
    for (std::size_t &end : queue.groups) {
        end -= landing;
    }
}

std::uint64_t Block::add_global(std::uint64_t *global, std::uint64_t value, Site site) {
    check_global(global, sizeof value, sizeof value, "reduce_add_global", site);
    pause();
    const std::uint64_t before = *global;
    *global += value;
    grid_.note_event();
    return before;
}

// What it returns may be as old as the call, or as new as the return.
std::uint64_t Block::poll_global(const std::uint64_t *global, Site site) {
    check_global(global, sizeof *global, sizeof *global, "load_relaxed_global", site);
    const auto *const word = static_cast<const volatile std::uint64_t *>(global);
    const std::uint64_t value = *word;
    Thread &thread = *current_;
    thread.wait = Wait::poll;
    thread.site = site;
    grid_.check_patience(thread.polling, global, value);
    stand_by();
    thread.wait = Wait::none;
    return random_.below(2) == 0 ? value : *word;
}

} // namespace simt
