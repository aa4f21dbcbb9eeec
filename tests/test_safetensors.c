/* SPDX-License-Identifier: Apache-2.0
 *
 * .safetensors files: one that the safetensors package wrote (in tests/data/files), and damaged ones.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "support/safetensors.h"

static const char *five(char path[512]) {
    snprintf(path, 512, "%s/tests/data/files/five.safetensors", TEST_SOURCE_DIR);
    return path;
}

/* ---- The sound file ---------------------------------------------------------------------------------------------- */

static cs_safetensors *open_five(void) {
    char path[512];
    cs_message message = {""};
    cs_safetensors *file = cs_safetensors_open(five(path), &message);
    if (!file)
        fail_msg("%s", message.text);
    return file;
}

static void reads_tensors_by_name(void **state) {
    (void)state;
    cs_safetensors *file = open_five();
    cs_tensor weight, bias;
    assert_true(cs_safetensors_read(file, "conv.weight", &weight, NULL));
    assert_true(cs_safetensors_read(file, "conv.bias", &bias, NULL));
    assert_int_equal(weight.rank, 3);
    assert_int_equal(weight.shape[0], 2);
    assert_int_equal(weight.shape[2], 4);
    for (int i = 0; i < 24; i++)
        assert_true(weight.floats[i] == (float)i / 8 - 1);
    assert_int_equal(bias.rank, 1);
    assert_true(bias.floats[0] == 1.5f && bias.floats[1] == -2.0f);
    cs_tensor_destroy(&weight);
    cs_tensor_destroy(&bias);
    cs_safetensors_close(file);
}

static void reads_elements_of_16_bits(void **state) {
    (void)state;
    cs_safetensors *file = open_five();
    cs_tensor tensor;
    assert_true(cs_safetensors_read(file, "half", &tensor, NULL));
    assert_int_equal(tensor.dtype, CONVSMITH_F16);
    assert_memory_equal(tensor.data, ((const uint16_t[]){0x3c00, 0x4000, 0x4200}), 6); /* 1, 2, 3 */
    cs_tensor_destroy(&tensor);
    cs_safetensors_close(file);
}

static void reads_an_empty_tensor(void **state) {
    (void)state;
    cs_safetensors *file = open_five();
    cs_tensor tensor;
    assert_true(cs_safetensors_read(file, "nothing", &tensor, NULL));
    assert_int_equal(cs_tensor_count(&tensor), 0);
    cs_tensor_destroy(&tensor);
    cs_safetensors_close(file);
}

static void tells_which_tensors_there_are(void **state) {
    (void)state;
    cs_safetensors *file = open_five();
    assert_true(cs_safetensors_has(file, "conv.bias"));
    assert_false(cs_safetensors_has(file, "bias"));
    assert_false(cs_safetensors_has(file, "__metadata__"));
    cs_safetensors_close(file);
}

static void assert_not_readable(const char *name, const char *expected) {
    cs_safetensors *file = open_five();
    cs_tensor tensor;
    cs_message message = {""};
    assert_false(cs_safetensors_read(file, name, &tensor, &message));
    assert_null(tensor.data);
    if (!strstr(message.text, expected))
        fail_msg("the message should say '%s', it is: %s", expected, message.text);
    cs_safetensors_close(file);
}

static void a_missing_tensor_is_an_error_that_lists_the_others(void **state) {
    (void)state;
    assert_not_readable("conv.wieght", "no tensor 'conv.wieght'; it has: ");
    assert_not_readable("conv.wieght", "conv.weight");
}

static void another_type_is_an_error(void **state) {
    (void)state;
    assert_not_readable("steps", "'steps' is of type I64; F32, F16 and BF16 can be read");
}

/* ---- Names that are no plain words ------------------------------------------------------------------------------- */

static const char *write_file(scratch *s, const char *header, size_t data);

