// SPDX-License-Identifier: Apache-2.0
//
// Elements of 16 bits and of tf32, on the emulated machine: what numbers they are, and how numbers become them.
#include "test_simt.h"

#include <cfloat>
#include <cmath>

using namespace test_simt;

namespace {

// The value of a format with 16 bits, from its definition.
double defined(int bits, int mantissa_bits, int bias) {
    const int mantissa = bits & ((1 << mantissa_bits) - 1), exponent = (bits & 0x7FFF) >> mantissa_bits;
    const int top = (1 << (15 - mantissa_bits)) - 1;
    const double sign = bits < 0x8000 ? 1.0 : -1.0;
    if (exponent == top) {
        return mantissa == 0 ? sign * INFINITY : NAN;
    }
    const int whole = exponent == 0 ? mantissa : mantissa + (1 << mantissa_bits);
    return sign * std::ldexp(whole, (exponent == 0 ? 1 : exponent) - bias - mantissa_bits);
}

template <class T, int MANTISSA_BITS, int BIAS> void have_their_values(void **) {
    for (int bits = 0; bits < 0x10000; ++bits) {
        const double value = static_cast<double>(to_float(T{static_cast<std::uint16_t>(bits)}));
        const double want = defined(bits, MANTISSA_BITS, BIAS);
        if (std::isnan(want) ? !std::isnan(value) : value != want || std::signbit(value) != std::signbit(want)) {
            fail_msg("0x%04x is %g, not %g", static_cast<unsigned>(bits), value, want);
        }
    }
}

template <class T> void expect(float value, int bits) {
    if (from_float<T>(value).bits != bits) {
        fail_msg("%a is 0x%04x, not 0x%04x", static_cast<double>(value),
                 static_cast<unsigned>(from_float<T>(value).bits), static_cast<unsigned>(bits));
    }
}

template <class T> void come_back(void **) {
    for (int bits = 0; bits < 0x10000; ++bits) {
        const float value = to_float(T{static_cast<std::uint16_t>(bits)});
        expect<T>(value, std::isnan(value) ? 0x7FFF : bits);
    }
}

// Between all neighbours (the largest's is the first beyond, which becomes infinity): half way, to even; else to the
// nearer one. INFINITE: the bits of infinity.
template <class T, int MANTISSA_BITS, int BIAS, int INFINITE> void round_to_even(void **) {
    for (int bits = 0; bits < INFINITE; ++bits) {
        const double low = defined(bits, MANTISSA_BITS, BIAS);
        const double high = bits + 1 < INFINITE ? defined(bits + 1, MANTISSA_BITS, BIAS)
                                                : 2.0 * low - defined(bits - 1, MANTISSA_BITS, BIAS);
        const float half_way = static_cast<float>((low + high) / 2.0);
        const int even = bits + bits % 2;
        expect<T>(half_way, even);
        expect<T>(-half_way, even | 0x8000);
        expect<T>(std::nextafter(half_way, 0.0f), bits);
        expect<T>(std::nextafter(half_way, INFINITY), bits + 1);
    }
    expect<T>(FLT_MAX, INFINITE);
    expect<T>(-INFINITY, INFINITE | 0x8000);
}

void tf32_rounds_away_from_zero(void **) {
    assert_int_equal(from_float<tf32>(float_of(0x3F800FFFu)).bits, 0x3F800000u);
    assert_int_equal(from_float<tf32>(float_of(0x3F801000u)).bits, 0x3F802000u);
    assert_int_equal(from_float<tf32>(float_of(0xBF801000u)).bits, 0xBF802000u);
    assert_true(to_float(tf32{0x3F802000u}) == float_of(0x3F802000u));
}

void float_is_its_own_element(void **) {
    assert_int_equal(bits_of(from_float<float>(float_of(0x3F800001u))), 0x3F800001u);
    assert_int_equal(bits_of(to_float(float_of(0x3F800001u))), 0x3F800001u);
}

void convert(const cs_conv_args args) {
    const int i = thread_index();
    store_global(static_cast<f16 *>(args.y) + i,
                 from_float<f16>(to_float(load_global(static_cast<const bf16 *>(args.x) + i))));
}

void kernels_load_and_store_them(void **) {
    std::uint16_t from[64], to[64];
    for (int i = 0; i < 64; ++i) {
        from[i] = from_float<bf16>(static_cast<float>(i)).bits;
    }
    cs_conv_args args = {};
    void *const x = device_copy(from, sizeof from);
    args.x = x;
    args.y = device_alloc(sizeof to);
    assert_int_equal(cs_launch_conv(convert, &args, 1, 64, 0, nullptr), cudaSuccess);
    fetch_and_free(to, args.y, sizeof to);
    cudaFree(x);
    for (int i = 0; i < 64; ++i) {
        assert_int_equal(to[i], from_float<f16>(static_cast<float>(i)).bits);
    }
}

void store_16(const cs_conv_args args) {
    const float base = static_cast<float>(4 * thread_index());
    store_shared_16(shared_memory<float>() + 4 * thread_index(), {base, base + 1.0f, base + 2.0f, base + 3.0f});
    sync_threads();
    for (int i = thread_index(); i < 256; i += 64) {
        store_global(output(args) + i, shared_memory<float>()[i]);
    }
}

void store_shared_16_stores_16_bytes(void **) {
    float y[256];
    run(store_16, 1, 64, sizeof y, nullptr, 0, y, 256);
    for (int i = 0; i < 256; ++i) {
        assert_true(y[i] == static_cast<float>(i));
    }
}

} // namespace

int main() {
    const CMUnitTest tests[] = {
        {"all_f16_have_their_values", have_their_values<f16, 10, 15>, nullptr, nullptr, nullptr},
        {"all_bf16_have_their_values", have_their_values<bf16, 7, 127>, nullptr, nullptr, nullptr},
        {"all_f16_come_back", come_back<f16>, nullptr, nullptr, nullptr},
        {"all_bf16_come_back", come_back<bf16>, nullptr, nullptr, nullptr},
        {"f16_rounds_to_even", round_to_even<f16, 10, 15, 0x7C00>, nullptr, nullptr, nullptr},
        {"bf16_rounds_to_even", round_to_even<bf16, 7, 127, 0x7F80>, nullptr, nullptr, nullptr},
        cmocka_unit_test(tf32_rounds_away_from_zero),
        cmocka_unit_test(float_is_its_own_element),
        cmocka_unit_test(kernels_load_and_store_them),
        cmocka_unit_test(store_shared_16_stores_16_bytes),
    };
    return cmocka_run_group_tests_name("simt_element", tests, nullptr, nullptr);
}
