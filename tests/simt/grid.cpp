// SPDX-License-Identifier: Apache-2.0
#include "grid.h"

#include <algorithm>
#include <cstdio>
#include <dlfcn.h>

namespace simt {
namespace {

// Polls come in rounds, between which every thread that can go on does. So few rounds in which nothing happened would
// be enough; programs that give up after some polls of their own are left the time to.
constexpr int kPatience = 2000;

thread_local const Grid *running_grid;

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

// A block's own order depends on nothing but the seed and its index.
Random random_of_block(std::uint64_t mix, std::int64_t index) {
    return Random(mix ^ static_cast<std::uint64_t>(index));
}

} // namespace

const Grid *Grid::running() { return running_grid; }

void Grid::run(const Launch &launch) {
    launch_ = &launch;
    running_grid = this;
    ranges_ = memory_ranges();
    random_ = Random(seed());
    const std::uint64_t mix = random_.next();
    if (launch.cooperative) {
        run_together(mix);
    } else {
        run_in_turn(mix);
    }
    for (const BulkGroup &group : late_) {
        group.write();
    }
    late_.clear();
    memory_check();
    running_grid = nullptr;
    launch_ = nullptr;
}

void Grid::run_in_turn(std::uint64_t mix) {
    Block &machine = block(0);
    machine.prepare(*launch_, true);
    const std::int64_t step = pick_step(random_, launch_->grid);
    auto index = static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(launch_->grid));
    for (std::int64_t i = 0; i < launch_->grid; ++i) {
        machine.begin(index, random_of_block(mix, index));
        live_.push_back(&machine);
        drive();
        index = (index + step) % launch_->grid;
    }
}

void Grid::run_together(std::uint64_t mix) {
    for (std::int64_t i = 0; i < launch_->grid; ++i) {
        Block &machine = block(static_cast<std::size_t>(i));
        machine.prepare(*launch_, launch_->grid == 1);
        machine.begin(i, random_of_block(mix, i));
        live_.push_back(&machine);
    }
    drive();
}

Block &Grid::block(std::size_t place) {
    while (blocks_.size() <= place) {
        blocks_.push_back(std::make_unique<Block>(*this));
    }
    return *blocks_[place];
}

void Grid::drive() {
    while (!live_.empty()) {
        Block &turn = pick();
        turn.resume();
        if (turn.done()) {
            turn.end();
            live_.erase(std::find(live_.begin(), live_.end(), &turn));
        }
    }
}

// Any of the blocks that can run. Threads that poll go on when no other can.
Block &Grid::pick() {
    const auto can_run = [](const Block *block) { return block->can_run(); };
    if (std::none_of(live_.begin(), live_.end(), can_run)) {
        bool woken = false;
        for (Block *block : live_) {
            woken = block->wake_pollers() || woken;
        }
        if (!woken) {
            fail_in_deadlock();
        }
    }
    std::size_t place = static_cast<std::size_t>(random_.below(static_cast<int>(live_.size())));
    while (!live_[place]->can_run()) {
        place = (place + 1) % live_.size();
    }
    return *live_[place];
}

void Grid::check_patience(Polling &polling, const std::uint64_t *word, std::uint64_t value) {
    if (polling.word == word && polling.value != value) {
        note_event();
    }
    polling.word = word;
    polling.value = value;
    if (polling.events != events_) {
        polling.events = events_;
        polling.times = 0;
    }
    if (++polling.times > kPatience) {
        fail_in_deadlock();
    }
}

void Grid::fail_in_deadlock() const {
    std::map<std::string, int> waiting;
    for (const Block *block : live_) {
        block->count_waiting(waiting);
    }
    std::string list;
    for (const auto &[what, threads] : waiting) {
        list += (list.empty() ? "" : "; ") + std::to_string(threads) + (threads == 1 ? " waits " : " wait ") + what;
    }
    fail("deadlock: of the threads of %zu blocks, %s", live_.size(), list.c_str());
}

std::string Grid::where() const {
    const Block *const block = Block::running();
    return "kernel " + kernel_name(launch_->kernel) + ": " + (block == nullptr ? "" : block->where());
}

} // namespace simt
