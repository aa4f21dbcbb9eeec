/* SPDX-License-Identifier: Apache-2.0
 *
 * What convsmith-gen does to the disk: what it writes, what it leaves alone, what --check finds; and its command line.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "generator_place.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of place_manifest: twelve kernels, four strategies' four shards, and the .inc files. */
enum { KERNELS = 12, INCS = 3, FILES = KERNELS + 16 + INCS };

#define KERNEL "out/kernels/conv_f32_c8_k3x3_o32_bg_mma_sm80.cuh"
#define FOREIGN "int written_by_hand;\n"

static place *generated(void **state) {
    place *p = *state;
    PLACE_GENERATE(p, NULL);
    place_expect(p, 0);
    assert_int_equal(place_count(p, "out"), FILES);
    return p;
}

static void append(const place *p, const char *name, const char *more) {
    char *text = place_read(p, name), *longer = malloc(strlen(text) + strlen(more) + 1);
    assert_non_null(longer);
    place_write(p, name, strcat(strcpy(longer, text), more));
    free(text);
    free(longer);
}

static void expect_text(const place *p, const char *name, const char *part) {
    char *text = place_read(p, name);
    if (!strstr(text, part))
        fail_msg("%s lacks\n%s\nit is\n%s", name, part, text);
    free(text);
}

/* ---- What is written --------------------------------------------------------------------------------------------- */

static void table_is_sorted_by_key(void **state) {
    static const char *const names[] = {
        "(conv_f32_c3_k3x5_o20_bg_host_base,", "(conv_f32_c3_k3x5_o20_bg_host_avx2,",
        "(conv_f32_c3_k3x5_o20_bg_ffma_sm80,", "(conv_f32_c3_k3x5_o20_bg_mma_sm80,",
        "(conv_f32_c3_k5x3_o20_bg_host_base,", "(conv_f32_c3_k5x3_o20_bg_host_avx2,",
        "(conv_f32_c3_k5x3_o20_bg_ffma_sm80,", "(conv_f32_c3_k5x3_o20_bg_mma_sm80,",
        "(conv_f32_c8_k3x3_o32_bg_host_base,", "(conv_f32_c8_k3x3_o32_bg_host_avx2,",
        "(conv_f32_c8_k3x3_o32_bg_ffma_sm80,", "(conv_f32_c8_k3x3_o32_bg_mma_sm80,",
    };
    place *p = generated(state);
    char *table = place_read(p, "out/kernels.inc");
    const char *at = table;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        at = strstr(at, names[i]);
        if (!at)
            fail_msg("%s is missing or out of order in\n%s", names[i], table);
    }
    free(table);
}

static void row_of_the_table_initialises_every_field(void **state) {
    place *p = generated(state);
    expect_text(
        p, "out/kernels.inc",
        "CS_CUDA_KERNEL(conv_f32_c8_k3x3_o32_bg_mma_sm80,\n"
        "    (.unit = CS_UNIT_MMA_TF32, .registers = 10, .start = 11, .apply = {.products = 12, .wait = 13}),\n"
        "    .key = {.c_in = 8, .kh = 3, .kw = 3, .c_out = 32, .dtype = CONVSMITH_F32, .math = CONVSMITH_MATH_TF32,"
        " .epilogue = \"bias+group_norm\", .target = CONVSMITH_TARGET_SM80},\n"
        "    .strategy = \"mma\", .schedule = CONVSMITH_SCHEDULE_RECOMPUTE,\n"
        "    .tile_c = 1, .tile_h = 2, .tile_w = 3,\n"
        "    .threads = 4, .blocks_per_sm = 9, .registers = 10,\n"
        "    .shared_bytes = 5, .packed_bytes = 6, .multiply_adds = 7,\n"
        "    .ref_n = 16, .ref_h = 128, .ref_w = 128, .ref_groups = 8)\n");
}

