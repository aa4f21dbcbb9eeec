/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans that choose by times of their own, kept in a folder.
 *
 *     CONVSMITH_TEST_DEVICE    "cpu" or "cuda": where; the default is "cpu"
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "src/kernel.h"
#include "src/tuning.h"

#include <stdbool.h>
#include <sys/wait.h>

static convsmith_device device_of_test(void) {
    const char *device = getenv("CONVSMITH_TEST_DEVICE");
    const bool on_cuda = device && strcmp(device, "cuda") == 0;
    return (convsmith_device){on_cuda ? CONVSMITH_DEVICE_CUDA : CONVSMITH_DEVICE_CPU, 0};
}

static convsmith_problem problem_in(const char *folder) {
    return (convsmith_problem){.n = 2,
                               .c_in = 3,
                               .h = 9,
                               .w = 11,
                               .c_out = 16,
                               .kh = 3,
                               .kw = 3,
                               .groups = 4,
                               .eps = 1e-5f,
                               .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
                               .autotune = folder};
}

/* The name of the kernel that a plan has. */
static const char *chosen(const convsmith_problem *problem) {
    convsmith_plan *plan;
    if (convsmith_plan_create(&plan, problem, device_of_test()) != CONVSMITH_OK)
        fail_msg("%s", convsmith_detail());
    const char *name = convsmith_kernel_get_info(convsmith_plan_kernel(plan))->name;
    convsmith_plan_destroy(plan);
    return name;
}

/* The one record in the folder, beside the file for the lock; its path is that of the scratch folder's last name. */
static convsmith_tuning *load_only(scratch *s) {
    convsmith_tuning *tuning = NULL;
    DIR *folder = opendir(s->folder);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "lock") == 0)
            continue;
        if (tuning)
            fail_msg("there is more than one file: %s", entry->d_name);
        assert_int_equal(convsmith_tuning_load(&tuning, scratch_path(s, entry->d_name)), CONVSMITH_OK);
    }
    closedir(folder);
    assert_non_null(tuning);
    return tuning;
}

static void store(const convsmith_tuning *tuning, const char *path) {
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    cs_tuning_write(tuning, stream);
    assert_int_equal(fclose(stream), 0);
}

typedef struct kernel_name {
    char text[256];
} kernel_name;

/* A kernel of a record that was read, to be changed. */
static cs_timing *timing_at(convsmith_tuning *tuning, size_t index) {
    return (cs_timing *)(uintptr_t)&tuning->problems[0].kernels.rows[index];
}

/* Lets the cache say that its slowest kernel is the fastest, whose name it is. */
static kernel_name turn_round(scratch *s) {
    kernel_name slowest;
    convsmith_tuning *tuning = load_only(s);
    const cs_timings *kernels = &tuning->problems[0].kernels;
    cs_timing *last = timing_at(tuning, kernels->count - 1);
    assert_true(kernels->count > 1);
    last->us = 1e-3;
    snprintf(slowest.text, sizeof slowest.text, "%s", last->name);
    store(tuning, s->path);
    convsmith_tuning_destroy(tuning);
    return slowest;
}

/* ---- The cache --------------------------------------------------------------------------------------------------- */

static int empty_the_folder(void **state) { return scratch_files(*state, 1) < 0; }

static void the_first_plan_records_all_candidates_and_has_the_fastest(void **state) {
    scratch *s = *state;
    const convsmith_problem problem = problem_in(s->folder);
    const char *name = chosen(&problem);
    convsmith_tuning *tuning = load_only(s);
    assert_int_equal(tuning->count, 1);
    const cs_tuned_problem *p = &tuning->problems[0];
    assert_true(p->n == 2 && p->h == 9 && p->w == 11 && p->groups == 4 && p->kernels.count >= 2);
    assert_string_equal(p->kernels.rows[0].name, name);
    convsmith_tuning_destroy(tuning);
}

static void the_next_plan_chooses_by_the_cache(void **state) {
    scratch *s = *state;
    const convsmith_problem problem = problem_in(s->folder);
    chosen(&problem);
    const kernel_name slowest = turn_round(s);
    assert_string_equal(chosen(&problem), slowest.text);
}

