// SPDX-License-Identifier: Apache-2.0
//
// What is known of the products of a warpgroup: the operands' descriptors, the arithmetic, and what is under way.
#ifndef CONVSMITH_SIMT_WGMMA_H
#define CONVSMITH_SIMT_WGMMA_H

#include "simt.h"
#include "tensor.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <vector>

namespace simt {

struct Thread;

constexpr int kGroupWarps = 4;
constexpr int kWarpRows = 16;                // of d, that a warp has
constexpr std::size_t kCore = kPart;         // bytes of one row that lie together
constexpr std::size_t kStepRow = 2 * kCore;  // bytes of a row in one product
constexpr std::size_t kCoreRows = 8 * kCore; // bytes of the eight rows that lie together

// An operand as columns of 16 bits: so many lie together, of one k; and k of a step.
constexpr int kPlaceColumns = 64, kColumnsStep = 16;
constexpr std::size_t kColumnsRow = 2 * kPlaceColumns; // bytes

// An operand in shared memory, as its descriptor has it: bytes from the begin of shared memory, and between its parts.
struct SharedOperand {
    std::size_t start, half, rows;
    std::size_t swizzle; // bytes of a row that is swizzled; 0: none is

    std::uint64_t encode() const;
    // False if some bits of it cannot be set, or if swizzled rows would not lie one after the other.
    static bool decode(std::uint64_t descriptor, SharedOperand *operand);
    // Where the bytes of one half of a row are. Without swizzle those of the next row follow, eight rows long.
    std::size_t at(int row, int h) const;
    // The last byte that so many rows reach, and one more.
    std::size_t end(int count) const;
    // Rows first, ..., first + count - 1 (multiples of eight), one after the other.
    std::vector<unsigned char> read(const unsigned char *shared, int first, int count) const;

    // Of an operand that is given as columns, swizzled: `half` is from 64 columns to the next, `rows` from eight k.
    // Where the eight columns from `column` on are of one k.
    std::size_t columns_at(int k, int column) const;
    std::size_t columns_end(int count) const;
    // The same columns as rows of one step.
    std::vector<unsigned char> read_columns(const unsigned char *shared, int count) const;

  private:
    std::size_t unswizzled(int row, int h) const;
};

bool operator==(const Product &a, const Product &b);

// sums = a * b, plus sums if it accumulates. a: kWarpRows rows of kStepRow bytes, b: n of them, sums: [kWarpRows][n].
void multiply_rows(const Product &product, const unsigned char *a, const unsigned char *b, float *sums);

// The registers d of products under way, which hold NaN meanwhile.
struct Accumulators {
    std::array<float *, kWarp> d; // of each lane
    int n;
    std::vector<float> sums; // [kWarpRows][n]
    int under_way;           // products
    Site site;               // of the newest

    void take();         // from the lanes
    bool intact() const; // nothing was written to them
    void poison();
    void give() const;
};

struct ProductUnderWay {
    Product product;
    Accumulators *to;
    std::vector<unsigned char> a, b; // as they were at the start; empty: they are read at the end
};

// A warp's products, and what its lanes agreed on.
struct WarpProducts {
    std::list<Accumulators> accumulators;
    std::deque<ProductUnderWay> products; // in the order of issue
    std::deque<std::size_t> groups;       // how many products each committed group has
    std::size_t open = 0;                 // products in no group yet
    std::uint64_t issued = 0, fences = 0;
    std::map<const float *, std::uint64_t> given; // the fences there had been when these registers were given back

    Accumulators *find(const float *d);
    // The number of products, since the kernel began, that are complete when at most `pending` groups are under way.
    std::uint64_t complete_at(std::size_t pending) const;
};

// The products that the first of a group's warps has issued and the last has not.
struct GroupProducts {
    std::deque<Product> products;
    std::uint64_t first = 0; // the number of the first of them
    std::vector<Thread *> waiting;
};

} // namespace simt

#endif
