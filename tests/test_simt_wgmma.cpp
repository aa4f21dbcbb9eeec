// SPDX-License-Identifier: Apache-2.0
//
// Products of a warpgroup, on the emulated machine: their values, where they lie, and when they are there.
#include "test_simt.h"

#include <cmath>
#include <type_traits>
#include <vector>

using namespace test_simt;

namespace {

constexpr int kRows = 64, kSeeds = 6;

template <class T> constexpr int kStep = 32 / static_cast<int>(sizeof(T));

// How an operand of some steps lies in shared memory: bytes from one half of a step's k to the other, from eight rows
// to the next, and from step to step.
struct Layout {
    int half, rows, step;
};

// Rows outside, k inside; and k outside, rows inside.
template <int STEPS> constexpr Layout kRowsFirst = {128, 256 * STEPS, 256};
template <int ROWS> constexpr Layout kStepsFirst = {ROWS * 16, 128, ROWS * 32};

template <class T> T element(float value) { return from_float<T>(value); }
template <> tf32 element<tf32>(float value) { return {float_bits(value)}; } // with the bits that must not count

// ---- Pieces of kernels

unsigned char *bytes(int at) { return shared_memory<unsigned char>() + at; }

// Lays out `rows` rows of STEPS steps of k, by `threads` threads.
template <class T, int STEPS>
void lay_out(unsigned char *to, const Layout &layout, const float *from, int rows, int thread, int threads) {
    constexpr int all = STEPS * kStep<T>;
    for (int i = thread; i < rows * all; i += threads) {
        const int row = i / all, k = i % kStep<T>, per_half = kStep<T> / 2;
        const T value = element<T>(load_global(from + i));
        std::memcpy(to + i % all / kStep<T> * layout.step + k / per_half * layout.half + row / 8 * layout.rows +
                        row % 8 * 16 + k % per_half * static_cast<int>(sizeof(T)),
                    &value, sizeof value);
    }
}

template <int N> void give(float *y, const float (&d)[N / 2]) {
    const int thread = thread_index() % 128, lane = thread % 32;
    for (int i = 0; i < N / 2; ++i) {
        const int row = thread / 32 * 16 + lane / 4 + i / 2 % 2 * 8;
        store_global(y + row * N + i / 4 * 8 + lane % 4 * 2 + i % 2, d[i]);
    }
}

// x: for each group of warps 64 rows of a, then the N rows of b. y: 64 rows of N for each.
template <class T, int N, int STEPS, bool ROWS_FIRST> void multiply(const cs_conv_args args) {
    constexpr int k = STEPS * kStep<T>, size = k * static_cast<int>(sizeof(T));
    const Layout of_a = ROWS_FIRST ? kRowsFirst<STEPS> : kStepsFirst<kRows>;
    const Layout of_b = ROWS_FIRST ? kRowsFirst<STEPS> : kStepsFirst<N>;
    const int groups = block_threads() / 128, group = thread_index() / 128;
    unsigned char *const a = bytes(group * kRows * size), *const b = bytes(groups * kRows * size);
    lay_out<T, STEPS>(a, of_a, input(args) + group * kRows * k, kRows, thread_index() % 128, 128);
    lay_out<T, STEPS>(b, of_b, input(args) + groups * kRows * k, N, thread_index(), block_threads());
    fence_async_shared();
    sync_threads();
    float d[N / 2];
    wgmma_fence();
    for (int step = 0; step < STEPS; ++step) {
        wgmma<T, N>(d, wgmma_operand(a + step * of_a.step, of_a.half, of_a.rows),
                    wgmma_operand(b + step * of_b.step, of_b.half, of_b.rows), step > 0);
    }
    wgmma_commit();
    wgmma_wait<0>(d);
    give<N>(output(args) + group * kRows * N, d);
}

// ---- Against a plain loop

// Eighths in [-8, 8): exact in all elements, and so are their sums.
std::vector<float> numbers(int count) {
    std::vector<float> x(static_cast<std::size_t>(count));
    std::uint32_t state = 1;
    for (float &value : x) {
        state = state * 1664525u + 1013904223u;
        value = static_cast<float>(static_cast<int>(state >> 25) - 64) / 8.0f;
    }
    return x;
}

void compare(const std::vector<float> &y, const std::vector<float> &a, const float *b, int n, int k, int seed) {
    for (int i = 0; i < static_cast<int>(y.size()); ++i) {
        float want = 0.0f;
        for (int j = 0; j < k; ++j) {
            want += a[static_cast<std::size_t>(i / n * k + j)] * b[i % n * k + j];
        }
        if (y[static_cast<std::size_t>(i)] != want) {
            fail_msg("seed %d: row %d, column %d is %g, not %g", seed, i / n, i % n,
                     static_cast<double>(y[static_cast<std::size_t>(i)]), static_cast<double>(want));
        }
    }
}

template <class T, int N, int STEPS, bool ROWS_FIRST> void check_groups(int groups) {
    constexpr int k = STEPS * kStep<T>;
    const std::vector<float> exact = numbers((groups * kRows + N) * k);
    std::vector<float> x = exact;
    if (std::is_same<T, tf32>::value) {
        for (float &value : x) {
            value = float_of(bits_of(value) | 0x1FFFu);
        }
    }
    std::vector<float> y(static_cast<std::size_t>(groups * kRows * N));
    for (int seed = 0; seed < kSeeds; ++seed) {
        use_seed(seed);
        run(multiply<T, N, STEPS, ROWS_FIRST>, 1, static_cast<unsigned>(groups * 128), x.size() * sizeof(T), x.data(),
            x.size(), y.data(), y.size());
        compare(y, exact, exact.data() + groups * kRows * k, N, k, seed);
    }
}

template <class T, int N> void is_the_product(void **) { check_groups<T, N, 1, true>(1); }
void steps_add_up(void **) { check_groups<f16, 32, 5, true>(1); }
void the_other_layout_will_do(void **) { check_groups<bf16, 16, 3, false>(1); }
void two_groups_have_their_own_rows(void **) { check_groups<tf32, 64, 2, true>(2); }

// ---- Swizzled operands

// Where a byte of swizzled rows is: within each 128 bytes, or each row if that is less, the 16-byte parts have changed
// places, by the number of those 128 bytes.
template <int ROW_BYTES> int swizzle(int byte) { return byte ^ byte / 128 % (ROW_BYTES / 16) * 16; }

template <class T, int ROW_BYTES> void lay_out_rows(int at, const float *from, int rows) {
    constexpr int all = ROW_BYTES / static_cast<int>(sizeof(T));
    for (int i = thread_index(); i < rows * all; i += block_threads()) {
        const T value = element<T>(load_global(from + i));
        std::memcpy(bytes(swizzle<ROW_BYTES>(at + i * static_cast<int>(sizeof(T)))), &value, sizeof value);
    }
}

// As multiply, but swizzled; operands begin at row FIRST of a place of 1024 bytes.
template <class T, int N, int ROW_BYTES, int FIRST> void multiply_swizzled(const cs_conv_args args) {
    constexpr int k = ROW_BYTES / static_cast<int>(sizeof(T));
    constexpr int of_a = FIRST * ROW_BYTES, of_b = (kRows + 32) * ROW_BYTES / 1024 * 1024 + of_a;
    lay_out_rows<T, ROW_BYTES>(of_a, input(args), kRows);
    lay_out_rows<T, ROW_BYTES>(of_b, input(args) + kRows * k, N);
    fence_async_shared();
    sync_threads();
    float d[N / 2];
    wgmma_fence();
    const std::uint64_t a = wgmma_swizzled_operand<ROW_BYTES>(bytes(of_a));
    for (int step = 0; step < ROW_BYTES / 32; ++step) {
        const std::uint64_t b = wgmma_swizzled_operand<ROW_BYTES>(bytes(of_b + step * 32));
        wgmma<T, N>(d, wgmma_moved(a, step * 2, 0), b, step > 0);
    }
    wgmma_commit();
    wgmma_wait<0>(d);
    give<N>(output(args), d);
}

template <class T, int N, int ROW_BYTES, int FIRST> void swizzled_is_the_product(void **) {
    constexpr int k = ROW_BYTES / static_cast<int>(sizeof(T)), shared = (kRows + 32 + FIRST + N) * ROW_BYTES;
    const std::vector<float> x = numbers((kRows + N) * k);
    std::vector<float> y(kRows * N);
    for (int seed = 0; seed < kSeeds; ++seed) {
        use_seed(seed);
        run(multiply_swizzled<T, N, ROW_BYTES, FIRST>, 1, 128, shared, x.data(), x.size(), y.data(), y.size());
        compare(y, x, x.data() + kRows * k, N, k, seed);
    }
}

// The same with b as columns: 64 of them in a row of 128 bytes, 64 k one after the other.
template <class T, int N> void multiply_columns(const cs_conv_args args) {
    constexpr int k = 64, of_b = kRows * 128, apart = k * 128;
    lay_out_rows<T, 128>(0, input(args), kRows);
    for (int i = thread_index(); i < N * k; i += block_threads()) {
        const T value = element<T>(load_global(input(args) + kRows * k + i));
        const int column = i / k, at = of_b + column / 64 * apart + i % k * 128 + column % 64 * 2;
        std::memcpy(bytes(swizzle<128>(at)), &value, sizeof value);
    }
    fence_async_shared();
    sync_threads();
    float d[N / 2];
    wgmma_fence();
    const std::uint64_t a = wgmma_swizzled_operand<128>(bytes(0)), b = wgmma_swizzled_columns(bytes(of_b), apart);
    for (int step = 0; step < k / 16; ++step) {
        wgmma<T, N, true>(d, wgmma_moved(a, step * 2, 0), wgmma_moved(b, step * 128, 0), step > 0);
    }
    wgmma_commit();
    wgmma_wait<0>(d);
    give<N>(output(args), d);
}

template <class T, int N> void columns_are_the_product(void **) {
    constexpr int k = 64, shared = (kRows + (N + 63) / 64 * 64) * 128;
    const std::vector<float> x = numbers((kRows + N) * k);
    std::vector<float> y(kRows * N);
    for (int seed = 0; seed < kSeeds; ++seed) {
        use_seed(seed);
        run(multiply_columns<T, N>, 1, 128, shared, x.data(), x.size(), y.data(), y.size());
        compare(y, x, x.data() + kRows * k, N, k, seed);
    }
}

// ---- When they are there. x: a, then b, of one step of f16; N is 8. y: 64 rows of 8.

constexpr int kBytes = (kRows + 8) * 32, kB = kRows * 32;

std::uint64_t operand(int at) { return wgmma_operand(bytes(at), 128, 256); }

void begin(const cs_conv_args &args) {
    lay_out<f16, 1>(bytes(0), kRowsFirst<1>, input(args), kRows + 8, thread_index(), block_threads());
    fence_async_shared();
    sync_threads();
    wgmma_fence();
}

void multiply_once(float (&d)[4], bool accumulate) {
    wgmma<f16, 8>(d, operand(0), operand(kB), accumulate);
    wgmma_commit();
}

// y must be d's value that `expected` makes of the product's, NaN for NaN.
void check(Kernel kernel, float (*expected)(float)) {
    const std::vector<float> x = numbers((kRows + 8) * 16);
    std::vector<float> plain(kRows * 8), y(kRows * 8);
    run(multiply<f16, 8, 1, true>, 1, 128, kBytes, x.data(), x.size(), plain.data(), plain.size());
    for (int seed = 0; seed < kSeeds; ++seed) {
        use_seed(seed);
        run(kernel, 1, 128, kBytes, x.data(), x.size(), y.data(), y.size());
        for (std::size_t i = 0; i < y.size(); ++i) {
            const float want = expected(plain[i]);
            if (std::isnan(want) ? !std::isnan(y[i]) : y[i] != want) {
                fail_msg("seed %d: y[%zu] is %g, not %g", seed, i, static_cast<double>(y[i]),
                         static_cast<double>(want));
            }
        }
    }
}

float same(float product) { return product; }
float nan(float) { return NAN; }

void add_to_one(const cs_conv_args args) {
    float d[4] = {1.0f, 1.0f, 1.0f, 1.0f};
    begin(args);
    multiply_once(d, true);
    wgmma_wait<0>(d);
    give<8>(output(args), d);
}

void a_product_adds_to_d(void **) {
    check(add_to_one, [](float product) { return product + 1.0f; });
}

void look_before_the_wait(const cs_conv_args args) {
    float d[4] = {};
    begin(args);
    multiply_once(d, false);
    give<8>(output(args), d);
    wgmma_wait<0>(d);
}

void d_is_nan_before_its_wait(void **) { check(look_before_the_wait, nan); }

// Two groups; the first is waited for, and given, or the other.
template <bool FIRST> void wait_for_the_first(const cs_conv_args args) {
    float d[4], e[4];
    begin(args);
    multiply_once(d, false);
    multiply_once(e, false);
    wgmma_wait<1>(d);
    give<8>(output(args), FIRST ? d : e);
    wgmma_wait<0>(e);
}

void a_wait_for_one_group_gives_it(void **) { check(wait_for_the_first<true>, same); }
void a_wait_for_one_group_leaves_the_newer_one(void **) { check(wait_for_the_first<false>, nan); }

// Products are complete, and have read their operands, after a wait that names no registers; those are there after
// one that does.
template <bool NAMED> void wait_without_registers(const cs_conv_args args) {
    float d[4];
    begin(args);
    multiply_once(d, false);
    wgmma_wait<0>();
    std::memset(bytes(thread_index() * 16), 0, 16);
    if (NAMED) {
        wgmma_wait<0>(d);
    }
    give<8>(output(args), d);
    if (!NAMED) {
        wgmma_wait<0>(d);
    }
}

void a_wait_without_registers_completes_the_products(void **) { check(wait_without_registers<true>, same); }
void a_wait_without_registers_gives_none(void **) { check(wait_without_registers<false>, nan); }

// The registers are used, and multiplied into again.
void use_twice(const cs_conv_args args) {
    float d[4];
    begin(args);
    multiply_once(d, false);
    wgmma_wait<0>(d);
    for (float &value : d) {
        value += 1.0f;
    }
    wgmma_fence();
    multiply_once(d, true);
    wgmma_wait<0>(d);
    give<8>(output(args), d);
}

void registers_may_be_used_between_products(void **) {
    check(use_twice, [](float product) { return 2.0f * product + 1.0f; });
}

// Each warp clears its own rows of a, before its wait or after it.
template <bool TOO_EARLY> void clear_a(const cs_conv_args args) {
    float d[4];
    begin(args);
    multiply_once(d, false);
    if (!TOO_EARLY) {
        wgmma_wait<0>(d);
    }
    std::memset(bytes(thread_index() * 16), 0, 16);
    if (TOO_EARLY) {
        wgmma_wait<0>(d);
    }
    give<8>(output(args), d);
}

void operands_may_change_after_the_wait(void **) { check(clear_a<false>, same); }

void operands_that_change_before_the_wait_show(void **) {
    const std::vector<float> x(static_cast<std::size_t>((kRows + 8) * 16), 1.0f);
    std::vector<float> y(kRows * 8);
    int right = 0, wrong = 0;
    for (int seed = 0; seed < 20; ++seed) {
        use_seed(seed);
        run(clear_a<true>, 1, 128, kBytes, x.data(), x.size(), y.data(), y.size());
        for (const float value : y) {
            ++(value == 16.0f ? right : wrong);
        }
    }
    assert_true(right > 0 && wrong > 0);
}

// A bulk copy brings the operands: no ordinary write, so no fence. (All ones, in whatever layout.)
void load_and_multiply(const cs_conv_args args) {
    std::uint64_t *const barrier = reinterpret_cast<std::uint64_t *>(bytes(kBytes));
    if (thread_index() == 0) {
        mbarrier_init(barrier, 1);
        mbarrier_init_fence();
    }
    sync_threads();
    if (thread_index() == 0) {
        mbarrier_expect(barrier, kBytes);
        bulk_load(bytes(0), args.x, kBytes, barrier);
    }
    mbarrier_wait(barrier, 0);
    float d[4];
    wgmma_fence();
    multiply_once(d, false);
    wgmma_wait<0>(d);
    give<8>(output(args), d);
}

void what_was_loaded_needs_no_fence(void **) {
    const std::vector<float> x(kBytes / sizeof(float), float_of(0x3C003C00u));
    std::vector<float> y(kRows * 8);
    run(load_and_multiply, 1, 128, kBytes + 8, x.data(), x.size(), y.data(), y.size());
    for (const float value : y) {
        assert_true(value == 16.0f);
    }
}

// Many rounds with new operands in each, the warps now and then ahead of each other.
void ten_rounds(const cs_conv_args args) {
    float d[4];
    for (int i = 0; i < 10; ++i) {
        begin(args);
        multiply_once(d, i > 0);
        wgmma_wait<0>(d);
        sync_threads();
        std::memset(bytes(thread_index() * 16), 0, 16);
        sync_threads();
    }
    give<8>(output(args), d);
}

void rounds_follow_each_other(void **) {
    check(ten_rounds, [](float product) { return 10.0f * product; });
}

} // namespace

