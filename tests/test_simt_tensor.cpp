// SPDX-License-Identifier: Apache-2.0
//
// Boxes of tensors on the emulated machine: what lands in shared memory, where, and when.
#include "test_simt_tensor.h"

#include <cmath>
#include <vector>

using namespace test_simt;

namespace {

constexpr int kSeeds = 8, kThreads = 64;

float *floats() { return shared_memory<float>(); }

// Element i of the tensor is i + 1, but in the channels that x has not.
struct Case {
    Box of;
    int from[4];
};

// ---- Kernels. The box's place is h, w, h_out, w_out, its bytes are n; a barrier lies behind it.

std::uint64_t *barrier_behind(int bytes) { return reinterpret_cast<std::uint64_t *>(shared_memory<char>() + bytes); }

void begin(const cs_conv_args &args, std::uint64_t *barrier) {
    if (thread_index() == 0) {
        mbarrier_init(barrier, 1);
        mbarrier_init_fence();
    }
    sync_threads();
    if (thread_index() == 0) {
        mbarrier_expect(barrier, args.n);
        tensor_load(floats(), args.gemm.inputs, args.h, args.w, args.h_out, args.w_out, barrier);
    }
}

void give(const cs_conv_args &args) {
    for (int i = thread_index(); i < args.n / 4; i += kThreads) {
        output(args)[i] = floats()[i];
    }
}

void load_box(const cs_conv_args args) {
    std::uint64_t *const barrier = barrier_behind(args.n);
    begin(args, barrier);
    mbarrier_wait(barrier, 0);
    give(args);
}

void look_before_the_wait(const cs_conv_args args) {
    std::uint64_t *const barrier = barrier_behind(args.n);
    begin(args, barrier);
    sync_threads(); // gives the box time, but no thread may know of its end
    give(args);
    sync_threads();
    mbarrier_wait(barrier, 0);
}

// The tensor's first element changes while the box may be under way.
void change_the_source(const cs_conv_args args) {
    std::uint64_t *const barrier = barrier_behind(args.n);
    begin(args, barrier);
    if (thread_index() == 0) {
        const_cast<float *>(input(args))[0] = 7777.0f;
    }
    mbarrier_wait(barrier, 0);
    give(args);
}

// ---- Against a plain loop

std::vector<float> run_case(Kernel kernel, const Case &c) {
    std::vector<float> x(static_cast<std::size_t>(count(c.of.sizes)));
    std::vector<float> y(static_cast<std::size_t>(count(c.of.box)));
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<float>(i + 1);
    }
    cs_conv_args args = {};
    void *const in = device_copy(x.data(), x.size() * sizeof(float));
    args.x = in;
    args.y = device_alloc(y.size() * sizeof(float));
    args.n = count(c.of.box) * 4;
    args.h = c.from[0], args.w = c.from[1], args.h_out = c.from[2], args.w_out = c.from[3];
    assert_int_equal(encode(c.of, in, &args.gemm.inputs), cudaSuccess);
    assert_int_equal(cs_launch_conv(kernel, &args, 1, kThreads, y.size() * sizeof(float) + 8, nullptr), cudaSuccess);
    fetch_and_free(y.data(), args.y, y.size() * sizeof(float));
    cudaFree(in);
    return y;
}

// What the tensor has at c, w, h, n.
float element(const Case &c, const int (&at)[4]) {
    int index = 0;
    for (int i = 3; i >= 0; --i) {
        if (at[i] < 0 || at[i] >= c.of.sizes[i]) {
            return 0.0f;
        }
        index = index * c.of.sizes[i] + at[i];
    }
    return static_cast<float>(index + 1);
}

// What float `i` of the box should be, counted in the order of c, w, h, n; and where it should lie.
float expected(const Case &c, int i) {
    int at[4];
    for (int k = 0; k < 4; i /= c.of.box[k++]) {
        at[k] = c.from[k] + i % c.of.box[k] * c.of.steps[k];
    }
    return element(c, at);
}

int place(const Case &c, int i) {
    const int byte = i * 4;
    return (byte ^ byte / 128 % (c.of.row_bytes / 16) * 16) / 4;
}

void check(const Case &c) {
    for (int seed = 0; seed < kSeeds; ++seed) {
        use_seed(seed);
        const std::vector<float> y = run_case(load_box, c);
        for (int i = 0; i < static_cast<int>(y.size()); ++i) {
            const float got = y[static_cast<std::size_t>(place(c, i))], want = expected(c, i);
            if (got != want) {
                fail_msg("seed %d: element %d of the box is %g, not %g", seed, i, static_cast<double>(got),
                         static_cast<double>(want));
            }
        }
    }
}