static void each_kernel_is_in_one_shard(void **state) {
    place *p = generated(state);
    int found = 0;
    for (int shard = 0; shard < 4; shard++) {
        char name[64];
        snprintf(name, sizeof name, "out/shard_mma_%02d.cu", shard);
        char *text = place_read(p, name);
        found += strstr(text, "#include \"kernels/conv_f32_c8_k3x3_o32_bg_mma_sm80.cuh\" /* ") != NULL;
        free(text);
    }
    assert_int_equal(found, 1);
}

static void changed_kernel_changes_its_shard(void **state) {
    place *p = generated(state);
    append(p, "home/templates/kernel.lua", "more\n");
    PLACE_GENERATE(p, "--check");
    place_expect(p, 1);
    assert_non_null(strstr(p->output, "out/shard_mma_"));
}

static void number_of_shards_is_chosen(void **state) {
    place *p = *state;
    PLACE_GENERATE(p, "--shards", "12");
    place_expect(p, 0);
    assert_true(place_has(p, "out/shard_host_base_11.c"));
    assert_int_equal(place_count(p, "out"), KERNELS + 48 + INCS);
}

static void prefix_begins_names(void **state) {
    place *p = *state;
    PLACE_GENERATE(p, "--prefix", "mine");
    place_expect(p, 0);
    expect_text(p, "out/kernels/mine_conv_f32_c8_k3x3_o32_bg_ffma_sm80.cuh",
                "void mine_conv_f32_c8_k3x3_o32_bg_ffma_sm80(");
}

static void filter_selects_by_name(void **state) {
    place *p = *state;
    PLACE_GENERATE(p, "--filter", "*_c8_*_mma_*");
    place_expect(p, 0);
    assert_int_equal(place_count(p, "out/kernels"), 1);
    assert_true(place_has(p, KERNEL));
}

static void filter_that_matches_nothing_is_an_error(void **state) {
    place *p = *state;
    PLACE_GENERATE(p, "--filter", "*_c9_*");
    place_expect_error(p, "convsmith-gen: error: no kernel's name matches --filter '*_c9_*'; one name is conv_", "");
    assert_false(place_has(p, "out"));
}

static void output_is_the_same_wherever_it_goes(void **state) {
    place *p = generated(state);
    char manifest[300], out[300];
    snprintf(manifest, sizeof manifest, "%s/elsewhere/shapes.lua", p->folder);
    snprintf(out, sizeof out, "%s/deep/er/out", p->folder);
    place_write(p, "elsewhere/shapes.lua", place_manifest);
    place_run(p, (const char *const[]){"--home", "./home/", "--out", out, "--manifest", manifest, NULL});
    place_expect(p, 0);
    assert_int_equal(place_count(p, "deep"), FILES);
    place_expect_same(p, "out/kernels.inc", "deep/er/out/kernels.inc");
    place_expect_same(p, "out/shard_ffma_00.cu", "deep/er/out/shard_ffma_00.cu");
    place_expect_same(p, KERNEL, "deep/er/" KERNEL);
}

static void real_output_is_the_same_twice(void **state) {
    place *p = *state;
    static const char manifest[] = TEST_SOURCE_DIR "/shapes.lua", home[] = TEST_SOURCE_DIR;
    const char *const arguments[] = {"--home", home, "--out", "out", "--manifest", manifest, NULL};
    const char *const check[] = {"--home", home, "--out", "out", "--manifest", manifest, "--check", NULL};
    place_run(p, arguments);
    place_expect(p, 0);
    for (int i = 0; i < 5; i++) {
        place_run(p, check);
        place_expect(p, 0);
    }
}

static void committed_output_is_what_the_default_manifest_generates(void **state) {
    place *p = *state;
    place_run(p, (const char *const[]){"--home", TEST_SOURCE_DIR, "--manifest", TEST_SOURCE_DIR "/shapes.lua", "--out",
                                       TEST_SOURCE_DIR "/generated", "--check", NULL});
    place_expect(p, 0);
}

/* ---- What is left alone ------------------------------------------------------------------------------------------ */

static void make_old(const place *p, const char *name) {
    char path[512];
    const struct timespec old[2] = {{1000, 0}, {1000, 0}};
    snprintf(path, sizeof path, "%s/%s", p->folder, name);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
}

