/* SPDX-License-Identifier: Apache-2.0
 *
 * Tuning records: what is read of a file, and how a damaged one is refused.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "src/tuning.h"

#include <locale.h>
#include <stdbool.h>

/* ---- Files ------------------------------------------------------------------------------------------------------- */

/* A record, so that each test replaces a part of it. */
#define BEFORE "return {\n    format = 1, device = \"A\", compute_capability = 90, multiprocessors = 132,\n"
#define AMONG "    driver = \"5.6\", runtime = 13000, version = \"0.1.0\", date = \"2026-11-23\",\n    problems = {\n"
#define SIZES "n = 16, h = 56, w = 57, groups = 8, "
#define KERNEL "{ name = \"conv_a\", us = 66.81, spread = 0.012 }"
#define AFTER "    },\n}\n"
#define RECORD BEFORE AMONG "{ " SIZES "kernels = { " KERNEL " } },\n" AFTER

static convsmith_status load(scratch *s, const char *text, convsmith_tuning **tuning) {
    return convsmith_tuning_load(tuning, scratch_write(s, "record.lua", text, strlen(text)));
}

static convsmith_tuning *load_good(scratch *s, const char *text) {
    convsmith_tuning *tuning;
    if (load(s, text, &tuning) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    return tuning;
}

static void expect_bad(scratch *s, const char *text, const char *words) {
    convsmith_tuning *tuning;
    const convsmith_status status = load(s, text, &tuning);
    assert_null(tuning);
    if (status != CONVSMITH_BAD_RECORD || !strstr(convsmith_detail(), words))
        fail_msg("status %d; it should say '%s' of:\n%s\nit said: %s", status, words, text, convsmith_detail());
}

/* ---- What is read ------------------------------------------------------------------------------------------------ */

static void all_fields_are_read(void **state) {
    convsmith_tuning *t = load_good(*state, RECORD);
    assert_string_equal(t->identity.model.name, "A");
    assert_int_equal(t->identity.model.compute_capability, 90);
    assert_int_equal(t->identity.model.multiprocessors, 132);
    assert_string_equal(t->identity.driver, "5.6");
    assert_int_equal(t->identity.runtime, 13000);
    assert_string_equal(t->identity.version, "0.1.0");
    assert_string_equal(t->date, "2026-11-23");
    assert_int_equal(t->count, 1);
    const cs_tuned_problem *p = &t->problems[0];
    assert_true(p->n == 16 && p->h == 56 && p->w == 57 && p->groups == 8 && p->kernels.count == 1);
    assert_string_equal(p->kernels.rows[0].name, "conv_a");
    assert_true(p->kernels.rows[0].us == 66.81 && p->kernels.rows[0].spread == 0.012);
    convsmith_tuning_destroy(t);
}

static void kernels_are_sorted_by_their_times(void **state) {
    convsmith_tuning *t =
        load_good(*state, BEFORE AMONG "{ " SIZES "kernels = { { name = \"slow\", us = 9, spread = 0 },"
                                       "{ name = \"fast\", us = 2e-1, spread = 0 } } }" AFTER);
    assert_string_equal(t->problems[0].kernels.rows[0].name, "fast");
    assert_string_equal(t->problems[0].kernels.rows[1].name, "slow");
    convsmith_tuning_destroy(t);
}

static void comments_spaces_and_the_order_of_fields_are_free(void **state) {
    convsmith_tuning *t = load_good(
        *state, "-- by hand\nreturn{--[1]\n\tformat=1,date=\"\",version=\"\",runtime=0,driver=\"\",problems={},\r\n"
                "multiprocessors=0,compute_capability=0,device=\"\"}-- the end");
    assert_int_equal(t->count, 0);
    convsmith_tuning_destroy(t);
}

/* A problem is known by its sizes and kernels. */
static void the_last_of_two_records_of_a_problem_holds(void **state) {
    convsmith_tuning *t =
        load_good(*state, BEFORE AMONG "{ " SIZES "kernels = { " KERNEL " } },\n"
                                       "{ " SIZES "kernels = { { name = \"conv_b\", us = 1, spread = 0 } } },\n"
                                       "{ " SIZES "kernels = { { name = \"conv_a\", us = 2, spread = 0 } } },\n" AFTER);
    assert_int_equal(t->count, 2);
    assert_true(t->problems[0].kernels.rows[0].us == 2 && t->problems[1].kernels.rows[0].us == 1);
    convsmith_tuning_destroy(t);
}

/* Where there is such a locale; elsewhere the numbers are the same anyway. */
static void numbers_do_not_depend_on_the_locale(void **state) {
    if (!setlocale(LC_ALL, "de_DE.UTF-8"))
        skip();
    convsmith_tuning *t = load_good(*state, RECORD);
    setlocale(LC_ALL, "C");
    assert_true(t->problems[0].kernels.rows[0].us == 66.81);
    convsmith_tuning_destroy(t);
}

static void what_is_written_is_read(void **state) {
    scratch *s = *state;
    convsmith_tuning *written = load_good(s, RECORD);
    FILE *stream = fopen(scratch_path(s, "again.lua"), "w");
    assert_non_null(stream);
    cs_tuning_write(written, stream);
    fclose(stream);
    convsmith_tuning *read;
    assert_int_equal(convsmith_tuning_load(&read, scratch_path(s, "again.lua")), CONVSMITH_OK);
    assert_memory_equal(&read->identity, &written->identity, sizeof read->identity);
    assert_string_equal(read->date, written->date);
    assert_int_equal(read->count, 1);
    assert_memory_equal(&read->problems[0], &written->problems[0], offsetof(cs_tuned_problem, kernels));
    assert_string_equal(read->problems[0].kernels.rows[0].name, "conv_a");
    assert_true(read->problems[0].kernels.rows[0].us == 66.81);
    convsmith_tuning_destroy(read);
    convsmith_tuning_destroy(written);
}

/* ---- What is refused --------------------------------------------------------------------------------------------- */

static void damage_is_told_with_its_line(void **state) {
    static const char *const rows[][2] = {
        {"", ":1: a tuning record begins with: return { format = 1"},
        {"\n\n-- empty", ":3: a tuning record begins with"},
        {"local a = 1\n" RECORD, ":1: a tuning record begins with"},
        {"returned" RECORD, ":1: a tuning record begins with"},
        {"return { device = \"A\" }", ":1: a tuning record begins with"},
        {"return { format = two }", ":1: a tuning record begins with"},
        {"return { format = 2, gpu = 1 }", ":1: the record has format 2; this library reads format 1"},
        {RECORD "x", ":8: nothing should stand behind the record, but 'x' does"},
        {BEFORE AMONG, ":5: '{' should stand here, not the end of the file"},
        {BEFORE "    },\n", ":3: the record that ends here lacks driver"},
        {BEFORE "    vendor = \"B\", " AMONG AFTER, ":3: the record has no field 'vendor'"},
        {BEFORE "    device = \"B\", " AMONG AFTER, ":3: the record has device twice"},
        {"return { format = 1, device = \"A\" }", ":1: the record that ends here lacks compute_capability"},
        {"return { format = 1, device = 'A' }", ":1: device is a string in double quotes, not ''A''"},
        {"return { format = 1, device = \"A\n\" }", ":1: device is a string without its closing quote"},
        {"return { format = 1, device = \"A\\n\" }",
         ":1: device is a string without its closing quote, or with a backslash"},
        {"return { format = 1, date = \"the 23rd of November\" }", ":1: date has 20 characters; it has 15 at most"},
        {"return { format = 1 device = \"A\" }", ":1: ',' or '}' should stand here, not 'device'"},
        {"return { format = 1, device \"A\" }", ":1: '=' should stand here, not '\"A\"'"},
        {"return { format = 1, runtime = true }", ":1: runtime is a number, not 'true'"},
        {"return { format = 1, runtime = 0x10 }", ":1: runtime is a number, not '0x10'"},
        {"return { format = 1, runtime = +1 }", ":1: runtime is a number, not '+1'"},
        {"return { format = 1, runtime = nan }", ":1: runtime is a number, not 'nan'"},
        {"return { format = 1, runtime = 1 + 1 }", ":1: ',' or '}' should stand here, not '+'"},
        {"return { format = 1, runtime = 1.5 }", ":1: runtime is '1.5'; it is a whole number"},
        {"return { format = 1, runtime = -1 }", ":1: runtime is '-1'; it is from 0 to 2147483647"},
        {"return { format = 1, runtime = 1e999 }", ":1: runtime is '1e999'; it is from 0"},
        {BEFORE AMONG "{ n = 0 } " AFTER, ":5: n is '0'; it is from 1 to"},
        {BEFORE AMONG "16 " AFTER, ":5: '{' should stand here, not '16'"},
        {BEFORE AMONG "{ " SIZES "} " AFTER, ":5: a problem that ends here lacks kernels"},
        {BEFORE AMONG "{ " SIZES "kernels = { } } " AFTER, ":5: kernels is empty"},
        {BEFORE AMONG "{ " SIZES "kernels = { " KERNEL KERNEL " } } " AFTER,
         ":5: ',' or '}' should stand here, not '{'"},
        {BEFORE AMONG "{ " SIZES "kernels = { " KERNEL ", " KERNEL " } } " AFTER,
         ":5: a problem has the kernel conv_a twice"},
        {BEFORE AMONG "{ " SIZES "kernels = { { name = \"\" } } } " AFTER, ":5: name is empty"},
        {BEFORE AMONG "{ " SIZES "kernels = { { us = 0 } } } " AFTER, ":5: us is '0'; it is from 0.001"},
        {BEFORE AMONG "{ " SIZES "kernels = { { us = 1, spread = -1 } } } " AFTER, ":5: spread is '-1'; it is from 0"},
        {BEFORE AMONG "{ " SIZES "kernels = { { us = 1 } } } " AFTER, ":5: a kernel that ends here lacks name"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_bad(*state, rows[i][0], rows[i][1]);
}

static void a_record_cut_anywhere_is_refused(void **state) {
    const size_t length = strlen(RECORD) - 1; /* the last line's end says nothing */
    for (size_t i = 0; i < length; i++) {
        char text[sizeof RECORD];
        snprintf(text, sizeof text, "%.*s", (int)i, RECORD);
        expect_bad(*state, text, "record.lua:");
    }
}

static void a_problem_of_very_many_kernels_is_refused(void **state) {
    enum { KERNELS = 257, ROOM = 64 * KERNELS + 1024 };
    static char text[ROOM];
    int used = snprintf(text, sizeof text, "%s", BEFORE AMONG "{ " SIZES "kernels = { ");
    for (int i = 0; i < KERNELS; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "{ name = \"k%d\", us = 1, spread = 0 }, ", i);
    snprintf(text + used, sizeof text - (size_t)used, "} } " AFTER);
    expect_bad(*state, text, ":5: a problem has more than 256 kernels");
}

static void a_file_that_cannot_be_read_is_told(void **state) {
    convsmith_tuning *tuning;
    assert_int_equal(convsmith_tuning_load(&tuning, "absent/record.lua"), CONVSMITH_BAD_RECORD);
    assert_non_null(strstr(convsmith_detail(), "absent/record.lua: No such file"));
    assert_null(tuning);
    assert_int_equal(convsmith_tuning_load(&tuning, ((scratch *)*state)->folder), CONVSMITH_BAD_RECORD);
    assert_non_null(strstr(convsmith_detail(), ": Is a directory"));
}

static void a_zero_byte_is_no_text(void **state) {
    convsmith_tuning *tuning;
    const char *path = scratch_write(*state, "zero.lua", RECORD, sizeof RECORD);
    assert_int_equal(convsmith_tuning_load(&tuning, path), CONVSMITH_BAD_RECORD);
    assert_non_null(strstr(convsmith_detail(), "zero.lua: it holds a zero byte"));
}

static void null_arguments_are_told(void **state) {
    (void)state;
    static char something;
    convsmith_tuning *tuning = (convsmith_tuning *)&something;
    assert_int_equal(convsmith_tuning_load(NULL, "record.lua"), CONVSMITH_INVALID_ARGUMENT);
    assert_string_equal(convsmith_detail(), "tuning is NULL");
    assert_int_equal(convsmith_tuning_load(&tuning, NULL), CONVSMITH_INVALID_ARGUMENT);
    assert_string_equal(convsmith_detail(), "path is NULL");
    assert_null(tuning);
    convsmith_tuning_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_fields_are_read),
        cmocka_unit_test(kernels_are_sorted_by_their_times),
        cmocka_unit_test(comments_spaces_and_the_order_of_fields_are_free),
        cmocka_unit_test(the_last_of_two_records_of_a_problem_holds),
        cmocka_unit_test(numbers_do_not_depend_on_the_locale),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(damage_is_told_with_its_line),
        cmocka_unit_test(a_record_cut_anywhere_is_refused),
        cmocka_unit_test(a_problem_of_very_many_kernels_is_refused),
        cmocka_unit_test(a_file_that_cannot_be_read_is_told),
        cmocka_unit_test(a_zero_byte_is_no_text),
        cmocka_unit_test(null_arguments_are_told),
    };
    return cmocka_run_group_tests_name("tuning", tests, scratch_create, scratch_destroy);
}
