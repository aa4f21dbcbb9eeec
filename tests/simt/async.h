// SPDX-License-Identifier: Apache-2.0
//
// What is under way beside the threads: barriers with phases, and bulk copies.
#ifndef CONVSMITH_SIMT_ASYNC_H
#define CONVSMITH_SIMT_ASYNC_H

#include "simt.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace simt {

struct Thread;

// What an mbarrier is. Its word of shared memory only holds a seal, by which ordinary writes to it show.
struct PhaseBarrier {
    std::ptrdiff_t offset = 0; // of its word
    int arrivals = 0;          // each phase takes
    int pending = 0;           // arrivals that this phase lacks
    std::int64_t bytes = 0;    // that this phase waits for; below 0 if they came before they were expected
    std::uint64_t phase = 0;   // phases completed
    int maker = 0;             // the thread that initialised it
    bool fenced = false;
    std::uint64_t barriers = 0; // sync_threads the block had passed at the fence
    std::vector<Thread *> waiting;
};

// A copy to shared memory. Its bytes are counted at a moment of the machine's choice; they are written only when a
// wait has shown a thread that they are there.
struct BulkLoad {
    unsigned char *shared;
    std::size_t bytes;
    PhaseBarrier *barrier;
    const char *what; // kind of copy
    Site site;
    std::function<void(unsigned char *to)> read;
    std::vector<unsigned char> early = {}; // the source as it was at the start; empty: it is read at the end
    bool counted = false;
    std::uint64_t phase = 0; // in which it was
};

// A copy from shared memory, as late as it may be: read at the thread's wait for that, written at the wait for that.
struct BulkStore {
    unsigned char *global;
    const unsigned char *shared;
    std::size_t bytes;
    Site site;
    std::vector<unsigned char> data; // once read
};

struct BulkGroup {
    std::vector<BulkStore> stores;
    bool read = false;

    void fetch();       // reads the sources, unless that is done
    void write() const; // the destinations
};

// The part of shared memory that bulk copies and wgmma use, as it is for them: without the ordinary writes since the
// last fence. A place that none has used before is held only to a fence having been executed at all, if it was written.
class AsyncView {
  public:
    void reset(const unsigned char *base, std::size_t bytes); // for a new launch
    void restart();                                           // for a new block: all is visible, and no fence was
    void fence();
    void accept(std::size_t offset, std::size_t bytes); // after an asynchronous write
    // The first byte of [offset, offset + bytes) that an ordinary write changed since the fence; -1 if none.
    std::ptrdiff_t stale(std::size_t offset, std::size_t bytes);

  private:
    void refresh(std::size_t offset, std::size_t bytes);
    bool is_visible(std::size_t unit) const;

    static constexpr std::size_t kUnit = 16;

    const unsigned char *base_ = nullptr;
    std::vector<unsigned char> view_;
    std::vector<bool> known_; // by unit: it was used
    std::size_t low_ = 0, high_ = 0;
    bool fenced_ = false;
};

} // namespace simt

#endif