void is_brought(void **state) { check(*static_cast<const Case *>(*state)); }

const Case kInside = {{{8, 10, 6, 2}, {8, 4, 3, 1}, 32}, {0, 3, 2, 1}};

void a_box_has_not_landed_before_its_wait(void **) {
    for (int seed = 0; seed < kSeeds; ++seed) {
        use_seed(seed);
        for (const float value : run_case(look_before_the_wait, kInside)) {
            assert_true(std::isnan(value));
        }
    }
}

void a_source_that_changes_before_the_wait_shows(void **) {
    const Case first = {{{8, 10, 6, 2}, {8, 4, 3, 1}, 32}, {0, 0, 0, 0}};
    int old = 0, changed = 0;
    for (int seed = 0; seed < 20; ++seed) {
        use_seed(seed);
        const float value = run_case(change_the_source, first)[0];
        ++(value == 7777.0f ? changed : old);
        assert_true(value == 1.0f || value == 7777.0f);
    }
    assert_true(old > 0 && changed > 0);
}

struct Named {
    const char *name;
    Case c;
};

Named kCases[] = {
    {"rows_of_32_bytes_are_swizzled", kInside},
    {"rows_of_64_bytes_are_swizzled", {{{16, 10, 6, 2}, {16, 9, 3, 1}, 64}, {0, 0, 0, 0}}},
    {"rows_of_128_bytes_are_swizzled", {{{32, 10, 6, 2}, {32, 5, 4, 1}, 128}, {0, 1, 1, 0}}},
    {"a_box_may_have_several_samples", {{{8, 5, 4, 3}, {8, 3, 2, 2}, 32}, {0, 1, 1, 1}}},
    {"a_box_of_some_channels_has_those", {{{40, 5, 4, 1}, {16, 3, 2, 1}, 64}, {16, 1, 1, 0}}},
    {"channels_beyond_the_last_are_zero", {{{20, 5, 4, 1}, {16, 3, 2, 1}, 64}, {16, 1, 1, 0}}},
    {"columns_before_the_first_are_zero", {{{8, 10, 6, 2}, {8, 4, 3, 1}, 32}, {0, -2, 0, 0}}},
    {"columns_beyond_the_last_are_zero", {{{8, 10, 6, 2}, {8, 4, 3, 1}, 32}, {0, 8, 0, 0}}},
    {"rows_before_the_first_are_zero", {{{8, 10, 6, 2}, {8, 4, 3, 1}, 32}, {0, 0, -1, 1}}},
    {"rows_beyond_the_last_are_zero", {{{8, 10, 6, 2}, {8, 4, 3, 1}, 32}, {0, 0, 5, 1}}},
    {"samples_beyond_the_last_are_zero", {{{8, 5, 4, 3}, {8, 3, 2, 2}, 32}, {0, 1, 1, 2}}},
    {"a_box_larger_than_the_tensor_is_brought", {{{8, 3, 2, 1}, {8, 7, 9, 1}, 32}, {0, -2, -3, 0}}},
    {"a_box_may_step_over_columns", {{{8, 10, 6, 2}, {8, 3, 3, 1}, 32, {1, 2, 1, 1}}, {0, 1, 1, 1}}},
    {"a_box_may_step_over_rows", {{{8, 10, 6, 2}, {8, 4, 2, 1}, 32, {1, 1, 3, 1}}, {0, 3, 1, 0}}},
    {"steps_begin_outside_the_tensor", {{{8, 10, 6, 2}, {8, 4, 3, 1}, 32, {1, 3, 2, 1}}, {0, -4, -1, 1}}},
    {"steps_end_outside_the_tensor", {{{8, 10, 7, 2}, {8, 4, 3, 1}, 32, {1, 2, 2, 1}}, {0, 5, 4, 1}}},
    {"a_box_outside_the_tensor_is_zero", {{{8, 10, 6, 2}, {8, 4, 3, 1}, 32}, {0, -4, 0, 0}}},
};

} // namespace

int main() {
    constexpr std::size_t cases = sizeof kCases / sizeof *kCases;
    CMUnitTest tests[cases + 2] = {
        cmocka_unit_test(a_box_has_not_landed_before_its_wait),
        cmocka_unit_test(a_source_that_changes_before_the_wait_shows),
    };
    for (std::size_t i = 0; i < cases; ++i) {
        tests[i + 2] = {kCases[i].name, is_brought, nullptr, nullptr, &kCases[i].c};
    }
    return cmocka_run_group_tests_name("simt_tensor", tests, nullptr, forget_seed);
}