static int is_old(const place *p, const char *name) { return place_status(p, name).st_mtime == 1000; }

static void unchanged_files_are_not_written(void **state) {
    place *p = generated(state);
    make_old(p, KERNEL);
    make_old(p, "out/kernels.inc");
    make_old(p, "out/shard_mma_00.cu");
    PLACE_GENERATE(p, NULL);
    place_expect(p, 0);
    assert_true(is_old(p, KERNEL) && is_old(p, "out/kernels.inc") && is_old(p, "out/shard_mma_00.cu"));
}

static void new_row_leaves_other_kernels_alone(void **state) {
    place *p = generated(state);
    make_old(p, KERNEL);
    make_old(p, "out/kernels.inc");
    append(p, "shapes.lua", "conv { c_in = 1, kernel = \"1x1\", c_out = 1 }\n");
    PLACE_GENERATE(p, NULL);
    place_expect(p, 0);
    assert_int_equal(place_count(p, "out"), FILES + 4);
    assert_true(is_old(p, KERNEL));
    assert_false(is_old(p, "out/kernels.inc"));
}

static void files_of_a_row_that_is_gone_are_removed(void **state) {
    place *p = generated(state);
    place_write(p, "shapes.lua", "conv { c_in = 1, kernel = \"1x1\", c_out = 1, epilogue = {} }\n");
    PLACE_GENERATE(p, NULL);
    place_expect(p, 0);
    assert_int_equal(place_count(p, "out/kernels"), 3);
    assert_false(place_has(p, KERNEL));
}

static void foreign_files_stay(void **state) {
    place *p = generated(state);
    place_write(p, "out/notes.txt", FOREIGN);
    place_write(p, "out/kernels/by_hand.h", FOREIGN);
    place_write(p, "out/other/x.h", "/* Generated by convsmith-gen */\n");
    PLACE_GENERATE(p, NULL);
    place_expect(p, 0);
    assert_int_equal(place_count(p, "out"), FILES + 3);
}

static void foreign_file_in_the_way_is_an_error(void **state) {
    place *p = *state;
    place_write(p, KERNEL, FOREIGN);
    PLACE_GENERATE(p, NULL);
    place_expect_error(p, "convsmith-gen: error: " KERNEL " exists and is not a generated file", "remove it or choose");
    assert_int_equal(place_count(p, "out"), 1);
    expect_text(p, KERNEL, FOREIGN);
}

static void failed_run_leaves_the_old_output(void **state) {
    place *p = generated(state);
    append(p, "shapes.lua", "conv { c_in = 0 }\n");
    append(p, "home/templates/kernel.lua", "more\n");
    PLACE_GENERATE(p, NULL);
    place_expect(p, 2);
    place_write(p, "shapes.lua", place_manifest);
    char *kernel = place_read(p, KERNEL);
    assert_null(strstr(kernel, "more"));
    free(kernel);
    assert_int_equal(place_count(p, "out"), FILES);
}

/* The row on line 2 comes last in the order of keys: the kernels of the others have been expanded already. */
static void error_in_the_last_kernel_writes_nothing(void **state) {
    place *p = *state;
    append(p, "home/templates/kernel.lua", "% require_that(plan.row.c_in == 3, \"only 3\")\n");
    PLACE_GENERATE(p, NULL);
    place_expect_error(p, "templates/kernel.lua:3: error: only 3 (while expanding shapes.lua:2)", "");
    assert_false(place_has(p, "out"));
}

static void full_disk_leaves_the_old_output(void **state) {
    place *p = generated(state);
    append(p, "home/templates/kernel.lua", "${string.rep(\"x\", plan.row.c_in == 8 and 20000 or 1)}\n");
    p->file_limit = 10000;
    PLACE_GENERATE(p, NULL);
    place_expect_error(p, "convsmith-gen: error: cannot write out/kernels/", "File too large");
    assert_int_equal(place_count(p, "out"), FILES);
    append(p, "home/templates/kernel.lua", "");
    place_write(p, "home/templates/kernel.lua",
                "/* Generated by convsmith-gen from ${plan.template}; do not edit. */\n"
                "void ${plan.name}(void); // ${plan.row.c_in} -> ${plan.row.c_out}\n");
    PLACE_GENERATE(p, "--check");
    place_expect(p, 0);
}