/* What is written for another does not hold, and is written anew. */
static void expect_anew(scratch *s, void (*change)(convsmith_tuning *tuning)) {
    const convsmith_problem problem = problem_in(s->folder);
    chosen(&problem);
    turn_round(s);
    convsmith_tuning *tuning = load_only(s);
    change(tuning);
    store(tuning, s->path);
    convsmith_tuning_destroy(tuning);
    chosen(&problem);
    tuning = load_only(s);
    assert_true(tuning->problems[0].kernels.rows[0].us > 1e-3);
    convsmith_tuning_destroy(tuning);
}

static void change_driver(convsmith_tuning *t) { strcpy(t->identity.driver, "0.1"); }
static void change_version(convsmith_tuning *t) { strcpy(t->identity.version, "0.0.1"); }
static void change_runtime(convsmith_tuning *t) { t->identity.runtime++; }
static void change_device(convsmith_tuning *t) { strcpy(t->identity.model.name, "another"); }
static void change_size(convsmith_tuning *t) { t->problems[0].n++; }
static void change_kernel(convsmith_tuning *t) { timing_at(t, 0)->name = "another"; }

static void times_of_another_driver_version_or_problem_are_taken_anew(void **state) {
    void (*const changes[])(convsmith_tuning *) = {change_driver, change_version, change_runtime,
                                                   change_device, change_size,    change_kernel};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        expect_anew(*state, changes[i]);
}

static void a_damaged_cache_is_replaced(void **state) {
    scratch *s = *state;
    const convsmith_problem problem = problem_in(s->folder);
    chosen(&problem);
    convsmith_tuning_destroy(load_only(s));
    FILE *stream = fopen(s->path, "w");
    fputs("return { format = 1, dev", stream);
    fclose(stream);
    chosen(&problem);
    convsmith_tuning_destroy(load_only(s));
}

static void each_problem_has_a_file(void **state) {
    scratch *s = *state;
    convsmith_problem problem = problem_in(s->folder);
    chosen(&problem);
    problem.h++;
    chosen(&problem);
    problem.groups = 8;
    chosen(&problem);
    problem.y_strides[0] = 16 * 8 * 9 + 1;
    problem.y_strides[1] = 8 * 9;
    problem.y_strides[2] = 9;
    problem.y_strides[3] = 1;
    chosen(&problem);
    assert_int_equal(scratch_files(s, 0), 4 + 1);
}

/* Some kernels refuse a small eps, which says nothing of them at a larger one. */
static void times_with_one_eps_are_not_those_with_another(void **state) {
    scratch *s = *state;
    convsmith_problem problem = problem_in(s->folder);
    problem.eps = 1e-7f;
    chosen(&problem);
    problem.eps = 1e-5f;
    chosen(&problem);
    assert_int_equal(scratch_files(s, 0), 2 + 1);
}

static void a_kernel_that_is_planned_anew_is_timed_anew(void **state) {
    scratch *s = *state;
    convsmith_problem problem = problem_in(s->folder);
    const convsmith_key key = {.c_in = problem.c_in,
                               .kh = problem.kh,
                               .kw = problem.kw,
                               .c_out = problem.c_out,
                               .epilogue = problem.epilogue,
                               .target = device_of_test().kind == CONVSMITH_DEVICE_CUDA ? CONVSMITH_TARGET_SM80
                                                                                        : CONVSMITH_TARGET_HOST_BASE};
    convsmith_kernel row = *convsmith_find(&key);
    convsmith_table table = *convsmith_builtin_table();
    table.rows = &row;
    table.count = 1;
    row.info.name = "of_a_table_of_its_own";
    problem.table = &table;
    chosen(&problem);
    row.info.packed_bytes += 64;
    chosen(&problem);
    assert_int_equal(scratch_files(s, 0), 2 + 1);
}

static void tensors_that_are_added_are_made_up_too(void **state) {
    scratch *s = *state;
    convsmith_problem problem = problem_in(s->folder);
    problem.epilogue = "bias+add_tensor+relu+add_tensor";
    chosen(&problem);
    assert_int_equal(scratch_files(s, 0), 1 + 1);
}

/* ---- Several at once --------------------------------------------------------------------------------------------- */

