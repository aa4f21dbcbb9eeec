/* SPDX-License-Identifier: Apache-2.0
 *
 * .npy files: those that NumPy wrote (tests/data/files), damaged ones, and writing.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "support/npy.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const char *data_path(char path[512], const char *name) {
    snprintf(path, 512, "%s/tests/data/files/%s", TEST_SOURCE_DIR, name);
    return path;
}

/* ---- Files that NumPy wrote -------------------------------------------------------------------------------------- */

static void assert_is_ramp(const cs_tensor *tensor, int64_t count) {
    assert_int_equal(cs_tensor_count(tensor), count);
    for (int64_t i = 0; i < count; i++)
        assert_true(tensor->floats[i] == (float)i / 8 - 1);
}

static void read_ramp(const char *name) {
    char path[512];
    cs_tensor tensor;
    cs_message message = {""};
    if (!cs_npy_read(data_path(path, name), &tensor, &message))
        fail_msg("%s", message.text);
    assert_int_equal(tensor.rank, 3);
    assert_int_equal(tensor.shape[0], 2);
    assert_int_equal(tensor.shape[1], 3);
    assert_int_equal(tensor.shape[2], 4);
    assert_is_ramp(&tensor, 24);
    cs_tensor_destroy(&tensor);
}

static void reads_version_1(void **state) {
    (void)state;
    read_ramp("version1.npy");
}

static void reads_version_2(void **state) {
    (void)state;
    read_ramp("version2.npy");
}

static void reads_version_3(void **state) {
    (void)state;
    read_ramp("version3.npy");
}

static void reads_a_vector(void **state) {
    (void)state;
    char path[512];
    cs_tensor tensor;
    assert_true(cs_npy_read(data_path(path, "vector.npy"), &tensor, NULL));
    assert_int_equal(tensor.rank, 1);
    assert_is_ramp(&tensor, 3);
    cs_tensor_destroy(&tensor);
}

static void reads_a_scalar(void **state) {
    (void)state;
    char path[512];
    cs_tensor tensor;
    assert_true(cs_npy_read(data_path(path, "scalar.npy"), &tensor, NULL));
    assert_int_equal(tensor.rank, 0);
    assert_true(tensor.floats[0] == 2.5f);
    cs_tensor_destroy(&tensor);
}

static void reads_float16(void **state) {
    (void)state;
    char path[512];
    cs_tensor tensor;
    assert_true(cs_npy_read(data_path(path, "float16.npy"), &tensor, NULL));
    assert_int_equal(tensor.dtype, CONVSMITH_F16);
    assert_int_equal(cs_tensor_bytes(&tensor), 48);
    assert_true(cs_tensor_widen(&tensor, NULL));
    assert_int_equal(tensor.dtype, CONVSMITH_F32);
    assert_is_ramp(&tensor, 24);
    cs_tensor_destroy(&tensor);
}

static void reads_an_empty_array(void **state) {
    (void)state;
    char path[512];
    cs_tensor tensor;
    assert_true(cs_npy_read(data_path(path, "empty.npy"), &tensor, NULL));
    assert_int_equal(cs_tensor_count(&tensor), 0);
    assert_int_equal(tensor.shape[1], 3);
    cs_tensor_destroy(&tensor);
}

/* ---- Files that are refused -------------------------------------------------------------------------------------- */

static void assert_refused(const char *path, const char *expected) {
    cs_tensor tensor;
    cs_message message = {""};
    if (cs_npy_read(path, &tensor, &message))
        fail_msg("%s was read, it should be refused: %s", path, expected);
    if (!strstr(message.text, expected) || !strstr(message.text, path))
        fail_msg("the message should name %s and say '%s', it is: %s", path, expected, message.text);
    assert_null(tensor.data);
}

static void refuses_other_kinds_of_elements(void **state) {
    (void)state;
    char path[512];
    assert_refused(data_path(path, "float64.npy"),
                   "type '<f8'; only little-endian float32 ('<f4') and float16 ('<f2')");
    assert_refused(data_path(path, "big_endian.npy"), "type '>f4'; only little-endian float32");
    assert_refused(data_path(path, "bfloat16.npy"), "(.npy files have no bfloat16): save array.astype('<f4')");
    assert_refused(data_path(path, "record.npy"), "header is not understood");
}

static void refuses_fortran_order(void **state) {
    (void)state;
    char path[512];
    assert_refused(data_path(path, "fortran.npy"), "Fortran order; only C order");
}