static void folder_that_cannot_be_made_is_an_error(void **state) {
    place *p = *state;
    place_write(p, "file", FOREIGN);
    place_run(p, (const char *const[]){"--home", "home", "--manifest", "shapes.lua", "--out", "file/out", NULL});
    place_expect_error(p, "convsmith-gen: error: cannot ", "file/out");
    expect_text(p, "file", FOREIGN);
}

static void folder_in_the_place_of_a_file_is_an_error(void **state) {
    place *p = *state;
    place_write(p, "out/kernels.inc/x", FOREIGN);
    PLACE_GENERATE(p, NULL);
    place_expect_error(p, "convsmith-gen: error: cannot read out/kernels.inc: it is not a regular file", "");
    assert_int_equal(place_count(p, "out"), 1);
}

/* ---- --check ----------------------------------------------------------------------------------------------------- */

static void check_of_current_output_passes(void **state) {
    place *p = generated(state);
    PLACE_GENERATE(p, "--check");
    place_expect(p, 0);
    assert_string_equal(p->output, "");
    assert_string_equal(p->messages, "");
}

static void expect_one_difference(place *p, const char *line) {
    const int files = place_count(p, "out");
    PLACE_GENERATE(p, "--check");
    place_expect(p, 1);
    assert_string_equal(p->output, line);
    assert_non_null(strstr(p->messages, "out is not what shapes.lua generates (1 "));
    assert_int_equal(place_count(p, "out"), files);
}

static void check_finds_a_changed_byte(void **state) {
    place *p = generated(state);
    append(p, KERNEL, "\n");
    expect_one_difference(p, KERNEL ": differs\n");
}

static void check_finds_a_foreign_file(void **state) {
    place *p = generated(state);
    place_write(p, KERNEL, FOREIGN);
    expect_one_difference(p, KERNEL ": differs\n");
}

static void check_finds_a_missing_file(void **state) {
    place *p = generated(state);
    place_remove(p, KERNEL);
    expect_one_difference(p, KERNEL ": missing\n");
}

static void check_finds_a_stale_file(void **state) {
    place *p = generated(state);
    place_write(p, "out/kernels/old.h", "// Generated by convsmith-gen from an older manifest\n");
    expect_one_difference(p, "out/kernels/old.h: not generated any more\n");
}

static void check_of_no_folder_finds_all_missing(void **state) {
    place *p = *state;
    PLACE_GENERATE(p, "--check");
    place_expect(p, 1);
    assert_non_null(strstr(p->output, KERNEL ": missing\n"));
    assert_false(place_has(p, "out"));
}

/* ---- The depfile ------------------------------------------------------------------------------------------------- */

static void depfile_lists_what_was_read(void **state) {
    place *p = *state;
    place_write(p, "home/templates/part.lua", "part\n");
    append(p, "home/templates/kernel.lua", "${include(\"templates/part.lua\")}\n");
    PLACE_GENERATE(p, "--depfile", "out.d");
    place_expect(p, 0);
    expect_text(p, "out.d", "out/kernels.inc: \\\n");
    static const char *const read[] = {"  shapes.lua",
                                       "  home/gen/init.lua",
                                       "  home/gen/plan.lua",
                                       "  home/templates/kernel.lua",
                                       "  home/templates/part.lua",
                                       "  home/templates/kernels.inc.lua"};
    for (size_t i = 0; i < sizeof read / sizeof *read; i++)
        expect_text(p, "out.d", read[i]);
}

static void depfile_escapes_names(void **state) {
    place *p = *state;
    place_write(p, "my #1 $hapes\\ .lua", place_manifest);
    place_run(p, (const char *const[]){"--home", "home", "--manifest", "my #1 $hapes\\ .lua", "--out", "o t",
                                       "--depfile", "d", NULL});
    place_expect(p, 0);
    expect_text(p, "d", "o\\ t/kernels.inc: \\\n");
    expect_text(p, "d", "  my\\ \\#1\\ $$hapes\\\\\\ .lua \\\n");
}

