// SPDX-License-Identifier: Apache-2.0
//
// Bulk copies between global and shared memory.
#include "block.h"
#include "grid.h"

#include <algorithm>
#include <cstring>

namespace simt {
namespace {

constexpr std::size_t kBulk = 16; // what addresses and sizes are multiples of

std::size_t check_size(int bytes, const char *what, Site site) {
    if (bytes <= 0 || bytes % static_cast<int>(kBulk) != 0) {
        fail("%s (%s) of %d bytes; they must be a multiple of %zu", what, text(site).c_str(), bytes, kBulk);
    }
    return static_cast<std::size_t>(bytes);
}

bool overlap(const unsigned char *a, std::size_t a_bytes, const unsigned char *b, std::size_t b_bytes) {
    return a < b + b_bytes && b < a + a_bytes;
}

} // namespace

void Block::bulk_load(void *shared, const void *global, int bytes, void *word, Site site) {
    static constexpr char what[] = "bulk_load";
    pause();
    const std::size_t size = check_size(bytes, what, site);
    PhaseBarrier &barrier = phase_barrier(word, what, site);
    check_global(global, size, kBulk, what, site);
    check_shared(shared, size, kBulk, what, site);
    const auto *const source = static_cast<const unsigned char *>(global);
    start_load({static_cast<unsigned char *>(shared), size, &barrier, what, site,
                [=](unsigned char *to) { std::memcpy(to, source, size); }});
}

void Block::start_load(BulkLoad load) {
    for (const BulkLoad &other : loads_) {
        if (overlap(load.shared, load.bytes, other.shared, other.bytes)) {
            fail("%s (%s) to where another (%s) is under way: nobody has waited for it", load.what,
                 text(load.site).c_str(), text(other.site).c_str());
        }
    }
    if (random_.below(2) == 0) {
        load.early.resize(load.bytes);
        load.read(load.early.data());
    }
    poison(load.shared, load.bytes);
    view_.accept(static_cast<std::size_t>(load.shared - shared_.base()), load.bytes);
    loads_.push_back(std::move(load));
    ++uncounted_;
    grid_.note_event();
}

// Counts the bytes of any of the loads under way.
void Block::count_load() {
    int skip = random_.below(uncounted_--);
    for (BulkLoad &load : loads_) {
        if (!load.counted && skip-- == 0) {
            load.counted = true;
            load.phase = load.barrier->phase;
            load.barrier->bytes -= static_cast<std::int64_t>(load.bytes);
            settle(*load.barrier);
            return;
        }
    }
}

// Writes what the phases that have ended waited for.
void Block::deliver(const PhaseBarrier &barrier) {
    loads_.remove_if([&](const BulkLoad &load) {
        if (load.barrier != &barrier || !load.counted || load.phase >= barrier.phase) {
            return false;
        }
        if (load.early.empty()) {
            load.read(load.shared);
        } else {
            std::memcpy(load.shared, load.early.data(), load.bytes);
        }
        view_.accept(static_cast<std::size_t>(load.shared - shared_.base()), load.bytes);
        return true;
    });
}

void Block::check_loads() const {
    if (!loads_.empty()) {
        fail("the block ends while a %s (%s) is under way: nobody has waited for it", loads_.front().what,
             text(loads_.front().site).c_str());
    }
}

void Block::bulk_store(void *global, const void *shared, int bytes, Site site) {
    static constexpr char what[] = "bulk_store";
    pause();
    const std::size_t size = check_size(bytes, what, site);
    check_global(global, size, kBulk, what, site);
    check_shared(shared, size, kBulk, what, site);
    start_store({static_cast<unsigned char *>(global), static_cast<const unsigned char *>(shared), size, site, {}},
                what);
}

void Block::start_store(BulkStore store, const char *what) {
    const auto offset = static_cast<std::size_t>(store.shared - shared_.base());
    const std::ptrdiff_t stale = view_.stale(offset, store.bytes);
    if (stale >= 0) {
        fail("%s (%s) of byte %td of shared memory, written without a fence_async_shared after it", what,
             text(store.site).c_str(), stale);
    }
    poison(store.global, store.bytes);
    current_->stores.push_back(std::move(store));
    grid_.note_event();
}

void Block::bulk_commit() {
    current_->groups.push_back({std::move(current_->stores), false});
    current_->stores.clear();
}

void Block::bulk_wait_read(std::size_t pending) {
    pause();
    std::deque<BulkGroup> &groups = current_->groups;
    for (std::size_t i = 0; i + pending < groups.size(); ++i) {
        groups[i].fetch();
    }
}

void Block::bulk_wait(std::size_t pending) {
    bulk_wait_read(pending);
    std::deque<BulkGroup> &groups = current_->groups;
    while (groups.size() > pending) {
        groups.front().write();
        groups.pop_front();
    }
    grid_.note_event();
}

// A thread may leave before its stores are written, but not before they are read: its block's memory goes with it.
void Block::finish_stores(Thread &thread) {
    if (!thread.stores.empty()) {
        fail("the thread leaves the kernel without a bulk_commit after its bulk_store (%s)",
             text(thread.stores.front().site).c_str());
    }
    for (BulkGroup &group : thread.groups) {
        if (!group.read && !group.stores.empty()) {
            fail("the thread leaves the kernel without a wait for its bulk_store (%s)",
                 text(group.stores.front().site).c_str());
        }
        grid_.write_at_end(std::move(group));
    }
    thread.groups.clear();
}

void Block::fence_async_shared() { view_.fence(); }

} // namespace simt
