/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith advise --apply, of a program whose table has CUDA kernels: from counters to a step in the table's record,
 * and from there to the generator's plan.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "program.h"

#define RECORD TEST_SOURCE_DIR "/generated/resources.lua"

/* Kernels of the table: of a strategy with two steps, of one with three, and the smaller one of a strategy. */
#define WGMMA "conv_f16_c256_k3x3_p1x1_o256_batch_norm_1em05_relu_wgmma_sm90a"
#define MMA3 "conv_f32_c1_k5x5_p2x2_o16_b_leaky_relu_0p1_mma3_sm80"
#define SMALL "conv_bf16_c3_k3x3_o16_bamsg_mma16_small_sm80"
#define HOST "conv_f32_c1_k5x5_o16_bamsg_host_base"

/* Four blocks for many multiprocessors: smaller tiles are advised. */
#define FEW "{\"launch__grid_size\": 4, \"launch__sm_count\": 132}"
#define WHY                                                                                                            \
    "a profile shows it bound by launch size, at most 97 % of the time: 4 blocks for 132 multiprocessors leave some "  \
    "without work"

static void write_text(scratch *s, const char *name, const char *text) { scratch_write(s, name, text, strlen(text)); }

static char *read_text(scratch *s, const char *name) {
    size_t size;
    return scratch_read(scratch_path(s, name), &size);
}

/* The metrics few.json, of these kernels, and record.lua as it was committed. */
static void begin(scratch *s, const char *metrics) {
    size_t size;
    char *record = scratch_read(RECORD, &size);
    scratch_write(s, "record.lua", record, size);
    free(record);
    write_text(s, "few.json", metrics);
}

static void expect_applied(scratch *s, const char *words) {
    expect(s, "advise few.json --apply record.lua", DONE, words);
}

static int record_has(scratch *s, const char *words) {
    char *record = read_text(s, "record.lua");
    const int has = strstr(record, words) != NULL;
    free(record);
    return has;
}

/* Whether record.lua is as it was committed. */
static int record_is_as_it_was(scratch *s) {
    size_t size;
    char *before = scratch_read(RECORD, &size), *after = read_text(s, "record.lua");
    const int same = strcmp(before, after) == 0;
    free(before);
    free(after);
    return same;
}

/* ---- What is written --------------------------------------------------------------------------------------------- */

static void a_step_is_written_with_its_reason(void **state) {
    begin(*state, "{\"" WGMMA "\": " FEW "}");
    expect_applied(*state, WGMMA ": products of 128 columns at most, since " WHY "\n1 step(s) written to record.lua: "
                                 "build, then profile again\n");
    assert_true(record_has(*state, "            { \"columns_128\", \"" WHY "\" },\n"));
}

/* Removes the first place of `words` from a text. */
static void cut(char *text, const char *words) {
    char *place = strstr(text, words);
    assert_non_null(place);
    memmove(place, place + strlen(words), strlen(place + strlen(words)) + 1);
}

static void the_rest_of_the_record_stays_byte_for_byte(void **state) {
    size_t size;
    begin(*state, "{\"" WGMMA "\": " FEW "}");
    expect_applied(*state, "1 step(s) written");
    char *after = read_text(*state, "record.lua"), *before = scratch_read(RECORD, &size);
    cut(after, "        reliefs = {\n            { \"columns_128\", \"" WHY "\" },\n        },\n");
    assert_string_equal(after, before);
    free(after);
    free(before);
}

static void a_second_time_it_is_the_next_step(void **state) {
    begin(*state, "{\"" WGMMA "\": " FEW "}");
    expect_applied(*state, "products of 128 columns");
    expect_applied(*state, "products of 64 columns");
    assert_true(record_has(*state, "{ \"columns_128\", \"" WHY "\" },\n            { \"columns_64\", \"" WHY "\" },"));
}

