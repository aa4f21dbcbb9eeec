// SPDX-License-Identifier: Apache-2.0
//
// The blocks of one launch: each after the other, or, in a cooperative launch, all at once in turns.
#ifndef CONVSMITH_SIMT_GRID_H
#define CONVSMITH_SIMT_GRID_H

#include "block.h"

#include <memory>

namespace simt {

class Grid {
  public:
    // The grid this CPU thread runs, NULL outside launches.
    static const Grid *running();

    void run(const Launch &launch);

    const std::vector<Range> &ranges() const { return ranges_; } // of global memory

    // Tells that something happened that a waiting thread may wait for.
    void note_event() { ++events_; }
    // Called before each poll; ends the program if nothing but polls has happened for long.
    void check_patience(Polling &polling, const std::uint64_t *word, std::uint64_t value);
    // Takes a store nobody waited for to have been written. It will be, at the end of the launch.
    void write_at_end(BulkGroup &&group) { late_.push_back(std::move(group)); }

    // "kernel k: block 3 of 8, thread 17 of 64: ", as far as that is known.
    std::string where() const;

  private:
    void run_in_turn(std::uint64_t mix);
    void run_together(std::uint64_t mix);
    Block &block(std::size_t place);
    void drive();
    Block &pick();
    [[noreturn]] void fail_in_deadlock() const;

    std::vector<std::unique_ptr<Block>> blocks_; // kept from launch to launch
    std::vector<Block *> live_;
    std::vector<Range> ranges_;
    std::vector<BulkGroup> late_;
    const Launch *launch_ = nullptr;
    Random random_;
    std::uint64_t events_ = 0;
};

} // namespace simt

#endif
