// SPDX-License-Identifier: Apache-2.0
#include "simt.h"
#include "block.h"
#include "fault.h"
#include "grid.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace simt {
namespace {

// What kernels call exists only while one runs.
Block &block() {
    Block *const running = Block::running();
    if (running == nullptr) {
        fail("a device function was called outside a kernel");
    }
    return *running;
}

} // namespace

std::uint64_t seed() {
    const char *const text = std::getenv("CONVSMITH_SIMT_SEED");
    if (text == nullptr) {
        return 1;
    }
    char *end;
    const std::uint64_t value = std::strtoull(text, &end, 10);
    if (end == text || *end != '\0') {
        std::fprintf(stderr, "simt: CONVSMITH_SIMT_SEED is \"%s\"; it must be a decimal number\n", text);
        std::abort();
    }
    return value;
}

void fail(const char *format, ...) {
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const Grid *const running = Grid::running();
    std::fprintf(stderr, "simt: %s%s (repeat with CONVSMITH_SIMT_SEED=%llu)\n",
                 running == nullptr ? "" : running->where().c_str(), text, static_cast<unsigned long long>(seed()));
    std::fflush(nullptr);
    std::abort();
}

void run(const Launch &launch) {
    static thread_local const std::unique_ptr<Grid> machine = std::make_unique<Grid>();
    const MemoryAccess access;
    const FaultHandler handler;
    machine->run(launch);
}

int thread_index() { return block().thread_index(); }
int block_threads() { return block().launch().block; }
std::int64_t block_index() { return block().index(); }
std::int64_t block_count() { return block().launch().grid; }
void *shared_base() { return block().shared().base(); }
int lane() { return block().lane(); }
void barrier(Site site) { block().barrier(site); }

std::uint64_t shuffle(std::uint64_t value, int source, Site site) { return block().shuffle(value, source, site); }

void mma(float *d, const std::uint32_t *a, const std::uint32_t *b, Element element, Site site) {
    block().mma(d, a, b, element, site);
}

void sync_warp(Site site) { block().sync_warp(site); }
void sync_some_threads(int number, int threads, Site site) { block().sync_some(number, threads, site); }
bool all_lanes(bool predicate, Site site) { return block().all_lanes(predicate, site); }
void set_registers(bool release, int count, Site site) { block().set_registers({release, count}, site); }

void phase_init(void *barrier, int arrivals, Site site) { block().phase_init(barrier, arrivals, site); }
void phase_init_fence() { block().phase_init_fence(); }
void phase_arrive(void *barrier, Site site) { block().phase_arrive(barrier, site); }
void phase_expect(void *barrier, int bytes, Site site) { block().phase_expect(barrier, bytes, site); }
void phase_wait(void *barrier, int parity, Site site) { block().phase_wait(barrier, parity, site); }

void bulk_load(void *shared, const void *global, int bytes, void *barrier, Site site) {
    block().bulk_load(shared, global, bytes, barrier, site);
}

void tensor_load(void *shared, const void *map, int c, int w, int h, int n, void *barrier, Site site) {
    block().tensor_load(shared, map, {c, w, h, n}, barrier, site);
}

void tensor_store(const void *map, const void *shared, int c, int w, int h, int n, Site site) {
    block().tensor_store(map, shared, {c, w, h, n}, site);
}

void bulk_store(void *global, const void *shared, int bytes, Site site) {
    block().bulk_store(global, shared, bytes, site);
}

void bulk_commit() { block().bulk_commit(); }
void bulk_wait_read(int pending) { block().bulk_wait_read(static_cast<std::size_t>(pending)); }
void bulk_wait(int pending) { block().bulk_wait(static_cast<std::size_t>(pending)); }
void fence_async_shared() { block().fence_async_shared(); }

std::uint64_t wgmma_operand(const void *shared, const OperandLayout &layout, Site site) {
    return block().wgmma_operand(shared, layout, site);
}

void wgmma(float *d, const Product &product, Site site) { block().wgmma(d, product, site); }

void wgmma_fence(Site site) { block().wgmma_fence(site); }
void wgmma_commit(Site site) { block().wgmma_commit(site); }
void wgmma_wait(int pending, float *d, int n, Site site) {
    block().wgmma_wait(static_cast<std::size_t>(pending), d, n, site);
}

std::uint64_t add_global(std::uint64_t *global, std::uint64_t value, Site site) {
    return block().add_global(global, value, site);
}
std::uint64_t poll_global(const std::uint64_t *global, Site site) { return block().poll_global(global, site); }

void check_global(const void *address, std::size_t bytes, const char *what, Site site) {
    block().check_global(address, bytes, bytes, what, site);
}

void check_shared(const void *address, std::size_t bytes, const char *what, Site site) {
    block().check_shared(address, bytes, bytes, what, site);
}

void copy_async(void *shared, const void *global, std::size_t bytes, bool valid, Site site) {
    block().copy_async(shared, global, bytes, valid, site);
}

void copy_commit() { block().copy_commit(); }
void copy_wait(int pending) { block().copy_wait(static_cast<std::size_t>(pending)); }

} // namespace simt