static void at_the_end_of_the_steps_the_record_stays(void **state) {
    begin(*state, "{\"" WGMMA "\": " FEW "}");
    for (int i = 0; i < 2; i++)
        expect_applied(*state, "1 step(s) written");
    char *before = read_text(*state, "record.lua");
    expect_applied(*state, WGMMA ": nothing to apply: no step that wgmma has left makes what is advised\n"
                                 "nothing to apply: record.lua stays as it is\n");
    char *after = read_text(*state, "record.lua");
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void a_kernel_takes_one_step_however_often_it_was_launched(void **state) {
    begin(*state, "[{\"" WGMMA "\": " FEW "}, {\"" WGMMA "\": " FEW "}]");
    expect_applied(*state, "\n1 step(s) written");
    assert_false(record_has(*state, "columns_64"));
}

static void each_kernel_takes_a_step(void **state) {
    begin(*state, "{\"" WGMMA "\": " FEW ", \"" MMA3 "\": " FEW "}");
    expect_applied(*state, "\n2 step(s) written");
}

static void a_glob_chooses_the_kernels(void **state) {
    begin(*state, "{\"" WGMMA "\": " FEW ", \"" MMA3 "\": " FEW "}");
    expect(*state, "advise few.json --kernel '*_mma3_*' --apply record.lua", DONE, "\n1 step(s) written");
    assert_false(record_has(*state, "columns_128"));
}

static void a_smaller_kernel_has_steps_of_its_own(void **state) {
    begin(*state, "{\"" SMALL "\": " FEW "}");
    expect_applied(*state, SMALL ": ");
    assert_true(record_has(*state, WHY));
}

/* The greatest gain is by more stages, which no step makes. */
static void advice_without_a_step_is_passed_over(void **state) {
    begin(*state, "{\"" MMA3 "\": {\"launch__grid_size\": 99, \"launch__sm_count\": 132,"
                  " \"sm__throughput.avg.pct_of_peak_sustained_elapsed\": 20,"
                  " \"dram__throughput.avg.pct_of_peak_sustained_elapsed\": 20}}");
    expect_applied(*state, "since a profile shows it bound by launch size, at most 25 % of the time");
}

static void a_table_without_a_record_begins_one(void **state) {
    begin(*state, "{\"" WGMMA "\": " FEW "}");
    write_text(*state, "record.lua", "");
    expect_applied(*state, "1 step(s) written");
    assert_true(record_has(*state, "return {\n    " WGMMA " = {\n        reliefs = {\n"));
}

/* ---- What comes of it -------------------------------------------------------------------------------------------- */

static void shell(scratch *s, const char *command) {
    char whole[1024];
    snprintf(whole, sizeof whole, "cd '%s' && %s", s->folder, command);
    assert_int_equal(system(whole), 0);
}

/* Runs the generator on the library's manifest, for that kernel alone, with record.lua as the record beside its output.
 * What it prints; its output is in the folder `out`. */
static outcome generate(scratch *s, const char *more) {
    char arguments[1024];
    snprintf(arguments, sizeof arguments, "--home '%s' --manifest '%s/shapes.lua' --out out --filter " WGMMA " %s",
             TEST_SOURCE_DIR, TEST_SOURCE_DIR, more);
    shell(s, "mkdir out && cp record.lua out/resources.lua");
    outcome o = run_program(s, TEST_GENERATOR, arguments);
    if (o.status != DONE)
        fail_msg("convsmith-gen %s: %s", arguments, o.err);
    return o;
}

static void the_generator_plans_with_the_step_and_the_kernel_says_why(void **state) {
    begin(*state, "{\"" WGMMA "\": " FEW "}");
    expect_applied(*state, "1 step(s) written");
    outcome o = generate(*state, "");
    shell(*state, "cp out/kernels/" WGMMA ".cuh header && rm -r out");
    char *header = read_text(*state, "header");
    assert_non_null(strstr(header, "\n// Re-planned  products of 128 columns at most, since " WHY "\n"));
    free(header);
    drop(&o);
}

static void explain_says_why(void **state) {
    begin(*state, "{\"" WGMMA "\": " FEW "}");
    expect_applied(*state, "1 step(s) written");
    outcome o = generate(*state, "--explain");
    shell(*state, "rm -r out");
    assert_non_null(strstr(o.out, "\n    re-planned    products of 128 columns at most, since " WHY "\n"));
    drop(&o);
}

/* ---- What is not written ----------------------------------------------------------------------------------------- */

static void where_nothing_is_advised_the_record_stays(void **state) {
    begin(*state, "{\"" WGMMA "\": {\"launch__grid_size\": 132, \"launch__sm_count\": 132}}");
    expect_applied(*state, "nothing to apply: record.lua stays as it is\n");
    assert_true(record_is_as_it_was(*state));
}

static void the_launches_beside_a_convolution_have_no_steps(void **state) {
    begin(*state, "{\"" WGMMA "_copy\": " FEW "}");
    expect_applied(*state, "nothing to apply: record.lua stays as it is\n");
}

static void a_kernel_for_the_cpu_has_no_steps(void **state) {
    begin(*state, "{\"" HOST "\": " FEW "}");
    expect_applied(*state, "no step that host_base has left");
}

static void expect_refused(scratch *s, const char *words) {
    expect(s, "advise few.json --apply record.lua", BAD_INPUT, words);
    assert_true(record_is_as_it_was(s));
}

static void counters_of_other_kernels_are_an_error(void **state) {
    begin(*state, "{\"fused\": " FEW ", \"unfused\": " FEW "}");
    expect_refused(*state, "nothing of few.json can be applied: fused: it is no kernel of this program's table (and 1 "
                           "more)\n");
}

static void counters_of_another_tables_kernels_are_an_error(void **state) {
    begin(*state, "{\"mine_" WGMMA "\": " FEW "}");
    expect_refused(*state, "mine_" WGMMA ": it is a kernel of another table than this program's");
}

static void other_kernels_beside_the_tables_are_told(void **state) {
    begin(*state, "{\"fused\\n\": " FEW ", \"" WGMMA "\": " FEW "}");
    expect_applied(*state, "fused\\x0a: it is no kernel of this program's table\n" WGMMA ": products of");
}

static void counters_of_another_build_are_an_error(void **state) {
    begin(*state, "{\"" WGMMA "\": {\"launch__grid_size\": 4, \"launch__sm_count\": 132, \"launch__block_size\": 32}}");
    expect_refused(*state, WGMMA ": its counters are of blocks of 32 threads, of another build");
}

static void advice_as_json_is_not_applied(void **state) {
    begin(*state, "{\"" WGMMA "\": " FEW "}");
    expect(*state, "advise few.json --apply record.lua --json", BAD_INPUT, "--json prints the advice, --apply what");
    assert_true(record_is_as_it_was(*state));
}

/* ---- The record -------------------------------------------------------------------------------------------------- */

/* Each with what is said of it. */
static const char *const records[][2] = {
    {"return 7\n", "record.lua is no record of --feedback (such as generated/resources.lua): it returns no table\n"},
    {"return { device = \"A GPU\", compute_capability = 90 }\n", "\"compute_capability\" is no kernel's name\n"},
    {"return { " WGMMA " = 7 }\n", "record.lua is no record of --feedback"},
    {"-- Generated by convsmith-gen --feed", "it returns nothing\n"},
    {"return { " WGMMA " = { reliefs = { \"columns_64\" } } }\n", "record.lua is damaged at " WGMMA},
    {"return { " WGMMA " = { reliefs = { { \"half\", \"so\" } } } }\n",
     "error: record.lua has a relief \"half\" of " WGMMA},
    {"return { " WGMMA " = {\n", "record.lua:2"},
    {"while true do end\n", "record.lua:1: the record exceeds its instruction limit"},
    {"return { string.rep(\"x\", 9) }\n", "record.lua:1"},
    {"return { conv_f32_c9_k3x3_o9_b_ffma_sm80 = {} }\n",
     "record.lua is the record of another table: of the kernels that it names, such as conv_f32_c9_k3x3_o9_b_ffma_sm80,"
     " this program has none"},
};

static void records_that_are_none_of_the_tables_are_told(void **state) {
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        begin(*state, "{\"" WGMMA "\": " FEW "}");
        write_text(*state, "record.lua", records[i][0]);
        expect(*state, "advise few.json --apply record.lua", BAD_INPUT, records[i][1]);
        char *after = read_text(*state, "record.lua");
        assert_string_equal(after, records[i][0]);
        free(after);
    }
}

