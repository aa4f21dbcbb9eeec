// SPDX-License-Identifier: Apache-2.0
//
// What no kernel may do ends the emulated machine with a message that says what and where. Each case runs in a child
// process.
#include "test_simt_child.h"

#include <cstdlib>

using namespace test_simt;

namespace {

// ---- Kernels. x and y are 64 floats each.

int lane() { return thread_index() % 32; }

// Threads run one at a time, so a plain count tells who comes first and last.
bool is_number(int number, const cs_conv_args &args) { return ++*output(args) == static_cast<float>(number); }

void shuffle_unless_first(const cs_conv_args args) {
    if (!is_number(1, args)) {
        shuffle_xor(1.0f, 1);
    }
}

void shuffle_unless_last(const cs_conv_args args) {
    if (!is_number(32, args)) {
        shuffle_xor(1.0f, 1);
    }
}

void shuffle_at_two_places(const cs_conv_args) {
    if (lane() < 16) {
        shuffle_xor(1.0f, 1);
    } else {
        shuffle_xor(1.0f, 1);
    }
}

// At one line, so that nothing but the operation tells them apart.
void shuffle_and_mma(const cs_conv_args) {
    float d[4] = {};
    const uint32_t a[4] = {}, b[2] = {};
    lane() == 3 ? mma_m16n8k8_tf32(d, a, b) : static_cast<void>(shuffle_xor(1.0f, 1));
}

void mma_by_some(const cs_conv_args) {
    float d[4] = {};
    const uint32_t a[4] = {}, b[2] = {};
    if (lane() != 3) {
        mma_m16n8k8_tf32(d, a, b);
    }
}

void shuffle_everywhere(const cs_conv_args) { shuffle_xor(1.0f, 1); }

void shuffle_from_outside(const cs_conv_args) { shuffle(1.0f, 32); }

void barrier_unless_first(const cs_conv_args args) {
    if (!is_number(1, args)) {
        sync_threads();
    }
}

void barrier_unless_last(const cs_conv_args args) {
    if (!is_number(64, args)) {
        sync_threads();
    }
}

void barriers_at_two_places(const cs_conv_args) {
    if (thread_index() < 32) {
        sync_threads();
    } else {
        sync_threads();
    }
}

// On a device these threads would wait for each other for ever.
void barrier_against_shuffle(const cs_conv_args) {
    if (lane() < 16) {
        sync_threads();
    } else {
        shuffle_xor(1.0f, 1);
    }
    shuffle_xor(1.0f, 1);
    sync_threads();
}

// args.h is the number of the float that thread 7 touches.
float *shared_at(const cs_conv_args &args) { return shared_memory<float>() + args.h; }

void write_shared(const cs_conv_args args) {
    if (thread_index() == 7) {
        *shared_at(args) = 1.0f;
    }
}

void copy_4(const cs_conv_args args) {
    if (thread_index() == 7) {
        cp_async_4(shared_at(args), input(args) + args.w, true);
    }
}

void copy_16(const cs_conv_args args) {
    if (thread_index() == 7) {
        cp_async_16(shared_at(args), input(args) + args.w);
    }
}

void load(const cs_conv_args args) {
    if (thread_index() == 7) {
        output(args)[0] = load_global(input(args) + args.h);
    }
}

void load_16(const cs_conv_args args) {
    if (thread_index() == 7) {
        output(args)[0] = load_global_16(input(args) + args.h).x;
    }
}

void load_half_way(const cs_conv_args args) {
    if (thread_index() == 7) {
        output(args)[0] = load_global(reinterpret_cast<const float *>(static_cast<const char *>(args.x) + 2));
    }
}

void load_own_stack(const cs_conv_args args) {
    const float here = 1.0f;
    output(args)[0] = load_global(&here);
}

void store(const cs_conv_args args) {
    if (thread_index() == 7) {
        store_global(output(args) + args.h, 1.0f);
    }
}

void write_plainly(const cs_conv_args args) {
    if (thread_index() == 7) {
        output(args)[args.h] = 1.0f;
    }
}

float descend(int depth) {
    volatile float room[256];
    room[depth % 256] = static_cast<float>(depth);
    return depth == 0 ? room[0] : descend(depth - 1) + room[depth % 256];
}

void use_much_stack(const cs_conv_args args) {
    if (thread_index() == 7) {
        output(args)[0] = descend(args.h);
    }
}

} // namespace

