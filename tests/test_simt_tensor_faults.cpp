// SPDX-License-Identifier: Apache-2.0
//
// What no kernel may do with boxes of tensors ends the emulated machine with a message.
#include "test_simt_child.h"
#include "test_simt_tensor.h"

using namespace test_simt;

namespace {

// ---- Kernels. There are 1032 bytes of shared memory, the last 8 of them for a barrier. The box goes to byte args.h,
// from row args.w of the tensor.

constexpr int kBarrier = 1024, kShared = kBarrier + 8, kTensorBytes = 8 * 4 * 4 * 4, kBoxBytes = 8 * 2 * 2 * 4;

unsigned char *bytes(int at) { return shared_memory<unsigned char>() + at; }
std::uint64_t *barrier() { return reinterpret_cast<std::uint64_t *>(bytes(kBarrier)); }

void make_barrier() {
    if (thread_index() == 0) {
        mbarrier_init(barrier(), 1);
        mbarrier_init_fence();
    }
    sync_threads();
}

void start(const cs_conv_args &args, const cs_tensor_map &map) {
    tensor_load(bytes(args.h), map, 0, 0, args.w, 0, barrier());
}

void load(const cs_conv_args args) {
    make_barrier();
    if (thread_index() == 0) {
        mbarrier_expect(barrier(), kBoxBytes);
        start(args, args.gemm.inputs);
    }
    mbarrier_wait(barrier(), 0);
}

void load_from_column_w(const cs_conv_args args) {
    make_barrier();
    tensor_load(bytes(0), args.gemm.inputs, args.w, 0, 0, 0, barrier());
}

void load_by_a_changed_map(const cs_conv_args args) {
    cs_tensor_map map = args.gemm.inputs;
    map.opaque[1] ^= 1;
    make_barrier();
    start(args, map);
}

void load_by_a_misaligned_map(const cs_conv_args args) {
    alignas(64) unsigned char place[256];
    std::memcpy(place + 32, &args.gemm.inputs, sizeof args.gemm.inputs);
    make_barrier();
    simt::tensor_load(bytes(0), place + 32, 0, 0, 0, 0, barrier(), {"here", 1});
}

void load_without_a_barrier(const cs_conv_args args) { start(args, args.gemm.inputs); }

void expect_too_little(const cs_conv_args args) {
    make_barrier();
    if (thread_index() == 0) {
        mbarrier_expect(barrier(), kBoxBytes - 32);
        start(args, args.gemm.inputs);
    }
    mbarrier_wait(barrier(), 0);
}

void load_without_wait(const cs_conv_args args) {
    make_barrier();
    if (thread_index() == 0) {
        mbarrier_expect(barrier(), kBoxBytes);
        start(args, args.gemm.inputs);
    }
}

void load_twice(const cs_conv_args args) {
    make_barrier();
    if (thread_index() == 0) {
        mbarrier_expect(barrier(), 2 * kBoxBytes);
        start(args, args.gemm.inputs);
        start(args, args.gemm.inputs);
    }
    mbarrier_wait(barrier(), 0);
}

// ---- The cases

constexpr Box kSmall = {{8, 4, 4, 1}, {8, 2, 2, 1}, 32};

struct Fault {
    const char *name;
    void (*act)(const Fault &fault);
    Kernel kernel;
    int h, w; // for the kernel
    const char *message;
    Box of = kSmall;
};

cs_conv_args arguments(const Fault &fault) {
    cs_conv_args args = {};
    args.x = device_alloc(kTensorBytes);
    args.h = fault.h;
    args.w = fault.w;
    return args;
}

void launch(const Fault &fault) {
    cs_conv_args args = arguments(fault);
    assert_int_equal(encode(fault.of, const_cast<void *>(args.x), &args.gemm.inputs), cudaSuccess);
    cs_launch_conv(fault.kernel, &args, 1, 32, kShared, nullptr);
}

void launch_without_encoding(const Fault &fault) {
    const cs_conv_args args = arguments(fault);
    cs_launch_conv(fault.kernel, &args, 1, 32, kShared, nullptr);
}

void launch_on_freed_memory(const Fault &fault) {
    cs_conv_args args = arguments(fault);
    assert_int_equal(encode(fault.of, const_cast<void *>(args.x), &args.gemm.inputs), cudaSuccess);
    cudaFree(const_cast<void *>(args.x));
    cs_launch_conv(fault.kernel, &args, 1, 32, kShared, nullptr);
}

const Fault kFaults[] = {
    {"a_map_that_was_not_encoded_is_caught", launch_without_encoding, load, 0, 0, "by a map that was not encoded"},
    {"a_map_that_was_changed_is_caught", launch, load_by_a_changed_map, 0, 0, "by a map that was not encoded"},
    {"a_misaligned_map_is_caught", launch, load_by_a_misaligned_map, 0, 0, "not at a multiple of 64 bytes"},
    {"a_box_beyond_shared_memory_is_caught", launch, load, 1024, 0, "to byte 1024 of shared memory, which has 1032"},
    {"a_box_at_no_multiple_of_16_is_caught", launch, load, 8, 0, "not aligned to 16 bytes"},
    {"a_box_of_32_bytes_a_row_at_no_multiple_of_256_is_caught", launch, load, 128, 0,
     "to byte 128 of shared memory; rows of 32 bytes are swizzled in places of 256"},
    {"a_box_of_64_bytes_a_row_at_no_multiple_of_512_is_caught",
     launch,
     load,
     256,
     0,
     "to byte 256 of shared memory; rows of 64 bytes are swizzled in places of 512",
     {{16, 2, 4, 1}, {16, 2, 1, 1}, 64}},
    {"a_box_of_128_bytes_a_row_at_no_multiple_of_1024_is_caught",
     launch,
     load,
     512,
     0,
     "to byte 512 of shared memory; rows of 128 bytes are swizzled in places of 1024",
     {{32, 1, 4, 1}, {32, 1, 1, 1}, 128}},
    {"a_tensor_beyond_its_allocation_is_caught",
     launch,
     load,
     0,
     3,
     "outside every allocation",
     {{8, 4, 5, 1}, {8, 2, 2, 1}, 32}},
    {"a_tensor_whose_memory_was_freed_is_caught", launch_on_freed_memory, load, 0, 0, "outside every allocation"},
    {"a_swizzled_box_that_begins_between_multiples_of_16_bytes_is_caught", launch, load_from_column_w, 0, 6,
     "begins 24 bytes into a row"},
    {"rows_shorter_than_their_swizzle_are_caught",
     launch,
     load,
     0,
     0,
     "of rows of 32 bytes, swizzled as those of 64",
     {{8, 4, 4, 1}, {8, 2, 2, 1}, 64}},
    {"a_box_without_a_barrier_is_caught", launch, load_without_a_barrier, 0, 0, "where there is no barrier"},
    {"more_bytes_than_expected_are_a_deadlock", launch, expect_too_little, 0, 0, "lacks 0 of 1 arrivals and -32 bytes"},
    {"what_lies_outside_counts_too", launch, expect_too_little, 0, -1, "lacks 0 of 1 arrivals and -32 bytes"},
    {"a_box_nobody_waits_for_is_caught", launch, load_without_wait, 0, 0, "the block ends while a tensor_load"},
    {"a_box_over_a_box_is_caught", launch, load_twice, 0, 0, "to where another ("},
};

} // namespace

int main() {
    constexpr std::size_t faults = sizeof kFaults / sizeof *kFaults;
    CMUnitTest tests[faults] = {};
    for (std::size_t i = 0; i < faults; ++i) {
        tests[i] = {kFaults[i].name, ends_with_its_message<Fault>, nullptr, nullptr, const_cast<Fault *>(&kFaults[i])};
    }
    return cmocka_run_group_tests_name("simt_tensor_faults", tests, nullptr, nullptr);
}
