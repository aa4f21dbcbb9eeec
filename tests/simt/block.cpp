// SPDX-License-Identifier: Apache-2.0
#include "block.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>

namespace simt {
namespace {

thread_local Block *running_block;

std::string kernel_name(const void *kernel) {
    Dl_info info;
    if (dladdr(kernel, &info) != 0 && info.dli_sname != nullptr) {
        return info.dli_sname;
    }
    char address[32];
    std::snprintf(address, sizeof address, "at %p", kernel);
    return address;
}

// Blocks run in the order start, start + step, ... modulo the grid; a step coprime to the grid reaches each once.
std::int64_t pick_step(Random &random, std::int64_t grid) {
    const auto gcd = [](std::int64_t a, std::int64_t b) {
        while (b != 0) {
            const std::int64_t rest = a % b;
            a = b;
            b = rest;
        }
        return a;
    };
    auto step = 1 + static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(grid));
    while (gcd(step, grid) != 1) {
        ++step;
    }
    return step;
}

} // namespace

std::string text(Site site) { return std::string(site.file) + ":" + std::to_string(site.line); }

const char *name(Operation operation) { return operation == Operation::mma ? "mma" : "shuffle"; }

bool same(Site a, Site b) { return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0); }

std::uint64_t Random::next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

Block *Block::running() { return running_block; }

Block::Block() : fibers_(fiber_body) {}

void Block::fiber_body() {
    Block &block = *running_block;
    block.launch_->invoke(block.launch_->kernel, block.launch_->args);
    block.finish();
}

void Block::run(const Launch &launch) {
    launch_ = &launch;
    running_block = this;
    prepare();
    Random random(seed());
    const std::uint64_t mix = random.next();
    const std::int64_t step = pick_step(random, launch.grid);
    auto index = static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(launch.grid));
    for (std::int64_t i = 0; i < launch.grid; ++i) {
        // A block's order depends on nothing but the seed and its index.
        random_ = Random(mix ^ static_cast<std::uint64_t>(index));
        run_block(index);
        index = (index + step) % launch.grid;
    }
    index_ = -1;
    memory_check();
    running_block = nullptr;
    launch_ = nullptr;
}

void Block::prepare() {
    global_ = memory_ranges();
    recent_ = {};
    shared_.resize(launch_->shared);
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

void Block::run_block(std::int64_t index) {
    index_ = index;
    shared_.poison();
    waiting_ = 0;
    finished_ = 0;
    for (Thread &thread : threads_) {
        thread.queue.copies.clear();
        thread.queue.groups.clear();
    }
    for (std::size_t i = 0; i < warp_count_; ++i) {
        warps_[i].arrived = warps_[i].finished = 0;
    }
    release_all();
    current_ = next();
    fiber_switch(outside_, *current_->fiber);
    check_slack();
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

// The same for a warp's lanes, in a random order.
void Block::release(Warp &warp) {
    warp.head = warp.tail = 0;
    for (int i = 0; i < warp.size; ++i) {
        if (current_ != nullptr && current_->index == warp.first + i) {
            continue;
        }
        const int place = random_.below(warp.tail + 1);
        warp.ready[static_cast<std::size_t>(warp.tail++)] = warp.ready[static_cast<std::size_t>(place)];
        warp.ready[static_cast<std::size_t>(place)] = static_cast<std::uint8_t>(i);
    }
    if (warp.tail != 0) {
        ready_warps_ |= 1u << (warp.first / kWarp);
    }
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

// The thread that goes on when the current one cannot: of the same warp as long as one is ready.
Thread *Block::next() {
    if ((ready_warps_ >> current_warp_ & 1) == 0) {
        if (ready_warps_ == 0) {
            fail("deadlock: no thread of the block can go on");
        }
        overtake();
    }
    Warp &warp = warps_[static_cast<std::size_t>(current_warp_)];
    const int lane = warp.ready[static_cast<std::size_t>(warp.head++)];
    if (warp.head == warp.tail) {
        ready_warps_ &= ~(1u << current_warp_);
    }
    return &threads_[static_cast<std::size_t>(warp.first + lane)];
}

void Block::give_way() {
    Thread &from = *current_;
    current_ = next();
    fiber_switch(*from.fiber, *current_->fiber);
}

void Block::finish() {
    const Warp &warp = warp_of(*current_);
    if (warp.arrived != 0) {
        fail("the thread leaves the kernel while %d of its warp wait at %s (%s)", warp.arrived, name(warp.operation),
             text(warp.site).c_str());
    }
    if (waiting_ != 0) {
        fail("the thread leaves the kernel while %d wait at sync_threads (%s)", waiting_, text(barrier_site_).c_str());
    }
    ++warp_of(*current_).finished;
    if (++finished_ < launch_->block) {
        give_way();
        return;
    }
    Thread &last = *current_;
    current_ = nullptr;
    fiber_switch(*last.fiber, outside_);
}

void Block::barrier(Site site) {
    Warp &warp = warp_of(*current_);
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
        give_way();
        return;
    }
    waiting_ = 0;
    release_all();
}

std::string Block::where() const {
    std::string where = "kernel " + kernel_name(launch_->kernel) + ": ";
    if (index_ >= 0) {
        where += "block " + std::to_string(index_) + " of " + std::to_string(launch_->grid) + ", ";
    }
    if (current_ != nullptr) {
        where += "thread " + std::to_string(current_->index) + " of " + std::to_string(launch_->block) + ", ";
    }
    where.replace(where.size() - 2, 2, ": ");
    return where;
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