extern "C" __global__ void kernel_with_a_name(const cs_conv_args args) { load(args); }

namespace {

// ---- The cases

constexpr std::size_t kFloats = 64, kBytes = kFloats * sizeof(float);

struct Fault {
    const char *name;
    void (*act)(const Fault &fault);
    Kernel kernel;
    unsigned block;
    std::size_t shared;
    int h, w; // for the kernel
    const char *message;
};

void launch(const Fault &fault) {
    cs_conv_args args = {};
    args.x = device_alloc(kBytes);
    args.y = device_alloc(kBytes);
    cudaMemset(args.y, 0, kBytes);
    args.h = fault.h;
    args.w = fault.w;
    cs_launch_conv(fault.kernel, &args, 1, fault.block, fault.shared, nullptr);
}

void launch_after_free(const Fault &fault) {
    cs_conv_args args = {};
    args.y = device_alloc(kBytes);
    cudaFree(args.y);
    cs_launch_conv(fault.kernel, &args, 1, fault.block, fault.shared, nullptr);
}

void launch_with_a_bad_seed(const Fault &fault) {
    setenv("CONVSMITH_SIMT_SEED", "seven", 1);
    launch(fault);
}

void call_outside_a_kernel(const Fault &) { sync_threads(); }

// A launch in between must not leave the memory open.
void touch_device_memory_from_the_host(const Fault &fault) {
    void *const memory = device_alloc(kBytes);
    launch(fault);
    *static_cast<volatile float *>(memory) = 1.0f;
}

const Fault kFaults[] = {
    {"a_shuffle_after_a_lane_has_left_is_caught", launch, shuffle_unless_first, 32, 0, 0, 0, "but 1 others have left"},
    {"a_lane_that_leaves_others_at_a_shuffle_is_caught", launch, shuffle_unless_last, 32, 0, 0, 0,
     "leaves the kernel while 31 of its warp wait at shuffle"},
    {"a_shuffle_at_two_places_is_caught", launch, shuffle_at_two_places, 32, 0, 0, 0, "divergent warp"},
    {"a_shuffle_beside_an_mma_is_caught", launch, shuffle_and_mma, 32, 0, 0, 0, "divergent warp"},
    {"an_mma_by_some_lanes_is_caught", launch, mma_by_some, 32, 0, 0, 0, "mma ("},
    {"a_shuffle_in_a_part_of_a_warp_is_caught", launch, shuffle_everywhere, 48, 0, 0, 0, "has only 16 threads"},
    {"a_shuffle_from_a_lane_beyond_the_warp_is_caught", launch, shuffle_from_outside, 32, 0, 0, 0, "outside 0..31"},
    {"a_barrier_after_a_thread_has_left_is_caught", launch, barrier_unless_first, 64, 0, 0, 0,
     "cannot be reached by all: 1 threads have left"},
    {"a_thread_that_leaves_others_at_a_barrier_is_caught", launch, barrier_unless_last, 64, 0, 0, 0,
     "leaves the kernel while 63 wait at sync_threads"},
    {"barriers_at_two_places_are_caught", launch, barriers_at_two_places, 64, 0, 0, 0, "divergent block"},
    {"a_deadlock_is_caught", launch, barrier_against_shuffle, 32, 0, 0, 0, "divergent warp"},
    {"a_write_after_shared_memory_is_caught", launch, write_shared, 32, 64, 16, 0,
     "thread 7 of 32: invalid access to 0x"},
    {"a_write_a_page_after_shared_memory_is_caught", launch, write_shared, 32, 64, 1039, 0,
     "byte 4156 of shared memory, which has 64 bytes"},
    {"a_write_before_shared_memory_is_caught", launch, write_shared, 32, 64, -1, 0, "a write to byte -4 of shared"},
    {"a_write_a_page_before_shared_memory_is_caught", launch, write_shared, 32, 64, -1024, 0,
     "byte -4096 of shared memory"},
    {"a_write_after_shared_memory_of_odd_size_is_caught", launch, write_shared, 32, 60, 15, 0, "a write to byte 60"},
    {"a_write_to_no_shared_memory_is_caught", launch, write_shared, 32, 0, 0, 0, "which has 0 bytes"},
    {"a_copy_beyond_shared_memory_is_caught", launch, copy_4, 32, 64, 16, 0, "to byte 64 of shared memory"},
    {"a_copy_half_beyond_shared_memory_is_caught", launch, copy_16, 32, 72, 16, 0, "to byte 64 of shared memory"},
    {"a_copy_to_a_misaligned_place_is_caught", launch, copy_16, 32, 64, 1, 0, "not aligned to 16 bytes"},
    {"a_copy_from_a_misaligned_place_is_caught", launch, copy_16, 32, 64, 0, 2, "not aligned to 16 bytes"},
    {"a_copy_from_beyond_an_allocation_is_caught", launch, copy_4, 32, 64, 0, 64, "byte 256 of an allocation"},
    {"a_load_beyond_an_allocation_is_caught", launch, load, 32, 0, 64, 0, "byte 256 of an allocation of 256 bytes"},
    {"a_load_before_an_allocation_is_caught", launch, load, 32, 0, -1, 0, "byte -4 of an allocation of 256 bytes"},
    {"a_load_of_a_misaligned_float_is_caught", launch, load_half_way, 32, 0, 0, 0, "not aligned to 4 bytes"},
    {"a_misaligned_16_byte_load_is_caught", launch, load_16, 32, 0, 1, 0, "load_global_16 ("},
    {"a_16_byte_load_beyond_an_allocation_is_caught", launch, load_16, 32, 0, 64, 0, "outside every allocation"},
    {"a_load_of_host_memory_is_caught", launch, load_own_stack, 32, 0, 0, 0, "outside every allocation"},
    {"a_store_beyond_an_allocation_is_caught", launch, store, 32, 0, 64, 0, "store_global ("},
    {"a_store_to_freed_memory_is_caught", launch_after_free, store, 32, 0, 0, 0, "of a freed allocation of 256"},
    {"a_plain_write_to_freed_memory_is_caught", launch_after_free, write_plainly, 32, 0, 0, 0, "of a freed allocation"},
    {"a_plain_write_beyond_an_allocation_is_caught", launch, write_plainly, 32, 0, 64, 0, "byte 256 of an allocation"},
    {"a_plain_write_before_an_allocation_is_caught", launch, write_plainly, 32, 0, -1, 0,
     "a write to byte -4 of an allocation"},
    {"a_stack_overflow_is_caught", launch, use_much_stack, 32, 0, 100000, 0, "stack overflows"},
    {"a_device_function_outside_a_kernel_is_caught", call_outside_a_kernel, nullptr, 0, 0, 0, 0, "outside a kernel"},
    {"a_seed_that_is_no_number_is_refused", launch_with_a_bad_seed, load, 32, 0, 0, 0, "\"seven\""},
    {"a_message_names_kernel_block_thread_and_seed", launch, kernel_with_a_name, 32, 0, 64, 0,
     "simt: kernel kernel_with_a_name: block 0 of 1, thread 7 of 32: load_global"},
    {"a_message_names_the_source_line", launch, load, 32, 0, 64, 0, "test_simt_faults.cpp:"},
    {"a_message_says_how_to_repeat", launch, load, 32, 0, 64, 0, "repeat with CONVSMITH_SIMT_SEED=1"},
};

void host_code_that_touches_device_memory_faults(void **) {
    static const Fault fault = {"", touch_device_memory_from_the_host, load, 32, 0, 0, 0, ""};
    int status = 0;
    message_of(fault, &status);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

void an_invalid_copy_reads_nothing(void **) {
    const auto kernel = [](const cs_conv_args) { cp_async_4(shared_memory<float>() + thread_index(), nullptr, false); };
    const cs_conv_args args = {};
    assert_int_equal(cs_launch_conv(kernel, &args, 1, 32, 128, nullptr), cudaSuccess);
}

} // namespace

int main() {
    constexpr std::size_t faults = sizeof kFaults / sizeof *kFaults;
    CMUnitTest tests[faults + 2] = {
        cmocka_unit_test(host_code_that_touches_device_memory_faults),
        cmocka_unit_test(an_invalid_copy_reads_nothing),
    };
    for (std::size_t i = 0; i < faults; ++i) {
        tests[2 + i] = {kFaults[i].name, ends_with_its_message<Fault>, nullptr, nullptr,
                        const_cast<Fault *>(&kFaults[i])};
    }
    return cmocka_run_group_tests_name("simt_faults", tests, nullptr, nullptr);
}
