// SPDX-License-Identifier: Apache-2.0
//
// One block of threads. A Grid lets it run, on the calling CPU thread, until none of its threads can go on.
#ifndef CONVSMITH_SIMT_BLOCK_H
#define CONVSMITH_SIMT_BLOCK_H

#include "async.h"
#include "fiber.h"
#include "memory.h"
#include "shared.h"
#include "simt.h"
#include "tensor.h"
#include "wgmma.h"

#include <array>
#include <deque>
#include <list>
#include <map>
#include <string>
#include <vector>

namespace simt {

// splitmix64.
class Random {
  public:
    explicit Random(std::uint64_t state = 0) : state_(state) {}
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
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

// A thread that reads one word again and again.
struct Polling {
    const std::uint64_t *word = nullptr;
    std::uint64_t value = 0;
    std::uint64_t events = 0; // the grid had seen
    int times = 0;            // since then, with the same value
};

struct Thread;

// A barrier of some of a block's threads, whole warps.
struct SomeBarrier {
    int threads = 0, arrived = 0; // of the phase under way
    std::uint64_t phase = 0;
    std::uint32_t warps = 0; // that have ever come
    std::vector<Thread *> waiting;
};
constexpr int kSomeBarriers = 16; // of which sync_threads has the first

enum class Wait { none, barrier, phase, poll, products, some };

struct Thread {
    Fiber *fiber = nullptr;
    int index = 0;
    CopyQueue queue;
    std::vector<BulkStore> stores; // in no group yet
    std::deque<BulkGroup> groups;
    Polling polling;
    // What it waits for, if it cannot go on, but for the others of its warp.
    Wait wait = Wait::none;
    Site site = {};
    const PhaseBarrier *phase = nullptr;
    int parity = 0;
};

enum class Operation {
    shuffle,
    mma,
    sync_warp,
    sync_some,
    all_lanes,
    registers,
    wgmma,
    wgmma_fence,
    wgmma_commit,
    wgmma_wait,
};
const char *name(Operation operation);

// One execution of setmaxnreg.
struct Registers {
    bool release;
    int count;
    bool operator==(const Registers &other) const { return release == other.release && count == other.count; }
};

// What one lane brought to a warp collective.
struct Operand {
    std::uint64_t value, result; // shuffle, all_lanes, sync_some
    int source;                  // shuffle: the lane whose value it wants
    float *d;                    // mma, wgmma, wgmma_wait
    const std::uint32_t *a, *b;  // mma
    Element element;             // mma
    Product product;             // wgmma
};
using WarpOperands = std::array<Operand, kWarp>;

struct Warp {
    int first = 0, size = 0; // its threads in the block
    int arrived = 0, at_barrier = 0, finished = 0;
    Operation operation = Operation::shuffle;
    std::uint32_t present = 0; // the lanes that have arrived
    Site site = {};
    WarpOperands operands = {};
    // Lanes that can go on, in the order they will.
    std::array<std::uint8_t, kWarp> ready = {};
    int head = 0, tail = 0;
    std::vector<Registers> registers;
    WarpProducts products;
};

class Grid;

class Block {
  public:
    // The block this CPU thread runs, NULL when no thread of any runs.
    static Block *running();

    explicit Block(Grid &grid);

    // For the grid: for a launch `prepare`, for each block of it `begin`, `resume` until it is done, and `end`.
    void prepare(const Launch &launch, bool alone);
    void begin(std::int64_t index, Random random);
    bool done() const { return finished_ == launch_->block; }
    bool can_run() const { return ready_warps_ != 0 || uncounted_ != 0; }
    void resume();
    void end();
    // Lets the threads that stand by go on; whether there are any.
    bool wake_pollers();
    // Adds to `waiting`, by what they wait for, the numbers of threads that wait.
    void count_waiting(std::map<std::string, int> &waiting) const;

    int thread_index() const { return current_->index; }
    int lane() const { return current_->index % kWarp; }
    const Launch &launch() const { return *launch_; }
    std::int64_t index() const { return index_; }
    SharedMemory &shared() { return shared_; }

    void barrier(Site site);
    std::uint64_t shuffle(std::uint64_t value, int source, Site site);
    void mma(float *d, const std::uint32_t *a, const std::uint32_t *b, Element element, Site site);
    void sync_warp(Site site);
    void sync_some(int number, int threads, Site site);
    bool all_lanes(bool predicate, Site site);
    void set_registers(Registers registers, Site site);
    void check_global(const void *address, std::size_t bytes, std::size_t alignment, const char *what, Site site);
    void check_shared(const void *address, std::size_t bytes, std::size_t alignment, const char *what, Site site) const;
    std::uint64_t add_global(std::uint64_t *global, std::uint64_t value, Site site);
    std::uint64_t poll_global(const std::uint64_t *global, Site site);
    void copy_async(void *shared, const void *global, std::size_t bytes, bool valid, Site site);
    void copy_commit();
    void copy_wait(std::size_t pending);

