// SPDX-License-Identifier: Apache-2.0
//
// What no kernel may do with barriers, bulk copies and its fellow blocks ends the emulated machine with a message, and
// so does waiting for what cannot come.
#include "test_simt_child.h"

using namespace test_simt;

namespace {

// ---- Kernels. x and y are 64 floats each, and there are 1024 bytes of shared memory: barriers, from byte 128 floats.

std::uint64_t *barrier(int i) { return shared_memory<std::uint64_t>() + i; }
unsigned char *bytes(int at) { return shared_memory<unsigned char>() + at; }
float *floats() { return shared_memory<float>() + 32; }
std::uint64_t *counter(const cs_conv_args &args) { return reinterpret_cast<std::uint64_t *>(args.moments); }
bool first() { return thread_index() == 0; }

void make_barrier(int arrivals) {
    if (first()) {
        mbarrier_init(barrier(0), arrivals);
        mbarrier_init_fence();
    }
    sync_threads();
}

void arrive_too_rarely(const cs_conv_args) {
    make_barrier(2);
    if (first()) {
        mbarrier_arrive(barrier(0));
    }
    mbarrier_wait(barrier(0), 0);
}

// args.h bytes come where args.w are expected.
void load_and_expect(const cs_conv_args args) {
    make_barrier(1);
    if (first()) {
        mbarrier_expect(barrier(0), args.w);
        bulk_load(floats(), args.x, args.h, barrier(0));
    }
    mbarrier_wait(barrier(0), 0);
}

// The first warp waits for phase 0 only when phase 1 has ended.
void wait_too_late(const cs_conv_args args) {
    make_barrier(1);
    if (thread_index() == 32) {
        mbarrier_arrive(barrier(0));
        mbarrier_arrive(barrier(0));
        reduce_add_global(counter(args), 1);
    }
    if (first()) {
        while (load_relaxed_global(counter(args)) == 0) {
        }
        mbarrier_wait(barrier(0), 0);
    }
}

// The first warp waits for phase 0 when it ends, but phase 1 may end before it notices.
void wait_too_slowly(const cs_conv_args args) {
    make_barrier(1);
    if (first()) {
        mbarrier_wait(barrier(0), 0);
    } else if (thread_index() == 32) {
        for (int i = 0; i < 50; ++i) {
            load_relaxed_global(counter(args)); // so that the other is waiting
        }
        mbarrier_arrive(barrier(0));
        mbarrier_arrive(barrier(0));
    }
}

void poll_for_ever(const cs_conv_args args) {
    if (first()) {
        while (load_relaxed_global(counter(args)) == 0) {
        }
    }
}

void poll_for_ever_together(const cs_conv_args args) {
    while (!all_lanes(load_relaxed_global(counter(args)) != 0)) {
        sync_threads();
    }
}

// Half of a warp never comes to the other half.
void wait_for_half_a_warp(const cs_conv_args) {
    make_barrier(1);
    if (thread_index() % 32 < 16) {
        mbarrier_wait(barrier(0), 0);
    }
    sync_warp();
}

// A word that changes for a while, and then no more.
void poll_what_comes_to_rest(const cs_conv_args args) {
    if (first()) {
        while (load_relaxed_global(counter(args)) != 1000) {
        }
    } else if (thread_index() == 32) {
        for (int i = 0; i < 999; ++i) {
            reduce_add_global(counter(args), 1);
        }
    }
}

void meet(const cs_conv_args args) {
    if (first()) {
        reduce_add_global(counter(args), 1);
        while (load_relaxed_global(counter(args)) != static_cast<std::uint64_t>(block_count())) {
        }
    }
}

// One block in three waits at each place.
void meet_at_different_places(const cs_conv_args args) {
    if (block_index() == 0) {
        make_barrier(1);
        mbarrier_wait(barrier(0), 0);
    } else if (first()) {
        while (load_relaxed_global(counter(args)) == 0) {
        }
    }
}

void wait_at_no_barrier(const cs_conv_args) { mbarrier_wait(barrier(0), 0); }

void init_without_fence(const cs_conv_args) {
    if (first()) {
        mbarrier_init(barrier(0), 1);
    }
    sync_threads();
    mbarrier_wait(barrier(0), 1);
}

void init_without_sync(const cs_conv_args args) {
    if (first()) {
        mbarrier_init(barrier(0), 1);
        mbarrier_init_fence();
        reduce_add_global(counter(args), 1);
    }
    while (load_relaxed_global(counter(args)) == 0) {
    }
    mbarrier_wait(barrier(0), 1);
}

void init_twice(const cs_conv_args) {
    make_barrier(1);
    make_barrier(1);
}

void init_for_h(const cs_conv_args args) { make_barrier(args.h); }

void init_at_h(const cs_conv_args args) {
    if (first()) {
        mbarrier_init(reinterpret_cast<std::uint64_t *>(bytes(args.h)), 1);
    }
}

void overwrite_a_barrier(const cs_conv_args) {
    make_barrier(1);
    if (first()) {
        shared_memory<float>()[1] = 1.0f;
        mbarrier_wait(barrier(0), 1);
    }
}

void arrive_after_the_last(const cs_conv_args) {
    make_barrier(1);
    if (first()) {
        mbarrier_expect(barrier(0), 16); // so that the phase goes on
        mbarrier_arrive(barrier(0));
    }
}

void wait_for_parity_h(const cs_conv_args args) {
    make_barrier(1);
    mbarrier_wait(barrier(0), args.h);
}

// From float args.h of x, args.w bytes.
void load(const cs_conv_args args) {
    make_barrier(1);
    if (first()) {
        mbarrier_expect(barrier(0), 16);
        bulk_load(floats(), input(args) + args.h, args.w, barrier(0));
        mbarrier_wait(barrier(0), 0);
    }
}

// To byte args.h of shared memory, args.w bytes.
void load_to(const cs_conv_args args) {
    make_barrier(1);
    if (first()) {
        bulk_load(bytes(args.h), args.x, args.w, barrier(0));
    }
}

void load_without_wait(const cs_conv_args args) {
    make_barrier(1);
    if (first()) {
        mbarrier_expect(barrier(0), 16);
        bulk_load(floats(), args.x, 16, barrier(0));
    }
}

void load_twice(const cs_conv_args args) {
    make_barrier(1);
    if (first()) {
        bulk_load(floats(), args.x, 32, barrier(0));
        bulk_load(floats() + 4, args.x, 32, barrier(0));
    }
}

// To float args.h of y, from byte args.w of shared memory, 32 bytes.
void store(const cs_conv_args args) {
    if (first()) {
        fence_async_shared();
        bulk_store(output(args) + args.h, bytes(args.w), 32);
        bulk_commit();
        bulk_wait<0>();
    }
}

void store_12(const cs_conv_args args) {
    if (first()) {
        bulk_store(args.y, floats(), 12);
    }
}

void store_without_commit(const cs_conv_args args) {
    if (first()) {
        fence_async_shared();
        bulk_store(args.y, floats(), 16);
        bulk_wait<0>();
    }
}

void store_without_wait(const cs_conv_args args) {
    if (first()) {
        fence_async_shared();
        bulk_store(args.y, floats(), 16);
        bulk_commit();
        bulk_wait_read<1>();
    }
}

void store_without_fence(const cs_conv_args args) {
    floats()[thread_index()] = 1.0f;
    sync_threads();
    if (first()) {
        bulk_store(args.y, floats(), 128);
        bulk_commit();
        bulk_wait<0>();
    }
}

// The fence is there in the first of two rounds only.
void store_without_second_fence(const cs_conv_args args) {
    for (int i = 0; i < 2; ++i) {
        floats()[thread_index()] = static_cast<float>(i);
        if (i == 0) {
            fence_async_shared();
        }
        sync_threads();
        if (first()) {
            bulk_store(args.y, floats(), 128);
            bulk_commit();
            bulk_wait<0>();
        }
        sync_threads();
    }
}

void registers_by_three_warps(const cs_conv_args) {
    if (thread_index() >= 32) {
        registers_release<40>();
    }
}

void registers_of_two_kinds(const cs_conv_args) {
    if (thread_index() < 64) {
        registers_release<40>();
    } else {
        registers_release<48>();
    }
}

void registers_everywhere(const cs_conv_args) { registers_acquire<64>(); }

void sync_warp_by_some(const cs_conv_args) {
    if (thread_index() % 32 < 16) {
        sync_warp();
    }
}

// At one line, so that nothing but the operation tells them apart.
void sync_warp_beside_all_lanes(const cs_conv_args) {
    thread_index() % 2 ? sync_warp() : static_cast<void>(all_lanes(true));
}

void sync_some_by_number_h(const cs_conv_args args) { sync_some_threads(args.h, args.w); }

void sync_some_by_numbers_of_lanes(const cs_conv_args) { sync_some_threads(1 + thread_index() % 2, 32); }

void sync_some_by_numbers_of_threads(const cs_conv_args) { sync_some_threads(1, thread_index() < 32 ? 64 : 96); }

// Two warps each time.
void sync_some_by_changing_warps(const cs_conv_args) {
    if (thread_index() < 64) {
        sync_some_threads(1, 64);
    }
    sync_threads();
    if (thread_index() >= 64) {
        sync_some_threads(1, 64);
    }
}

void sync_some_by_half_a_warp(const cs_conv_args) {
    if (thread_index() % 32 < 16) {
        sync_some_threads(1, 64);
    }
}

void sync_some_by_one_warp(const cs_conv_args) {
    if (thread_index() < 32) {
        sync_some_threads(1, 64);
    }
}

void add_at_float_h(const cs_conv_args args) {
    reduce_add_global(reinterpret_cast<std::uint64_t *>(output(args) + args.h), 1);
}

void poll_at_float_h(const cs_conv_args args) {
    load_relaxed_global(reinterpret_cast<const std::uint64_t *>(output(args) + args.h));
}

void store_16_at_float_h(const cs_conv_args args) { store_global_16(output(args) + args.h, {}); }

// ---- The cases

constexpr std::size_t kBytes = 64 * sizeof(float), kShared = 1024;

struct Fault {
    const char *name;
    void (*act)(const Fault &fault);
    Kernel kernel;
    unsigned grid, block;
    int h, w; // for the kernel
    const char *message;
};

cs_conv_args arguments(const Fault &fault) {
    cs_conv_args args = {};
    const std::uint64_t zero = 0;
    args.x = device_alloc(kBytes);
    args.y = device_alloc(kBytes);
    args.moments = static_cast<cs_moments *>(device_copy(&zero, sizeof zero));
    args.h = fault.h;
    args.w = fault.w;
    return args;
}

void launch(const Fault &fault) {
    const cs_conv_args args = arguments(fault);
    cs_launch_conv(fault.kernel, &args, fault.grid, fault.block, kShared, nullptr);
}

void together(const Fault &fault) {
    const cs_conv_args args = arguments(fault);
    cs_launch_conv_cooperative(fault.kernel, &args, fault.grid, fault.block, kShared, nullptr);
}

// What only some orders show.
void under_many_seeds(const Fault &fault) {
    for (int seed = 0; seed < 20; ++seed) {
        use_seed(seed);
        launch(fault);
    }
}

const Fault kFaults[] = {
    {"a_missing_arrival_is_a_deadlock", launch, arrive_too_rarely, 1, 64, 0, 0,
     "for parity 0 of the barrier at byte 0, whose phase 0 lacks 1 of 2 arrivals and 0 bytes"},
    {"a_deadlock_counts_its_threads", launch, arrive_too_rarely, 1, 64, 0, 0,
     "of the threads of 1 blocks, 64 wait at mbarrier_wait ("},
    {"missing_bytes_are_a_deadlock", launch, load_and_expect, 1, 32, 16, 48, "lacks 0 of 1 arrivals and 32 bytes"},
    {"too_many_bytes_are_a_deadlock", launch, load_and_expect, 1, 32, 48, 16, "and -32 bytes"},
    {"more_bytes_than_a_barrier_can_count_are_caught", launch, load_and_expect, 1, 32, 16, 1 << 20,
     "waits for 1048576 bytes, more than it can count"},
    {"a_negative_number_of_bytes_is_caught", launch, load_and_expect, 1, 32, 16, -16, "of -16 bytes"},
    {"a_wait_two_phases_late_is_a_deadlock", launch, wait_too_late, 1, 64, 0, 0, "whose phase 2 lacks 1 of 1"},
    {"a_thread_may_miss_a_phase_that_it_waits_for", under_many_seeds, wait_too_slowly, 1, 64, 0, 0,
     "whose phase 2 lacks 1 of 1"},
    {"polling_what_never_changes_is_a_deadlock", launch, poll_for_ever, 1, 64, 0, 0, "1 waits at load_relaxed_global"},
    {"polling_it_with_others_is_a_deadlock", launch, poll_for_ever_together, 1, 64, 0, 0, "deadlock: "},
    {"a_half_warp_that_waits_for_the_other_is_a_deadlock", launch, wait_for_half_a_warp, 1, 64, 0, 0,
     "32 wait at sync_warp ("},
    {"polling_what_comes_to_rest_is_a_deadlock", launch, poll_what_comes_to_rest, 1, 64, 0, 0, "that stays 999"},
    {"waiting_for_a_later_block_is_a_deadlock_unless_cooperative", launch, meet, 2, 32, 0, 0, "that stays 1"},
    {"a_deadlock_of_blocks_tells_all_that_is_waited_for", together, meet_at_different_places, 3, 64, 0, 0,
     "of the threads of 3 blocks, 2 wait at load_relaxed_global"},
    {"a_deadlock_of_blocks_tells_of_barriers_too", together, meet_at_different_places, 3, 64, 0, 0,
     "; 64 wait at mbarrier_wait"},
    {"a_barrier_that_is_not_initialised_is_caught", launch, wait_at_no_barrier, 1, 32, 0, 0, "there is no barrier"},
    {"an_initialisation_without_fence_is_caught", launch, init_without_fence, 1, 32, 0, 0,
     "without an mbarrier_init_fence"},
    {"an_initialisation_without_sync_is_caught", launch, init_without_sync, 1, 64, 0, 0, "without a sync_threads"},
    {"a_second_initialisation_is_caught", launch, init_twice, 1, 32, 0, 0, "at byte 0, where there is a barrier"},
    {"a_barrier_for_no_arrivals_is_caught", launch, init_for_h, 1, 32, 0, 0, "for 0 arrivals"},
    {"a_barrier_for_too_many_arrivals_is_caught", launch, init_for_h, 1, 32, 1 << 20, 0, "for 1048576 arrivals"},
    {"a_misaligned_barrier_is_caught", launch, init_at_h, 1, 32, 4, 0, "not aligned to 8 bytes"},
    {"a_barrier_beyond_shared_memory_is_caught", launch, init_at_h, 1, 32, 1024, 0, "byte 1024 of shared memory"},
    {"an_overwritten_barrier_is_caught", launch, overwrite_a_barrier, 1, 32, 0, 0, "the barrier was overwritten"},
    {"an_arrival_after_the_last_is_caught", launch, arrive_after_the_last, 1, 32, 0, 0, "has all its 1 arrivals"},
    {"a_parity_of_2_is_caught", launch, wait_for_parity_h, 1, 32, 2, 0, "for parity 2"},
    {"a_load_from_a_misaligned_place_is_caught", launch, load, 1, 32, 2, 16, "not aligned to 16 bytes"},
    {"a_load_of_8_bytes_is_caught", launch, load, 1, 32, 0, 8, "of 8 bytes; they must be a multiple of 16"},
    {"a_load_of_no_bytes_is_caught", launch, load, 1, 32, 0, 0, "of 0 bytes; they must be a multiple of 16"},
    {"a_load_from_beyond_an_allocation_is_caught", launch, load, 1, 32, 60, 32, "outside every allocation"},
    {"a_load_to_a_misaligned_place_is_caught", launch, load_to, 1, 32, 136, 16, "not aligned to 16 bytes"},
    {"a_load_beyond_shared_memory_is_caught", launch, load_to, 1, 32, 1008, 32, "to byte 1008 of shared memory"},
    {"a_load_nobody_waits_for_is_caught", launch, load_without_wait, 1, 32, 0, 0, "the block ends while a bulk_load"},
    {"a_load_over_a_load_is_caught", launch, load_twice, 1, 32, 0, 0, "to where another ("},
    {"a_store_to_a_misaligned_place_is_caught", launch, store, 1, 32, 2, 128, "not aligned to 16 bytes"},
    {"a_store_beyond_an_allocation_is_caught", launch, store, 1, 32, 60, 128, "outside every allocation"},
    {"a_store_from_a_misaligned_place_is_caught", launch, store, 1, 32, 0, 136, "not aligned to 16 bytes"},
    {"a_store_from_beyond_shared_memory_is_caught", launch, store, 1, 32, 0, 1008, "byte 1008 of shared memory"},
    {"a_store_of_12_bytes_is_caught", launch, store_12, 1, 32, 0, 0, "of 12 bytes"},
    {"a_store_without_commit_is_caught", launch, store_without_commit, 1, 32, 0, 0, "without a bulk_commit"},
    {"a_store_without_wait_is_caught", launch, store_without_wait, 1, 32, 0, 0, "without a wait for its bulk_store"},
    {"a_store_without_fence_is_caught", launch, store_without_fence, 1, 32, 0, 0, "without a fence_async_shared"},
    {"a_missing_fence_in_a_later_round_is_caught", launch, store_without_second_fence, 1, 32, 0, 0,
     "of byte 128 of shared memory, written without a fence_async_shared"},
    {"a_missing_fence_in_a_later_block_is_caught", launch, store_without_fence, 4, 32, 0, 0, "a fence_async_shared"},
    {"a_warp_that_keeps_its_registers_is_caught", launch, registers_by_three_warps, 1, 128, 0, 0,
     "of one group differ"},
    {"registers_of_two_kinds_in_a_group_are_caught", launch, registers_of_two_kinds, 1, 128, 0, 0,
     "of one group differ"},
    {"registers_outside_a_whole_group_are_caught", launch, registers_everywhere, 1, 160, 0, 0, "in no whole group"},
    {"a_sync_warp_by_some_lanes_is_caught", launch, sync_warp_by_some, 1, 32, 0, 0, "sync_warp ("},
    {"a_sync_warp_beside_all_lanes_is_caught", launch, sync_warp_beside_all_lanes, 1, 32, 0, 0, "divergent warp"},
    {"a_sync_some_threads_of_number_0_is_caught", launch, sync_some_by_number_h, 1, 64, 0, 64, "numbers are 1 to 15"},
    {"a_sync_some_threads_of_number_16_is_caught", launch, sync_some_by_number_h, 1, 64, 16, 64, "of number 16"},
    {"a_sync_some_threads_for_no_whole_warps_is_caught", launch, sync_some_by_number_h, 1, 64, 1, 48,
     "for 48 threads; "},
    {"a_sync_some_threads_for_more_than_a_block_is_caught", launch, sync_some_by_number_h, 1, 64, 1, 96,
     "whole warps of 64 threads"},
    {"lanes_at_different_barriers_are_caught", launch, sync_some_by_numbers_of_lanes, 1, 64, 0, 0,
     "lanes of a warp name different barriers"},
    {"a_barrier_for_different_numbers_of_threads_is_caught", launch, sync_some_by_numbers_of_threads, 1, 96, 0, 0,
     "where others wait for "},
    {"a_barrier_of_changing_warps_is_caught", launch, sync_some_by_changing_warps, 1, 128, 0, 0,
     "for 64 threads, to which 96 have come"},
    {"a_sync_some_threads_by_some_lanes_is_caught", launch, sync_some_by_half_a_warp, 1, 64, 0, 0,
     "at sync_some_threads ("},
    {"a_sync_some_threads_that_a_warp_misses_is_a_deadlock", launch, sync_some_by_one_warp, 1, 64, 0, 0,
     "wait at sync_some_threads ("},
    {"a_misaligned_add_is_caught", launch, add_at_float_h, 1, 32, 1, 0, "reduce_add_global ("},
    {"an_add_beyond_an_allocation_is_caught", launch, add_at_float_h, 1, 32, 64, 0, "outside every allocation"},
    {"a_misaligned_poll_is_caught", launch, poll_at_float_h, 1, 32, 1, 0, "load_relaxed_global ("},
    {"a_misaligned_16_byte_store_is_caught", launch, store_16_at_float_h, 1, 32, 1, 0, "store_global_16 ("},
    {"a_16_byte_store_beyond_an_allocation_is_caught", launch, store_16_at_float_h, 1, 32, 64, 0, "outside every"},
};

} // namespace

int main() {
    constexpr std::size_t faults = sizeof kFaults / sizeof *kFaults;
    CMUnitTest tests[faults] = {};
    for (std::size_t i = 0; i < faults; ++i) {
        tests[i] = {kFaults[i].name, ends_with_its_message<Fault>, nullptr, nullptr, const_cast<Fault *>(&kFaults[i])};
    }
    return cmocka_run_group_tests_name("simt_async_faults", tests, nullptr, nullptr);
}