static void depfile_that_cannot_be_written_is_an_error(void **state) {
    place *p = *state;
    PLACE_GENERATE(p, "--depfile", "absent/out.d");
    place_expect_error(p, "convsmith-gen: error: cannot write absent/out.d", "No such file or directory");
}

/* ---- The command line -------------------------------------------------------------------------------------------- */

static void explain_prints_and_writes_nothing(void **state) {
    place *p = *state;
    place_run(p, (const char *const[]){"--home", "home", "--manifest", "shapes.lua", "--explain", "--arch", "h200",
                                       "--filter", "*c8*_mma_*", NULL});
    place_expect(p, 0);
    assert_string_equal(p->output, "conv_f32_c8_k3x3_o32_bg_mma_sm80 line 2 arch h200\n");
    assert_false(place_has(p, "out"));
}

static void output_that_cannot_be_printed_is_an_error(void **state) {
    place *p = *state;
    p->output_path = "/dev/full";
    place_run(p, (const char *const[]){"--home", "home", "--manifest", "shapes.lua", "--explain", NULL});
    place_expect_error(p, "convsmith-gen: error: cannot write to the standard output", "");
}

static void help_and_version_are_printed(void **state) {
    place *p = *state;
    place_run(p, (const char *const[]){"--help", NULL});
    place_expect(p, 0);
    assert_non_null(strstr(p->output, "--manifest FILE"));
    place_run(p, (const char *const[]){"--version", NULL});
    place_expect(p, 0);
    assert_memory_equal(p->output, "convsmith-gen ", 14);
    place_run(p, (const char *const[]){"--help=man", NULL});
    place_expect(p, 0);
    assert_non_null(strstr(p->output, ".TH CONVSMITH-GEN 1 "));
}

typedef struct refusal {
    const char *name, *arguments[8], *core;
} refusal;

static const refusal refusals[] = {
    {"no_arguments", {NULL}, "--manifest is missing"},
    {"no_out", {"--manifest", "shapes.lua"}, "--out is missing"},
    {"no_manifest", {"--out", "out"}, "--manifest is missing"},
    {"unknown_option", {"--manifest", "shapes.lua", "--colour"}, "--colour"},
    {"option_without_value", {"--out", "out", "--manifest"}, "lacks its value: --manifest"},
    {"value_of_a_flag", {"--check=yes"}, "--check=yes"},
    {"empty_value", {"--manifest", "", "--out", "out"}, "value is empty: --manifest"},
    {"surplus_argument", {"--manifest", "shapes.lua", "--out", "out", "more"}, "unexpected argument: more"},
    {"no_shards",
     {"--manifest", "shapes.lua", "--out", "out", "--shards", "0"},
     "--shards is a whole number from 1 to 100"},
    {"many_shards", {"--manifest", "shapes.lua", "--out", "out", "--shards", "101"}, "not 101"},
    {"shards_in_words", {"--manifest", "shapes.lua", "--out", "out", "--shards", "4x"}, "not 4x"},
    {"huge_shards", {"--manifest", "shapes.lua", "--out", "out", "--shards", "99999999999999999999"}, "--shards"},
    {"check_and_explain", {"--manifest", "shapes.lua", "--out", "out", "--check", "--explain"}, "exclude each other"},
    {"depfile_of_a_check", {"--manifest", "shapes.lua", "--out", "out", "--check", "--depfile", "d"}, "--depfile goes"},
    {"json_alone", {"--manifest", "shapes.lua", "--json"}, "--arch, --problem and --json go with --explain"},
    {"arch_without_explain",
     {"--manifest", "shapes.lua", "--out", "out", "--arch", "h200"},
     "--arch, --problem and --json go with --explain"},
    {"problem_without_explain",
     {"--manifest", "shapes.lua", "--out", "out", "--problem", "1,2,3"},
     "--arch, --problem and --json go with --explain"},
    {"json_without_explain",
     {"--manifest", "shapes.lua", "--out", "out", "--json"},
     "--arch, --problem and --json go with --explain"},
    {"prefix_no_identifier",
     {"--home", "home", "--manifest", "shapes.lua", "--out", "out", "--prefix", "9x"},
     "--prefix is '9x'; it is a letter"},
    {"home_without_generator",
     {"--manifest", "shapes.lua", "--out", "out", "--home", "absent"},
     "there is no gen/init.lua in absent"},
    {"missing_manifest",
     {"--home", "home", "--manifest", "absent.lua", "--out", "out"},
     "cannot read absent.lua: No such file or directory"},
    {"folder_as_manifest",
     {"--home", "home", "--manifest", "home", "--out", "out"},
     "cannot read home: it is not a regular file"},
};

