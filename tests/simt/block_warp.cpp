// SPDX-License-Identifier: Apache-2.0
//
// What the lanes of a warp do together.
#include "block.h"
#include "grid.h"
#include "mma.h"

namespace simt {

const char *name(Operation operation) {
    static constexpr const char *names[] = {
        "shuffle", "mma",         "sync_warp",    "sync_some_threads", "all_lanes", "registers_release or _acquire",
        "wgmma",   "wgmma_fence", "wgmma_commit", "wgmma_wait",
    };
    return names[static_cast<std::size_t>(operation)];
}

Operand &Block::arrive(Operation operation, Site site) {
    Warp &warp = warp_of(*current_);
    const auto refuse = [&](const std::string &why) {
        fail("divergent warp: the thread is at %s (%s), but %s", name(operation), text(site).c_str(), why.c_str());
    };
    if (warp.size < kWarp) {
        refuse("its warp has only " + std::to_string(warp.size) + " threads");
    }
    if (warp.finished != 0) {
        refuse(std::to_string(warp.finished) + " others have left the kernel");
    }
    if (warp.at_barrier != 0) {
        refuse(std::to_string(warp.at_barrier) + " others are at sync_threads (" + text(barrier_site_) + ")");
    }
    if (warp.arrived == 0) {
        warp.operation = operation;
        warp.site = site;
    } else if (warp.operation != operation || !same(warp.site, site)) {
        refuse(std::to_string(warp.arrived) + " others are at " + name(warp.operation) + " (" + text(warp.site) + ")");
    }
    return warp.operands[static_cast<std::size_t>(lane())];
}

// Where the lanes of a warp wait for the last one. That one (for which it is true) does the work of all, lets them go
// on by `disperse`, and goes on.
bool Block::gather() {
    Warp &warp = warp_of(*current_);
    warp.present |= 1u << lane();
    if (++warp.arrived < kWarp) {
        give_way();
        return false;
    }
    return true;
}

void Block::disperse() {
    Warp &warp = warp_of(*current_);
    warp.arrived = 0;
    warp.present = 0;
    release(warp);
    // Now and then another warp overtakes.
    if (random_.below(4) == 0) {
        overtake();
    }
}

void Block::join(void (*work)(WarpOperands &)) {
    if (gather()) {
        work(warp_of(*current_).operands);
        disperse();
    }
}

static void exchange(WarpOperands &operands) {
    for (Operand &operand : operands) {
        operand.result = operands[static_cast<std::size_t>(operand.source)].value;
    }
}

static void multiply(WarpOperands &operands) {
    float *d[kWarp];
    const std::uint32_t *a[kWarp];
    const std::uint32_t *b[kWarp];
    for (std::size_t i = 0; i < kWarp; ++i) {
        d[i] = operands[i].d;
        a[i] = operands[i].a;
        b[i] = operands[i].b;
    }
    mma_warp(operands[0].element, d, a, b);
}

static void agree(WarpOperands &operands) {
    std::uint64_t all = 1;
    for (const Operand &operand : operands) {
        all &= operand.value;
    }
    for (Operand &operand : operands) {
        operand.result = all;
    }
}

static void nothing(WarpOperands &) {}

std::uint64_t Block::shuffle(std::uint64_t value, int source, Site site) {
    if (source < 0 || source >= kWarp) {
        fail("shuffle (%s) from lane %d, outside 0..%d", text(site).c_str(), source, kWarp - 1);
    }
    Operand &operand = arrive(Operation::shuffle, site);
    operand.value = value;
    operand.source = source;
    join(exchange);
    return operand.result;
}

void Block::mma(float *d, const std::uint32_t *a, const std::uint32_t *b, Element element, Site site) {
    Operand &operand = arrive(Operation::mma, site);
    operand.d = d;
    operand.a = a;
    operand.b = b;
    operand.element = element;
    grid_.note_event();
    join(multiply);
}

void Block::sync_warp(Site site) {
    arrive(Operation::sync_warp, site);
    join(nothing);
}

void Block::sync_some(int number, int threads, Site site) {
    if (number < 1 || number >= kSomeBarriers || threads < kWarp || threads > launch_->block || threads % kWarp != 0) {
        fail("sync_some_threads (%s) of number %d for %d threads; numbers are 1 to %d, and those are whole warps of %d "
             "threads",
             text(site).c_str(), number, threads, kSomeBarriers - 1, launch_->block);
    }
    Thread &thread = *current_;
    Operand &operand = arrive(Operation::sync_some, site);
    operand.value = static_cast<std::uint64_t>(number) << 32 | static_cast<std::uint32_t>(threads);
    if (gather()) {
        arrive_at_some(number, threads, site);
        disperse();
    }
    SomeBarrier &barrier = some_[static_cast<std::size_t>(number)];
    const std::uint64_t phase = operand.result;
    while (barrier.phase == phase) {
        thread.wait = Wait::some;
        thread.site = site;
        barrier.waiting.push_back(&thread);
        give_way();
    }
    thread.wait = Wait::none;
}

// The warp's arrival, whose lanes are all there; `result` becomes the phase that they wait for.
void Block::arrive_at_some(int number, int threads, Site site) {
    SomeBarrier &barrier = some_[static_cast<std::size_t>(number)];
    WarpOperands &operands = warp_of(*current_).operands;
    for (Operand &operand : operands) {
        if (operand.value != operands[0].value) {
            fail("sync_some_threads (%s): lanes of a warp name different barriers", text(site).c_str());
        }
        operand.result = barrier.phase;
    }
    if (barrier.arrived != 0 && barrier.threads != threads) {
        fail("sync_some_threads (%s) of number %d for %d threads, where others wait for %d", text(site).c_str(), number,
             threads, barrier.threads);
    }
    barrier.warps |= 1u << (warp_of(*current_).first / kWarp);
    if (__builtin_popcount(barrier.warps) * kWarp > threads) {
        fail("sync_some_threads (%s) of number %d for %d threads, to which %d have come: some take the place of others",
             text(site).c_str(), number, threads, __builtin_popcount(barrier.warps) * kWarp);
    }
    barrier.threads = threads;
    barrier.arrived += kWarp;
    if (barrier.arrived == threads) {
        barrier.arrived = 0;
        ++barrier.phase;
        for (const Thread *thread : barrier.waiting) {
            wake(*thread);
        }
        barrier.waiting.clear();
    }
}

bool Block::all_lanes(bool predicate, Site site) {
    Operand &operand = arrive(Operation::all_lanes, site);
    operand.value = predicate ? 1 : 0;
    join(agree);
    return operand.result != 0;
}

void Block::set_registers(Registers registers, Site site) {
    arrive(Operation::registers, site);
    join(nothing);
    Warp &warp = warp_of(*current_);
    if (lane() == 0) {
        warp.registers.push_back(registers);
        check_registers(warp, warp.registers.size() - 1);
    }
}

// The warps of a group execute the same: this one's call `call` (or its end, after the last) must be the others' too,
// as far as they have come.
void Block::check_registers(const Warp &warp, std::size_t call) const {
    const std::size_t first = static_cast<std::size_t>(warp.first / kWarp / kGroupWarps * kGroupWarps);
    const bool ended = call == warp.registers.size();
    if (ended && call == 0) {
        return;
    }
    if (first + kGroupWarps > warp_count_) {
        fail("registers_release or _acquire by warp %d, which is in no whole group of %d warps", warp.first / kWarp,
             kGroupWarps);
    }
    for (std::size_t i = first; i < first + kGroupWarps; ++i) {
        const std::vector<Registers> &others = warps_[i].registers;
        const bool differs =
            ended ? others.size() != call : others.size() > call && !(others[call] == warp.registers[call]);
        if (differs) {
            fail("warps %d and %zu of one group differ in their registers_release or _acquire", warp.first / kWarp, i);
        }
    }
}

} // namespace simt
