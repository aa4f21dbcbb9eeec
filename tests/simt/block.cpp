// SPDX-License-Identifier: Apache-2.0
#include "block.h"
#include "grid.h"

#include <algorithm>
#include <cstring>

namespace simt {

static thread_local Block *running_block;

std::string text(Site site) { return std::string(site.file) + ":" + std::to_string(site.line); }

bool same(Site a, Site b) { return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0); }

Block *Block::running() { return running_block; }

Block::Block(Grid &grid) : fibers_(fiber_body), grid_(grid) {}

void Block::fiber_body() {
    Block &block = *running_block;
    block.launch_->invoke(block.launch_->kernel, block.launch_->args);
    block.finish();
}

void Block::prepare(const Launch &launch, bool alone) {
    launch_ = &launch;
    alone_ = alone;
    recent_ = {};
    shared_.resize(launch_->shared);
    view_.reset(shared_.base(), launch_->shared);
    const auto count = static_cast<std::size_t>(launch_->block);
    fibers_.reserve(count);
    threads_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        threads_[i].fiber = &fibers_[i];
        threads_[i].index = static_cast<int>(i);
    }
    warp_count_ = (count + kWarp - 1) / kWarp;
    for (std::size_t i = 0; i < warp_count_; ++i) {
        warps_[i].first = static_cast<int>(i) * kWarp;
        warps_[i].size = std::min(kWarp, launch_->block - warps_[i].first);
    }
}

void Block::begin(std::int64_t index, Random random) {
    index_ = index;
    random_ = random;
    shared_.poison();
    view_.restart();
    phases_.clear();
    waiting_ = 0;
    finished_ = 0;
    barriers_ = 0;
    some_ = {};
    for (Thread &thread : threads_) {
        thread.queue.copies.clear();
        thread.queue.groups.clear();
        thread.polling = {};
        thread.wait = Wait::none;
    }
    for (std::size_t i = 0; i < warp_count_; ++i) {
        warps_[i].arrived = warps_[i].finished = 0;
        warps_[i].present = 0;
        warps_[i].registers.clear();
        warps_[i].products = {};
    }
    groups_.fill({});
    release_all();
}

// Runs threads until none can go on, or until it is another block's turn.
void Block::resume() {
    running_block = this;
    current_ = next();
    if (current_ != nullptr) {
        fiber_switch(outside_, *current_->fiber);
    }
    current_ = nullptr;
    running_block = nullptr;
}

void Block::end() {
    running_block = this;
    check_loads();
    for (std::size_t i = 0; i < warp_count_; ++i) {
        check_registers(warps_[i], warps_[i].registers.size());
    }
    check_slack();
    running_block = nullptr;
}

void Block::check_slack() const {
    const std::ptrdiff_t offset = shared_.damage();
    if (offset != 0) {
        fail("a write to byte %td of shared memory, which has %zu bytes", offset, launch_->shared);
    }
}

// Makes all threads ready, but for the one that is running, if one is.
void Block::release_all() {
    for (std::size_t i = 0; i < warp_count_; ++i) {
        warps_[i].at_barrier = 0;
        release(warps_[i]);
    }
    overtake();
}

// Puts a lane at a random place of a warp's queue, which starts at 0.
inline void Block::insert(Warp &warp, int lane) {
    const int place = random_.below(warp.tail + 1);
    warp.ready[static_cast<std::size_t>(warp.tail++)] = warp.ready[static_cast<std::size_t>(place)];
    warp.ready[static_cast<std::size_t>(place)] = static_cast<std::uint8_t>(lane);
}

// The same for a warp's lanes, of which none was ready.
void Block::release(Warp &warp) {
    warp.head = warp.tail = 0;
    for (int i = 0; i < warp.size; ++i) {
        if (current_ == nullptr || current_->index != warp.first + i) {
            insert(warp, i);
        }
    }
    if (warp.tail != 0) {
        ready_warps_ |= 1u << (warp.first / kWarp);
    }
}

