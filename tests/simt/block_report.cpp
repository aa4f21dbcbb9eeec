// SPDX-License-Identifier: Apache-2.0
//
// What a block says of itself in messages.
#include "block.h"

namespace simt {

std::string Block::waits_for(const Thread &thread) const {
    const Warp &warp = warps_[static_cast<std::size_t>(thread.index / kWarp)];
    if ((warp.present >> thread.index % kWarp & 1) != 0) {
        return std::string("at ") + name(warp.operation) + " (" + text(warp.site) + ")";
    }
    switch (thread.wait) {
    case Wait::barrier:
        return "at sync_threads (" + text(barrier_site_) + ")";
    case Wait::phase:
        return "at mbarrier_wait (" + text(thread.site) + ") for parity " + std::to_string(thread.parity) +
               " of the barrier at byte " + std::to_string(thread.phase->offset) + ", whose phase " +
               std::to_string(thread.phase->phase) + " lacks " + std::to_string(thread.phase->pending) + " of " +
               std::to_string(thread.phase->arrivals) + " arrivals and " + std::to_string(thread.phase->bytes) +
               " bytes";
    case Wait::products:
        return "at wgmma_wait (" + text(thread.site) + ") for what other warps of the group have not issued";
    case Wait::some:
        return "at sync_some_threads (" + text(thread.site) + "), where others are missing";
    case Wait::poll:
        return "at load_relaxed_global (" + text(thread.site) + ") of a word that stays " +
               std::to_string(thread.polling.value);
    case Wait::none:
        break;
    }
    return {};
}

void Block::count_waiting(std::map<std::string, int> &waiting) const {
    for (const Thread &thread : threads_) {
        const std::string what = waits_for(thread);
        if (!what.empty()) {
            ++waiting[what];
        }
    }
}

std::string Block::where() const {
    std::string where = "block " + std::to_string(index_) + " of " + std::to_string(launch_->grid);
    if (current_ != nullptr) {
        where += ", thread " + std::to_string(current_->index) + " of " + std::to_string(launch_->block);
    }
    return where + ": ";
}

std::string Block::describe(std::uintptr_t address) const {
    if (shared_.near(address)) {
        return "byte " + std::to_string(shared_.offset(address)) + " of shared memory, which has " +
               std::to_string(shared_.bytes()) + " bytes";
    }
    if (current_ != nullptr && current_->fiber->guards(address)) {
        return "the thread's stack overflows its " + std::to_string(FiberPool::kStack / 1024) + " KiB";
    }
    return memory_describe(address);
}

} // namespace simt