#define COLUMNS(T, N)                                                                                                  \
    { #T "_with_" #N "_columns_is_the_product", is_the_product < T, N>, nullptr, nullptr, nullptr }
#define SWIZZLED(T, ROW_BYTES, FIRST)                                                                                  \
    {                                                                                                                  \
#T "_in_swizzled_rows_of_" #ROW_BYTES "_from_row_" #FIRST, swizzled_is_the_product < T, 32, ROW_BYTES, FIRST>, \
            nullptr, nullptr, nullptr                                                                                  \
    }
#define GIVEN_AS_COLUMNS(T, N)                                                                                         \
    { #T "_with_" #N "_given_columns_is_the_product", columns_are_the_product < T, N>, nullptr, nullptr, nullptr }
#define ALL_SWIZZLED(T)                                                                                                \
    SWIZZLED(T, 32, 0), SWIZZLED(T, 32, 5), SWIZZLED(T, 64, 0), SWIZZLED(T, 64, 3), SWIZZLED(T, 128, 0),               \
        SWIZZLED(T, 128, 6)

int main() {
    const CMUnitTest tests[] = {
        COLUMNS(tf32, 8),
        COLUMNS(tf32, 16),
        COLUMNS(tf32, 32),
        COLUMNS(tf32, 64),
        COLUMNS(tf32, 160),
        COLUMNS(tf32, 240),
        COLUMNS(f16, 8),
        COLUMNS(f16, 64),
        COLUMNS(f16, 96),
        COLUMNS(f16, 128),
        COLUMNS(f16, 256),
        COLUMNS(bf16, 16),
        COLUMNS(bf16, 32),
        COLUMNS(bf16, 192),
        COLUMNS(bf16, 208),
        COLUMNS(bf16, 224),
        ALL_SWIZZLED(tf32),
        ALL_SWIZZLED(f16),
        ALL_SWIZZLED(bf16),
        GIVEN_AS_COLUMNS(f16, 64),
        GIVEN_AS_COLUMNS(f16, 160),
        GIVEN_AS_COLUMNS(bf16, 208),
        cmocka_unit_test(steps_add_up),
        cmocka_unit_test(the_other_layout_will_do),
        cmocka_unit_test(two_groups_have_their_own_rows),
        cmocka_unit_test(a_product_adds_to_d),
        cmocka_unit_test(d_is_nan_before_its_wait),
        cmocka_unit_test(a_wait_for_one_group_gives_it),
        cmocka_unit_test(a_wait_for_one_group_leaves_the_newer_one),
        cmocka_unit_test(a_wait_without_registers_completes_the_products),
        cmocka_unit_test(a_wait_without_registers_gives_none),
        cmocka_unit_test(registers_may_be_used_between_products),
        cmocka_unit_test(operands_may_change_after_the_wait),
        cmocka_unit_test(operands_that_change_before_the_wait_show),
        cmocka_unit_test(what_was_loaded_needs_no_fence),
        cmocka_unit_test(rounds_follow_each_other),
    };
    return cmocka_run_group_tests_name("simt_wgmma", tests, nullptr, forget_seed);
}
