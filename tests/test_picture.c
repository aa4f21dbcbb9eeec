/* SPDX-License-Identifier: Apache-2.0
 *
 * PNG pictures: the example's, maps written and read back, damaged files.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "support/picture.h"

#include <math.h>

#define LANDSCAPE TEST_SOURCE_DIR "/examples/landscape.png"

static int level(const cs_tensor *picture, int64_t channel, int64_t row, int64_t column) {
    const float value = picture->floats[(channel * picture->shape[1] + row) * picture->shape[2] + column];
    return (int)lroundf(255 * value);
}

/* Two of its pixels, as another program reads them: the sky in the corner, and where the sun sets. */
static void reads_a_colour_picture_by_planes(void **state) {
    (void)state;
    static const int corner[3] = {72, 60, 82}, sunset[3] = {255, 176, 121};
    cs_tensor picture;
    cs_message message = {""};
    if (!cs_picture_read(LANDSCAPE, &picture, &message))
        fail_msg("%s", message.text);
    assert_true(picture.rank == 3 && picture.shape[0] == 3 && picture.shape[1] == 240 && picture.shape[2] == 320);
    for (int c = 0; c < 3; c++) {
        assert_int_equal(level(&picture, c, 0, 0), corner[c]);
        assert_int_equal(level(&picture, c, 110, 118), sunset[c]);
    }
    cs_tensor_destroy(&picture);
}

/* Writes a map [2, 3] and reads it back as gray levels 0 to 255. */
static void write_and_read(scratch *s, const float map[6], int levels[6]) {
    const char *path = scratch_path(s, "map.png");
    cs_tensor picture;
    assert_true(cs_picture_write_map(path, map, 2, 3, NULL));
    assert_true(cs_picture_read(path, &picture, NULL));
    assert_true(picture.rank == 3 && picture.shape[0] == 1 && picture.shape[1] == 2 && picture.shape[2] == 3);
    for (int i = 0; i < 6; i++)
        levels[i] = (int)lroundf(255 * picture.floats[i]);
    cs_tensor_destroy(&picture);
}

static void assert_levels(scratch *s, const float map[6], const int expected[6]) {
    int levels[6];
    write_and_read(s, map, levels);
    for (int i = 0; i < 6; i++)
        assert_int_equal(levels[i], expected[i]);
}

static void a_map_spans_black_to_white(void **state) {
    assert_levels(*state, (const float[]){-1, 0, 1, 3, 4, 2}, (const int[]){0, 51, 102, 204, 255, 153});
}

static void a_constant_map_is_black(void **state) {
    assert_levels(*state, (const float[]){7, 7, 7, 7, 7, 7}, (const int[6]){0});
}

static void what_is_not_finite_does_not_spoil_a_map(void **state) {
    assert_levels(*state, (const float[]){NAN, 0, 1, INFINITY, -INFINITY, 0.2f}, (const int[]){0, 0, 255, 255, 0, 51});
}

static void assert_refused(const char *path, const char *expected) {
    cs_tensor picture;
    cs_message message = {""};
    assert_false(cs_picture_read(path, &picture, &message));
    assert_null(picture.data);
    if (!strstr(message.text, expected) || !strstr(message.text, path))
        fail_msg("the message should name %s and say '%s', it is: %s", path, expected, message.text);
}

static void refuses_what_is_no_picture(void **state) {
    assert_refused(scratch_path(*state, "absent.png"), "No such file");
    assert_refused(((scratch *)*state)->folder, "not a regular file");
    assert_refused(scratch_write(*state, "text.png", "no picture", 10), "not a PNG file");
}

static void refuses_truncated_pictures(void **state) {
    size_t size;
    char *bytes = scratch_read(LANDSCAPE, &size);
    for (size_t kept = 0; kept < size - 100; kept += 1000)
        assert_refused(scratch_write(*state, "cut.png", bytes, kept), "PNG file");
    free(bytes);
}

static void a_map_without_pixels_is_an_error(void **state) {
    const float map[1] = {0};
    assert_false(cs_picture_write_map(scratch_path(*state, "none.png"), map, 0, 1, NULL));
    assert_false(cs_picture_write_map(scratch_path(*state, "absent/map.png"), map, 1, 1, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_colour_picture_by_planes), cmocka_unit_test(a_map_spans_black_to_white),
        cmocka_unit_test(a_constant_map_is_black),          cmocka_unit_test(what_is_not_finite_does_not_spoil_a_map),
        cmocka_unit_test(refuses_what_is_no_picture),       cmocka_unit_test(refuses_truncated_pictures),
        cmocka_unit_test(a_map_without_pixels_is_an_error),
    };
    return cmocka_run_group_tests_name("picture", tests, scratch_create, scratch_destroy);
}
