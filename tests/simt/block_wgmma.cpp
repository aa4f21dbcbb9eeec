// SPDX-License-Identifier: Apache-2.0
//
// Products of a warpgroup. Each of its four warps computes its own rows, as late as its wait for them; none completes
// before all four have issued it.
#include "block.h"
#include "grid.h"

#include <algorithm>

namespace simt {
namespace {

constexpr int kRows = kGroupWarps * kWarpRows;

bool operand_multiple(int bytes) { return bytes >= 0 && bytes % static_cast<int>(kCore) == 0; }

} // namespace

std::uint64_t Block::wgmma_operand(const void *shared, const OperandLayout &layout, Site site) {
    check_shared(shared, kCore, kCore, "wgmma_operand", site);
    if (!operand_multiple(layout.half) || !operand_multiple(layout.rows)) {
        fail("wgmma_operand (%s) of parts %d and %d bytes apart; they must be multiples of %zu and not negative",
             text(site).c_str(), layout.half, layout.rows, kCore);
    }
    const SharedOperand operand = {static_cast<std::size_t>(shared_.offset(reinterpret_cast<std::uintptr_t>(shared))),
                                   static_cast<std::size_t>(layout.half), static_cast<std::size_t>(layout.rows),
                                   static_cast<std::size_t>(layout.swizzle)};
    SharedOperand kept;
    const std::uint64_t descriptor = operand.encode();
    SharedOperand::decode(descriptor, &kept);
    if (kept.half != operand.half || kept.rows != operand.rows) {
        fail("wgmma_operand (%s) of parts %d and %d bytes apart, more than a descriptor can hold", text(site).c_str(),
             layout.half, layout.rows);
    }
    return descriptor;
}

// Looks at `count` rows from `first` of one of its operands, of which there are `all`.
void Block::check_operand(std::uint64_t descriptor, int all, int first, int count, const char *which, Site site) {
    SharedOperand operand;
    if (!SharedOperand::decode(descriptor, &operand)) {
        fail("wgmma (%s): %s is no descriptor that wgmma_operand gave", text(site).c_str(), which);
    }
    if (operand.swizzle != 0 && operand.start % operand.swizzle + kStepRow > operand.swizzle) {
        fail("wgmma (%s): %s begins at byte %zu of shared memory, and goes on in the next row of %zu bytes",
             text(site).c_str(), which, operand.start, operand.swizzle);
    }
    if (operand.end(all) > shared_.bytes()) {
        fail("wgmma (%s): %s reaches to byte %zu of shared memory, which has %zu bytes", text(site).c_str(), which,
             operand.end(all), shared_.bytes());
    }
    const int together = operand.swizzle == 0 ? 8 : 1;
    for (int row = first; row < first + count; row += together) {
        for (int h = 0; h < 2; ++h) {
            const std::ptrdiff_t stale = view_.stale(operand.at(row, h), static_cast<std::size_t>(together) * kCore);
            if (stale >= 0) {
                fail("wgmma (%s): byte %td of shared memory, in %s, was written without a fence_async_shared after it",
                     text(site).c_str(), stale, which);
            }
        }
    }
}

// The same for an operand given as columns; only such as begin a swizzled place have been held against the hardware.
void Block::check_columns(std::uint64_t descriptor, int count, Site site) {
    SharedOperand operand;
    if (!SharedOperand::decode(descriptor, &operand) || operand.swizzle != kColumnsRow) {
        fail("wgmma (%s): b is no descriptor that wgmma_swizzled_columns gave", text(site).c_str());
    }
    if (operand.start % operand.rows != 0 || operand.half % operand.rows != 0) {
        fail("wgmma (%s): columns begin at byte %zu of shared memory, the next at a distance of %zu, no multiples of "
             "%zu",
             text(site).c_str(), operand.start, operand.half, operand.rows);
    }
    if (operand.columns_end(count) > shared_.bytes()) {
        fail("wgmma (%s): columns reach to byte %zu of shared memory, which has %zu bytes", text(site).c_str(),
             operand.columns_end(count), shared_.bytes());
    }
    for (int k = 0; k < kColumnsStep; ++k) {
        for (int column = 0; column < count; column += 8) {
            const std::ptrdiff_t stale = view_.stale(operand.columns_at(k, column), kCore);
            if (stale >= 0) {
                fail("wgmma (%s): byte %td of shared memory, in columns, was written without a fence_async_shared "
                     "after it",
                     text(site).c_str(), stale);
            }
        }
    }
}

// Enters a product into the group's list, or compares it with what another warp of the group entered.
void Block::agree_in_group(Warp &warp, const Product &product, Site site) {
    GroupProducts &group = group_of(warp);
    const std::size_t place = static_cast<std::size_t>(warp.products.issued++ - group.first);
    if (place == group.products.size()) {
        group.products.push_back(product);
    } else if (!(group.products[place] == product)) {
        fail("wgmma (%s): warp %d and another of its group differ in it: in d's columns, the elements, the operands "
             "or whether it accumulates",
             text(site).c_str(), warp.first / kWarp);
    }
    if (issued_by_group(warp) > group.first) {
        group.products.pop_front();
        ++group.first;
    }
    for (Thread *thread : group.waiting) {
        wake(*thread);
    }
    group.waiting.clear();
}

// How many products all warps of a group have issued.
std::uint64_t Block::issued_by_group(const Warp &warp) const {
    const Warp *const first = &warps_[static_cast<std::size_t>(warp.first / kWarp / kGroupWarps * kGroupWarps)];
    return std::min_element(first, first + kGroupWarps,
                            [](const Warp &a, const Warp &b) { return a.products.issued < b.products.issued; })
        ->products.issued;
}

// The accumulators of a product that begins: those under way, or new ones.
Accumulators &Block::open_accumulators(Warp &warp, int n, Site site) {
    WarpProducts &own = warp.products;
    std::array<float *, kWarp> d;
    for (std::size_t i = 0; i < d.size(); ++i) {
        d[i] = warp.operands[i].d;
    }
    Accumulators *found = own.find(d[0]);
    if (found != nullptr) {
        if (found->d != d || found->n != n || !found->intact()) {
            fail("wgmma (%s) to registers that %s while a wgmma (%s) to them is under way", text(site).c_str(),
                 found->d == d && found->n == n ? "were written" : "are divided otherwise", text(found->site).c_str());
        }
    } else {
        const auto given = own.given.find(d[0]);
        if (own.fences == 0 || (given != own.given.end() && given->second == own.fences)) {
            fail("wgmma (%s) without a wgmma_fence since its registers were free to be used otherwise",
                 text(site).c_str());
        }
        own.accumulators.push_back({d, n, {}, 0, site});
        found = &own.accumulators.back();
        found->take();
        found->poison();
    }
    found->site = site;
    ++found->under_way;
    return *found;
}

void Block::start_product(Warp &warp, const Product &product, Site site) {
    for (const Operand &operand : warp.operands) {
        if (!(operand.product == product)) {
            fail("wgmma (%s): lanes of a warp differ in the operands or in whether it accumulates", text(site).c_str());
        }
    }
    const int first_row = warp.first / kWarp % kGroupWarps * kWarpRows;
    check_operand(product.a, kRows, first_row, kWarpRows, "a", site);
    if (product.columns) {
        check_columns(product.b, product.n, site);
    } else {
        check_operand(product.b, product.n, 0, product.n, "b", site);
    }
    ProductUnderWay started = {product, &open_accumulators(warp, product.n, site), {}, {}};
    if (random_.below(2) == 0) {
        read_operands(warp, started);
    }
    warp.products.products.push_back(std::move(started));
    ++warp.products.open;
    agree_in_group(warp, product, site);
    grid_.note_event();
}

void Block::read_operands(const Warp &warp, ProductUnderWay &product) {
    SharedOperand a, b;
    SharedOperand::decode(product.product.a, &a);
    SharedOperand::decode(product.product.b, &b);
    product.a = a.read(shared_.base(), warp.first / kWarp % kGroupWarps * kWarpRows, kWarpRows);
    const int n = product.product.n;
    product.b = product.product.columns ? b.read_columns(shared_.base(), n) : b.read(shared_.base(), 0, n);
}

void Block::complete_products(Warp &warp, std::size_t count) {
    WarpProducts &own = warp.products;
    for (; count > 0; --count) {
        ProductUnderWay &product = own.products.front();
        if (product.a.empty()) {
            read_operands(warp, product);
        }
        multiply_rows(product.product, product.a.data(), product.b.data(), product.to->sums.data());
        --product.to->under_way;
        own.products.pop_front();
    }
}

// Gives the lanes what their registers d are now, `n` columns.
void Block::give_accumulators(Warp &warp, int n, Site site) {
    WarpProducts &own = warp.products;
    Accumulators *const found = own.find(warp.operands[0].d);
    if (found == nullptr) {
        return;
    }
    for (std::size_t i = 0; i < found->d.size(); ++i) {
        if (found->d[i] != warp.operands[i].d || found->n != n) {
            fail("wgmma_wait (%s) for other registers than the wgmma (%s) has", text(site).c_str(),
                 text(found->site).c_str());
        }
    }
    if (found->under_way != 0) {
        fail("wgmma_wait (%s) for registers of a wgmma (%s) that is still under way then", text(site).c_str(),
             text(found->site).c_str());
    }
    if (!found->intact()) {
        fail("the registers of a wgmma (%s) were written before the wgmma_wait (%s) for it", text(found->site).c_str(),
             text(site).c_str());
    }
    found->give();
    own.given[found->d[0]] = own.fences;
    own.accumulators.remove_if([&](const Accumulators &one) { return &one == found; });
}

Operand &Block::arrive_in_group(Operation operation, Site site) {
    const Warp &warp = warp_of(*current_);
    const std::size_t first = static_cast<std::size_t>(warp.first / kWarp / kGroupWarps * kGroupWarps);
    if (first + kGroupWarps > warp_count_) {
        fail("%s (%s) by warp %d, which is in no whole group of %d warps", name(operation), text(site).c_str(),
             warp.first / kWarp, kGroupWarps);
    }
    return arrive(operation, site);
}

void Block::wgmma(float *d, const Product &product, Site site) {
    Operand &operand = arrive_in_group(Operation::wgmma, site);
    operand.d = d;
    operand.product = product;
    if (gather()) {
        start_product(warp_of(*current_), product, site);
        disperse();
    }
}

void Block::wgmma_fence(Site site) {
    arrive_in_group(Operation::wgmma_fence, site);
    if (gather()) {
        ++warp_of(*current_).products.fences;
        disperse();
    }
}

void Block::wgmma_commit(Site site) {
    arrive_in_group(Operation::wgmma_commit, site);
    if (gather()) {
        WarpProducts &own = warp_of(*current_).products;
        own.groups.push_back(own.open);
        own.open = 0;
        disperse();
    }
}

void Block::wgmma_wait(std::size_t pending, float *d, int n, Site site) {
    Warp &warp = warp_of(*current_);
    Thread &thread = *current_;
    while (issued_by_group(warp) < warp.products.complete_at(pending)) {
        thread.wait = Wait::products;
        thread.site = site;
        group_of(warp).waiting.push_back(&thread);
        give_way();
    }
    thread.wait = Wait::none;
    arrive_in_group(Operation::wgmma_wait, site).d = d;
    if (gather()) {
        WarpProducts &own = warp.products;
        for (; own.groups.size() > pending; own.groups.pop_front()) {
            complete_products(warp, own.groups.front());
        }
        if (d != nullptr) {
            give_accumulators(warp, n, site);
        }
        grid_.note_event();
        disperse();
    }
}

void Block::check_products(const Warp &warp) const {
    if (!warp.products.accumulators.empty()) {
        fail("the thread leaves the kernel without a wgmma_wait for the registers of its wgmma (%s)",
             text(warp.products.accumulators.front().site).c_str());
    }
}

} // namespace simt
