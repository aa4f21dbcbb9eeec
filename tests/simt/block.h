// SPDX-License-Identifier: Apache-2.0
//
// One block of threads, run to its end on the calling CPU thread.
#ifndef CONVSMITH_SIMT_BLOCK_H
#define CONVSMITH_SIMT_BLOCK_H

#include "fiber.h"
#include "memory.h"
#include "shared.h"
#include "simt.h"

#include <array>
#include <string>
#include <vector>

namespace simt {

// splitmix64.
class Random {
  public:
    explicit Random(std::uint64_t state = 0) : state_(state) {}
    std::uint64_t next();
    // In [0, bound), bound > 0 and small.
    int below(int bound) { return static_cast<int>((next() >> 32) % static_cast<std::uint64_t>(bound)); }

  private:
    std::uint64_t state_;
};

bool same(Site a, Site b);
std::string text(Site site); // "file:line"

struct Copy {
    void *shared;
    const void *global; // NULL: zeros
    std::size_t bytes;
};

// A thread's asynchronous copies: `groups` holds the end of each committed group in `copies`.
struct CopyQueue {
    std::vector<Copy> copies;
    std::vector<std::size_t> groups;
};

struct Thread {
    Fiber *fiber = nullptr;
    int index = 0;
    CopyQueue queue;
};

enum class Operation { shuffle, mma };
const char *name(Operation operation);

// What one lane brought to a warp collective.
struct Operand {
    std::uint64_t value, result; // shuffle
    int source;                  // shuffle: the lane whose value it wants
    float *d;                    // mma
    const std::uint32_t *a, *b;  // mma
};
using WarpOperands = std::array<Operand, kWarp>;

struct Warp {
    int first = 0, size = 0; // its threads in the block
    int arrived = 0, at_barrier = 0, finished = 0;
    Operation operation = Operation::shuffle;
    Site site = {};
    WarpOperands operands = {};
    // Lanes that can go on, in the order they will.
    std::array<std::uint8_t, kWarp> ready = {};
    int head = 0, tail = 0;
};

class Block {
  public:
    // The block this CPU thread runs, NULL outside launches.
    static Block *running();

    Block();
    void run(const Launch &launch);

    int thread_index() const { return current_->index; }
    int lane() const { return current_->index % kWarp; }
    const Launch &launch() const { return *launch_; }
    std::int64_t index() const { return index_; }
    SharedMemory &shared() { return shared_; }

    void barrier(Site site);
    std::uint64_t shuffle(std::uint64_t value, int source, Site site);
    void mma(float *d, const std::uint32_t *a, const std::uint32_t *b, Site site);
    void check_global(const void *address, std::size_t bytes, const char *what, Site site);
    void copy_async(void *shared, const void *global, std::size_t bytes, bool valid, Site site);
    void copy_commit();
    void copy_wait(std::size_t pending);

    // "kernel k: block 3 of 8, thread 17 of 64: ", as far as that is known.
    std::string where() const;
    // What a fault at this address is; empty if unknown.
    std::string describe(std::uintptr_t address) const;

  private:
    static void fiber_body();

    void prepare();
    void run_block(std::int64_t index);
    void check_slack() const;
    void release_all();
    void release(Warp &warp);
    void overtake();
    Thread *next();
    void give_way();
    void finish();
    Warp &warp_of(const Thread &thread) { return warps_[static_cast<std::size_t>(thread.index / kWarp)]; }
    Operand &arrive(Operation operation, Site site);
    void join(void (*work)(WarpOperands &));

    FiberPool fibers_;
    SharedMemory shared_;
    std::vector<Thread> threads_;
    std::array<Warp, kMaxBlock / kWarp> warps_;
    std::size_t warp_count_ = 0;
    std::vector<Range> global_;
    Range recent_ = {};

    const Launch *launch_ = nullptr;
    std::int64_t index_ = -1;
    Random random_;
    Thread *current_ = nullptr; // NULL between blocks
    Fiber outside_ = {};
    std::uint32_t ready_warps_ = 0;
    int current_warp_ = 0;
    int waiting_ = 0, finished_ = 0;
    Site barrier_site_ = {};
};

} // namespace simt

#endif
