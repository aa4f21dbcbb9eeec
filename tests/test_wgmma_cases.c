/* SPDX-License-Identifier: Apache-2.0
 *
 * The cases by which kernels on the copy engine are checked, each of its own problem, together have tiles of every
 * kind. The runtime cuts each problem into tiles of its own, so that only plans can tell. Of the table CS_TEST_TABLE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/plan.h"
#include "support/kernel_check.h"

extern const convsmith_table CS_TEST_TABLE;

/* What tiles may be like. */
enum {
    ONE_TILE = 1 << 0,
    SEVERAL_ROWS = 1 << 1, /* of tiles, and so on */
    SEVERAL_COLUMNS = 1 << 2,
    SHORTER_LAST_ROW = 1 << 3,
    SHORTER_LAST_COLUMN = 1 << 4,
    SEVERAL_A_BLOCK = 1 << 5, /* so that a computing group has more than one */
    LINES_OF_X_APART = 1 << 6,
    LINES_OF_Y_APART = 1 << 7,
    ODD_LINES_OF_Y = 1 << 8,
    WHOLE_PLANES_OF_Y = 1 << 9, /* written as one run */
    READ = 1 << 10,             /* x, as it is, by the copy engine */
    READ_FROM_BETWEEN = 1 << 11 /* the same, where it does not begin where the copy engine does */
};

/* Those that a kernel's cases must have. (Pixels of contiguous channels are written one by one.) */
static unsigned kinds_for(const convsmith_key *key) {
    const unsigned every = WHOLE_PLANES_OF_Y - 1;
    if (key->layout == CONVSMITH_NCHW)
        return every | WHOLE_PLANES_OF_Y;
    return key->dtype != CONVSMITH_F32 && key->c_in % 8 == 0 ? every | READ | READ_FROM_BETWEEN : every;
}

/* Of case `index`; the elements of odd ones lie between multiples of 16 bytes (support/kernel_check.c). */
static unsigned kinds_of(const convsmith_plan *plan, int index) {
    const cs_conv_args *a = &plan->args;
    const bool apart = a->y_strides[2] != a->w_out * a->y_strides[3];
    const int columns = a->tiles_w;
    unsigned kinds = 0;
    kinds |= a->tiles_h == 1 && columns == 1 ? ONE_TILE : 0;
    kinds |= a->tiles_h > 1 ? SEVERAL_ROWS : 0;
    kinds |= columns > 1 ? SEVERAL_COLUMNS : 0;
    kinds |= a->tiles_h > 1 && a->h_out % a->gemm.rows ? SHORTER_LAST_ROW : 0;
    kinds |= columns > 1 && a->w_out % a->gemm.cols ? SHORTER_LAST_COLUMN : 0;
    kinds |= plan->gemm.tiles > 2 * plan->blocks ? SEVERAL_A_BLOCK : 0;
    kinds |= a->x_strides[2] != a->w * a->x_strides[3] ? LINES_OF_X_APART : 0;
    kinds |= apart ? LINES_OF_Y_APART : 0;
    kinds |= a->w_out % 2 ? ODD_LINES_OF_Y : 0;
    kinds |= !apart && columns == 1 ? WHOLE_PLANES_OF_Y : 0;
    kinds |= plan->gemm.copies ? 0 : index % 2 ? READ_FROM_BETWEEN : READ;
    return kinds;
}

/* Adds the kinds of one case. */
static void add_case(const cs_check *check, int index, unsigned *kinds) {
    cs_message message;
    cs_case c;
    assert_true(cs_case_create(&c, check->family, convsmith_kernel_get_info(check->kernel), index, 1, &message));
    c.problem.table = check->table;
    convsmith_plan *plan;
    if (cs_plan_create_for(&plan, &c.problem, check->device, check->kernel) == CONVSMITH_OK) {
        *kinds |= kinds_of(plan, index);
        convsmith_plan_destroy(plan);
    }
    cs_case_destroy(&c);
}

static void whole_numbers_come_in_tiles_of_every_kind(void **state) {
    (void)state;
    for (size_t i = 0; i < convsmith_table_size(&CS_TEST_TABLE); ++i) {
        const cs_check check = {.table = &CS_TEST_TABLE,
                                .kernel = convsmith_table_at(&CS_TEST_TABLE, i),
                                .device = {CONVSMITH_DEVICE_CUDA, 0},
                                .family = CS_FAMILY_EXACT,
                                .only_case = CS_ALL_CASES,
                                .seed = CS_DEFAULT_SEED};
        const uint32_t selected = cs_check_selection(&check);
        unsigned kinds = 0;
        for (int index = 0; index < cs_case_count(check.family); ++index)
            if (selected >> index & 1)
                add_case(&check, index, &kinds);
        const convsmith_kernel_info *info = convsmith_kernel_get_info(check.kernel);
        const unsigned missing = kinds_for(&info->key) & ~kinds;
        if (missing != 0)
            fail_msg("%s: the kinds %#x of tiles are missing", info->name, missing);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(whole_numbers_come_in_tiles_of_every_kind)};
    return cmocka_run_group_tests_name("wgmma_cases", tests, NULL, NULL);
}