static void refuses_what_is_no_file(void **state) {
    assert_refused(scratch_path(*state, "absent.npy"), "No such file");
    assert_refused(((scratch *)*state)->folder, "not a regular file");
    assert_refused("/dev/zero", "not a regular file");
}

typedef struct damaged {
    int version;
    const char *header;
    size_t data; /* bytes behind the header */
    const char *expected;
} damaged;

#define DAMAGED_HEADER "header is not understood"

static const damaged damaged_files[] = {
    {1, "", 0, DAMAGED_HEADER},
    {1, "garbage", 8, DAMAGED_HEADER},
    {1, "{", 8, DAMAGED_HEADER},
    {1, "{}", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': False, }", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'shape': (2,), }", 8, DAMAGED_HEADER},
    {1, "{'fortran_order': False, 'shape': (2,), }", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1, }", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } and more", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), ", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2), }", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,), }", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2 2), }", 16, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (,), }", 4, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': 2, }", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4, 'fortran_order': False, 'shape': (2,), }", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4<f4<f4<f4<f4<f4', 'fortran_order': False, 'shape': (2,), }", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2), }", 8, DAMAGED_HEADER},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 8, DAMAGED_HEADER},
    {1, "{'descr': '\x1b[31m', 'fortran_order': False, 'shape': (2,), }", 8, "elements of type '\\x1b[31m'"},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,), }", 8, "too large"},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0, "too large"},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }", 8, "truncated"},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 7, "truncated"},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 9, "extra bytes"},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }", 4, "extra bytes"},
    {0, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8, "version 0.0"},
    {4, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8, "version 4.0"},
};

static void refuses_damaged_headers(void **state) {
    for (size_t i = 0; i < sizeof damaged_files / sizeof *damaged_files; i++) {
        const damaged *d = &damaged_files[i];
        char bytes[512] = "\x93NUMPY";
        const size_t length = strlen(d->header);
        bytes[6] = (char)d->version;
        bytes[8] = (char)length;
        memcpy(bytes + 10, d->header, length);
        assert_refused(scratch_write(*state, "damaged.npy", bytes, 10 + length + d->data), d->expected);
    }
}

static void refuses_another_magic(void **state) {
    assert_refused(scratch_write(*state, "magic.npy", "\x94NUMPY\1\0\0\0", 10), "not an .npy file");
}

static void refuses_an_endless_header(void **state) {
    assert_refused(scratch_write(*state, "header.npy", "\x93NUMPY\2\0\xff\xff\xff\xff", 12), "a header of 4294967295");
}

