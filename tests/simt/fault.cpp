// SPDX-License-Identifier: Apache-2.0
#include "fault.h"
#include "block.h"

#include <mutex>

namespace simt {
namespace {

constexpr std::size_t kStack = 64 * 1024;

// Signal actions belong to the process: the first of the launches under way sets them, the last one restores them.
std::mutex mutex;
int users;
struct sigaction previous_segv, previous_bus;

void explain(int signal, siginfo_t *info, void *) {
    const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    const Block *const block = Block::running();
    if (block == nullptr) {
        // Not a kernel's: on return the same instruction faults again, now without us.
        sigaction(signal, signal == SIGSEGV ? &previous_segv : &previous_bus, nullptr);
        return;
    }
    const std::string place = block->describe(address);
    fail("invalid access to %p: %s", info->si_addr, place.empty() ? "no known memory" : place.c_str());
}

} // namespace

FaultHandler::FaultHandler() : stack_(new unsigned char[kStack]) {
    stack_t stack = {};
    stack.ss_sp = stack_.get();
    stack.ss_size = kStack;
    sigaltstack(&stack, &previous_);

    const std::lock_guard<std::mutex> lock(mutex);
    if (users++ == 0) {
        struct sigaction action = {};
        action.sa_sigaction = explain;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigaction(SIGSEGV, &action, &previous_segv);
        sigaction(SIGBUS, &action, &previous_bus);
    }
}

FaultHandler::~FaultHandler() {
    {
        const std::lock_guard<std::mutex> lock(mutex);
        if (--users == 0) {
            sigaction(SIGSEGV, &previous_segv, nullptr);
            sigaction(SIGBUS, &previous_bus, nullptr);
        }
    }
    sigaltstack(&previous_, nullptr);
}

} // namespace simt