static void run_refusal(void **state) {
    place *p = *state;
    const refusal *about = p->about;
    const char *arguments[9] = {NULL};
    memcpy(arguments, about->arguments, sizeof about->arguments);
    place_run(p, arguments);
    place_expect_error(p, "convsmith-gen: error: ", about->core);
    assert_false(place_has(p, "out"));
}

/* ---- The program ------------------------------------------------------------------------------------------------- */

#define IN_A_PLACE(test) cmocka_unit_test_setup_teardown(test, place_create, place_destroy)
#define REFUSALS (sizeof refusals / sizeof *refusals)

int main(void) {
    static const struct CMUnitTest tests[] = {
        IN_A_PLACE(table_is_sorted_by_key),
        IN_A_PLACE(row_of_the_table_initialises_every_field),
        IN_A_PLACE(each_kernel_is_in_one_shard),
        IN_A_PLACE(changed_kernel_changes_its_shard),
        IN_A_PLACE(number_of_shards_is_chosen),
        IN_A_PLACE(prefix_begins_names),
        IN_A_PLACE(filter_selects_by_name),
        IN_A_PLACE(filter_that_matches_nothing_is_an_error),
        IN_A_PLACE(output_is_the_same_wherever_it_goes),
        IN_A_PLACE(real_output_is_the_same_twice),
        IN_A_PLACE(committed_output_is_what_the_default_manifest_generates),
        IN_A_PLACE(unchanged_files_are_not_written),
        IN_A_PLACE(new_row_leaves_other_kernels_alone),
        IN_A_PLACE(files_of_a_row_that_is_gone_are_removed),
        IN_A_PLACE(foreign_files_stay),
        IN_A_PLACE(foreign_file_in_the_way_is_an_error),
        IN_A_PLACE(failed_run_leaves_the_old_output),
        IN_A_PLACE(error_in_the_last_kernel_writes_nothing),
        IN_A_PLACE(full_disk_leaves_the_old_output),
        IN_A_PLACE(folder_that_cannot_be_made_is_an_error),
        IN_A_PLACE(folder_in_the_place_of_a_file_is_an_error),
        IN_A_PLACE(check_of_current_output_passes),
        IN_A_PLACE(check_finds_a_changed_byte),
        IN_A_PLACE(check_finds_a_foreign_file),
        IN_A_PLACE(check_finds_a_missing_file),
        IN_A_PLACE(check_finds_a_stale_file),
        IN_A_PLACE(check_of_no_folder_finds_all_missing),
        IN_A_PLACE(depfile_lists_what_was_read),
        IN_A_PLACE(depfile_escapes_names),
        IN_A_PLACE(depfile_that_cannot_be_written_is_an_error),
        IN_A_PLACE(explain_prints_and_writes_nothing),
        IN_A_PLACE(output_that_cannot_be_printed_is_an_error),
        IN_A_PLACE(help_and_version_are_printed),
    };
    struct CMUnitTest refused[REFUSALS];
    for (size_t i = 0; i < REFUSALS; i++)
        refused[i] = (struct CMUnitTest){refusals[i].name, run_refusal, place_create, place_destroy,
                                         (void *)(uintptr_t)&refusals[i]};
    const int failed = cmocka_run_group_tests_name("refused command lines", refused, NULL, NULL);
    return failed + cmocka_run_group_tests_name("generator", tests, NULL, NULL);
}
