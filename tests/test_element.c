/* SPDX-License-Identifier: Apache-2.0
 *
 * Elements of 16 bits against what their formats say: all of them as numbers, and for every two neighbours the numbers
 * between them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/device/element.h"
#include "support/random.h"

#include <math.h>

/* A format: sign, exponent of `bias`, fraction of `fraction` bits. */
typedef struct format {
    cs_element dtype;
    int fraction, bias;
} format;

static const format f16 = {CS_F16, 10, 15}, bf16 = {CS_BF16, 7, 127};

static uint16_t infinity_of(const format *f) { return (uint16_t)(0x7fff >> f->fraction << f->fraction); }

/* The value of a finite element that is not negative. */
static double value_of(const format *f, int element) {
    const int exponent = element >> f->fraction, fraction = element & ((1 << f->fraction) - 1);
    const int whole = exponent > 0 ? fraction + (1 << f->fraction) : fraction;
    return ldexp(whole, (exponent > 0 ? exponent : 1) - f->bias - f->fraction);
}

static float load(const format *f, uint16_t element) { return load_element(f->dtype, &element, 0); }

static uint16_t store(const format *f, float value) {
    uint16_t elements[2] = {0}; /* room for a float, as far as the compiler can know */
    store_element(f->dtype, elements, 0, value);
    return elements[0];
}

static void check_values(const format *f) {
    for (int element = 0; element < infinity_of(f); element++) {
        const float value = load(f, (uint16_t)element), negative = load(f, (uint16_t)(element | 0x8000));
        if ((double)value != value_of(f, element) || negative != -value || !signbit(negative))
            fail_msg("element %#x is %g and %g, it should be +-%g", element, (double)value, (double)negative,
                     value_of(f, element));
    }
    assert_true(load(f, infinity_of(f)) == INFINITY);
    assert_true(load(f, infinity_of(f) | 0x8000) == -INFINITY);
    for (int element = infinity_of(f) + 1; element < 0x8000; element++)
        assert_true(isnan(load(f, (uint16_t)element)) && isnan(load(f, (uint16_t)(element | 0x8000))));
}

static void every_element_has_its_value(void **state) {
    (void)state;
    check_values(&f16);
    check_values(&bf16);
}

static void expect(const format *f, float value, int element) {
    if (store(f, value) != element || store(f, -value) != (element | 0x8000))
        fail_msg("%a becomes %#x and %#x, it should be %#x", (double)value, store(f, value), store(f, -value), element);
}

/* Between an element and the next: both themselves, what is below, at and above the middle, and one anywhere. */
static void check_neighbours(const format *f, int element, cs_random *random) {
    const double low = value_of(f, element),
                 high = value_of(f, element + 1); /* beyond the greatest: the next would be */
    const float middle = (float)((low + high) / 2), anywhere = (float)(low + (high - low) * cs_random_unit(random));
    const int even = element % 2 ? element + 1 : element;
    expect(f, (float)low, element);
    if ((double)middle == (low + high) / 2) {
        expect(f, middle, even);
        expect(f, nextafterf(middle, 0), element);
        expect(f, nextafterf(middle, INFINITY), element + 1);
    }
    if ((double)anywhere != (low + high) / 2)
        expect(f, anywhere, (double)anywhere < (low + high) / 2 ? element : element + 1);
}

static void check_rounding(const format *f) {
    cs_random random = {5};
    for (int element = 0; element < infinity_of(f); element++)
        check_neighbours(f, element, &random);
}

static void every_number_becomes_the_nearest_element(void **state) {
    (void)state;
    check_rounding(&f16);
    check_rounding(&bf16);
}

static void what_is_too_large_becomes_an_infinity(void **state) {
    (void)state;
    expect(&f16, 65519.996f, infinity_of(&f16) - 1);
    expect(&f16, 65520, infinity_of(&f16));
    expect(&f16, 3e38f, infinity_of(&f16));
    expect(&f16, INFINITY, infinity_of(&f16));
    expect(&bf16, 0x1.ffp127f, infinity_of(&bf16));
    expect(&bf16, INFINITY, infinity_of(&bf16));
}

/* Also those whose payload lies where the element has no bits. */
static void not_a_number_stays_so(void **state) {
    (void)state;
    const uint32_t some[] = {0x7fc00000, 0x7f800001, 0x7fffffff, 0xff800001, 0xffffffff, 0x7fa00000};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        const float nan = cs_float_of_bits(some[i]);
        assert_true(isnan(load(&f16, store(&f16, nan))));
        assert_true(isnan(load(&bf16, store(&bf16, nan))));
    }
}

static void rounding_to_an_element_is_storing_and_loading_it(void **state) {
    (void)state;
    const float values[] = {0, -0.1f, 1e-7f, 3.1415927f, 70000, -1e30f};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_true(round_to_element(CS_F32, values[i]) == values[i]);
        assert_true(round_to_element(CS_F16, values[i]) == load(&f16, store(&f16, values[i])));
        assert_true(round_to_element(CS_BF16, values[i]) == load(&bf16, store(&bf16, values[i])));
    }
}

static void what_is_finite_stays_finite(void **state) {
    (void)state;
    assert_true(nearest_finite(1e39) == 0x1.fffffep127f && nearest_finite(-1e300) == -0x1.fffffep127f);
    assert_true(nearest_finite(0x1.fffffffp127) == 0x1.fffffep127f && nearest_finite(0.1) == 0.1f);
    assert_true(nearest_finite(HUGE_VAL) == INFINITY && nearest_finite(-HUGE_VAL) == -INFINITY);
    assert_true(isnan(nearest_finite((double)NAN)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_finite_stays_finite),
        cmocka_unit_test(every_element_has_its_value),
        cmocka_unit_test(every_number_becomes_the_nearest_element),
        cmocka_unit_test(what_is_too_large_becomes_an_infinity),
        cmocka_unit_test(not_a_number_stays_so),
        cmocka_unit_test(rounding_to_an_element_is_storing_and_loading_it),
    };
    return cmocka_run_group_tests_name("element", tests, NULL, NULL);
}
