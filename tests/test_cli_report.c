/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith report: the page that it writes, and what it says of files that it cannot use. tests/report/ is about the
 * page in a browser.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "program.h"

#include "convsmith/convsmith.h"

#include <cjson/cJSON.h>
#include <sys/stat.h>

#define PAGE "index.html"
#define DATA_BEGIN "<script type=\"application/json\" id=\"data\">"

static const convsmith_kernel_info *first_kernel(void) {
    return convsmith_kernel_get_info(convsmith_table_at(NULL, 0));
}

static void write_text(scratch *s, const char *name, const char *text) { scratch_write(s, name, text, strlen(text)); }

static char *read_page(scratch *s) {
    size_t size;
    return scratch_read(scratch_path(s, PAGE), &size);
}

/* Runs `report ARGUMENTS` into the scratch folder, which must succeed; the page's data, the caller's to delete. */
static cJSON *reported(scratch *s, const char *arguments) {
    char command[512];
    snprintf(command, sizeof command, "report --out . %s", arguments);
    expect(s, command, DONE, "");
    char *page = read_page(s), *data = strstr(page, DATA_BEGIN);
    assert_non_null(data);
    cJSON *document = cJSON_ParseWithOpts(data + strlen(DATA_BEGIN), NULL, 0);
    assert_non_null(document);
    free(page);
    return document;
}

static const cJSON *field(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        fail_msg("there should be \"%s\"", name);
    return item;
}

static const cJSON *first(const cJSON *object, const char *name) { return cJSON_GetArrayItem(field(object, name), 0); }

/* Each test begins with an empty folder, whatever the one before left there. */
static int empty_folder(void **state) {
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'/*", ((const scratch *)*state)->folder);
    return system(command);
}

static int destroy(void **state) { return empty_folder(state) | scratch_destroy(state); }

/* ---- The page -----------------------------------------------------------------------------------------------------
 */

static void it_has_every_kernel_with_its_source(void **state) {
    cJSON *data = reported(*state, "");
    const cJSON *kernels = field(data, "kernels");
    assert_int_equal(cJSON_GetArraySize(kernels), convsmith_table_size(NULL));
    for (size_t i = 0; i < convsmith_table_size(NULL); i++) {
        const char *name = convsmith_kernel_get_info(convsmith_table_at(NULL, i))->name;
        const cJSON *kernel = cJSON_GetArrayItem(kernels, (int)i);
        assert_string_equal(field(kernel, "name")->valuestring, name);
        assert_non_null(strstr(field(kernel, "source")->valuestring, name));
    }
    cJSON_Delete(data);
}

static void plans_are_explained_without_the_manifests_place(void **state) {
    cJSON *data = reported(*state, "");
    const cJSON *kernel;
    cJSON_ArrayForEach(kernel, field(data, "kernels")) {
        const cJSON *plan = field(kernel, "plan");
        assert_int_equal(strncmp(field(plan, "row")->valuestring, "shapes.lua:", strlen("shapes.lua:")), 0);
        assert_non_null(strstr(field(plan, "words")->valuestring, field(kernel, "strategy")->valuestring));
        assert_null(strstr(field(plan, "words")->valuestring, "shapes.lua:"));
    }
    cJSON_Delete(data);
}

static void it_has_every_gpu_profile(void **state) {
    cJSON *data = reported(*state, "");
    assert_true(cJSON_GetArraySize(field(data, "profiles")) >= 8);
    assert_true(field(first(data, "profiles"), "stream_gbs")->valuedouble > 0);
    cJSON_Delete(data);
}

static void two_runs_write_the_same(void **state) {
    cJSON_Delete(reported(*state, ""));
    char *one = read_page(*state);
    cJSON_Delete(reported(*state, ""));
    char *other = read_page(*state);
    assert_string_equal(one, other);
    free(one);
    free(other);
}

static void it_is_one_file(void **state) {
    cJSON_Delete(reported(*state, ""));
    assert_int_equal(scratch_files(*state, 0), 3); /* and out.txt, err.txt */
}

