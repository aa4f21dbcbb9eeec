/* SPDX-License-Identifier: Apache-2.0
 *
 * The program convsmith: what `tune` records, on the CPU.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "program.h"
#include "src/tuning.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

/* A small problem of a row that the default table has, on the CPU. */
#define SMALL "tune --device cpu --repeats 3 --out record.lua --filter 'conv_f32_c3_k3x3_o16_bamsg_*' --problem "
#define ONE SMALL "2,3,9,11"

static const convsmith_device cpu = {CONVSMITH_DEVICE_CPU, 0};

static int empty_the_folder(void **state) { return scratch_files(*state, 1) < 0; }

static convsmith_tuning *load(scratch *s) {
    convsmith_tuning *tuning;
    if (convsmith_tuning_load(&tuning, scratch_path(s, "record.lua")) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    return tuning;
}

static size_t recorded_problems(scratch *s) {
    convsmith_tuning *tuning = load(s);
    const size_t count = tuning->count;
    convsmith_tuning_destroy(tuning);
    return count;
}

/* Lets the record be of an older library. */
static void make_older(scratch *s) {
    convsmith_tuning *tuning = load(s);
    strcpy(tuning->identity.version, "0.0.9");
    FILE *stream = fopen(scratch_path(s, "record.lua"), "w");
    assert_non_null(stream);
    cs_tuning_write(tuning, stream);
    assert_int_equal(fclose(stream), 0);
    convsmith_tuning_destroy(tuning);
}

/* The program in a process of its own, which prints into out.txt and may find Ctrl-C pressed already. */
static pid_t start(scratch *s, const char *const *arguments, bool is_interrupted) {
    const pid_t child = fork();
    if (child != 0)
        return child;
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    if (is_interrupted && (sigprocmask(SIG_BLOCK, &held, NULL) != 0 || raise(SIGINT) != 0))
        _exit(99);
    const int out = open(scratch_path(s, "out.txt"), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (chdir(s->folder) != 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
        _exit(99);
    execv(TEST_PROGRAM, (char *const *)arguments);
    _exit(99);
}

static int end_of(pid_t child) {
    int status;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* ---- What is recorded -------------------------------------------------------------------------------------------- */

static void every_kernel_that_can_serve_is_recorded(void **state) {
    expect(*state, ONE, DONE, "The record is record.lua\n");
    convsmith_tuning *tuning = load(*state);
    assert_int_equal(tuning->count, 1);
    const cs_tuned_problem *p = &tuning->problems[0];
    assert_true(p->n == 2 && p->h == 9 && p->w == 11 && p->groups == 8);
    size_t kernels = 1; /* the generic one */
    for (int target = CONVSMITH_TARGET_HOST_BASE; target <= CONVSMITH_TARGET_HOST_AVX512; target++)
        kernels += convsmith_target_supported((convsmith_target)target, cpu) == CONVSMITH_OK;
    assert_int_equal(p->kernels.count, kernels);
    for (size_t i = 0; i < p->kernels.count; i++)
        assert_true(p->kernels.rows[i].us > 0 && p->kernels.rows[i].spread >= 0);
    convsmith_tuning_destroy(tuning);
}

/* The problem of ONE. */
static convsmith_problem small_problem(const convsmith_tuning *tuning) {
    return (convsmith_problem){.n = 2,
                               .c_in = 3,
                               .h = 9,
                               .w = 11,
                               .c_out = 16,
                               .kh = 3,
                               .kw = 3,
                               .groups = 8,
                               .eps = 1e-5f,
                               .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
                               .tuning = tuning};
}

static void a_plan_by_the_record_has_its_fastest_kernel(void **state) {
    expect(*state, ONE, DONE, "x\n");
    convsmith_tuning *tuning = load(*state);
    const convsmith_problem problem = small_problem(tuning);
    convsmith_plan *plan;
    assert_int_equal(convsmith_plan_create(&plan, &problem, cpu), CONVSMITH_OK);
    assert_string_equal(convsmith_kernel_get_info(convsmith_plan_kernel(plan))->name,
                        tuning->problems[0].kernels.rows[0].name);
    convsmith_plan_destroy(plan);
    convsmith_tuning_destroy(tuning);
}

static void planned_is_what_a_plan_has_without_a_record(void **state) {
    outcome o = run(*state, ONE " --json");
    assert_int_equal(o.status, DONE);
    cJSON *rows = cJSON_Parse(o.out);
    const cJSON *choice = cJSON_GetArrayItem(cJSON_GetObjectItem(cJSON_GetArrayItem(rows, 0), "choices"), 0);
    const convsmith_problem problem = small_problem(NULL);
    convsmith_plan *plan;
    assert_int_equal(convsmith_plan_create(&plan, &problem, cpu), CONVSMITH_OK);
    assert_string_equal(cJSON_GetObjectItem(choice, "planned")->valuestring,
                        convsmith_kernel_get_info(convsmith_plan_kernel(plan))->name);
    convsmith_plan_destroy(plan);
    cJSON_Delete(rows);
    drop(&o);
}

static void a_record_is_extended_and_a_problem_measured_anew_replaces_the_old(void **state) {
    expect(*state, ONE, DONE, "1 problem:");
    expect(*state, SMALL "1,3,20,20,4 --problem=2,3,9,11", DONE, "2 problems:");
    assert_int_equal(recorded_problems(*state), 2);
}

static void problems_of_other_channels_are_not_measured(void **state) {
    expect(*state, SMALL "1,3,5,5 --problem 1,8,9,9", DONE, "1 problem:");
    expect(*state, SMALL "1,8,9,9", NO_KERNEL, "--problem: the table has no such kernel for this cpu");
}

static void a_filter_that_matches_nothing_is_told(void **state) {
    expect(*state, "tune --device cpu --filter 'conv_f33_*' --problem 1,3,9,9", NO_KERNEL,
           "--filter: 'conv_f33_*' matches no kernel for this cpu");
}

static void json_has_the_times_and_the_choices(void **state) {
    outcome o = run(*state, ONE " --json");
    assert_int_equal(o.status, DONE);
    cJSON *rows = cJSON_Parse(o.out);
    assert_int_equal(cJSON_GetArraySize(rows), 1);
    const cJSON *row = cJSON_GetArrayItem(rows, 0), *kernels = cJSON_GetObjectItem(row, "kernels");
    const cJSON *choice = cJSON_GetArrayItem(cJSON_GetObjectItem(row, "choices"), 0);
    assert_string_equal(cJSON_GetObjectItem(row, "row")->valuestring, "conv_f32_c3_k3x3_o16_bamsg");
    assert_string_equal(cJSON_GetObjectItem(choice, "math")->valuestring, "fp32");
    assert_true(cJSON_GetObjectItem(choice, "gain")->valuedouble >= 1);
    const cJSON *kernel;
    cJSON_ArrayForEach(kernel, kernels) {
        assert_string_equal(cJSON_GetObjectItem(kernel, "outcome")->valuestring, "timed");
        assert_true(cJSON_GetObjectItem(kernel, "us")->valuedouble > 0);
        assert_true(cJSON_GetObjectItem(kernel, "max_error")->valuedouble < 1e-4);
    }
    cJSON_Delete(rows);
    drop(&o);
}

static void a_wrong_kernel_is_told_and_not_recorded(void **state) {
    outcome o = run_program(*state, TEST_WRONG_PROGRAM, ONE);
    if (o.status != CHECK_FAILED ||
        !strstr(o.out, "WRONG, not recorded: conv_f32_c3_k3x3_o16_bamsg_host_base: y[0][0][0][0] is 1000"))
        fail_msg("status %d, it said: %s%s", o.status, o.out, o.err);
    drop(&o);
    convsmith_tuning *tuning = load(*state);
    for (size_t i = 0; i < tuning->problems[0].kernels.count; i++)
        assert_null(strstr(tuning->problems[0].kernels.rows[i].name, "_host_base"));
    convsmith_tuning_destroy(tuning);
}

/* ---- An end before the end --------------------------------------------------------------------------------------- */

static void when_the_time_is_up_the_rest_is_left(void **state) {
    outcome o = run(*state, SMALL "1,3,5,5 --problem 1,3,6,6 --problem 1,3,7,7 --seconds 1e-6");
    assert_int_equal(o.status, DONE);
    assert_non_null(strstr(o.err, "the time is up; 2 of 3 problems are left"));
    assert_int_equal(recorded_problems(*state), 1);
    drop(&o);
}

/* Whether the file is there before a minute is over. */
static bool appears(const char *path) {
    const struct timespec moment = {0, 10000000};
    for (int i = 0; i < 6000; i++) {
        if (access(path, F_OK) == 0)
            return true;
        nanosleep(&moment, NULL);
    }
    return false;
}

/* A first problem that is soon done, and a second one of the same row that is not. */
static void ctrl_c_keeps_the_problems_that_are_done(void **state) {
    scratch *s = *state;
    static const char *const arguments[] = {TEST_PROGRAM, "tune",        "--device",   "cpu",       "--repeats",
                                            "60",         "--out",       "record.lua", "--problem", "1,3,16,16",
                                            "--problem",  "1,3,256,256", NULL};
    const pid_t child = start(s, arguments, false);
    const bool has_begun = appears(scratch_path(s, "record.lua"));
    kill(child, SIGINT);
    assert_int_equal(end_of(child), INTERRUPTED);
    assert_true(has_begun);
    const size_t done = recorded_problems(s);
    assert_true(done >= 1 && done < 20);
    assert_int_equal(scratch_files(s, 0), 2); /* beside out.txt, no temporary is left */
}

static void no_record_is_claimed_or_made_before_the_first_problem_is_done(void **state) {
    scratch *s = *state;
    static const char *const arguments[] = {TEST_PROGRAM, "tune", "--device", "cpu", NULL};
    size_t size;
    assert_int_equal(end_of(start(s, arguments, true)), INTERRUPTED);
    assert_int_equal(scratch_files(s, 0), 1); /* out.txt */
    char *said = scratch_read(scratch_path(s, "out.txt"), &size);
    assert_null(strstr(said, "The record is"));
    free(said);
}

static void two_processes_extend_one_record(void **state) {
    scratch *s = *state;
    static const char *const of_first[] = {TEST_PROGRAM, "tune",       "--device",  "cpu",
                                           "--repeats",  "1",          "--filter",  "conv_f32_c3_k3x3_o16_bamsg_*",
                                           "--problem",  "1,3,5,5",    "--problem", "1,3,6,6",
                                           "--problem",  "1,3,7,7",    "--problem", "1,3,8,8",
                                           "--out",      "record.lua", NULL};
    static const char *const of_second[] = {TEST_PROGRAM, "tune",       "--device",  "cpu",
                                            "--repeats",  "1",          "--filter",  "conv_f32_c3_k3x3_o16_bamsg_*",
                                            "--problem",  "2,3,5,5",    "--problem", "2,3,6,6",
                                            "--problem",  "2,3,7,7",    "--problem", "2,3,8,8",
                                            "--out",      "record.lua", NULL};
    const pid_t first = start(s, of_first, false), second = start(s, of_second, false);
    assert_int_equal(end_of(first), DONE);
    assert_int_equal(end_of(second), DONE);
    assert_int_equal(recorded_problems(s), 8);
}

/* ---- Records ----------------------------------------------------------------------------------------------------- */

#define ANOTHER_DEVICE                                                                                                 \
    "return { format = 1, device = \"NVIDIA H200\", compute_capability = 90, multiprocessors = 132,\n"                 \
    "driver = \"580.65.06\", runtime = 13000, version = \"0.1.0\", date = \"2026-11-23\", problems = {} }\n"

/* Whatever is refused stays as it is. */
static void expect_refused(scratch *s, const char *text, const char *words) {
    size_t size;
    scratch_write(s, "record.lua", text, strlen(text));
    expect(s, ONE, BAD_INPUT, words);
    char *after = scratch_read(scratch_path(s, "record.lua"), &size);
    assert_string_equal(after, text);
    free(after);
}

static void a_damaged_record_is_left_alone(void **state) {
    expect_refused(*state, "return { format = 1, device = \"A\"", "record.lua:1: ',' or '}' should stand here");
}

static void a_record_of_another_device_is_left_alone(void **state) {
    expect_refused(*state, ANOTHER_DEVICE,
                   "record.lua is a record of NVIDIA H200 (compute capability 9.0, 132 multiprocessors), but the "
                   "device is ");
}

static void times_of_another_version_are_told_before_they_are_extended(void **state) {
    outcome o = run(*state, ONE);
    assert_null(strstr(o.err, "timed with"));
    drop(&o);
    make_older(*state);
    o = run(*state, SMALL "1,3,5,5");
    assert_int_equal(o.status, DONE);
    if (!strstr(o.err, "1 problem of record.lua: timed with version 0.0.9; here it is version 0.1.0, which the record"))
        fail_msg("it said: %s", o.err);
    drop(&o);
}

static void a_place_that_cannot_be_written_is_told_before_the_work(void **state) {
    expect(*state, ONE " --out absent/record.lua", BAD_INPUT, "absent/record.lua: cannot be written");
}

static void the_default_place_is_named_after_the_device(void **state) {
    scratch *s = *state;
    char command[600];
    outcome o = run(s, "tune --device cpu --repeats 1 --filter 'conv_f32_c3_k3x3_o16_bamsg_*' --problem 1,3,5,5");
    assert_int_equal(o.status, DONE);
    const char *place = strstr(o.out, "The record is tuning/");
    assert_non_null(place);
    assert_non_null(strstr(place, ".lua\n"));
    assert_true(strspn(place + strlen("The record is tuning/"), "abcdefghijklmnopqrstuvwxyz0123456789-.") ==
                strlen(place + strlen("The record is tuning/")) - 1);
    drop(&o);
    expect(s, "tune --device cpu --show", DONE, ": 1 problem on ");
    snprintf(command, sizeof command, "rm -r '%s/tuning'", s->folder);
    assert_int_equal(system(command), 0);
}

static void show_tells_what_differs_from_here(void **state) {
    scratch *s = *state;
    expect(s, ONE, DONE, "x\n");
    make_older(s);
    convsmith_tuning *tuning = load(s);
    cs_timing other = {"conv_of_another_table", 1, 0};
    const cs_tuned_problem problem = {.n = 1, .h = 1, .w = 1, .groups = 1, .kernels = {&other, 1}};
    assert_int_equal(cs_tuning_put(tuning, &problem), CONVSMITH_OK);
    FILE *stream = fopen(scratch_path(s, "record.lua"), "w");
    cs_tuning_write(tuning, stream);
    fclose(stream);
    convsmith_tuning_destroy(tuning);
    expect(s, "tune --device cpu --show --out record.lua", DONE, "version  0.0.9 (here 0.1.0)\n1 of its times are of");
}

static void a_record_of_another_device_can_be_shown(void **state) {
    scratch_write(*state, "record.lua", ANOTHER_DEVICE, strlen(ANOTHER_DEVICE));
    outcome o = run(*state, "tune --device cpu --show --out record.lua");
    assert_int_equal(o.status, DONE);
    if (!strstr(o.out, "record.lua: 0 problems on NVIDIA H200 (compute capability 9.0, 132 multiprocessors), "
                       "2026-11-23\nThe device here is ") ||
        !strstr(o.out, "driver   580.65.06 (here none)\nruntime  13000 (here none)\nversion  0.1.0\n"))
        fail_msg("it said: %s", o.out);
    drop(&o);
}

static void bad_arguments_are_told(void **state) {
    static const char *const rows[][2] = {
        {"--problem 1,3,9", "--problem: '1,3,9' is not N,C,H,W"},
        {"--problem 1,3,9,9,8,7", "is not N,C,H,W"},
        {"--problem 1,3,9,", "is not N,C,H,W"},
        {"--problem 1,3,0,9", "is not N,C,H,W"},
        {"--problem 1,3,99999999999,9", "is not N,C,H,W"},
        {"--problem 1,3,2,2 --device cpu", "the kernel, 3x3, is larger than the input, 2x2"},
        {"--problem 2147483647,3,2147483647,2147483647 --device cpu", "are too large"},
        {"--seconds 0", "--seconds: '0' is not a positive number such as 600"},
        {"--repeats 0", "--repeats: '0' is not a whole number"},
        {"--device tpu", "--device: 'tpu' is none of cpu, cuda, auto"},
        {"--out ''", "--out: the name is empty"},
        {"--show --json", "--show: there is no JSON of it"},
        {"--show --device cpu --out absent.lua", "absent.lua: No such file"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char arguments[256];
        snprintf(arguments, sizeof arguments, "tune %s", rows[i][0]);
        expect(*state, arguments, BAD_INPUT, rows[i][1]);
    }
}

int main(void) {
    /* Threads that wait by spinning would slow each other down where tests run side by side. */
    setenv("OMP_WAIT_POLICY", "passive", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_kernel_that_can_serve_is_recorded, empty_the_folder),
        cmocka_unit_test_setup(a_plan_by_the_record_has_its_fastest_kernel, empty_the_folder),
        cmocka_unit_test_setup(planned_is_what_a_plan_has_without_a_record, empty_the_folder),
        cmocka_unit_test_setup(a_record_is_extended_and_a_problem_measured_anew_replaces_the_old, empty_the_folder),
        cmocka_unit_test_setup(problems_of_other_channels_are_not_measured, empty_the_folder),
        cmocka_unit_test_setup(a_filter_that_matches_nothing_is_told, empty_the_folder),
        cmocka_unit_test_setup(json_has_the_times_and_the_choices, empty_the_folder),
        cmocka_unit_test_setup(a_wrong_kernel_is_told_and_not_recorded, empty_the_folder),
        cmocka_unit_test_setup(when_the_time_is_up_the_rest_is_left, empty_the_folder),
        cmocka_unit_test_setup(ctrl_c_keeps_the_problems_that_are_done, empty_the_folder),
        cmocka_unit_test_setup(no_record_is_claimed_or_made_before_the_first_problem_is_done, empty_the_folder),
        cmocka_unit_test_setup(two_processes_extend_one_record, empty_the_folder),
        cmocka_unit_test_setup(a_damaged_record_is_left_alone, empty_the_folder),
        cmocka_unit_test_setup(a_record_of_another_device_is_left_alone, empty_the_folder),
        cmocka_unit_test_setup(times_of_another_version_are_told_before_they_are_extended, empty_the_folder),
        cmocka_unit_test_setup(a_place_that_cannot_be_written_is_told_before_the_work, empty_the_folder),
        cmocka_unit_test_setup(the_default_place_is_named_after_the_device, empty_the_folder),
        cmocka_unit_test_setup(show_tells_what_differs_from_here, empty_the_folder),
        cmocka_unit_test_setup(a_record_of_another_device_can_be_shown, empty_the_folder),
        cmocka_unit_test_setup(bad_arguments_are_told, empty_the_folder),
    };
    return cmocka_run_group_tests_name("cli_tune", tests, scratch_create, scratch_destroy);
}
