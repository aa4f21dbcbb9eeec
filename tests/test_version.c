/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "convsmith/convsmith.h"

#include <stdio.h>

static void the_library_is_of_its_headers_version(void **state) {
    (void)state;
    char expected[32];
    snprintf(expected, sizeof expected, "%d.%d.%d", CONVSMITH_VERSION_MAJOR, CONVSMITH_VERSION_MINOR,
             CONVSMITH_VERSION_PATCH);
    assert_string_equal(convsmith_version(), expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_is_of_its_headers_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