static void the_folder_is_made(void **state) {
    scratch *s = *state;
    expect(s, "report --out new/folder", DONE, "");
    assert_int_equal(access(scratch_path(s, "new/folder/" PAGE), R_OK), 0);
}

/* Of a source, whose text may be anything. */
static void markup_in_data_cannot_end_the_script(void **state) {
    scratch *s = *state;
    char name[200];
    snprintf(name, sizeof name, "kernels/%s.h", first_kernel()->name);
    assert_int_equal(mkdir(scratch_path(s, "kernels"), 0777), 0);
    write_text(s, name, "</script><!-- <b>");
    cJSON *data = reported(s, "--generated .");
    assert_string_equal(field(first(data, "kernels"), "source")->valuestring, "</script><!-- <b>");
    char *page = read_page(s);
    assert_null(strstr(page, "<!-- <b>"));
    free(page);
    cJSON_Delete(data);
}

static void sources_that_are_missing_are_told(void **state) {
    outcome o = run(*state, "report --out . --generated .");
    char words[128];
    snprintf(words, sizeof words, "warning: %zu of %zu kernels have no source in .", convsmith_table_size(NULL),
             convsmith_table_size(NULL));
    assert_int_equal(o.status, DONE);
    assert_non_null(strstr(o.err, words));
    drop(&o);
}

/* ---- Results ------------------------------------------------------------------------------------------------------
 */

/* A row as `convsmith bench --json` writes it, of the first kernel with a tile of `tile_c` channels. */
static void write_row(scratch *s, int tile_c) {
    const convsmith_kernel_info *info = first_kernel();
    char text[1024];
    snprintf(text, sizeof text,
             "[{\"name\": \"%s\", \"n\": 2, \"h\": 9, \"w\": 11, \"median_ms\": 0.25, \"tile_c\": %d, \"tile_h\": %d, "
             "\"tile_w\": %d, \"threads\": %d, \"shared_bytes\": %d, \"packed_bytes\": %lld}]",
             info->name, tile_c, info->tile_h, info->tile_w, info->threads, info->shared_bytes,
             (long long)info->packed_bytes);
    write_text(s, "l40s-table.json", text);
}

static void a_row_of_bench_is_a_measured_time(void **state) {
    write_row(*state, first_kernel()->tile_c);
    cJSON *data = reported(*state, "--results . --tuning .");
    const cJSON *time = first(data, "measured");
    assert_string_equal(field(time, "gpu")->valuestring, "l40s");
    assert_string_equal(field(time, "file")->valuestring, "l40s-table.json");
    assert_string_equal(field(time, "kernel")->valuestring, first_kernel()->name);
    assert_true(field(time, "ms")->valuedouble == 0.25 && field(time, "w")->valuedouble == 11);
    assert_true(cJSON_IsFalse(field(time, "other_plan")));
    cJSON_Delete(data);
}

static void a_time_of_another_plan_is_marked(void **state) {
    write_row(*state, first_kernel()->tile_c + 8);
    cJSON *data = reported(*state, "--results . --tuning .");
    assert_true(cJSON_IsTrue(field(first(data, "measured"), "other_plan")));
    cJSON_Delete(data);
}

