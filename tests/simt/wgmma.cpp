// SPDX-License-Identifier: Apache-2.0
#include "wgmma.h"
#include "element.h"
#include "memory.h"

#include <algorithm>
#include <cstring>

namespace simt {
namespace {

constexpr std::uint64_t kField = 0x3FFF; // 14 bits, of 16 bytes each
constexpr int kHalf = 16, kRows = 32;    // where the fields begin
constexpr int kSwizzle = 62;             // 1: rows of 128 bytes, 2: of 64, 3: of 32

std::uint64_t swizzle_field(std::size_t swizzle) {
    const std::uint64_t kind = swizzle == 128 ? 1 : swizzle == 64 ? 2 : swizzle == 32 ? 3 : 0;
    return kind << kSwizzle;
}

std::uint64_t field(std::size_t bytes, int shift) { return (bytes / kCore & kField) << shift; }
std::size_t bytes(std::uint64_t descriptor, int shift) {
    return static_cast<std::size_t>(descriptor >> shift & kField) * kCore;
}

template <class Bits> Bits element_at(const unsigned char *from, int i) {
    Bits bits;
    std::memcpy(&bits, from + static_cast<std::size_t>(i) * sizeof bits, sizeof bits);
    return bits;
}

double value_at(Element element, const unsigned char *row, int k) {
    switch (element) {
    case Element::tf32:
        return static_cast<double>(tf32_value(element_at<std::uint32_t>(row, k)));
    case Element::f16:
        return static_cast<double>(f16_value(element_at<std::uint16_t>(row, k)));
    case Element::bf16:
        return static_cast<double>(bf16_value(element_at<std::uint16_t>(row, k)));
    }
    return 0.0;
}

int step(Element element) { return element == Element::tf32 ? 8 : 16; }

// [step][count]
std::vector<double> values(Element element, const unsigned char *rows, int count) {
    std::vector<double> values;
    for (int k = 0; k < step(element); ++k) {
        for (int row = 0; row < count; ++row) {
            values.push_back(value_at(element, rows + static_cast<std::size_t>(row) * kStepRow, k));
        }
    }
    return values;
}

// Where register i of a lane is in [kWarpRows][n].
std::size_t place(int lane, int i, int n) {
    const int row = lane / 4 + i / 2 % 2 * 8, column = i / 4 * 8 + lane % 4 * 2 + i % 2;
    return static_cast<std::size_t>(row * n + column);
}

} // namespace

std::uint64_t SharedOperand::encode() const {
    return field(start, 0) | field(half, kHalf) | field(rows, kRows) | swizzle_field(swizzle);
}

bool SharedOperand::decode(std::uint64_t descriptor, SharedOperand *operand) {
    static constexpr std::size_t swizzles[] = {0, 128, 64, 32};
    const std::size_t swizzle = swizzles[descriptor >> kSwizzle];
    *operand = {bytes(descriptor, 0), bytes(descriptor, kHalf), bytes(descriptor, kRows), swizzle};
    return operand->encode() == descriptor && (swizzle == 0 || operand->rows == 8 * swizzle);
}

std::size_t SharedOperand::unswizzled(int row, int h) const {
    const std::size_t pitch = swizzle == 0 ? kCore : swizzle;
    return start + static_cast<std::size_t>(row / 8) * rows + static_cast<std::size_t>(row % 8) * pitch +
           static_cast<std::size_t>(h) * (swizzle == 0 ? half : kCore);
}

std::size_t SharedOperand::at(int row, int h) const {
    const std::size_t place = unswizzled(row, h);
    return swizzle == 0 ? place : swizzled(place, swizzle);
}

// A swizzled row is counted whole, since its parts are anywhere in it.
std::size_t SharedOperand::end(int count) const {
    const std::size_t place = unswizzled(count - 1, 1);
    return swizzle == 0 ? place + kCore : (place / swizzle + 1) * swizzle;
}

std::vector<unsigned char> SharedOperand::read(const unsigned char *shared, int first, int count) const {
    std::vector<unsigned char> data(static_cast<std::size_t>(count) * kStepRow);
    unsigned char *to = data.data();
    for (int row = first; row < first + count; ++row) {
        for (int h = 0; h < 2; ++h, to += kCore) {
            std::memcpy(to, shared + at(row, h), kCore);
        }
    }
    return data;
}

std::size_t SharedOperand::columns_at(int k, int column) const {
    return swizzled(start + static_cast<std::size_t>(column / kPlaceColumns) * half +
                        static_cast<std::size_t>(k / 8) * rows + static_cast<std::size_t>(k % 8) * kColumnsRow +
                        static_cast<std::size_t>(column % kPlaceColumns) * 2,
                    kColumnsRow);
}

std::size_t SharedOperand::columns_end(int count) const {
    return start + static_cast<std::size_t>((count - 1) / kPlaceColumns) * half + rows + 8 * kColumnsRow;
}

std::vector<unsigned char> SharedOperand::read_columns(const unsigned char *shared, int count) const {
    std::vector<unsigned char> data(static_cast<std::size_t>(count) * kStepRow);
    for (int column = 0; column < count; ++column) {
        for (int k = 0; k < kColumnsStep; ++k) {
            std::memcpy(data.data() + static_cast<std::size_t>(column) * kStepRow + static_cast<std::size_t>(k) * 2,
                        shared + columns_at(k, column), 2);
        }
    }
    return data;
}

bool operator==(const Product &a, const Product &b) {
    return a.element == b.element && a.n == b.n && a.a == b.a && a.b == b.b && a.accumulate == b.accumulate &&
           a.columns == b.columns;
}

// Products and their sums over k are exact or nearly so; one rounding ends each.
void multiply_rows(const Product &product, const unsigned char *a, const unsigned char *b, float *sums) {
    const std::vector<double> rows = values(product.element, a, kWarpRows);
    const std::vector<double> columns = values(product.element, b, product.n);
    const auto n = static_cast<std::size_t>(product.n);
    std::vector<double> exact(n);
    for (std::size_t row = 0; row < kWarpRows; ++row, sums += n) {
        for (std::size_t i = 0; i < n; ++i) {
            exact[i] = product.accumulate ? static_cast<double>(sums[i]) : 0.0;
        }
        for (std::size_t k = 0; k < columns.size() / n; ++k) {
            for (std::size_t i = 0; i < n; ++i) {
                exact[i] += rows[k * kWarpRows + row] * columns[k * n + i];
            }
        }
        std::transform(exact.begin(), exact.end(), sums, [](double sum) { return static_cast<float>(sum); });
    }
}

void Accumulators::take() {
    sums.resize(static_cast<std::size_t>(kWarpRows * n));
    for (int lane = 0; lane < kWarp; ++lane) {
        for (int i = 0; i < n / 2; ++i) {
            sums[place(lane, i, n)] = d[static_cast<std::size_t>(lane)][i];
        }
    }
}

bool Accumulators::intact() const {
    return std::all_of(d.begin(), d.end(), [&](const float *lane) {
        return std::all_of(lane, lane + n / 2, [](float value) { return bits_of(value) == kPoison; });
    });
}

void Accumulators::poison() {
    for (float *lane : d) {
        simt::poison(lane, static_cast<std::size_t>(n / 2) * sizeof *lane);
    }
}

void Accumulators::give() const {
    for (int lane = 0; lane < kWarp; ++lane) {
        for (int i = 0; i < n / 2; ++i) {
            d[static_cast<std::size_t>(lane)][i] = sums[place(lane, i, n)];
        }
    }
}

Accumulators *WarpProducts::find(const float *d) {
    for (Accumulators &one : accumulators) {
        if (one.d[0] == d) {
            return &one;
        }
    }
    return nullptr;
}

std::uint64_t WarpProducts::complete_at(std::size_t pending) const {
    std::uint64_t under_way = open;
    for (std::size_t i = groups.size() - std::min(pending, groups.size()); i < groups.size(); ++i) {
        under_way += groups[i];
    }
    return issued - under_way;
}

// The hardware adds to the fields' word, where one would run into the next.
std::uint64_t wgmma_moved(std::uint64_t operand, int by, int half, Site site) {
    const std::int64_t start = static_cast<std::int64_t>(operand & kField) + by;
    const std::int64_t apart = static_cast<std::int64_t>(operand >> kHalf & kField) + half;
    const auto holds = [](std::int64_t value) { return value >= 0 && value <= static_cast<std::int64_t>(kField); };
    if (!holds(start) || !holds(apart)) {
        fail("wgmma_moved (%s:%d) by %d and %d: no descriptor can begin at %lld times 16 bytes with halves %lld times "
             "16 "
             "bytes apart",
             site.file, site.line, by, half, static_cast<long long>(start), static_cast<long long>(apart));
    }
    const std::uint64_t others = operand & ~(kField | kField << kHalf);
    return others | static_cast<std::uint64_t>(start) | static_cast<std::uint64_t>(apart) << kHalf;
}

} // namespace simt
