// SPDX-License-Identifier: Apache-2.0
//
// Cooperative launches on the emulated machine: all blocks are alive at once, and wait for each other.
#include "test_simt.h"

#include <cmath>

using namespace test_simt;

namespace {

constexpr int kSeeds = 12;

// ---- Helpers

// Shared memory: 128 bytes of barriers, then floats.
std::uint64_t *barrier(int i) { return shared_memory<std::uint64_t>() + i; }
float *floats() { return shared_memory<float>() + 32; }

std::uint64_t *counter(const cs_conv_args &args) { return reinterpret_cast<std::uint64_t *>(args.moments); }

// As run, but cooperatively, with a zeroed counter, and under a seed.
void run_together(Kernel kernel, int seed, unsigned grid, unsigned block, std::size_t shared, const float *x,
                  std::size_t n, float *y, std::size_t m) {
    use_seed(seed);
    cs_conv_args args = {};
    const std::uint64_t zero = 0;
    void *const in = n == 0 ? nullptr : device_copy(x, n * sizeof(float));
    args.x = in;
    args.y = device_alloc(m * sizeof(float));
    args.moments = static_cast<cs_moments *>(device_copy(&zero, sizeof zero));
    assert_int_equal(cs_prepare_conv(kernel, shared), cudaSuccess);
    assert_int_equal(cs_launch_conv_cooperative(kernel, &args, grid, block, shared, nullptr), cudaSuccess);
    fetch_and_free(y, args.y, m * sizeof(float));
    cudaFree(args.moments);
    cudaFree(in);
}

// ---- All blocks at once

// Every block adds its share and leaves only when all have; y: what each thread then sees.
void meet(const cs_conv_args args) {
    if (thread_index() == 0) {
        reduce_add_global(counter(args), static_cast<std::uint64_t>(block_index() + 1));
    }
    const auto all = static_cast<std::uint64_t>(block_count() * (block_count() + 1) / 2);
    std::uint64_t seen;
    do {
        seen = load_relaxed_global(counter(args));
    } while (seen != all);
    block_output(args)[thread_index()] = static_cast<float>(seen);
}

void blocks_of_a_cooperative_launch_wait_for_each_other(void **) {
    float y[16 * 64];
    for (int seed = 0; seed < kSeeds; ++seed) {
        run_together(meet, seed, 16, 64, 0, nullptr, 0, y, 16 * 64);
        for (float value : y) {
            assert_true(value == 136.0f);
        }
    }
}

// Block 0 counts up by ordinary writes and looks elsewhere in between; the others wait for the end.
void count_plainly(const cs_conv_args args) {
    constexpr std::uint64_t end = 10000;
    std::uint64_t *const word = counter(args);
    while (block_index() == 0 && *word < end) {
        ++*word;
        load_relaxed_global(reinterpret_cast<const std::uint64_t *>(args.y));
    }
    while (load_relaxed_global(word) < end) {
    }
    output(args)[2 + block_index()] = static_cast<float>(*word);
}

void a_poll_that_sees_changes_may_go_on_for_long(void **) {
    float y[4];
    run_together(count_plainly, 1, 2, 1, 0, nullptr, 0, y, 4);
    assert_true(y[2] == 10000.0f && y[3] == 10000.0f);
}

// A block's own counting in shared memory, while the others do the same.
void count_apart(const cs_conv_args args) {
    float &mine = floats()[thread_index()];
    const bool poisoned = std::isnan(mine);
    mine = static_cast<float>(block_index());
    for (int i = 0; i < 20; ++i) {
        load_relaxed_global(counter(args));
        sync_threads();
        mine += 1.0f;
    }
    block_output(args)[thread_index()] = poisoned ? mine : NAN;
}

void each_block_has_its_own_poisoned_shared_memory(void **) {
    float y[8 * 64];
    for (int seed = 0; seed < kSeeds; ++seed) {
        run_together(count_apart, seed, 8, 64, simt::kMaxShared, nullptr, 0, y, 8 * 64);
        for (int i = 0; i < 8 * 64; ++i) {
            assert_true(y[i] == static_cast<float>(i / 64 + 20));
        }
    }
}

// y: the threads' numbers in the grid, in the order of their turns, of which nothing but adding makes an end.
void sign_up_twice(const cs_conv_args args) {
    for (int i = 0; i < 2; ++i) {
        float *const y = output(args);
        y[fetch_add_global(counter(args), 1)] = static_cast<float>(block_index() * block_threads() + thread_index());
    }
}

void the_seed_fixes_the_order_of_a_cooperative_launch(void **) {
    constexpr std::size_t n = 2 * 4 * 64;
    float one[n], again[n], two[n];
    run_together(sign_up_twice, 1, 4, 64, 0, nullptr, 0, one, n);
    run_together(sign_up_twice, 1, 4, 64, 0, nullptr, 0, again, n);
    run_together(sign_up_twice, 2, 4, 64, 0, nullptr, 0, two, n);
    assert_memory_equal(one, again, sizeof one);
    assert_memory_not_equal(one, two, sizeof one);
}

void blocks_of_a_cooperative_launch_take_turns(void **) {
    float order[2 * 4 * 64];
    run_together(sign_up_twice, 1, 4, 64, 0, nullptr, 0, order, 2 * 4 * 64);
    int changes = 0;
    for (int i = 1; i < 2 * 4 * 64; ++i) {
        changes += static_cast<int>(order[i]) / 64 != static_cast<int>(order[i - 1]) / 64;
    }
    assert_true(changes > 8);
}

// ---- A ring

constexpr int kStages = 3, kRounds = 10, kChunk = 256, kConsumers = 480;

// Warp 0 loads chunks of the block's share of x through a ring; the others add them up, weighted by their number, and
// the sums go out by a bulk store.
void ring(const cs_conv_args args) {
    std::uint64_t *const full = barrier(0), *const empty = barrier(kStages);
    float *const sums = floats() + kStages * kChunk;
    if (thread_index() == 0) {
        for (int i = 0; i < kStages; ++i) {
            mbarrier_init(full + i, 1);
            mbarrier_init(empty + i, kConsumers);
        }
        mbarrier_init_fence();
    }
    sync_threads();
    if (thread_index() == 0) {
        for (int i = 0; i < kRounds; ++i) {
            mbarrier_wait(empty + i % kStages, i / kStages % 2 ^ 1);
            mbarrier_expect(full + i % kStages, kChunk * 4);
            bulk_load(floats() + i % kStages * kChunk, input(args) + (block_index() * kRounds + i) * kChunk, kChunk * 4,
                      full + i % kStages);
        }
    } else if (thread_index() >= 32) {
        const int mine = (thread_index() - 32) % kChunk;
        float sum = 0.0f;
        for (int i = 0; i < kRounds; ++i) {
            mbarrier_wait(full + i % kStages, i / kStages % 2);
            sum += static_cast<float>(i + 1) * floats()[i % kStages * kChunk + mine];
            mbarrier_arrive(empty + i % kStages);
        }
        sums[mine] = sum;
        fence_async_shared();
    }
    sync_threads();
    if (thread_index() == 0) {
        bulk_store(output(args) + block_index() * kChunk, sums, kChunk * 4);
        bulk_commit();
        bulk_wait<0>();
    }
}

void a_ring_of_three_stages_brings_everything_in_order(void **) {
    constexpr int blocks = 16, n = blocks * kRounds * kChunk;
    static float x[n], y[blocks * kChunk];
    for (int i = 0; i < n; ++i) {
        x[i] = static_cast<float>(i * 7 % 101);
    }
    for (int seed = 0; seed < kSeeds; ++seed) {
        run_together(ring, seed, blocks, 32 + kConsumers, 200000, x, n, y, blocks * kChunk);
        for (int i = 0; i < blocks * kChunk; ++i) {
            float sum = 0.0f;
            for (int round = 0; round < kRounds; ++round) {
                sum += static_cast<float>(round + 1) * x[(i / kChunk * kRounds + round) * kChunk + i % kChunk];
            }
            assert_true(y[i] == sum);
        }
    }
}

// ---- Limits

struct Limits {
    unsigned grid, block;
    std::size_t shared;
    cudaError_t error;
};

void nothing(const cs_conv_args) {}

int forget_multiprocessors(void **) {
    unsetenv("CONVSMITH_SIMT_SMS");
    cudaGetLastError();
    return 0;
}

void a_cooperative_launch_of_more_than_fits_is_refused(void **) {
    static const Limits table[] = {
        {3, 512, 200000, cudaSuccess},
        {4, 512, 200000, cudaErrorCooperativeLaunchTooLarge},
        {6, 32, 100000, cudaSuccess},
        {7, 32, 100000, cudaErrorCooperativeLaunchTooLarge},
        {6, 993, 0, cudaSuccess},
        {7, 993, 0, cudaErrorCooperativeLaunchTooLarge},
        {96, 32, 0, cudaSuccess},
        {97, 32, 0, cudaErrorCooperativeLaunchTooLarge},
        {0, 32, 0, cudaErrorInvalidConfiguration},
    };
    setenv("CONVSMITH_SIMT_SMS", "3", 1);
    const cs_conv_args args = {};
    assert_int_equal(cs_prepare_conv(nothing, 200000), cudaSuccess);
    for (const Limits &row : table) {
        assert_int_equal(cs_launch_conv_cooperative(nothing, &args, row.grid, row.block, row.shared, nullptr),
                         row.error);
        assert_int_equal(cudaGetLastError(), row.error);
    }
}

void the_device_has_the_multiprocessors_of_the_launch_limit(void **) {
    int count = 0, cooperative = 0;
    assert_int_equal(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, 0), cudaSuccess);
    assert_int_equal(cudaDeviceGetAttribute(&cooperative, cudaDevAttrCooperativeLaunch, 0), cudaSuccess);
    assert_int_equal(count, 132);
    assert_int_equal(cooperative, 1);
}

} // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(blocks_of_a_cooperative_launch_wait_for_each_other),
        cmocka_unit_test(a_poll_that_sees_changes_may_go_on_for_long),
        cmocka_unit_test(each_block_has_its_own_poisoned_shared_memory),
        cmocka_unit_test(the_seed_fixes_the_order_of_a_cooperative_launch),
        cmocka_unit_test(blocks_of_a_cooperative_launch_take_turns),
        cmocka_unit_test(a_ring_of_three_stages_brings_everything_in_order),
        cmocka_unit_test_teardown(a_cooperative_launch_of_more_than_fits_is_refused, forget_multiprocessors),
        cmocka_unit_test(the_device_has_the_multiprocessors_of_the_launch_limit),
    };
    return cmocka_run_group_tests_name("simt_grid", tests, nullptr, forget_seed);
}
