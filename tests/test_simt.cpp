// SPDX-License-Identifier: Apache-2.0
//
// The emulated machine that runs CUDA kernels on the CPU: does its arithmetic hold, and does it catch what it promises
// to catch? Kernels here take what they need from the fields of cs_conv_args by their own lights.
#include "test_simt.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <pthread.h>

using namespace test_simt;

namespace {

// ---- Helpers

std::uint32_t random_state = 20250101;
std::uint32_t next_random() { return random_state = random_state * 1664525u + 1013904223u; }
int random_int(int low, int high) { return low + static_cast<int>((next_random() >> 8) % (high - low + 1)); }
float random_float() { return static_cast<float>(next_random() >> 8) / 8388608.0f - 1.0f; }

// ---- The tensor core

// x: a 16x8, b 8x8, c 16x8, all row-major. y = a * b + c. The fragments are written out as in the PTX manual.
void multiply_matrices(const cs_conv_args args) {
    const float *const a = input(args), *const b = a + 128, *const c = b + 64;
    const int group = thread_index() >> 2, member = thread_index() & 3;
    const uint32_t fragment_a[4] = {bits_of(a[group * 8 + member]), bits_of(a[(group + 8) * 8 + member]),
                                    bits_of(a[group * 8 + member + 4]), bits_of(a[(group + 8) * 8 + member + 4])};
    const uint32_t fragment_b[2] = {bits_of(b[member * 8 + group]), bits_of(b[(member + 4) * 8 + group])};
    const int places[4] = {group * 8 + member * 2, group * 8 + member * 2 + 1, (group + 8) * 8 + member * 2,
                           (group + 8) * 8 + member * 2 + 1};
    float d[4] = {c[places[0]], c[places[1]], c[places[2]], c[places[3]]};
    mma_m16n8k8_tf32(d, fragment_a, fragment_b);
    for (int i = 0; i < 4; ++i) {
        store_global(output(args) + places[i], d[i]);
    }
}

constexpr int kA = 128, kB = 64, kC = 128;

double plain_product(const float *x, int m, int n) {
    double sum = x[kA + kB + m * 8 + n];
    for (int k = 0; k < 8; ++k) {
        sum += static_cast<double>(x[m * 8 + k]) * static_cast<double>(x[kA + k * 8 + n]);
    }
    return sum;
}

void mma_is_exact_for_integers(void **) {
    float x[kA + kB + kC], y[kC];
    for (int round = 0; round < 20; ++round) {
        for (float &value : x) {
            value = static_cast<float>(random_int(-1024, 1024));
        }
        run(multiply_matrices, 1, 32, 0, x, kA + kB + kC, y, kC);
        for (int i = 0; i < kC; ++i) {
            assert_true(static_cast<double>(y[i]) == plain_product(x, i / 8, i % 8));
        }
    }
}

void mma_is_near_the_plain_product_of_random_tf32(void **) {
    float x[kA + kB + kC], y[kC];
    for (int round = 0; round < 20; ++round) {
        for (float &value : x) {
            value = float_of(tf32_round(random_float()));
        }
        run(multiply_matrices, 1, 32, 0, x, kA + kB + kC, y, kC);
        for (int i = 0; i < kC; ++i) {
            // At most 9 terms of magnitude 1, each sum rounded once.
            assert_true(std::fabs(y[i] - plain_product(x, i / 8, i % 8)) <= 8 * 9 * 0x1p-24);
        }
    }
}

void mma_ignores_what_tf32_has_no_room_for(void **) {
    float x[kA + kB + kC] = {}, y[kC];
    for (int i = 0; i < kA + kB; ++i) {
        x[i] = float_of(bits_of(1.0f) | 0x1FFFu);
    }
    run(multiply_matrices, 1, 32, 0, x, kA + kB + kC, y, kC);
    for (float value : y) {
        assert_true(value == 8.0f);
    }
}

void mma_carries_nan_to_its_row_only(void **) {
    float x[kA + kB + kC] = {}, y[kC];
    x[5 * 8 + 3] = NAN;
    run(multiply_matrices, 1, 32, 0, x, kA + kB + kC, y, kC);
    for (int i = 0; i < kC; ++i) {
        assert_int_equal(std::isnan(y[i]), i / 8 == 5);
    }
}

void mma_carries_infinity_to_its_column_only(void **) {
    float x[kA + kB + kC] = {}, y[kC];
    for (int i = 0; i < kA; ++i) {
        x[i] = 1.0f;
    }
    x[kA + 2 * 8 + 6] = -INFINITY;
    run(multiply_matrices, 1, 32, 0, x, kA + kB + kC, y, kC);
    for (int i = 0; i < kC; ++i) {
        assert_true(y[i] == (i % 8 == 6 ? -INFINITY : 0.0f));
    }
}

void mma_of_infinity_and_zero_is_nan(void **) {
    float x[kA + kB + kC] = {}, y[kC];
    x[0] = INFINITY;
    run(multiply_matrices, 1, 32, 0, x, kA + kB + kC, y, kC);
    assert_true(std::isnan(y[0]));
}

// The same for elements of 16 bits: a 16x16, b 16x8, c 16x8.
constexpr int kPairsA = 256, kPairsB = 128;

template <class Element> void multiply_pairs(const cs_conv_args args) {
    const float *const a = input(args), *const b = a + kPairsA, *const c = b + kPairsB;
    const int group = thread_index() >> 2, member = thread_index() & 3;
    const auto pair_of_a = [&](int m, int k) { return pack_elements<Element>(a[m * 16 + k], a[m * 16 + k + 1]); };
    const auto pair_of_b = [&](int k, int n) { return pack_elements<Element>(b[k * 8 + n], b[(k + 1) * 8 + n]); };
    const uint32_t fragment_a[4] = {pair_of_a(group, member * 2), pair_of_a(group + 8, member * 2),
                                    pair_of_a(group, member * 2 + 8), pair_of_a(group + 8, member * 2 + 8)};
    const uint32_t fragment_b[2] = {pair_of_b(member * 2, group), pair_of_b(member * 2 + 8, group)};
    const int places[4] = {group * 8 + member * 2, group * 8 + member * 2 + 1, (group + 8) * 8 + member * 2,
                           (group + 8) * 8 + member * 2 + 1};
    float d[4] = {c[places[0]], c[places[1]], c[places[2]], c[places[3]]};
    mma_m16n8k16<Element>(d, fragment_a, fragment_b);
    for (int i = 0; i < 4; ++i) {
        store_global(output(args) + places[i], d[i]);
    }
}

void expect_pairs_to_be_exact(void (*kernel)(cs_conv_args)) {
    float x[kPairsA + kPairsB + kC], y[kC];
    for (float &value : x) {
        value = static_cast<float>(random_int(-128, 128));
    }
    run(kernel, 1, 32, 0, x, kPairsA + kPairsB + kC, y, kC);
    for (int i = 0; i < kC; ++i) {
        double sum = x[kPairsA + kPairsB + i];
        for (int k = 0; k < 16; ++k) {
            sum += static_cast<double>(x[i / 8 * 16 + k]) * static_cast<double>(x[kPairsA + k * 8 + i % 8]);
        }
        assert_true(static_cast<double>(y[i]) == sum);
    }
}

void mma_of_16_bits_is_exact_for_integers(void **) {
    expect_pairs_to_be_exact(multiply_pairs<f16>);
    expect_pairs_to_be_exact(multiply_pairs<bf16>);
}

// ---- Scalar helpers

void tf32_round_is_to_nearest_ties_away(void **) {
    static const struct {
        std::uint32_t from, to;
    } table[] = {
        {0x00000000, 0x00000000}, {0x80000000, 0x80000000}, // zeros keep their sign
        {0x3F800000, 0x3F800000}, {0xBF802000, 0xBF802000}, // already tf32
        {0x3F800FFF, 0x3F800000}, {0x3F801000, 0x3F802000}, // below half, half
        {0x3F803000, 0x3F804000}, {0xBF801000, 0xBF802000}, // half again, negative: away from zero
        {0x3F801001, 0x3F802000}, {0x3FFFF000, 0x40000000}, // above half, into the exponent
        {0x7F7FEFFF, 0x7F7FE000}, {0x7F7FF000, 0x7F800000}, // the largest, beyond it
        {0x00001000, 0x00002000}, {0x00000FFF, 0x00000000}, // subnormal
        {0x7F800000, 0x7F800000}, {0xFF800000, 0xFF800000}, // infinities
        {0x7F800001, 0x7FFFFFFF}, {0xFFC12345, 0x7FFFFFFF}, // NaN survives the cut
    };
    for (const auto &row : table) {
        assert_int_equal(tf32_round(float_of(row.from)), row.to);
    }
}

void approximations_flush_subnormals_and_keep_limits(void **) {
    assert_true(exp2_approx(3.0f) == 8.0f && exp2_approx(0.0f) == 1.0f);
    assert_true(exp2_approx(-INFINITY) == 0.0f && exp2_approx(-127.0f) == 0.0f);
    assert_true(exp2_approx(128.0f) == INFINITY && std::isnan(exp2_approx(NAN)));
    assert_true(reciprocal_approx(4.0f) == 0.25f && reciprocal_approx(-0.0f) == -INFINITY);
    assert_true(reciprocal_approx(-INFINITY) == 0.0f && std::signbit(reciprocal_approx(-INFINITY)));
    assert_true(reciprocal_approx(0x1p-127f) == INFINITY && reciprocal_approx(0x1p127f) == 0.0f);
    assert_true(std::isnan(reciprocal_approx(NAN)));
}

// ---- Warps

void shuffle_values(const cs_conv_args args) {
    const auto mine = static_cast<float>(thread_index());
    const float by_float = shuffle_xor(mine, 5);
    const double by_double = shuffle_xor(static_cast<double>(mine), 16);
    const float by_lane = shuffle(mine, (thread_index() + 1) % 32);
    store_global(output(args) + thread_index() * 3, by_float);
    store_global(output(args) + thread_index() * 3 + 1, static_cast<float>(by_double));
    store_global(output(args) + thread_index() * 3 + 2, by_lane);
}

void shuffles_exchange_within_a_warp(void **) {
    float y[64 * 3];
    run(shuffle_values, 1, 64, 0, nullptr, 0, y, 64 * 3);
    for (int i = 0; i < 64; ++i) {
        assert_true(y[i * 3] == static_cast<float>(i ^ 5));
        assert_true(y[i * 3 + 1] == static_cast<float>(i ^ 16));
        assert_true(y[i * 3 + 2] == static_cast<float>(i / 32 * 32 + (i + 1) % 32));
    }
}

// ---- Asynchronous copies. Each thread copies for itself, so nothing but its own waits matters.

// y[0]: before any wait; y[1]: after a wait for all but the newest group; y[2]: that newest one, then; y[3]: not
// committed, after a wait for all; y[4]: invalid, waited for.
void copy_in_groups(const cs_conv_args args) {
    float *const s = shared_memory<float>();
    s[0] = s[1] = s[2] = s[4] = -1.0f;
    cp_async_4(s + 0, input(args), true);
    cp_async_commit();
    cp_async_4(s + 1, input(args), true);
    cp_async_4(s + 4, nullptr, false);
    cp_async_commit();
    store_global(output(args) + 0, s[0]);
    cp_async_wait<1>();
    store_global(output(args) + 1, s[0]);
    store_global(output(args) + 2, s[1]);
    cp_async_4(s + 2, input(args), true);
    cp_async_wait<0>();
    store_global(output(args) + 3, s[2]);
    store_global(output(args) + 4, s[4]);
    store_global(output(args) + 5, s[1]);
}

void check_copy(std::size_t place, float expected) {
    const float x[1] = {7.0f};
    float y[6];
    run(copy_in_groups, 1, 1, 32, x, 1, y, 6);
    assert_true(std::isnan(expected) ? std::isnan(y[place]) : y[place] == expected);
}

void a_copy_has_not_landed_before_its_wait(void **) { check_copy(0, NAN); }
void a_copy_has_landed_after_its_wait(void **) { check_copy(1, 7.0f); }
void a_wait_leaves_the_newest_groups_pending(void **) { check_copy(2, NAN); }
void a_copy_without_commit_never_lands(void **) { check_copy(3, NAN); }
void an_invalid_copy_writes_zero(void **) { check_copy(4, 0.0f); }
void a_later_wait_lands_the_rest(void **) { check_copy(5, 7.0f); }

void copy_16(const cs_conv_args args) {
    float *const s = shared_memory<float>();
    cp_async_16(s + 4, input(args) + 4);
    cp_async_commit();
    cp_async_wait<0>();
    for (int i = 0; i < 4; ++i) {
        store_global(output(args) + i, s[4 + i]);
    }
}

void a_16_byte_copy_brings_16_bytes(void **) {
    const float x[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    float y[4];
    run(copy_16, 1, 1, 32, x, 8, y, 4);
    assert_memory_equal(y, x + 4, sizeof y);
}

// ---- Missing synchronisation. Each kernel comes with and without; of 100 blocks, nearly all must go wrong without.

constexpr unsigned kBlocks = 100, kThreads = 256;

template <bool SYNC> void reverse(const cs_conv_args args) {
    float *const s = shared_memory<float>();
    const int t = thread_index();
    s[t] = static_cast<float>(t);
    if (SYNC) {
        sync_threads();
    }
    block_output(args)[t] = s[block_threads() - 1 - t];
}

// The second round overwrites what slower threads may still have to read.
template <bool SYNC> void reuse(const cs_conv_args args) {
    float *const s = shared_memory<float>();
    const int t = thread_index(), other = block_threads() - 1 - t;
    s[t] = 1000.0f;
    sync_threads();
    const float first = s[other];
    if (SYNC) {
        sync_threads();
    }
    s[t] = static_cast<float>(t) - 1000.0f;
    sync_threads();
    block_output(args)[t] = first + s[other];
}

// The same with an asynchronous refill, which lands late but may, on a real device, land at once.
template <bool SYNC> void refill(const cs_conv_args args) {
    float *const s = shared_memory<float>();
    const int t = thread_index(), other = block_threads() - 1 - t;
    s[t] = 0.0f;
    sync_threads();
    const float first = s[other];
    if (SYNC) {
        sync_threads();
    }
    cp_async_4(s + t, input(args) + t, true);
    cp_async_commit();
    cp_async_wait<0>();
    sync_threads();
    block_output(args)[t] = first + s[other];
}

// Each thread waits for its own copies, but the others' need a barrier.
template <bool SYNC> void await_others(const cs_conv_args args) {
    float *const s = shared_memory<float>();
    const int t = thread_index();
    cp_async_4(s + t, input(args) + t, true);
    cp_async_commit();
    cp_async_wait<0>();
    if (SYNC) {
        sync_threads();
    }
    block_output(args)[t] = s[block_threads() - 1 - t];
}

int wrong_blocks(Kernel kernel) {
    static float x[kThreads], y[kBlocks * kThreads];
    for (unsigned i = 0; i < kThreads; ++i) {
        x[i] = static_cast<float>(i);
    }
    run(kernel, kBlocks, kThreads, kThreads * sizeof(float), x, kThreads, y, kBlocks * kThreads);
    int wrong = 0;
    for (unsigned b = 0; b < kBlocks; ++b) {
        bool good = true;
        for (unsigned i = 0; i < kThreads; ++i) {
            good = good && y[b * kThreads + i] == static_cast<float>(kThreads - 1 - i);
        }
        wrong += !good;
    }
    return wrong;
}

void check_missing_barrier(Kernel with, Kernel without) {
    assert_int_equal(wrong_blocks(with), 0);
    const int wrong = wrong_blocks(without);
    print_message("without its barrier %d of %u blocks are wrong\n", wrong, kBlocks);
    assert_in_range(wrong, 99, kBlocks);
}

void a_missing_barrier_after_writes_shows(void **) { check_missing_barrier(reverse<true>, reverse<false>); }
void a_missing_barrier_before_reuse_shows(void **) { check_missing_barrier(reuse<true>, reuse<false>); }
void a_missing_barrier_before_a_refill_shows(void **) { check_missing_barrier(refill<true>, refill<false>); }
void a_missing_barrier_after_a_wait_shows(void **) { check_missing_barrier(await_others<true>, await_others<false>); }

void read_then_write(const cs_conv_args args) {
    float *const s = shared_memory<float>();
    block_output(args)[thread_index()] = s[thread_index()];
    s[thread_index()] = 1.0f;
}

void every_block_starts_with_poisoned_shared_memory(void **) {
    float y[10 * 64];
    run(read_then_write, 10, 64, 64 * sizeof(float), nullptr, 0, y, 10 * 64);
    for (float value : y) {
        assert_true(std::isnan(value));
    }
}

// ---- Orders

// y[0] counts; y[1 + i] is who came i-th.
void sign_up(const cs_conv_args args) {
    float *const y = output(args);
    y[1 + static_cast<int>(y[0])] = static_cast<float>(block_index() * block_threads() + thread_index());
    y[0] += 1.0f;
}

// The order in which grid * block threads run under a seed.
void order_under(int seed, unsigned grid, unsigned block, float *order) {
    use_seed(seed);
    const std::size_t count = 1 + grid * block;
    const float none[1 + 1024] = {};
    cs_conv_args args = {};
    args.y = device_copy(none, count * sizeof(float));
    assert_int_equal(cs_launch_conv(sign_up, &args, grid, block, 0, nullptr), cudaSuccess);
    fetch_and_free(order, args.y, count * sizeof(float));
}

void check_seeds(unsigned grid, unsigned block) {
    float one[1025], again[1025], two[1025];
    order_under(1, grid, block, one);
    order_under(1, grid, block, again);
    order_under(2, grid, block, two);
    assert_memory_equal(one, again, (1 + grid * block) * sizeof(float));
    assert_memory_not_equal(one, two, (1 + grid * block) * sizeof(float));
}

void the_seed_fixes_the_order_of_threads(void **) { check_seeds(1, 256); }
void the_seed_fixes_the_order_of_blocks(void **) { check_seeds(100, 1); }

void every_thread_runs_once_in_grids_of_any_size(void **) {
    for (unsigned grid = 1; grid <= 33; ++grid) {
        for (int seed = 0; seed < 10; ++seed) {
            float order[1025];
            bool seen[1024] = {};
            order_under(seed, grid, 31, order);
            assert_true(order[0] == static_cast<float>(grid * 31));
            for (unsigned i = 0; i < grid * 31; ++i) {
                seen[static_cast<int>(order[1 + i])] = true;
            }
            for (unsigned i = 0; i < grid * 31; ++i) {
                assert_true(seen[i]);
            }
        }
    }
}

// ---- Several CPU threads

void *launch_repeatedly(void *wrong) {
    float y[4 * 64];
    for (int i = 0; i < 50; ++i) {
        run(reverse<true>, 4, 64, 64 * sizeof(float), nullptr, 0, y, 4 * 64);
        for (int j = 0; j < 4 * 64; ++j) {
            *static_cast<int *>(wrong) += y[j] != static_cast<float>(63 - j % 64);
        }
    }
    return nullptr;
}

void launches_of_two_cpu_threads_do_not_disturb_each_other(void **) {
    pthread_t threads[2];
    int wrong[2] = {};
    for (int i = 0; i < 2; ++i) {
        assert_int_equal(pthread_create(&threads[i], nullptr, launch_repeatedly, &wrong[i]), 0);
    }
    for (pthread_t thread : threads) {
        pthread_join(thread, nullptr);
    }
    assert_int_equal(wrong[0] + wrong[1], 0);
}

} // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(mma_is_exact_for_integers),
        cmocka_unit_test(mma_of_16_bits_is_exact_for_integers),
        cmocka_unit_test(mma_is_near_the_plain_product_of_random_tf32),
        cmocka_unit_test(mma_ignores_what_tf32_has_no_room_for),
        cmocka_unit_test(mma_carries_nan_to_its_row_only),
        cmocka_unit_test(mma_carries_infinity_to_its_column_only),
        cmocka_unit_test(mma_of_infinity_and_zero_is_nan),
        cmocka_unit_test(tf32_round_is_to_nearest_ties_away),
        cmocka_unit_test(approximations_flush_subnormals_and_keep_limits),
        cmocka_unit_test(shuffles_exchange_within_a_warp),
        cmocka_unit_test(a_copy_has_not_landed_before_its_wait),
        cmocka_unit_test(a_copy_has_landed_after_its_wait),
        cmocka_unit_test(a_wait_leaves_the_newest_groups_pending),
        cmocka_unit_test(a_copy_without_commit_never_lands),
        cmocka_unit_test(an_invalid_copy_writes_zero),
        cmocka_unit_test(a_later_wait_lands_the_rest),
        cmocka_unit_test(a_16_byte_copy_brings_16_bytes),
        cmocka_unit_test(a_missing_barrier_after_writes_shows),
        cmocka_unit_test(a_missing_barrier_before_reuse_shows),
        cmocka_unit_test(a_missing_barrier_before_a_refill_shows),
        cmocka_unit_test(a_missing_barrier_after_a_wait_shows),
        cmocka_unit_test(every_block_starts_with_poisoned_shared_memory),
        cmocka_unit_test_teardown(the_seed_fixes_the_order_of_threads, forget_seed),
        cmocka_unit_test_teardown(the_seed_fixes_the_order_of_blocks, forget_seed),
        cmocka_unit_test_teardown(every_thread_runs_once_in_grids_of_any_size, forget_seed),
        cmocka_unit_test(launches_of_two_cpu_threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests_name("simt", tests, nullptr, nullptr);
}