/* Reads a tensor that is not there from a file with the header. */
static cs_message names_in(scratch *s, const char *header, const char *wanted) {
    cs_message message = {""};
    cs_safetensors *file = cs_safetensors_open(write_file(s, header, 4), &message);
    cs_tensor tensor;
    if (!file)
        fail_msg("%s", message.text);
    assert_false(cs_safetensors_has(file, wanted));
    assert_false(cs_safetensors_read(file, wanted, &tensor, &message));
    cs_safetensors_close(file);
    return message;
}

#define ONE_TENSOR "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"

static void a_zero_byte_does_not_end_a_name(void **state) {
    const cs_message message = names_in(*state, "{\"scale\\u0000x\":" ONE_TENSOR, "scale");
    assert_non_null(strstr(message.text, "it has: scale\\xef\\xbf\\xbdx"));
}

/* A backslash and the four digits behind it are six characters of a name. */
static void a_backslash_is_a_character_of_a_name(void **state) {
    const cs_message message = names_in(*state, "{\"a\\\\u0000\":" ONE_TENSOR, "a");
    assert_non_null(strstr(message.text, "it has: a\\\\u0000"));
}

static void control_characters_in_names_are_not_printed(void **state) {
    static const char *const headers[] = {"{\"a\\u001b[31m\":", "{\"a\x1b[31m\":"};
    for (size_t i = 0; i < 2; i++) {
        char header[256];
        snprintf(header, sizeof header, "%s" ONE_TENSOR, headers[i]);
        const cs_message message = names_in(*state, header, "b");
        assert_non_null(strstr(message.text, "it has: a\\x1b[31m"));
    }
}

static void a_long_name_is_cut(void **state) {
    char name[300], header[512];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    snprintf(header, sizeof header, "{\"%s\":" ONE_TENSOR, name);
    const cs_message message = names_in(*state, header, "b");
    assert_non_null(strstr(message.text, "nnn..."));
    assert_string_equal(strstr(message.text, "..."), "...");
}

/* ---- Damaged files ----------------------------------------------------------------------------------------------- */

static void assert_refused(const char *path, const char *expected) {
    cs_message message = {""};
    cs_safetensors *file = cs_safetensors_open(path, &message);
    if (file)
        fail_msg("%s was opened, it should be refused: %s", path, expected);
    if (!strstr(message.text, expected) || !strstr(message.text, path))
        fail_msg("the message should name %s and say '%s', it is: %s", path, expected, message.text);
}

static const char *write_file(scratch *s, const char *header, size_t data) {
    char bytes[1024] = {0};
    const size_t length = strlen(header);
    assert_true(8 + length + data <= sizeof bytes);
    bytes[0] = (char)(length & 0xff);
    bytes[1] = (char)(length >> 8);
    memcpy(bytes + 8, header, length);
    return scratch_write(s, "damaged.safetensors", bytes, 8 + length + data);
}

typedef struct damaged {
    const char *header;
    size_t data;
    const char *expected;
} damaged;

#define NO_OBJECT "header is not a JSON object"

static const damaged damaged_files[] = {
    {"", 0, NO_OBJECT},
    {"garbage", 0, NO_OBJECT},
    {"[]", 0, NO_OBJECT},
    {"{} {}", 0, NO_OBJECT},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}", 4, NO_OBJECT},
    {"{\"a\":4}", 4, "'a' should be an object"},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no \"dtype\""},
    {"{\"a\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no \"dtype\""},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "\"shape\" should be a list"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, "\"shape\" should be a list"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "\"shape\" should be a list"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,6]}}", 6, "\"shape\" should be a list"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1e300],\"data_offsets\":[0,4]}}", 4, "\"shape\" should be a list"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]}}", 4, "\"shape\" should be a list"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4, "\"shape\" should be"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "\"data_offsets\" should be"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "\"data_offsets\" should be"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4, "\"data_offsets\" should be"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "\"data_offsets\" should be"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, "\"data_offsets\" should be"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, "truncated or damaged: tensor 'a' ends"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, "does not fill the 8 bytes"},
    {"{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "does not fill the 4 bytes"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, "does not fill"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8, "the file has 8"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "after a gap"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
     4, "overlapping"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
     12, "overlapping"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
     8, "two tensors are named 'a'"},
    {"{\"\x9b\":4}", 4, "'\\x9b' should be an object"},
    {"{\"\r\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "tensor '\\x0d' has no"},
    {"{\"a\":{\"dtype\":\"F\x1b\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"\x7f\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
     12, "tensor '\\x7f' begins at"},
};

