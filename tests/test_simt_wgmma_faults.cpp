// SPDX-License-Identifier: Apache-2.0
//
// What no kernel may do with the products of a warpgroup ends the emulated machine with a message.
#include "test_simt_child.h"

using namespace test_simt;

namespace {

// ---- Kernels. There are 2304 bytes of shared memory: 64 rows of a, then 8 of b, of one step.

constexpr std::size_t kB = 2048, kShared = kB + 256;

unsigned char *bytes(std::size_t at) { return shared_memory<unsigned char>() + at; }
std::uint64_t a() { return wgmma_operand(bytes(0), 128, 256); }
std::uint64_t b() { return wgmma_operand(bytes(kB), 128, 256); }
int warp() { return thread_index() / 32; }

void write_operands() {
    for (std::size_t at = static_cast<std::size_t>(thread_index()); at < kShared; at += 128) {
        *bytes(at) = 0;
    }
}

void begin() {
    write_operands();
    fence_async_shared();
    sync_threads();
    wgmma_fence();
}

void finish(float (&d)[4]) {
    wgmma_commit();
    wgmma_wait<0>(d);
}

// One product, of what its argument says.
void multiply(std::uint64_t of_a, std::uint64_t of_b, bool accumulate = false) {
    float d[4] = {};
    begin();
    wgmma<f16, 8>(d, of_a, of_b, accumulate);
    finish(d);
}

void lanes_differ_in_a(const cs_conv_args) { multiply(a() + (thread_index() % 32 == 7), b()); }
void lanes_differ_in_accumulating(const cs_conv_args) { multiply(a(), b(), thread_index() % 2 == 0); }
void warps_differ_in_b(const cs_conv_args) { multiply(a(), b() - (warp() == 2)); }
void warps_differ_in_accumulating(const cs_conv_args) { multiply(a(), b(), warp() == 2); }
void a_beyond_the_end(const cs_conv_args) { multiply(wgmma_operand(bytes(512), 128, 256), b()); }
void b_beyond_the_end(const cs_conv_args) { multiply(a(), wgmma_operand(bytes(kB), 144, 256)); }
void no_descriptor(const cs_conv_args) { multiply(a(), b() | 1ull << 62); }

// Swizzled: of 32 bytes a row, 64 rows end where shared memory does if they begin at byte 256.
std::uint64_t swizzled(std::size_t at) { return wgmma_swizzled_operand<32>(bytes(at)); }
void swizzled_beyond_the_end(const cs_conv_args) { multiply(swizzled(288), b()); }
void swizzled_from_the_middle_of_a_row(const cs_conv_args) { multiply(swizzled(16), b()); }
void swizzled_rows_apart(const cs_conv_args) { multiply(swizzled(0) + (std::uint64_t{1} << 32), b()); }

// Columns: of 2304 bytes of shared memory, a step of eight of them takes 2048.
void multiply_columns(std::uint64_t columns) {
    float d[4];
    begin();
    wgmma<f16, 8, true>(d, a(), columns, false);
    finish(d);
}
void columns_beyond_the_end(const cs_conv_args) { multiply_columns(wgmma_swizzled_columns(bytes(1024), 1024)); }
void columns_between_places(const cs_conv_args) { multiply_columns(wgmma_swizzled_columns(bytes(128), 1024)); }
void columns_of_rows(const cs_conv_args) { multiply_columns(b()); }
void moved_by_h_and_w(const cs_conv_args args) { multiply(wgmma_moved(a(), args.h, args.w), b()); }

// The swizzle brings a row's second half to byte args.h.
void no_second_async_fence_for_swizzled(const cs_conv_args args) {
    float d[4];
    begin();
    wgmma<f16, 8>(d, swizzled(0), b(), false);
    finish(d);
    sync_threads();
    if (thread_index() == 0) {
        *bytes(static_cast<std::size_t>(args.h)) = 1;
    }
    sync_threads();
    wgmma_fence();
    wgmma<f16, 8>(d, swizzled(0), b(), false);
    finish(d);
}

void operand_at_byte_h(const cs_conv_args args) { wgmma_operand(bytes(static_cast<std::size_t>(args.h)), 128, 256); }
void operand_of_halves_h_apart(const cs_conv_args args) { wgmma_operand(bytes(0), args.h, 256); }
void operand_of_rows_h_apart(const cs_conv_args args) { wgmma_operand(bytes(0), 128, args.h); }

void no_wgmma_fence(const cs_conv_args) {
    float d[4];
    write_operands();
    fence_async_shared();
    sync_threads();
    wgmma<f16, 8>(d, a(), b(), false);
    finish(d);
}

void no_second_wgmma_fence(const cs_conv_args) {
    float d[4];
    begin();
    for (int i = 0; i < 2; ++i) {
        wgmma<f16, 8>(d, a(), b(), false);
        finish(d);
    }
}

void no_async_fence(const cs_conv_args) {
    float d[4];
    write_operands();
    sync_threads();
    wgmma_fence();
    wgmma<f16, 8>(d, a(), b(), false);
    finish(d);
}

// Byte args.h changes after the first of two products.
void no_second_async_fence(const cs_conv_args args) {
    float d[4];
    begin();
    wgmma<f16, 8>(d, a(), b(), false);
    finish(d);
    sync_threads();
    if (thread_index() == 0) {
        *bytes(static_cast<std::size_t>(args.h)) = 1;
    }
    sync_threads();
    wgmma_fence();
    wgmma<f16, 8>(d, a(), b(), false);
    finish(d);
}

void write_before_the_wait(const cs_conv_args) {
    float d[4];
    begin();
    wgmma<f16, 8>(d, a(), b(), false);
    d[thread_index() % 4] = 0.0f;
    finish(d);
}

void write_between_products(const cs_conv_args) {
    float d[4];
    begin();
    wgmma<f16, 8>(d, a(), b(), false);
    d[thread_index() % 4] = 0.0f;
    wgmma<f16, 8>(d, a(), b(), true);
    finish(d);
}

void divide_otherwise(const cs_conv_args) {
    float d[8];
    begin();
    wgmma<f16, 8>(reinterpret_cast<float(&)[4]>(d), a(), b(), false);
    wgmma<f16, 16>(d, a(), a(), true);
    wgmma_commit();
    wgmma_wait<0>(d);
}

void wait_for_half_of_d(const cs_conv_args) {
    float d[8];
    begin();
    wgmma<f16, 16>(d, a(), a(), false);
    finish(reinterpret_cast<float(&)[4]>(d));
}

void wait_without_commit(const cs_conv_args) {
    float d[4];
    begin();
    wgmma<f16, 8>(d, a(), b(), false);
    wgmma_wait<0>(d);
}

void wait_for_the_group_before(const cs_conv_args) {
    float d[4];
    begin();
    for (int i = 0; i < 2; ++i) {
        wgmma<f16, 8>(d, a(), b(), i > 0);
        wgmma_commit();
    }
    wgmma_wait<1>(d);
}

void no_wait(const cs_conv_args) {
    float d[4];
    begin();
    wgmma<f16, 8>(d, a(), b(), false);
    wgmma_commit();
}

void wait_without_registers(const cs_conv_args) {
    float d[4];
    begin();
    wgmma<f16, 8>(d, a(), b(), false);
    wgmma_commit();
    wgmma_wait<0>();
}

// Complete, but the compiler does not know.
void no_wait_of_its_own(const cs_conv_args) {
    float d[4], e[4];
    begin();
    wgmma<f16, 8>(d, a(), b(), false);
    wgmma<f16, 8>(e, a(), b(), false);
    finish(d);
}

void one_warp_too_few(const cs_conv_args) {
    float d[4];
    begin();
    if (warp() != 2) {
        wgmma<f16, 8>(d, a(), b(), false);
        finish(d);
    }
}

// The last warp waits for what the others do once they have their products, which lack its own.
void one_warp_too_late(const cs_conv_args) {
    float d[4];
    begin();
    if (warp() == 3) {
        sync_threads();
    }
    wgmma<f16, 8>(d, a(), b(), false);
    finish(d);
    if (warp() != 3) {
        sync_threads();
    }
}

void some_lanes(const cs_conv_args) {
    float d[4];
    begin();
    if (thread_index() % 2 == 0) {
        wgmma<f16, 8>(d, a(), b(), false);
    }
}

void fence_by_some_lanes(const cs_conv_args) {
    if (thread_index() % 2 == 0) {
        wgmma_fence();
    }
}

void fence_everywhere(const cs_conv_args) { wgmma_fence(); }

void load_shared_at_byte_h(const cs_conv_args args) {
    load_shared_16(reinterpret_cast<const float *>(bytes(static_cast<std::size_t>(args.h))));
}
void store_shared_16_at_byte_h(const cs_conv_args args) {
    store_shared_16(reinterpret_cast<float *>(bytes(static_cast<std::size_t>(args.h))), {});
}
void store_shared_8_at_byte_h(const cs_conv_args args) {
    store_shared_8(reinterpret_cast<float *>(bytes(static_cast<std::size_t>(args.h))), 0.0f, 0.0f);
}
void load_f16_at_byte_h(const cs_conv_args args) {
    load_global(reinterpret_cast<const f16 *>(static_cast<const unsigned char *>(args.x) + args.h));
}
void store_bf16_at_byte_h(const cs_conv_args args) {
    store_global(reinterpret_cast<bf16 *>(static_cast<unsigned char *>(args.y) + args.h), {0});
}

// ---- The cases

constexpr std::size_t kBytes = 64;

struct Fault {
    const char *name;
    void (*act)(const Fault &fault);
    Kernel kernel;
    unsigned block;
    int h; // for the kernel, as is w
    const char *message;
    int w = 0;
};

void launch(const Fault &fault) {
    cs_conv_args args = {};
    args.x = device_alloc(kBytes);
    args.y = device_alloc(kBytes);
    args.h = fault.h;
    args.w = fault.w;
    cs_launch_conv(fault.kernel, &args, 1, fault.block, kShared, nullptr);
}

const Fault kFaults[] = {
    {"lanes_that_differ_in_an_operand_are_caught", launch, lanes_differ_in_a, 128, 0, "lanes of a warp differ"},
    {"lanes_that_differ_in_accumulating_are_caught", launch, lanes_differ_in_accumulating, 128, 0,
     "lanes of a warp differ"},
    {"warps_that_differ_in_an_operand_are_caught", launch, warps_differ_in_b, 128, 0, "another of its group differ"},
    {"warps_that_differ_in_accumulating_are_caught", launch, warps_differ_in_accumulating, 128, 0,
     "another of its group differ"},
    {"an_operand_a_beyond_shared_memory_is_caught", launch, a_beyond_the_end, 128, 0, "a reaches to byte 2560 of"},
    {"an_operand_b_beyond_shared_memory_is_caught", launch, b_beyond_the_end, 128, 0, "b reaches to byte 2320 of"},
    {"what_is_no_descriptor_is_caught", launch, no_descriptor, 128, 0, "b is no descriptor"},
    {"a_misaligned_operand_is_caught", launch, operand_at_byte_h, 128, 8, "not aligned to 16 bytes"},
    {"an_operand_that_begins_beyond_shared_memory_is_caught", launch, operand_at_byte_h, 128, 2304,
     "to byte 2304 of shared memory"},
    {"misaligned_halves_are_caught", launch, operand_of_halves_h_apart, 128, 24, "parts 24 and 256 bytes apart"},
    {"halves_in_reverse_are_caught", launch, operand_of_halves_h_apart, 128, -16, "multiples of 16 and not negative"},
    {"misaligned_rows_are_caught", launch, operand_of_rows_h_apart, 128, 24, "parts 128 and 24 bytes apart"},
    {"rows_too_far_apart_are_caught", launch, operand_of_rows_h_apart, 128, 1 << 18, "more than a descriptor can hold"},
    {"a_swizzled_operand_beyond_shared_memory_is_caught", launch, swizzled_beyond_the_end, 128, 0,
     "a reaches to byte 2336 of"},
    {"a_swizzled_operand_from_the_middle_of_a_row_is_caught", launch, swizzled_from_the_middle_of_a_row, 128, 0,
     "a begins at byte 16 of shared memory, and goes on in the next row of 32 bytes"},
    {"swizzled_rows_that_lie_apart_are_caught", launch, swizzled_rows_apart, 128, 0, "a is no descriptor"},
    {"a_swizzled_part_that_changed_without_an_async_fence_is_caught", launch, no_second_async_fence_for_swizzled, 128,
     2047, "byte 2032 of shared memory, in a, was written without a fence_async_shared"},
    {"columns_beyond_shared_memory_are_caught", launch, columns_beyond_the_end, 128, 0,
     "columns reach to byte 3072 of"},
    {"columns_that_begin_between_places_are_caught", launch, columns_between_places, 128, 0,
     "columns begin at byte 128 of shared memory"},
    {"rows_given_as_columns_are_caught", launch, columns_of_rows, 128, 0, "wgmma_swizzled_columns gave"},
    {"an_operand_moved_below_the_first_byte_is_caught", launch, moved_by_h_and_w, 128, -1,
     "by -1 and 0: no descriptor"},
    {"an_operand_moved_beyond_a_descriptor_is_caught", launch, moved_by_h_and_w, 128, 1 << 14,
     "by 16384 and 0: no descriptor"},
    {"halves_moved_into_reverse_are_caught", launch, moved_by_h_and_w, 128, 0, "by 0 and -9: no descriptor", -9},
    {"halves_moved_too_far_apart_are_caught", launch, moved_by_h_and_w, 128, 0, "by 0 and 16376: no descriptor", 16376},
    {"a_missing_wgmma_fence_is_caught", launch, no_wgmma_fence, 128, 0, "without a wgmma_fence"},
    {"a_missing_wgmma_fence_after_a_wait_is_caught", launch, no_second_wgmma_fence, 128, 0, "without a wgmma_fence"},
    {"operands_without_an_async_fence_are_caught", launch, no_async_fence, 128, 0, "without a fence_async_shared"},
    {"an_a_that_changed_without_an_async_fence_is_caught", launch, no_second_async_fence, 128, 1551,
     "byte 1536 of shared memory, in a, was written without a fence_async_shared"},
    {"a_b_that_changed_without_an_async_fence_is_caught", launch, no_second_async_fence, 128, 2303,
     "byte 2288 of shared memory, in b, was written without a fence_async_shared"},
    {"registers_written_before_the_wait_are_caught", launch, write_before_the_wait, 128, 0,
     "were written before the wgmma_wait"},
    {"registers_written_between_products_are_caught", launch, write_between_products, 128, 0,
     "to registers that were written"},
    {"registers_divided_otherwise_are_caught", launch, divide_otherwise, 128, 0, "are divided otherwise"},
    {"a_wait_for_other_registers_is_caught", launch, wait_for_half_of_d, 128, 0, "for other registers than"},
    {"a_wait_without_a_commit_is_caught", launch, wait_without_commit, 128, 0, "still under way"},
    {"a_wait_for_registers_of_a_later_group_is_caught", launch, wait_for_the_group_before, 128, 0, "still under way"},
    {"products_nobody_waits_for_are_caught", launch, no_wait, 128, 0, "without a wgmma_wait"},
    {"registers_whose_only_wait_names_none_are_caught", launch, wait_without_registers, 128, 0, "without a wgmma_wait"},
    {"registers_that_no_wait_names_are_caught", launch, no_wait_of_its_own, 128, 0, "without a wgmma_wait"},
    {"a_group_that_lacks_a_warp_is_a_deadlock", launch, one_warp_too_few, 128, 0, "wait at wgmma_wait ("},
    {"a_warp_that_waits_for_the_others_first_is_a_deadlock", launch, one_warp_too_late, 128, 0,
     "for what other warps of the group have not issued"},
    {"a_product_by_some_lanes_is_caught", launch, some_lanes, 128, 0, "of its warp wait at wgmma ("},
    {"a_wgmma_fence_by_some_lanes_is_caught", launch, fence_by_some_lanes, 128, 0, "of its warp wait at wgmma_fence ("},
    {"products_outside_a_whole_group_are_caught", launch, fence_everywhere, 160, 0, "in no whole group of 4 warps"},
    {"a_misaligned_16_byte_load_from_shared_memory_is_caught", launch, load_shared_at_byte_h, 32, 8,
     "load_shared_16 ("},
    {"a_misaligned_16_byte_store_to_shared_memory_is_caught", launch, store_shared_16_at_byte_h, 32, 8,
     "store_shared_16 ("},
    {"a_misaligned_8_byte_store_to_shared_memory_is_caught", launch, store_shared_8_at_byte_h, 32, 4,
     "store_shared_8 ("},
    {"a_misaligned_2_byte_load_is_caught", launch, load_f16_at_byte_h, 32, 1, "not aligned to 2 bytes"},
    {"a_2_byte_store_beyond_an_allocation_is_caught", launch, store_bf16_at_byte_h, 32, 64, "of 2 bytes at"},
};

} // namespace

int main() {
    constexpr std::size_t faults = sizeof kFaults / sizeof *kFaults;
    CMUnitTest tests[faults] = {};
    for (std::size_t i = 0; i < faults; ++i) {
        tests[i] = {kFaults[i].name, ends_with_its_message<Fault>, nullptr, nullptr, const_cast<Fault *>(&kFaults[i])};
    }
    return cmocka_run_group_tests_name("simt_wgmma_faults", tests, nullptr, nullptr);
}
