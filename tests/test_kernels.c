/* SPDX-License-Identifier: Apache-2.0
 *
 * Every kernel of a table against the reference: one test a kernel and family of cases, <kernel>/<family>, made from
 * the table itself. A test that cannot run here is skipped, with the reason.
 *
 *     test_kernels [GLOB]      only the tests whose names match, "*_avx2/constant"
 *     CONVSMITH_TEST_DEVICE    "cpu" or "cuda": only the kernels of such devices
 *     CONVSMITH_TEST_SEED      another seed of the random data
 *
 * Linked with the emulation in tests/simt, the CUDA kernels run on the CPU. Compiled with CS_TEST_TABLE, it is about
 * the table of that name in place of the built-in one.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/kernel_check.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef CS_TEST_TABLE
extern const convsmith_table CS_TEST_TABLE;
static const convsmith_table *const table = &CS_TEST_TABLE;
#else
static const convsmith_table *const table = NULL;
#endif

/* One test: what it checks, and its name. */
typedef struct kernel_test {
    cs_check check;
    char name[160];
} kernel_test;

typedef struct selection {
    const char *glob, *device;
    uint64_t seed;
} selection;

static void kernel_agrees_with_the_reference(void **state) {
    const kernel_test *test = *state;
    cs_message message = {""};
    int cases = 0;
    switch (cs_check_kernel(&test->check, &cases, &message)) {
    case CS_PASSED:
        assert_true(cases > 0);
        break;
    case CS_FAILED:
        fail_msg("%s", message.text);
        break;
    case CS_SKIPPED:
        print_message("%s: %s\n", test->name, message.text);
        skip();
    }
}

static const char *device_name(convsmith_device device) {
    return device.kind == CONVSMITH_DEVICE_CUDA ? "cuda" : "cpu";
}

static bool is_selected(const kernel_test *test, const selection *s) {
    return (!s->device || strcmp(s->device, device_name(test->check.device)) == 0) &&
           (!s->glob || fnmatch(s->glob, test->name, 0) == 0);
}

static kernel_test make_test(const convsmith_kernel *kernel, cs_family family, uint64_t seed) {
    const convsmith_kernel_info *info = convsmith_kernel_get_info(kernel);
    kernel_test test = {.check = {.table = table,
                                  .kernel = kernel,
                                  .device = {convsmith_target_device(info->key.target), 0},
                                  .family = family,
                                  .only_case = CS_ALL_CASES,
                                  .seed = seed}};
    snprintf(test.name, sizeof test.name, "%s/%s", info->name, cs_family_name(family));
    return test;
}

/* Fills in the selected tests; the number of them. */
static size_t collect(kernel_test *tests, const selection *s) {
    size_t count = 0;
    for (size_t i = 0; i < convsmith_table_size(table); i++)
        for (int family = 0; family < CS_FAMILY_COUNT; family++) {
            const convsmith_kernel *kernel = convsmith_table_at(table, i);
            tests[count] = make_test(kernel, (cs_family)family, s->seed);
            if (cs_family_applies((cs_family)family, convsmith_kernel_get_info(kernel)->key.epilogue) &&
                is_selected(&tests[count], s))
                count++;
        }
    return count;
}

static int run(kernel_test *tests, struct CMUnitTest *units, const selection *s) {
    const size_t count = collect(tests, s);
    if (count == 0) {
        fprintf(stderr, "error: no test of that name; they are named <kernel>/<family>\n");
        return 2;
    }
    for (size_t i = 0; i < count; i++)
        units[i] = (struct CMUnitTest){
            .name = tests[i].name, .test_func = kernel_agrees_with_the_reference, .initial_state = &tests[i]};
    return _cmocka_run_group_tests("kernels", units, count, NULL, NULL);
}

int main(int argc, char **argv) {
    const char *seed = getenv("CONVSMITH_TEST_SEED");
    const selection s = {.glob = argc > 1 ? argv[1] : NULL,
                         .device = getenv("CONVSMITH_TEST_DEVICE"),
                         .seed = seed ? strtoull(seed, NULL, 10) : CS_DEFAULT_SEED};
    const size_t most = convsmith_table_size(table) * CS_FAMILY_COUNT;
    kernel_test *tests = calloc(most, sizeof *tests);
    struct CMUnitTest *units = calloc(most, sizeof *units);
    int status = 2;
    if (tests && units)
        status = run(tests, units, &s);
    else
        fprintf(stderr, "error: no memory for %zu tests\n", most);
    free(units);
    free(tests);
    return status;
}