static void a_kernel_that_was_given_up_takes_no_step(void **state) {
    begin(*state, "{\"" WGMMA "\": " FEW "}");
    write_text(*state, "record.lua", "return { " WGMMA " = { refused = \"so\" } }\n");
    expect_applied(*state, WGMMA ": nothing to apply: with what the record has it is not planned any more");
}

static void a_record_that_is_not_there_is_an_error(void **state) {
    begin(*state, "{\"" WGMMA "\": " FEW "}");
    expect(*state, "advise few.json --apply absent.lua", BAD_INPUT,
           "cannot read absent.lua: No such file or directory; where the table has no record yet, an empty file begins "
           "one");
}

/* Its name leaves no room for that of the new one beside it. */
static void a_record_that_cannot_be_written_stays(void **state) {
    char name[251], arguments[400];
    memset(name, 'r', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    begin(*state, "{\"" WGMMA "\": " FEW "}");
    write_text(*state, name, "");
    snprintf(arguments, sizeof arguments, "advise few.json --apply %s", name);
    outcome o = run(*state, arguments);
    char *after = read_text(*state, name);
    assert_int_equal(o.status, BAD_INPUT);
    assert_non_null(strstr(o.err, "cannot write"));
    assert_string_equal(o.out, "");
    assert_string_equal(after, "");
    free(after);
    drop(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_written_with_its_reason),
        cmocka_unit_test(the_rest_of_the_record_stays_byte_for_byte),
        cmocka_unit_test(a_second_time_it_is_the_next_step),
        cmocka_unit_test(at_the_end_of_the_steps_the_record_stays),
        cmocka_unit_test(a_kernel_takes_one_step_however_often_it_was_launched),
        cmocka_unit_test(each_kernel_takes_a_step),
        cmocka_unit_test(a_glob_chooses_the_kernels),
        cmocka_unit_test(a_smaller_kernel_has_steps_of_its_own),
        cmocka_unit_test(advice_without_a_step_is_passed_over),
        cmocka_unit_test(a_table_without_a_record_begins_one),
        cmocka_unit_test(the_generator_plans_with_the_step_and_the_kernel_says_why),
        cmocka_unit_test(explain_says_why),
        cmocka_unit_test(where_nothing_is_advised_the_record_stays),
        cmocka_unit_test(the_launches_beside_a_convolution_have_no_steps),
        cmocka_unit_test(a_kernel_for_the_cpu_has_no_steps),
        cmocka_unit_test(counters_of_other_kernels_are_an_error),
        cmocka_unit_test(counters_of_another_tables_kernels_are_an_error),
        cmocka_unit_test(other_kernels_beside_the_tables_are_told),
        cmocka_unit_test(counters_of_another_build_are_an_error),
        cmocka_unit_test(advice_as_json_is_not_applied),
        cmocka_unit_test(records_that_are_none_of_the_tables_are_told),
        cmocka_unit_test(a_kernel_that_was_given_up_takes_no_step),
        cmocka_unit_test(a_record_that_is_not_there_is_an_error),
        cmocka_unit_test(a_record_that_cannot_be_written_stays),
    };
    return cmocka_run_group_tests(tests, scratch_create, scratch_destroy);
}
