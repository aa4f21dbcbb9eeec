/* SPDX-License-Identifier: Apache-2.0
 *
 * What the library's CUDA kernels take of a multiprocessor, as ptxas told it when they were compiled: no stack, no
 * spills, and no more shared memory than a block can have.
 */
#define _XOPEN_SOURCE 700

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "convsmith/convsmith.h"
#include "tests/ptxas_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Of a file that nvcc 13.0 wrote for kernels made to be bad ------------------------------------------------- */

static ptxas_report bad_kernels(void) {
    ptxas_report report = {0};
    ptxas_report_add(&report, TEST_SOURCE_DIR "/tests/data/ptxas/faults.ptxas");
    return report;
}

static void a_kernel_is_found_with_its_figures(void **state) {
    (void)state;
    ptxas_report report = bad_kernels();
    const ptxas_kernel *kernel = ptxas_report_find(&report, "spill", "sm_89");
    assert_non_null(kernel);
    assert_int_equal(kernel->registers, 64);
    assert_int_equal(kernel->stack, 528);
    assert_int_equal(kernel->spill_stores, 844);
    assert_int_equal(kernel->spill_loads, 888);
    assert_int_equal(kernel->shared, 4096);
    ptxas_report_free(&report);
}

static void each_architecture_has_its_figures(void **state) {
    (void)state;
    ptxas_report report = bad_kernels();
    assert_int_equal(report.count, 8);
    assert_int_equal(ptxas_report_find(&report, "stack", "sm_89")->registers, 40);
    assert_int_equal(ptxas_report_find(&report, "stack", "sm_90a")->registers, 32);
    assert_null(ptxas_report_find(&report, "stack", "sm_80"));
    ptxas_report_free(&report);
}

/* Whether the faults of those kernels have these words. */
static int bad_kernels_have(const char *words) {
    ptxas_report report = bad_kernels();
    char *faults = ptxas_report_faults(&report);
    const int have = strstr(faults, words) != NULL;
    free(faults);
    ptxas_report_free(&report);
    return have;
}

static void spills_are_a_fault(void **state) {
    (void)state;
    assert_true(bad_kernels_have("spill on sm_89: 528 bytes of stack, 844 of spill stores, 888 of spill loads"));
}

static void a_stack_is_a_fault(void **state) {
    (void)state;
    assert_true(bad_kernels_have("stack on sm_90a: 256 bytes of stack, 0 of spill stores"));
}

static void what_ptxas_remarks_is_a_fault(void **state) {
    (void)state;
    assert_true(bad_kernels_have("(C7517) warpgroup.wait is injected"));
}

static void a_good_kernel_is_no_fault(void **state) {
    (void)state;
    assert_false(bad_kernels_have("first"));
}

/* ---- Of the library's kernels ---------------------------------------------------------------------------------- */

/* Calls visit(part, context) for each part of a text between colons. */
static void for_each_part(const char *text, void (*visit)(const char *part, void *context), void *context) {
    char *copy = strdup(text), *rest = copy;
    assert_non_null(copy);
    for (char *part = strtok_r(rest, ":", &rest); part; part = strtok_r(NULL, ":", &rest))
        visit(part, context);
    free(copy);
}

static void add_report(const char *path, void *context) { ptxas_report_add(context, path); }

/* The state of the tests to come. */
static int read_reports(void **state) {
    static ptxas_report report;
    for_each_part(TEST_PTXAS_REPORTS, add_report, &report);
    *state = &report;
    return 0;
}

static int free_reports(void **state) {
    ptxas_report_free(*state);
    return 0;
}

static const ptxas_report *reports(void **state) {
    const ptxas_report *report = *state;
    if (TEST_PTXAS_REPORTS[0] == '\0') {
        print_message("no CUDA kernel is compiled here\n");
        skip();
    }
    return report;
}

static const convsmith_kernel_info *info_at(size_t index) {
    return convsmith_kernel_get_info(convsmith_table_at(NULL, index));
}

typedef struct search {
    const ptxas_report *report;
    const convsmith_kernel_info *kernel;
    long shared; /* of the convolution, the most on any architecture */
} search;

/* The functions that each kernel has; the last ones, those of the stored schedule alone. */
static const char *const parts[] = {"", "_merge", "_prepack", "_copy", "_apply"};
enum { PARTS = sizeof parts / sizeof parts[0], COMMON_PARTS = 3 };

static void find_functions(const char *arch, void *context) {
    search *s = context;
    const size_t count = s->kernel->schedule == CONVSMITH_SCHEDULE_STORED ? PARTS : COMMON_PARTS;
    char name[300], full_arch[16];
    snprintf(full_arch, sizeof full_arch, "sm_%s", arch);
    for (size_t i = 0; i < count; ++i) {
        snprintf(name, sizeof name, "%s%s", s->kernel->name, parts[i]);
        const ptxas_kernel *found = ptxas_report_find(s->report, name, full_arch);
        if (!found)
            fail_msg("ptxas said nothing of %s on %s", name, full_arch);
        if (i == 0 && s->shared < found->shared)
            s->shared = found->shared;
    }
}

/* Calls visit for each of the table's CUDA kernels, of which there must be some. */
static void for_each_kernel(const ptxas_report *report, void (*visit)(const search *s)) {
    size_t count = 0;
    for (size_t i = 0; i < convsmith_table_size(NULL); ++i) {
        search s = {report, info_at(i), 0};
        if (convsmith_target_device(s.kernel->key.target) != CONVSMITH_DEVICE_CUDA)
            continue;
        for_each_part(TEST_CUDA_ARCHS, find_functions, &s);
        visit(&s);
        ++count;
    }
    assert_true(count > 0);
}

static void be_content(const search *s) { (void)s; }

static void every_kernel_is_reported_for_every_architecture(void **state) {
    for_each_kernel(reports(state), be_content);
}

static void no_kernel_has_a_stack_or_spills(void **state) {
    char *faults = ptxas_report_faults(reports(state));
    const int any = faults[0] != '\0';
    if (any)
        print_error("%s", faults);
    free(faults);
    assert_false(any);
}

/* What a block can have: sm_80 has more than sm_86 and sm_89, which run the same kernels. */
static void expect_to_fit(const search *s) {
    const long limit = s->kernel->key.target == CONVSMITH_TARGET_SM80 ? 99 * 1024 : 227 * 1024;
    const long bytes = s->kernel->shared_bytes + s->shared;
    if (bytes > limit)
        fail_msg("%s has %ld bytes of shared memory a block, more than %ld", s->kernel->name, bytes, limit);
}

static void a_block_fits_shared_memory(void **state) { for_each_kernel(reports(state), expect_to_fit); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kernel_is_found_with_its_figures),
        cmocka_unit_test(each_architecture_has_its_figures),
        cmocka_unit_test(spills_are_a_fault),
        cmocka_unit_test(a_stack_is_a_fault),
        cmocka_unit_test(what_ptxas_remarks_is_a_fault),
        cmocka_unit_test(a_good_kernel_is_no_fault),
        cmocka_unit_test(every_kernel_is_reported_for_every_architecture),
        cmocka_unit_test(no_kernel_has_a_stack_or_spills),
        cmocka_unit_test(a_block_fits_shared_memory),
    };
    return cmocka_run_group_tests_name("resources", tests, read_reports, free_reports);
}