// Makes one thread ready.
void Block::wake(const Thread &thread) {
    Warp &warp = warp_of(thread);
    std::copy(warp.ready.begin() + warp.head, warp.ready.begin() + warp.tail, warp.ready.begin());
    warp.tail -= warp.head;
    warp.head = 0;
    insert(warp, thread.index % kWarp);
    ready_warps_ |= 1u << (warp.first / kWarp);
}

// Lets any of the warps that can go on be the next to.
void Block::overtake() {
    if (ready_warps_ == 0) {
        return;
    }
    const int turn = random_.below(kWarp);
    const std::uint32_t turned = turn == 0 ? ready_warps_ : ready_warps_ >> turn | ready_warps_ << (kWarp - turn);
    current_warp_ = (__builtin_ctz(turned) + turn) % kWarp;
}

// The thread that goes on when the current one cannot: of the same warp as long as one is ready. NULL: none of this
// block at the moment.
Thread *Block::next() {
    if (uncounted_ != 0 && (ready_warps_ == 0 || random_.below(4) == 0)) {
        count_load();
    }
    if (ready_warps_ == 0 || (!alone_ && current_ != nullptr && random_.below(16) == 0)) {
        return nullptr;
    }
    if ((ready_warps_ >> current_warp_ & 1) == 0) {
        overtake();
    }
    Warp &warp = warps_[static_cast<std::size_t>(current_warp_)];
    const int lane = warp.ready[static_cast<std::size_t>(warp.head++)];
    if (warp.head == warp.tail) {
        warp.head = warp.tail = 0;
        ready_warps_ &= ~(1u << current_warp_);
    }
    return &threads_[static_cast<std::size_t>(warp.first + lane)];
}

void Block::give_way() {
    Thread &from = *current_;
    current_ = next();
    fiber_switch(*from.fiber, current_ == nullptr ? outside_ : *current_->fiber);
}

// Now and then lets others go first.
void Block::pause() {
    if (random_.below(4) == 0) {
        wake(*current_);
        overtake();
        give_way();
    }
}

// Lets others go first, most times all others that can.
void Block::stand_by() {
    if (random_.below(8) == 0) {
        wake(*current_);
        overtake();
    } else {
        pollers_.push_back(current_);
    }
    give_way();
}

bool Block::wake_pollers() {
    for (Thread *thread : pollers_) {
        wake(*thread);
    }
    const bool any = !pollers_.empty();
    pollers_.clear();
    return any;
}

void Block::check_left(const Thread &thread) const {
    const Warp &warp = warps_[static_cast<std::size_t>(thread.index / kWarp)];
    if (warp.arrived != 0) {
        fail("the thread leaves the kernel while %d of its warp wait at %s (%s)", warp.arrived, name(warp.operation),
             text(warp.site).c_str());
    }
    if (waiting_ != 0) {
        fail("the thread leaves the kernel while %d wait at sync_threads (%s)", waiting_, text(barrier_site_).c_str());
    }
}

void Block::finish() {
    Thread &thread = *current_;
    check_left(thread);
    finish_stores(thread);
    check_products(warp_of(thread));
    grid_.note_event();
    ++warp_of(thread).finished;
    if (++finished_ < launch_->block) {
        give_way();
    } else {
        fiber_switch(*thread.fiber, outside_);
    }
}

void Block::barrier(Site site) {
    Thread &thread = *current_;
    Warp &warp = warp_of(thread);
    if (finished_ != 0) {
        fail("sync_threads (%s) cannot be reached by all: %d threads have left the kernel", text(site).c_str(),
             finished_);
    }
    if (warp.arrived != 0) {
        fail("divergent warp: the thread is at sync_threads (%s), %d others at %s (%s)", text(site).c_str(),
             warp.arrived, name(warp.operation), text(warp.site).c_str());
    }
    if (waiting_ == 0) {
        barrier_site_ = site;
    } else if (!same(site, barrier_site_)) {
        fail("divergent block: the thread is at sync_threads (%s), %d others at another (%s)", text(site).c_str(),
             waiting_, text(barrier_site_).c_str());
    }
    ++warp.at_barrier;
    if (++waiting_ < launch_->block) {
        thread.wait = Wait::barrier;
        give_way();
        thread.wait = Wait::none;
        return;
    }
    waiting_ = 0;
    ++barriers_;
    release_all();
}

} // namespace simt