static void refuses_damaged_headers(void **state) {
    for (size_t i = 0; i < sizeof damaged_files / sizeof *damaged_files; i++)
        assert_refused(write_file(*state, damaged_files[i].header, damaged_files[i].data), damaged_files[i].expected);
}

static void a_padded_header_is_sound(void **state) {
    const char *path = write_file(*state, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}      ", 4);
    cs_safetensors *file = cs_safetensors_open(path, NULL);
    assert_non_null(file);
    cs_safetensors_close(file);
}

static void an_unknown_type_is_an_error_only_where_it_is_read(void **state) {
    const char *path = write_file(*state,
                                  "{\"a\":{\"dtype\":\"F3_E1M1\",\"shape\":[8],\"data_offsets\":[0,3]},"
                                  "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[3,7]}}",
                                  7);
    cs_safetensors *file = cs_safetensors_open(path, NULL);
    assert_non_null(file);
    cs_tensor tensor;
    assert_true(cs_safetensors_read(file, "b", &tensor, NULL));
    cs_tensor_destroy(&tensor);
    assert_false(cs_safetensors_read(file, "a", &tensor, NULL));
    cs_safetensors_close(file);
}

static void refuses_an_endless_header(void **state) {
    const char bytes[10] = "\xff\xff\xff\xff\xff\xff\xff\xff{}";
    assert_refused(scratch_write(*state, "endless.safetensors", bytes, sizeof bytes), "not a .safetensors file");
}

static void refuses_a_deep_header(void **state) {
    char header[900];
    memset(header, '[', sizeof header);
    memcpy(header, "{\"a\":", 5);
    header[sizeof header - 1] = '\0';
    assert_refused(write_file(*state, header, 0), NO_OBJECT);
}

static void refuses_what_is_no_file(void **state) {
    assert_refused(scratch_path(*state, "absent.safetensors"), "No such file");
    assert_refused(((scratch *)*state)->folder, "not a regular file");
}

static void refuses_every_truncation(void **state) {
    char path[512];
    size_t size;
    char *bytes = scratch_read(five(path), &size);
    for (size_t kept = 0; kept < size; kept++)
        assert_refused(scratch_write(*state, "cut.safetensors", bytes, kept), "truncated");
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_tensors_by_name),
        cmocka_unit_test(reads_elements_of_16_bits),
        cmocka_unit_test(reads_an_empty_tensor),
        cmocka_unit_test(tells_which_tensors_there_are),
        cmocka_unit_test(a_missing_tensor_is_an_error_that_lists_the_others),
        cmocka_unit_test(another_type_is_an_error),
        cmocka_unit_test(a_zero_byte_does_not_end_a_name),
        cmocka_unit_test(a_backslash_is_a_character_of_a_name),
        cmocka_unit_test(control_characters_in_names_are_not_printed),
        cmocka_unit_test(a_long_name_is_cut),
        cmocka_unit_test(refuses_damaged_headers),
        cmocka_unit_test(a_padded_header_is_sound),
        cmocka_unit_test(an_unknown_type_is_an_error_only_where_it_is_read),
        cmocka_unit_test(refuses_an_endless_header),
        cmocka_unit_test(refuses_a_deep_header),
        cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(refuses_every_truncation),
    };
    return cmocka_run_group_tests_name("safetensors", tests, scratch_create, scratch_destroy);
}