static void a_sweep_is_kept_and_its_times_are_the_kernels(void **state) {
    write_text(*state, "a100-sweep.json",
               "{\"machine\": {\"date\": \"2026-01-02\"}, \"workloads\": [{\"name\": \"gray\", \"chain\": \"bias\", "
               "\"what\": \"N=8, 1x512x256 -> 16, K=5\", \"rows\": ["
               "{\"name\": \"convsmith a_kernel\", \"kind\": \"library\", \"dtype\": \"f16\", \"math\": \"fp32\", "
               "\"ms\": 0.5}, "
               "{\"name\": \"torch\", \"kind\": \"peer\", \"dtype\": \"f16\", \"math\": \"fp32\", \"failed\": \"so\"}"
               "]}]}");
    cJSON *data = reported(*state, "--results . --tuning .");
    const cJSON *time = first(data, "measured"), *workload = first(first(data, "sweeps"), "workloads");
    assert_string_equal(field(time, "kernel")->valuestring, "a_kernel");
    assert_string_equal(field(time, "date")->valuestring, "2026-01-02");
    assert_true(field(time, "n")->valuedouble == 8 && field(time, "h")->valuedouble == 512);
    assert_true(field(time, "w")->valuedouble == 256);
    assert_int_equal(cJSON_GetArraySize(field(workload, "rows")), 1); /* of those with a time */
    cJSON_Delete(data);
}

static void a_record_of_tune_is_measured_times(void **state) {
    write_text(*state, "h100.lua",
               "return { format = 1, device = \"NVIDIA H100\", compute_capability = 90, multiprocessors = 132,\n"
               "driver = \"1\", runtime = 13000, version = \"0.1.0\", date = \"2026-01-02\", problems = {\n"
               "{ n = 3, h = 7, w = 8, groups = 0, kernels = { { name = \"k\", us = 125, spread = 0.1 } } } } }\n");
    cJSON *data = reported(*state, "--results . --tuning .");
    const cJSON *time = first(data, "measured");
    assert_string_equal(field(time, "gpu")->valuestring, "h100");
    assert_string_equal(field(time, "kernel")->valuestring, "k");
    assert_true(field(time, "ms")->valuedouble == 0.125 && field(time, "n")->valuedouble == 3);
    cJSON_Delete(data);
}

static void results_that_are_missing_are_told(void **state) {
    outcome o = run(*state, "report --out . --results nowhere --tuning nowhere");
    assert_int_equal(o.status, DONE);
    assert_non_null(strstr(o.err, "warning: no kernel has a measured time: there is no <GPU>-table.json or "
                                  "<GPU>-sweep.json in nowhere"));
    drop(&o);
}

/* ---- What is damaged ----------------------------------------------------------------------------------------------
 */

static void damaged_files_are_told_and_the_page_stays(void **state) {
    static const char *const rows[][3] = {
        {"h200-table.json", "[{\n", "./h200-table.json:2: this is no JSON; is the file truncated?"},
        {"h200-table.json", "{}", "./h200-table.json: it is no list of rows"},
        {"h200-table.json", "[{\"name\": \"k\", \"n\": 1, \"h\": 1, \"w\": 1, \"median_ms\": \"fast\"}]",
         "./h200-table.json: row 1 lacks name, n, h, w or median_ms"},
        {"h200-sweep.json", "[]", "./h200-sweep.json: it lacks machine.date or workloads"},
        {"h200-sweep.json", "{\"machine\": {\"date\": \"d\"}, \"workloads\": [{\"name\": \"a\"}]}",
         "./h200-sweep.json: workload 1 lacks name, what, chain or rows"},
        {"h200-sweep.json",
         "{\"machine\": {\"date\": \"d\"}, \"workloads\": [{\"name\": \"a\", \"what\": \"b\", \"chain\": \"c\", "
         "\"rows\": [7]}]}",
         "./h200-sweep.json: workload 1 has a row without name"},
        {"h200.lua", "return 7", "h200.lua:1:"},
        {"resources.lua", "return 7", "resources.lua is no record of --feedback"},
    };
    scratch *s = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t size;
        scratch_files(s, 1);
        write_text(s, PAGE, "as it was");
        write_text(s, rows[i][0], rows[i][1]);
        expect(s, "report --out . --results . --tuning . --generated .", BAD_INPUT, rows[i][2]);
        char *page = scratch_read(scratch_path(s, PAGE), &size);
        assert_string_equal(page, "as it was");
        free(page);
        assert_int_equal(scratch_files(s, 0), 4); /* and out.txt, err.txt: nothing half-written */
    }
}

