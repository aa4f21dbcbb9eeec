// SPDX-License-Identifier: Apache-2.0
//
// Fibers: stacks of their own, switched by _setjmp and _longjmp, which make no system call.
#ifndef CONVSMITH_SIMT_FIBER_H
#define CONVSMITH_SIMT_FIBER_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <setjmp.h>
#include <vector>

namespace simt {

struct Fiber {
    jmp_buf context;
    unsigned char *mapping; // a page that cannot be touched, then the stack

    // Whether an access to this address is an overflow of the stack.
    bool guards(std::uintptr_t address) const;
};

// Leaves `from` (where it later goes on) for `to`.
void fiber_switch(Fiber &from, Fiber &to);

// Fibers that are made once and then kept; each calls `body` for ever, which must switch away when it has no work.
class FiberPool {
  public:
    static constexpr std::size_t kStack = 256 * 1024;

    explicit FiberPool(void (*body)()) : body_(body) {}
    ~FiberPool();
    FiberPool(const FiberPool &) = delete;
    FiberPool &operator=(const FiberPool &) = delete;

    // Makes sure of `count` fibers.
    void reserve(std::size_t count);
    Fiber &operator[](std::size_t index) { return *fibers_[index]; }

  private:
    void add();

    void (*body_)();
    std::vector<std::unique_ptr<Fiber>> fibers_;
};

} // namespace simt

#endif