static void refuses_every_truncation(void **state) {
    char path[512];
    size_t size;
    char *bytes = scratch_read(data_path(path, "version2.npy"), &size);
    for (size_t kept = 0; kept < size; kept++)
        assert_refused(scratch_write(*state, "cut.npy", bytes, kept), "truncated");
    free(bytes);
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

static void writes_what_numpy_writes(void **state) {
    char path[512];
    size_t expected_size, size;
    cs_tensor tensor;
    assert_true(cs_npy_read(data_path(path, "version1.npy"), &tensor, NULL));
    char *expected = scratch_read(path, &expected_size);
    const char *written = scratch_path(*state, "written.npy");
    assert_true(cs_npy_write(written, &tensor, NULL));
    char *bytes = scratch_read(written, &size);
    assert_int_equal(size, expected_size);
    assert_memory_equal(bytes, expected, size);
    free(bytes);
    free(expected);
    cs_tensor_destroy(&tensor);
}

static void reads_back_every_rank(void **state) {
    const int64_t shape[CS_MAX_RANK] = {2, 1, 3, 1, 1, 2, 1, 1};
    for (int rank = 0; rank <= CS_MAX_RANK; rank++) {
        cs_tensor tensor, back;
        assert_true(cs_tensor_create(&tensor, CONVSMITH_F32, rank, shape, NULL));
        const int64_t count = cs_tensor_count(&tensor);
        for (int64_t i = 0; i < count; i++)
            tensor.floats[i] = (float)i / 8 - 1;
        const char *path = scratch_path(*state, "rank.npy");
        assert_true(cs_npy_write(path, &tensor, NULL));
        assert_true(cs_npy_read(path, &back, NULL));
        assert_int_equal(back.rank, rank);
        assert_is_ramp(&back, count);
        cs_tensor_destroy(&tensor);
        cs_tensor_destroy(&back);
    }
}

static void writes_float16_as_numpy_does(void **state) {
    char path[512];
    size_t expected_size, size;
    cs_tensor tensor;
    assert_true(cs_npy_read(data_path(path, "float16.npy"), &tensor, NULL));
    const char *written = scratch_path(*state, "written.npy");
    assert_true(cs_npy_write(written, &tensor, NULL));
    char *expected = scratch_read(path, &expected_size), *bytes = scratch_read(written, &size);
    assert_int_equal(size, expected_size);
    assert_memory_equal(bytes, expected, size);
    free(bytes);
    free(expected);
    cs_tensor_destroy(&tensor);
}

static void bfloat16_is_not_written(void **state) {
    uint16_t value = 0;
    const cs_tensor tensor = {.dtype = CONVSMITH_BF16, .rank = 1, .shape = {1}, .data = &value};
    cs_message message = {""};
    scratch_files(*state, 1);
    assert_false(cs_npy_write(scratch_path(*state, "y.npy"), &tensor, &message));
    assert_non_null(strstr(message.text, "no type for elements of bf16; widen them to f32"));
    assert_int_equal(scratch_files(*state, 0), 0);
}

static void a_missing_folder_is_an_error(void **state) {
    const cs_tensor tensor = {.rank = 1, .shape = {0}, .data = NULL};
    cs_message message = {""};
    assert_false(cs_npy_write(scratch_path(*state, "absent/y.npy"), &tensor, &message));
    assert_non_null(strstr(message.text, "absent/y.npy: cannot be written: No such file"));
}

static void a_full_device_is_an_error(void **state) {
    (void)state;
    float value = 1;
    const cs_tensor tensor = {.rank = 1, .shape = {1}, .data = &value};
    cs_message message = {""};
    assert_false(cs_npy_write("/dev/full", &tensor, &message));
    assert_non_null(strstr(message.text, "/dev/full: cannot be written in full"));
}

/* With files limited to 4096 bytes, the writing fails half-way. */
static bool write_under_a_limit(const char *path, const cs_tensor *tensor) {
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    const struct rlimit limit = {4096, before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    const bool written = cs_npy_write(path, tensor, NULL);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    return written;
}

static void a_failed_write_leaves_the_old_file_and_nothing_else(void **state) {
    scratch_files(*state, 1);
    char path[512];
    snprintf(path, sizeof path, "%s", scratch_write(*state, "old.npy", "old", 3));
    cs_tensor tensor;
    assert_true(cs_tensor_create(&tensor, CONVSMITH_F32, 1, (const int64_t[]){100000}, NULL));
    memset(tensor.data, 0, 400000);
    assert_false(write_under_a_limit(path, &tensor));
    cs_tensor_destroy(&tensor);
    size_t size;
    char *bytes = scratch_read(path, &size);
    assert_string_equal(bytes, "old");
    free(bytes);
    assert_int_equal(scratch_files(*state, 0), 1);
}

static void a_written_link_stays_a_link(void **state) {
    char target[512], link[512];
    snprintf(target, sizeof target, "%s", scratch_write(*state, "target.npy", "old", 3));
    snprintf(link, sizeof link, "%s", scratch_path(*state, "link.npy"));
    assert_int_equal(symlink(target, link), 0);
    float value = 1;
    const cs_tensor tensor = {.rank = 1, .shape = {1}, .data = &value};
    assert_true(cs_npy_write(link, &tensor, NULL));
    struct stat status;
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    cs_tensor back;
    assert_true(cs_npy_read(target, &back, NULL));
    cs_tensor_destroy(&back);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_version_1),
        cmocka_unit_test(reads_version_2),
        cmocka_unit_test(reads_version_3),
        cmocka_unit_test(reads_a_vector),
        cmocka_unit_test(reads_a_scalar),
        cmocka_unit_test(reads_float16),
        cmocka_unit_test(reads_an_empty_array),
        cmocka_unit_test(refuses_other_kinds_of_elements),
        cmocka_unit_test(refuses_fortran_order),
        cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(refuses_damaged_headers),
        cmocka_unit_test(refuses_another_magic),
        cmocka_unit_test(refuses_an_endless_header),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(writes_what_numpy_writes),
        cmocka_unit_test(reads_back_every_rank),
        cmocka_unit_test(writes_float16_as_numpy_does),
        cmocka_unit_test(bfloat16_is_not_written),
        cmocka_unit_test(a_missing_folder_is_an_error),
        cmocka_unit_test(a_full_device_is_an_error),
        cmocka_unit_test(a_failed_write_leaves_the_old_file_and_nothing_else),
        cmocka_unit_test(a_written_link_stays_a_link),
    };
    return cmocka_run_group_tests_name("npy", tests, scratch_create, scratch_destroy);
}