/* Each in a process of its own, begun together; the exit status says whether the plan could be created. */
static pid_t begin(const convsmith_problem *problem) {
    const pid_t child = fork();
    if (child != 0)
        return child;
    convsmith_plan *plan;
    const convsmith_status status = convsmith_plan_create(&plan, problem, device_of_test());
    convsmith_plan_destroy(plan);
    _exit(status == CONVSMITH_OK ? 0 : 1);
}

static void several_processes_share_a_folder(void **state) {
    enum { PROCESSES = 6 };
    scratch *s = *state;
    const convsmith_problem problem = problem_in(s->folder);
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        children[i] = begin(&problem);
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    convsmith_tuning_destroy(load_only(s)); /* whole, and no temporary beside it */
}

/* ---- What cannot be ---------------------------------------------------------------------------------------------- */

static void expect_bad(const convsmith_problem *problem, const char *words) {
    convsmith_plan *plan;
    assert_int_equal(convsmith_plan_create(&plan, problem, device_of_test()), CONVSMITH_INVALID_ARGUMENT);
    if (!strstr(convsmith_detail(), words))
        fail_msg("it should say '%s', it said: %s", words, convsmith_detail());
}

static void a_folder_is_made_but_not_its_parents(void **state) {
    scratch *s = *state;
    convsmith_problem problem = problem_in(scratch_path(s, "made"));
    chosen(&problem);
    char command[600];
    snprintf(command, sizeof command, "rm -r '%s'", scratch_path(s, "made"));
    assert_int_equal(system(command), 0);
    problem.autotune = scratch_path(s, "absent/folder");
    expect_bad(&problem, "absent/folder: the folder cannot be made: No such file");
}

static void what_is_no_folder_is_told(void **state) {
    scratch *s = *state;
    const convsmith_problem problem = problem_in(scratch_write(s, "file", "", 0));
    expect_bad(&problem, "file/lock: cannot be written: Not a directory");
}

static void an_empty_name_is_told(void **state) {
    (void)state;
    const convsmith_problem problem = problem_in("");
    expect_bad(&problem, "problem->autotune is empty");
}

static void a_record_and_a_folder_exclude_each_other(void **state) {
    scratch *s = *state;
    convsmith_problem problem = problem_in(s->folder);
    convsmith_tuning *tuning;
    const cs_identity nothing = {0};
    assert_int_equal(cs_tuning_create(&tuning, &nothing), CONVSMITH_OK);
    problem.tuning = tuning;
    expect_bad(&problem, "problem->tuning and problem->autotune are both set");
    convsmith_tuning_destroy(tuning);
}

int main(void) {
    /* Threads that wait by spinning would slow each other down where tests run side by side. */
    setenv("OMP_WAIT_POLICY", "passive", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(several_processes_share_a_folder, empty_the_folder), /* before this one has threads */
        cmocka_unit_test_setup(the_first_plan_records_all_candidates_and_has_the_fastest, empty_the_folder),
        cmocka_unit_test_setup(the_next_plan_chooses_by_the_cache, empty_the_folder),
        cmocka_unit_test_setup(times_of_another_driver_version_or_problem_are_taken_anew, empty_the_folder),
        cmocka_unit_test_setup(a_damaged_cache_is_replaced, empty_the_folder),
        cmocka_unit_test_setup(each_problem_has_a_file, empty_the_folder),
        cmocka_unit_test_setup(times_with_one_eps_are_not_those_with_another, empty_the_folder),
        cmocka_unit_test_setup(a_kernel_that_is_planned_anew_is_timed_anew, empty_the_folder),
        cmocka_unit_test_setup(tensors_that_are_added_are_made_up_too, empty_the_folder),
        cmocka_unit_test_setup(a_folder_is_made_but_not_its_parents, empty_the_folder),
        cmocka_unit_test_setup(what_is_no_folder_is_told, empty_the_folder),
        cmocka_unit_test_setup(an_empty_name_is_told, empty_the_folder),
        cmocka_unit_test_setup(a_record_and_a_folder_exclude_each_other, empty_the_folder),
    };
    return cmocka_run_group_tests_name("autotune", tests, scratch_create, scratch_destroy);
}
