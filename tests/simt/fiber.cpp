// SPDX-License-Identifier: Apache-2.0

// The fortified longjmp takes a jump to another stack for an attack; some distributions turn it on by default.
#undef _FORTIFY_SOURCE

#include "fiber.h"
#include "memory.h"
#include "simt.h"

#include <sys/mman.h>
#include <ucontext.h>

namespace simt {
namespace {

std::size_t mapping_size() { return FiberPool::kStack + page_size(); }

// What a new fiber needs to know, since makecontext passes only int.
struct Birth {
    Fiber *fiber;
    void (*body)();
    jmp_buf creator;
};
thread_local Birth *birth;

void first_call() {
    Birth &mine = *birth;
    void (*const body)() = mine.body;
    if (_setjmp(mine.fiber->context) == 0) {
        _longjmp(mine.creator, 1);
    }
    for (;;) {
        body();
    }
}

} // namespace

bool Fiber::guards(std::uintptr_t address) const {
    return address - reinterpret_cast<std::uintptr_t>(mapping) < page_size();
}

void fiber_switch(Fiber &from, Fiber &to) {
    if (_setjmp(from.context) == 0) {
        _longjmp(to.context, 1);
    }
}

FiberPool::~FiberPool() {
    for (const auto &fiber : fibers_) {
        munmap(fiber->mapping, mapping_size());
    }
}

void FiberPool::reserve(std::size_t count) {
    while (fibers_.size() < count) {
        add();
    }
}

void FiberPool::add() {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    void *const mapping = mmap(nullptr, mapping_size(), PROT_READ | PROT_WRITE, flags, -1, 0);
    if (mapping == MAP_FAILED || mprotect(mapping, page_size(), PROT_NONE) != 0) {
        fail("no memory for the stack of thread %zu; fewer blocks at once need less (CONVSMITH_SIMT_SMS)",
             fibers_.size());
    }
    fibers_.push_back(std::make_unique<Fiber>());
    Fiber &fiber = *fibers_.back();
    fiber.mapping = static_cast<unsigned char *>(mapping);

    // Tops at different places of their page: frames at one offset of every stack would fight for a few cache sets.
    const std::size_t colour = fibers_.size() * 5 * 64 % 4096;
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = static_cast<unsigned char *>(mapping) + page_size();
    context.uc_stack.ss_size = kStack - colour;
    context.uc_link = nullptr;
    makecontext(&context, first_call, 0);

    Birth mine{&fiber, body_, {}};
    birth = &mine;
    if (_setjmp(mine.creator) == 0) {
        setcontext(&context);
    }
    birth = nullptr;
}

} // namespace simt
