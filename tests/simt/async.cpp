// SPDX-License-Identifier: Apache-2.0
#include "async.h"
#include "memory.h"

#include <algorithm>
#include <cstring>

namespace simt {

void BulkGroup::fetch() {
    if (read) {
        return;
    }
    for (BulkStore &store : stores) {
        store.data.assign(store.shared, store.shared + store.bytes);
    }
    read = true;
}

void BulkGroup::write() const {
    for (const BulkStore &store : stores) {
        std::memcpy(store.global, store.data.data(), store.bytes);
    }
}

void AsyncView::reset(const unsigned char *base, std::size_t bytes) {
    base_ = base;
    view_.resize(bytes);
    known_.assign(round_up(bytes, kUnit) / kUnit, false);
    low_ = bytes;
    high_ = 0;
}

void AsyncView::restart() {
    fence();
    fenced_ = false;
}

void AsyncView::fence() {
    if (low_ < high_) {
        refresh(low_, high_ - low_);
    }
    fenced_ = true;
}

void AsyncView::refresh(std::size_t offset, std::size_t bytes) {
    std::memcpy(view_.data() + offset, base_ + offset, bytes);
}

void AsyncView::accept(std::size_t offset, std::size_t bytes) {
    std::fill_n(known_.begin() + static_cast<std::ptrdiff_t>(offset / kUnit), bytes / kUnit, true);
    low_ = std::min(low_, offset);
    high_ = std::max(high_, offset + bytes);
    refresh(offset, bytes);
}

// A place that nobody has written holds no write that a fence is missing for.
bool AsyncView::is_visible(std::size_t unit) const {
    const unsigned char *const now = base_ + unit * kUnit;
    if (known_[unit]) {
        return std::memcmp(view_.data() + unit * kUnit, now, kUnit) == 0;
    }
    return fenced_ || first_written(now, now + kUnit) == now + kUnit;
}

std::ptrdiff_t AsyncView::stale(std::size_t offset, std::size_t bytes) {
    std::ptrdiff_t found = -1;
    for (std::size_t at = offset; at < offset + bytes && found < 0; at += kUnit) {
        found = is_visible(at / kUnit) ? -1 : static_cast<std::ptrdiff_t>(at);
    }
    for (std::size_t at = offset; at < offset + bytes; at += kUnit) {
        if (!known_[at / kUnit]) {
            known_[at / kUnit] = true;
            std::memcpy(view_.data() + at, base_ + at, kUnit);
        }
    }
    low_ = std::min(low_, offset);
    high_ = std::max(high_, offset + bytes);
    return found;
}

} // namespace simt
