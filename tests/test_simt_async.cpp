// SPDX-License-Identifier: Apache-2.0
//
// What a persistent kernel lives on, on the emulated machine: barriers with phases, bulk copies, what warps do
// together.
#include "test_simt.h"

#include <algorithm>
#include <cmath>

using namespace test_simt;

namespace {

constexpr int kSeeds = 12;

// ---- Helpers

// Shared memory: 128 bytes of barriers, then floats.
std::uint64_t *barrier(int i) { return shared_memory<std::uint64_t>() + i; }
float *floats() { return shared_memory<float>() + 32; }
constexpr std::size_t kHeader = 128;

// Makes `count` barriers of `arrivals` each.
void make_barriers(int count, int arrivals) {
    if (thread_index() == 0) {
        for (int i = 0; i < count; ++i) {
            mbarrier_init(barrier(i), arrivals);
        }
        mbarrier_init_fence();
    }
    sync_threads();
}

void fill(float *x, int n) {
    for (int i = 0; i < n; ++i) {
        x[i] = static_cast<float>(i + 1);
    }
}

// Runs a kernel of one block on the floats 1, 2, ..., 256 under every seed; y[i] must be expected(i), NaN for NaN.
void check(Kernel kernel, unsigned block, int m, float (*expected)(int)) {
    float x[256], y[256];
    fill(x, 256);
    for (int seed = 0; seed < kSeeds; ++seed) {
        use_seed(seed);
        run(kernel, 1, block, kHeader + sizeof x, x, 256, y, static_cast<std::size_t>(m));
        for (int i = 0; i < m; ++i) {
            const float want = expected(i);
            if (std::isnan(want) ? !std::isnan(y[i]) : y[i] != want) {
                fail_msg("seed %d: y[%d] is %g, not %g", seed, i, static_cast<double>(y[i]), static_cast<double>(want));
            }
        }
    }
}

float number(int i) { return static_cast<float>(i + 1); }
float nan(int) { return NAN; }

// ---- Phases

void wait_before_the_first_phase(const cs_conv_args args) {
    make_barriers(1, 1);
    mbarrier_wait(barrier(0), 1);
    output(args)[thread_index()] = number(thread_index());
}

void waiting_for_the_phase_before_the_first_returns_at_once(void **) {
    check(wait_before_the_first_phase, 64, 64, number);
}

// Some threads arrive after what they have written, the others wait.
void write_and_arrive(const cs_conv_args args) {
    make_barriers(1, 32);
    const int lane = thread_index() % 32;
    if (thread_index() >= 32) {
        floats()[lane] = number(lane);
        mbarrier_arrive(barrier(0));
    } else {
        mbarrier_wait(barrier(0), 0);
        output(args)[lane] = floats()[31 - lane];
    }
}

void a_wait_sees_what_was_written_before_the_arrivals(void **) {
    check(write_and_arrive, 64, 32, [](int i) { return number(31 - i); });
}

// Each thread passes its number on to the next, `h` times.
void pass_on(const cs_conv_args args) {
    make_barriers(1, 64);
    float mine = number(thread_index());
    for (int i = 0; i < 10; ++i) {
        floats()[i % 2 * 64 + thread_index()] = mine;
        mbarrier_arrive(barrier(0));
        mbarrier_wait(barrier(0), i % 2);
        mine = floats()[i % 2 * 64 + (thread_index() + 1) % 64];
    }
    output(args)[thread_index()] = mine;
}

void phases_follow_each_other_with_alternating_parity(void **) {
    check(pass_on, 64, 64, [](int i) { return number((i + 10) % 64); });
}

// ---- Bulk loads

template <bool WAIT> void load_64(const cs_conv_args args) {
    make_barriers(1, 1);
    if (thread_index() == 0) {
        mbarrier_expect(barrier(0), 256);
        bulk_load(floats(), args.x, 256, barrier(0));
    }
    if (WAIT) {
        mbarrier_wait(barrier(0), 0);
    } else {
        sync_threads(); // gives the load time, but no thread may know of its end
    }
    output(args)[thread_index()] = floats()[thread_index()];
    sync_threads();
    mbarrier_wait(barrier(0), 0);
}

void a_bulk_load_has_landed_after_its_wait(void **) { check(load_64<true>, 64, 64, number); }
void a_bulk_load_has_not_landed_before_its_wait(void **) { check(load_64<false>, 64, 64, nan); }

// A second load over the first.
void load_again(const cs_conv_args args) {
    make_barriers(1, 1);
    for (int i = 0; i < 2; ++i) {
        if (thread_index() == 0) {
            mbarrier_expect(barrier(0), 256);
            bulk_load(floats(), input(args) + 64 * i, 256, barrier(0));
        }
        sync_threads();
        output(args)[64 * i + thread_index()] = floats()[thread_index()];
        sync_threads();
        mbarrier_wait(barrier(0), i);
        sync_threads();
    }
}

void what_a_bulk_load_will_overwrite_is_gone_at_once(void **) { check(load_again, 64, 128, nan); }

void load_in_parts(const cs_conv_args args) {
    make_barriers(1, 1);
    if (thread_index() == 0) {
        mbarrier_expect(barrier(0), 256);
        for (int i = 0; i < 16; ++i) {
            bulk_load(floats() + 4 * i, input(args) + 4 * i, 16, barrier(0));
        }
    }
    mbarrier_wait(barrier(0), 0);
    output(args)[thread_index()] = floats()[thread_index()];
}

void a_phase_ends_only_when_all_its_bytes_have_come(void **) { check(load_in_parts, 64, 64, number); }

void expect_late(const cs_conv_args args) {
    make_barriers(1, 1);
    if (thread_index() == 0) {
        bulk_load(floats(), args.x, 256, barrier(0));
    }
    sync_threads();
    if (thread_index() == 32) {
        mbarrier_expect(barrier(0), 256);
    }
    mbarrier_wait(barrier(0), 0);
    output(args)[thread_index()] = floats()[thread_index()];
}

void bytes_may_come_before_they_are_expected(void **) { check(expect_late, 64, 64, number); }

// An arrival is missing until the other warp's, however early the bytes come.
void bytes_and_arrivals(const cs_conv_args args) {
    make_barriers(1, 2);
    if (thread_index() == 0) {
        mbarrier_expect(barrier(0), 128);
        bulk_load(floats(), args.x, 128, barrier(0));
    } else if (thread_index() == 32) {
        for (int i = 0; i < 20; ++i) {
            mbarrier_wait(barrier(0), 1);
        }
        floats()[32] = 7.0f;
        mbarrier_arrive(barrier(0));
    }
    mbarrier_wait(barrier(0), 0);
    output(args)[thread_index()] = floats()[32];
}

void a_phase_waits_for_arrivals_beside_its_bytes(void **) {
    check(bytes_and_arrivals, 64, 64, [](int) { return 7.0f; });
}

// ---- Bulk stores

// Thread 0 stores what all have written, then `after` happens.
template <class After> void store_64(const cs_conv_args &args, After after) {
    floats()[thread_index()] = number(thread_index());
    fence_async_shared();
    sync_threads();
    if (thread_index() == 0) {
        bulk_store(output(args), floats(), 256);
        bulk_commit();
        after();
    }
}

void store_and_wait(const cs_conv_args args) {
    store_64(args, [] { bulk_wait<0>(); });
}
void a_bulk_store_brings_its_bytes(void **) { check(store_and_wait, 64, 64, number); }

template <bool WAIT> void store_and_overwrite(const cs_conv_args args) {
    store_64(args, [] {
        if (WAIT) {
            bulk_wait_read<0>();
        }
        floats()[5] = -1.0f;
        bulk_wait<0>();
    });
}

void a_source_may_change_after_its_wait(void **) { check(store_and_overwrite<true>, 64, 64, number); }
void a_source_that_changes_before_its_wait_shows(void **) {
    check(store_and_overwrite<false>, 64, 64, [](int i) { return i == 5 ? -1.0f : number(i); });
}

void store_and_wait_for_reads(const cs_conv_args args) {
    store_64(args, [] { bulk_wait_read<0>(); });
}
void a_store_whose_source_was_read_is_written_when_the_launch_ends(void **) {
    check(store_and_wait_for_reads, 64, 64, number);
}

// y: what was stored, then how that looked to thread 0 after its wait.
template <bool WAIT> void store_and_look(const cs_conv_args args) {
    output(args)[thread_index()] = -1.0f;
    store_64(args, [&] {
        WAIT ? bulk_wait<0>() : bulk_wait_read<0>();
        for (int i = 0; i < 64; ++i) {
            output(args)[64 + i] = output(args)[i];
        }
    });
}

void a_store_is_seen_after_its_wait(void **) {
    check(store_and_look<true>, 64, 128, [](int i) { return number(i % 64); });
}
void a_store_is_not_seen_before_its_wait(void **) {
    check(store_and_look<false>, 64, 128, [](int i) { return i < 64 ? number(i) : NAN; });
}

// Two groups of a store each; the older one only may change after bulk_wait_read<1>.
void store_twice(const cs_conv_args args) {
    floats()[thread_index()] = number(thread_index());
    fence_async_shared();
    sync_threads();
    if (thread_index() == 0) {
        for (int i = 0; i < 2; ++i) {
            bulk_store(output(args) + 32 * i, floats() + 32 * i, 128);
            bulk_commit();
        }
        bulk_wait_read<1>();
        floats()[0] = floats()[32] = -1.0f;
        bulk_wait<0>();
    }
}

void a_wait_leaves_the_newest_groups_pending(void **) {
    check(store_twice, 64, 64, [](int i) { return i == 32 ? -1.0f : number(i); });
}

void store_four_times(const cs_conv_args args) {
    for (int i = 0; i < 4; ++i) {
        floats()[thread_index()] = number(64 * i + thread_index());
        fence_async_shared();
        sync_threads();
        if (thread_index() == 0) {
            bulk_store(output(args) + 64 * i, floats(), 256);
            bulk_commit();
            bulk_wait_read<0>();
        }
        sync_threads();
    }
}

void a_fence_in_each_round_lets_each_round_store(void **) { check(store_four_times, 64, 256, number); }

// Loaded and stored again: no ordinary write, so one fence at any time is enough.
void load_and_store(const cs_conv_args args) {
    make_barriers(1, 1);
    if (thread_index() == 0) {
        fence_async_shared();
        for (int i = 0; i < 4; ++i) {
            mbarrier_expect(barrier(0), 256);
            bulk_load(floats(), input(args) + 64 * i, 256, barrier(0));
            mbarrier_wait(barrier(0), i % 2);
            bulk_store(output(args) + 64 * i, floats(), 256);
            bulk_commit();
            bulk_wait_read<0>();
        }
    }
}

void what_was_loaded_needs_no_fence_to_be_stored(void **) { check(load_and_store, 32, 256, number); }

// ---- Warps

template <bool SYNC> void exchange_in_a_warp(const cs_conv_args args) {
    floats()[thread_index()] = number(thread_index());
    if (SYNC) {
        sync_warp();
    }
    output(args)[thread_index()] = floats()[thread_index() ^ 31];
}

void sync_warp_orders_the_lanes(void **) {
    check(exchange_in_a_warp<true>, 64, 64, [](int i) { return number(i ^ 31); });
}

void a_missing_sync_warp_shows(void **) {
    float y[64];
    run(exchange_in_a_warp<false>, 1, 64, kHeader + sizeof y, nullptr, 0, y, 64);
    int missing = 0;
    for (float value : y) {
        missing += std::isnan(value);
    }
    assert_true(missing > 0);
}

// Groups of two warps, the second of which takes three times as many rounds.
template <bool SYNC> void exchange_in_a_group(const cs_conv_args args) {
    const int group = thread_index() / 64;
    for (int round = 0; round < 1 + 2 * group; ++round) {
        floats()[thread_index()] = number(thread_index());
        if (SYNC) {
            sync_some_threads(1 + group, 64);
        }
        output(args)[thread_index()] = floats()[thread_index() ^ 63];
        if (SYNC) {
            sync_some_threads(1 + group, 64);
        }
        floats()[thread_index()] = NAN;
    }
}

void sync_some_threads_orders_the_warps(void **) {
    check(exchange_in_a_group<true>, 128, 128, [](int i) { return number(i ^ 63); });
}

void a_missing_sync_some_threads_shows(void **) {
    float y[128];
    run(exchange_in_a_group<false>, 1, 128, kHeader + sizeof y, nullptr, 0, y, 128);
    assert_true(std::any_of(y, y + 128, [](float value) { return std::isnan(value); }));
}

// Lane 5 of warp 1 is of another opinion.
void ask_all(const cs_conv_args args) {
    const bool all = all_lanes(thread_index() != 37);
    const bool none = all_lanes(false);
    output(args)[thread_index()] = (all ? 1.0f : 0.0f) + (none ? 2.0f : 0.0f);
}

void all_lanes_is_true_where_all_agree(void **) {
    check(ask_all, 64, 64, [](int i) { return i < 32 ? 1.0f : 0.0f; });
}

void shuffle_doubles(const cs_conv_args args) {
    const double tiny = 0x1p-40 * (thread_index() + 1);
    output(args)[thread_index()] = static_cast<float>((shuffle(1.0 + tiny, 3) - 1.0) * 0x1p40);
}

void a_shuffle_of_doubles_keeps_all_their_bits(void **) {
    check(shuffle_doubles, 64, 64, [](int i) { return i < 32 ? 4.0f : 36.0f; });
}

void change_registers(const cs_conv_args args) {
    if (thread_index() < 128) {
        registers_release<40>();
    } else {
        registers_acquire<232>();
    }
    output(args)[thread_index()] = number(thread_index());
}

void warp_groups_may_change_their_registers(void **) { check(change_registers, 256, 256, number); }

// ---- Arithmetic and plain accesses

void tanh_approx_is_as_exact_as_it_says_and_no_more(void **) {
    double worst = 0.0;
    for (float v = -12.0f; v < 12.0f; v += 0.00371f) {
        const double exact = std::tanh(static_cast<double>(v));
        worst = std::fmax(worst, std::fabs((static_cast<double>(tanh_approx(v)) - exact) / exact));
    }
    assert_true(worst <= 0x1p-11 && worst > 0x1p-12);
}

void tanh_approx_keeps_its_limits(void **) {
    assert_true(tanh_approx(INFINITY) == 1.0f && tanh_approx(-INFINITY) == -1.0f);
    assert_true(std::isnan(tanh_approx(NAN)));
    assert_true(bits_of(tanh_approx(-0.0f)) == 0x80000000u);
}

void store_16(const cs_conv_args args) {
    const float base = static_cast<float>(4 * thread_index());
    store_global_16(output(args) + 4 * thread_index(), {base + 1.0f, base + 2.0f, base + 3.0f, base + 4.0f});
}

void store_global_16_stores_16_bytes(void **) { check(store_16, 64, 256, number); }

} // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(waiting_for_the_phase_before_the_first_returns_at_once),
        cmocka_unit_test(a_wait_sees_what_was_written_before_the_arrivals),
        cmocka_unit_test(phases_follow_each_other_with_alternating_parity),
        cmocka_unit_test(a_bulk_load_has_landed_after_its_wait),
        cmocka_unit_test(a_bulk_load_has_not_landed_before_its_wait),
        cmocka_unit_test(what_a_bulk_load_will_overwrite_is_gone_at_once),
        cmocka_unit_test(a_phase_ends_only_when_all_its_bytes_have_come),
        cmocka_unit_test(bytes_may_come_before_they_are_expected),
        cmocka_unit_test(a_phase_waits_for_arrivals_beside_its_bytes),
        cmocka_unit_test(a_bulk_store_brings_its_bytes),
        cmocka_unit_test(a_source_may_change_after_its_wait),
        cmocka_unit_test(a_source_that_changes_before_its_wait_shows),
        cmocka_unit_test(a_store_whose_source_was_read_is_written_when_the_launch_ends),
        cmocka_unit_test(a_store_is_seen_after_its_wait),
        cmocka_unit_test(a_store_is_not_seen_before_its_wait),
        cmocka_unit_test(a_wait_leaves_the_newest_groups_pending),
        cmocka_unit_test(a_fence_in_each_round_lets_each_round_store),
        cmocka_unit_test(what_was_loaded_needs_no_fence_to_be_stored),
        cmocka_unit_test(sync_warp_orders_the_lanes),
        cmocka_unit_test(a_missing_sync_warp_shows),
        cmocka_unit_test(sync_some_threads_orders_the_warps),
        cmocka_unit_test(a_missing_sync_some_threads_shows),
        cmocka_unit_test(all_lanes_is_true_where_all_agree),
        cmocka_unit_test(a_shuffle_of_doubles_keeps_all_their_bits),
        cmocka_unit_test(warp_groups_may_change_their_registers),
        cmocka_unit_test(tanh_approx_is_as_exact_as_it_says_and_no_more),
        cmocka_unit_test(tanh_approx_keeps_its_limits),
        cmocka_unit_test(store_global_16_stores_16_bytes),
    };
    return cmocka_run_group_tests_name("simt_async", tests, nullptr, forget_seed);
}