    void phase_init(void *word, int arrivals, Site site);
    void phase_init_fence();
    void phase_arrive(void *word, Site site);
    void phase_expect(void *word, int bytes, Site site);
    void phase_wait(void *word, int parity, Site site);

    void bulk_load(void *shared, const void *global, int bytes, void *word, Site site);
    void tensor_load(void *shared, const void *map, const TensorPlace &from, void *word, Site site);
    void tensor_store(const void *map, const void *shared, const TensorPlace &from, Site site);
    void bulk_store(void *global, const void *shared, int bytes, Site site);
    void bulk_commit();
    void bulk_wait_read(std::size_t pending);
    void bulk_wait(std::size_t pending);
    void fence_async_shared();

    std::uint64_t wgmma_operand(const void *shared, const OperandLayout &layout, Site site);
    void wgmma(float *d, const Product &product, Site site);
    void wgmma_fence(Site site);
    void wgmma_commit(Site site);
    // d NULL: for no registers.
    void wgmma_wait(std::size_t pending, float *d, int n, Site site);

    // "block 3 of 8, thread 17 of 64: ".
    std::string where() const;
    // What a fault at this address is; empty if unknown.
    std::string describe(std::uintptr_t address) const;

  private:
    static void fiber_body();

    void check_slack() const;
    void check_left(const Thread &thread) const;
    std::string waits_for(const Thread &thread) const;

    void release_all();
    void release(Warp &warp);
    void insert(Warp &warp, int lane);
    void wake(const Thread &thread);
    void overtake();
    Thread *next();
    void give_way();
    void pause();
    void stand_by();
    void finish();
    Warp &warp_of(const Thread &thread) { return warps_[static_cast<std::size_t>(thread.index / kWarp)]; }
    Operand &arrive(Operation operation, Site site);
    bool gather();
    void disperse();
    void join(void (*work)(WarpOperands &));
    void arrive_at_some(int number, int threads, Site site);
    void check_registers(const Warp &warp, std::size_t call) const;

    PhaseBarrier &phase_barrier(void *word, const char *what, Site site);
    void take_arrival(PhaseBarrier &barrier, const char *what, Site site);
    void settle(PhaseBarrier &barrier);
    void start_load(BulkLoad load);
    std::ptrdiff_t check_box(const void *shared, const Tensor &tensor, std::size_t alignment, const char *what,
                             Site site) const;
    void start_store(BulkStore store, const char *what);
    void count_load();
    void deliver(const PhaseBarrier &barrier);
    void check_loads() const;
    void finish_stores(Thread &thread);

    GroupProducts &group_of(const Warp &warp) {
        return groups_[static_cast<std::size_t>(warp.first / kWarp / kGroupWarps)];
    }
    Operand &arrive_in_group(Operation operation, Site site);
    void check_operand(std::uint64_t descriptor, int all, int first, int count, const char *which, Site site);
    void check_columns(std::uint64_t descriptor, int count, Site site);
    Accumulators &open_accumulators(Warp &warp, int n, Site site);
    void start_product(Warp &warp, const Product &product, Site site);
    void agree_in_group(Warp &warp, const Product &product, Site site);
    std::uint64_t issued_by_group(const Warp &warp) const;
    void read_operands(const Warp &warp, ProductUnderWay &product);
    void complete_products(Warp &warp, std::size_t count);
    void give_accumulators(Warp &warp, int n, Site site);
    void check_products(const Warp &warp) const;

    FiberPool fibers_;
    SharedMemory shared_;
    std::vector<Thread> threads_;
    std::array<Warp, kMaxBlock / kWarp> warps_;
    std::size_t warp_count_ = 0;
    std::array<GroupProducts, kMaxBlock / kWarp / kGroupWarps> groups_;
    Range recent_ = {};

    std::map<std::ptrdiff_t, PhaseBarrier> phases_; // by offset
    std::list<BulkLoad> loads_;
    int uncounted_ = 0; // of those
    AsyncView view_;

    Grid &grid_;
    const Launch *launch_ = nullptr;
    bool alone_ = true;
    std::int64_t index_ = -1;
    Random random_;
    Thread *current_ = nullptr; // NULL while none runs
    std::vector<Thread *> pollers_;
    std::array<SomeBarrier, kSomeBarriers> some_;
    Fiber outside_ = {};
    std::uint32_t ready_warps_ = 0;
    int current_warp_ = 0;
    int waiting_ = 0, finished_ = 0;
    std::uint64_t barriers_ = 0; // sync_threads passed
    Site barrier_site_ = {};
};

} // namespace simt

#endif
