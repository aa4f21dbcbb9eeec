// SPDX-License-Identifier: Apache-2.0
//
// What the lanes of a warp do together.
#include "block.h"
#include "mma.h"

namespace simt {

Operand &Block::arrive(Operation operation, Site site) {
    Warp &warp = warp_of(*current_);
    const auto refuse = [&](const std::string &why) {
        fail("divergent warp: the thread is at %s (%s), but %s", name(operation), text(site).c_str(), why.c_str());
    };
    if (warp.size < kWarp) {
        refuse("its warp has only " + std::to_string(warp.size) + " threads");
    }
    if (warp.finished != 0) {
        refuse(std::to_string(warp.finished) + " others have left the kernel");
    }
    if (warp.at_barrier != 0) {
        refuse(std::to_string(warp.at_barrier) + " others are at sync_threads (" + text(barrier_site_) + ")");
    }
    if (warp.arrived == 0) {
        warp.operation = operation;
        warp.site = site;
    } else if (warp.operation != operation || !same(warp.site, site)) {
        refuse(std::to_string(warp.arrived) + " others are at " + name(warp.operation) + " (" + text(warp.site) + ")");
    }
    return warp.operands[static_cast<std::size_t>(lane())];
}

// The lane that comes last does the work of all and goes on; the others become ready.
void Block::join(void (*work)(WarpOperands &)) {
    Warp &warp = warp_of(*current_);
    if (++warp.arrived < kWarp) {
        give_way();
        return;
    }
    work(warp.operands);
    warp.arrived = 0;
    release(warp);
    // Now and then another warp overtakes.
    if (random_.below(4) == 0) {
        overtake();
    }
}

static void exchange(WarpOperands &operands) {
    for (Operand &operand : operands) {
        operand.result = operands[static_cast<std::size_t>(operand.source)].value;
    }
}

static void multiply(WarpOperands &operands) {
    float *d[kWarp];
    const std::uint32_t *a[kWarp];
    const std::uint32_t *b[kWarp];
    for (std::size_t i = 0; i < kWarp; ++i) {
        d[i] = operands[i].d;
        a[i] = operands[i].a;
        b[i] = operands[i].b;
    }
    mma_m16n8k8_warp(d, a, b);
}

std::uint64_t Block::shuffle(std::uint64_t value, int source, Site site) {
    if (source < 0 || source >= kWarp) {
        fail("shuffle (%s) from lane %d, outside 0..%d", text(site).c_str(), source, kWarp - 1);
    }
    Operand &operand = arrive(Operation::shuffle, site);
    operand.value = value;
    operand.source = source;
    join(exchange);
    return operand.result;
}

void Block::mma(float *d, const std::uint32_t *a, const std::uint32_t *b, Site site) {
    Operand &operand = arrive(Operation::mma, site);
    operand.d = d;
    operand.a = a;
    operand.b = b;
    join(multiply);
}

} // namespace simt