static void bad_arguments_are_told(void **state) {
    write_text(*state, "file", "");
    expect(*state, "report", BAD_INPUT, "report: error: --out DIR is missing");
    expect(*state, "report --out file", BAD_INPUT, "file/" PAGE);
    expect(*state, "report --out file/folder", BAD_INPUT, "cannot create the folder file/folder");
    expect(*state, "report --out . --home nowhere", BAD_INPUT, "there is no gen/init.lua in nowhere");
}

/* ---- Another home -------------------------------------------------------------------------------------
 */

/* In the scratch folder: the real gen/, and a manifest of none of the table's kernels. */
static void make_home(scratch *s) {
    assert_int_equal(symlink(TEST_SOURCE_DIR "/gen", scratch_path(s, "gen")), 0);
    write_text(s, "shapes.lua", "conv { c_in = 3, kernel = \"1x1\", c_out = 8, epilogue = { \"bias\" } }\n");
    assert_int_equal(mkdir(scratch_path(s, "report"), 0777), 0);
}

static void a_kernel_that_the_manifest_lacks_has_no_plan(void **state) {
    scratch *s = *state;
    make_home(s);
    write_text(s, "report/page.html", DATA_BEGIN "${data}</script>");
    cJSON *data = reported(s, "--home .");
    assert_true(cJSON_IsNull(field(first(data, "kernels"), "plan")));
    cJSON_Delete(data);
}

static void a_manifest_that_is_wrong_is_told(void **state) {
    make_home(*state);
    write_text(*state, "shapes.lua", "conv { c_in = 3 }\n");
    expect(*state, "report --out . --home .", BAD_INPUT, "./shapes.lua:1: error: kernel is missing");
}

static void a_page_that_names_what_is_not_there_is_told(void **state) {
    static const char *const rows[][2] = {
        {"${nothing.js}", "report/nothing.js"},
        {"<p>${ data }", "report/page.html: '${ data }' is no ${data} and no ${file}"},
        {"${../secret}", "'${../secret}' is no ${data} and no ${file}"},
    };
    scratch *s = *state;
    make_home(s);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_text(s, "report/page.html", rows[i][0]);
        expect(s, "report --out . --home .", BAD_INPUT, rows[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_has_every_kernel_with_its_source, empty_folder),
        cmocka_unit_test_setup(plans_are_explained_without_the_manifests_place, empty_folder),
        cmocka_unit_test_setup(it_has_every_gpu_profile, empty_folder),
        cmocka_unit_test_setup(two_runs_write_the_same, empty_folder),
        cmocka_unit_test_setup(it_is_one_file, empty_folder),
        cmocka_unit_test_setup(the_folder_is_made, empty_folder),
        cmocka_unit_test_setup(markup_in_data_cannot_end_the_script, empty_folder),
        cmocka_unit_test_setup(sources_that_are_missing_are_told, empty_folder),
        cmocka_unit_test_setup(a_row_of_bench_is_a_measured_time, empty_folder),
        cmocka_unit_test_setup(a_time_of_another_plan_is_marked, empty_folder),
        cmocka_unit_test_setup(a_sweep_is_kept_and_its_times_are_the_kernels, empty_folder),
        cmocka_unit_test_setup(a_record_of_tune_is_measured_times, empty_folder),
        cmocka_unit_test_setup(results_that_are_missing_are_told, empty_folder),
        cmocka_unit_test_setup(damaged_files_are_told_and_the_page_stays, empty_folder),
        cmocka_unit_test_setup(bad_arguments_are_told, empty_folder),
        cmocka_unit_test_setup(a_kernel_that_the_manifest_lacks_has_no_plan, empty_folder),
        cmocka_unit_test_setup(a_manifest_that_is_wrong_is_told, empty_folder),
        cmocka_unit_test_setup(a_page_that_names_what_is_not_there_is_told, empty_folder),
    };
    return cmocka_run_group_tests_name("convsmith report", tests, scratch_create, destroy);
}
