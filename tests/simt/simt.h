// SPDX-License-Identifier: Apache-2.0
//
// A small SIMT machine on the CPU: each thread of a block is a fiber, barriers and warp collectives are rendezvous.
// This header is what kernels (through device/ptx.cuh) and launches (cuda_launch.cpp) see of it.
//
// It is made to be unkind. Between two rendezvous a thread runs alone, in an order that a seed shuffles; shared memory
// holds NaN before each block; an asynchronous copy makes its destination NaN at once and lands only at its wait. So
// most kernels that rely on luck fail here at once. Whatever no kernel may do ends the program, with a message that
// names the kernel, the block and the thread; so does a launch in which nothing can go on.
#ifndef CONVSMITH_SIMT_H
#define CONVSMITH_SIMT_H

#include <cstddef>
#include <cstdint>

namespace simt {

constexpr int kWarp = 32;
constexpr int kMaxBlock = 1024;
constexpr std::size_t kMaxShared = 232448; // as sm_90: 227 KiB a block

// Memory nobody has written reads as this: each half is NaN as fp16 and bf16, each word as fp32, each pair as fp64.
constexpr std::uint32_t kPoison = 0x7FF57FF5u;

// A place in the source, to tell one collective from another.
struct Site {
    const char *file;
    int line;
};

// What mma and wgmma multiply.
enum class Element { tf32, f16, bf16 };

// One launch. `invoke(kernel, args)` is called once for each thread; `kernel` also gives messages their name.
struct Launch {
    void (*invoke)(const void *kernel, const void *args);
    const void *kernel;
    const void *args;
    std::int64_t grid;
    int block;
    std::size_t shared;
    bool cooperative; // all blocks are alive at once; otherwise one runs after the other
};

// Runs a launch to its end. The caller has checked its limits.
void run(const Launch &launch);

// The seed of all orders: CONVSMITH_SIMT_SEED, or 1.
std::uint64_t seed();

// Ends the program with a message; from inside a kernel it says where.
[[noreturn, gnu::format(printf, 1, 2)]] void fail(const char *format, ...);

// What kernels call. Each acts on the calling fiber.
int thread_index();
int block_threads();
std::int64_t block_index();
std::int64_t block_count();
void *shared_base();
void barrier(Site site);
std::uint64_t shuffle(std::uint64_t value, int source, Site site);
void mma(float *d, const std::uint32_t *a, const std::uint32_t *b, Element element, Site site);
int lane();
void sync_warp(Site site);
void sync_some_threads(int number, int threads, Site site);
bool all_lanes(bool predicate, Site site);
void set_registers(bool release, int count, Site site);

// The hardware's barriers in shared memory, "mbarrier".
void phase_init(void *barrier, int arrivals, Site site);
void phase_init_fence();
void phase_arrive(void *barrier, Site site);
void phase_expect(void *barrier, int bytes, Site site);
void phase_wait(void *barrier, int parity, Site site);

// Asynchronous bulk copies.
void bulk_load(void *shared, const void *global, int bytes, void *barrier, Site site);
// The box of a tensor's map from place c, w, h, n on.
void tensor_load(void *shared, const void *map, int c, int w, int h, int n, void *barrier, Site site);
void bulk_store(void *global, const void *shared, int bytes, Site site);
void tensor_store(const void *map, const void *shared, int c, int w, int h, int n, Site site);
void bulk_commit();
void bulk_wait_read(int pending);
void bulk_wait(int pending);
void fence_async_shared();

// How an operand lies in shared memory. Without swizzle (0): bytes from one half of a step's k to the other, and from
// eight rows to the next eight. Else rows of `swizzle` bytes (32, 64, 128) lie one after the other, swizzled. Of
// columns, swizzled: bytes from 64 of them to the next 64, and from eight k to the next eight.
struct OperandLayout {
    int half, rows, swizzle;
};

// One wgmma: the same for all lanes of all four warps.
struct Product {
    Element element;
    int n;
    std::uint64_t a, b;
    bool accumulate;
    bool columns; // b is given as columns
};

// Products of a warpgroup.
std::uint64_t wgmma_operand(const void *shared, const OperandLayout &layout, Site site);
std::uint64_t wgmma_moved(std::uint64_t operand, int by, int half, Site site);
void wgmma(float *d, const Product &product, Site site);
void wgmma_fence(Site site);
void wgmma_commit(Site site);
void wgmma_wait(int pending, float *d, int n, Site site); // d NULL: for no registers

// A word of global memory that threads of all blocks share; what it was before an addition.
std::uint64_t add_global(std::uint64_t *global, std::uint64_t value, Site site);
std::uint64_t poll_global(const std::uint64_t *global, Site site);

// Ends the program unless [address, address + bytes) lies in one live allocation, aligned to `bytes`; or in the block's
// shared memory.
void check_global(const void *address, std::size_t bytes, const char *what, Site site);
void check_shared(const void *address, std::size_t bytes, const char *what, Site site);

void copy_async(void *shared, const void *global, std::size_t bytes, bool valid, Site site);
void copy_commit();
void copy_wait(int pending);

} // namespace simt

#endif
