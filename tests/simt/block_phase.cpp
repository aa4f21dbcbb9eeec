// SPDX-License-Identifier: Apache-2.0
//
// Barriers with phases: "mbarrier".
#include "block.h"
#include "grid.h"

#include <cstring>

namespace simt {
namespace {

constexpr int kMostArrivals = (1 << 20) - 1;
constexpr std::int64_t kMostBytes = (1 << 20) - 1;
constexpr std::uint64_t kSeal = 0x5EA15EA15EA15EA1u;

} // namespace

void Block::phase_init(void *word, int arrivals, Site site) {
    check_shared(word, sizeof kSeal, sizeof kSeal, "mbarrier_init", site);
    const std::ptrdiff_t offset = shared_.offset(reinterpret_cast<std::uintptr_t>(word));
    if (phases_.count(offset) != 0) {
        fail("mbarrier_init (%s) at byte %td, where there is a barrier", text(site).c_str(), offset);
    }
    if (arrivals < 1 || arrivals > kMostArrivals) {
        fail("mbarrier_init (%s) for %d arrivals; there must be from 1 to %d", text(site).c_str(), arrivals,
             kMostArrivals);
    }
    PhaseBarrier barrier;
    barrier.offset = offset;
    barrier.arrivals = barrier.pending = arrivals;
    barrier.maker = current_->index;
    phases_[offset] = barrier;
    std::memcpy(word, &kSeal, sizeof kSeal);
}

void Block::phase_init_fence() {
    for (auto &[offset, barrier] : phases_) {
        if (barrier.maker == current_->index && !barrier.fenced) {
            barrier.fenced = true;
            barrier.barriers = barriers_;
        }
    }
}

PhaseBarrier &Block::phase_barrier(void *word, const char *what, Site site) {
    check_shared(word, sizeof kSeal, sizeof kSeal, what, site);
    const std::ptrdiff_t offset = shared_.offset(reinterpret_cast<std::uintptr_t>(word));
    const auto refuse = [&](const char *why) {
        fail("%s (%s) at byte %td of shared memory, %s", what, text(site).c_str(), offset, why);
    };
    const auto found = phases_.find(offset);
    if (found == phases_.end()) {
        refuse("where there is no barrier");
    }
    PhaseBarrier &barrier = found->second;
    if (std::memcmp(word, &kSeal, sizeof kSeal) != 0) {
        refuse("where the barrier was overwritten");
    }
    if (!barrier.fenced) {
        refuse("without an mbarrier_init_fence after mbarrier_init");
    }
    if (barrier.maker != current_->index && barrier.barriers == barriers_) {
        refuse("without a sync_threads after mbarrier_init_fence");
    }
    return barrier;
}

// Ends the phase if it lacks nothing.
void Block::settle(PhaseBarrier &barrier) {
    if (barrier.bytes < -kMostBytes || barrier.bytes > kMostBytes) {
        fail("the barrier at byte %td waits for %lld bytes, more than it can count", barrier.offset,
             static_cast<long long>(barrier.bytes));
    }
    grid_.note_event();
    if (barrier.pending != 0 || barrier.bytes != 0) {
        return;
    }
    ++barrier.phase;
    barrier.pending = barrier.arrivals;
    for (Thread *thread : barrier.waiting) {
        wake(*thread);
    }
    barrier.waiting.clear();
}

void Block::take_arrival(PhaseBarrier &barrier, const char *what, Site site) {
    if (barrier.pending == 0) {
        fail("%s (%s) at byte %td of shared memory, where the phase has all its %d arrivals", what, text(site).c_str(),
             barrier.offset, barrier.arrivals);
    }
    --barrier.pending;
    settle(barrier);
}

void Block::phase_arrive(void *word, Site site) {
    static constexpr char what[] = "mbarrier_arrive";
    pause();
    take_arrival(phase_barrier(word, what, site), what, site);
}

void Block::phase_expect(void *word, int bytes, Site site) {
    static constexpr char what[] = "mbarrier_expect";
    pause();
    PhaseBarrier &barrier = phase_barrier(word, what, site);
    if (bytes < 0) {
        fail("%s (%s) of %d bytes", what, text(site).c_str(), bytes);
    }
    barrier.bytes += bytes;
    take_arrival(barrier, what, site);
}

// A thread that comes late to a phase may find that the next of the other parity has ended too; then it waits on.
void Block::phase_wait(void *word, int parity, Site site) {
    pause();
    PhaseBarrier &barrier = phase_barrier(word, "mbarrier_wait", site);
    if (parity != 0 && parity != 1) {
        fail("mbarrier_wait (%s) for parity %d; it must be 0 or 1", text(site).c_str(), parity);
    }
    Thread &thread = *current_;
    while (static_cast<int>(barrier.phase & 1) == parity) {
        thread.wait = Wait::phase;
        thread.site = site;
        thread.phase = &barrier;
        thread.parity = parity;
        barrier.waiting.push_back(&thread);
        give_way();
    }
    thread.wait = Wait::none;
    deliver(barrier);
}

} // namespace simt
