/* SPDX-License-Identifier: Apache-2.0
 *
 * The dispatch table as users see it: walking it and finding a key in it.
 */
#include "lookup.h"
#include "chain.h"
#include "kernel.h"
#include "status.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

extern const convsmith_table cs_builtin_table;

const convsmith_table *convsmith_builtin_table(void) { return &cs_builtin_table; }

static const convsmith_table *table_or_builtin(const convsmith_table *table) {
    return table != NULL ? table : &cs_builtin_table;
}

convsmith_status cs_check_table(const convsmith_table *table) {
    if (table->layout == CS_TABLE_LAYOUT)
        return CONVSMITH_OK;
    return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                   "the table was built with other convsmith headers (layout %d, the library has %d); rebuild it with "
                   "this version",
                   (int)table->layout, CS_TABLE_LAYOUT);
}

size_t convsmith_table_size(const convsmith_table *table) {
    table = table_or_builtin(table);
    return cs_check_table(table) == CONVSMITH_OK ? table->count : 0;
}

const convsmith_kernel *convsmith_table_at(const convsmith_table *table, size_t index) {
    table = table_or_builtin(table);
    return index < convsmith_table_size(table) ? &table->rows[index] : NULL;
}

const convsmith_kernel_info *convsmith_kernel_get_info(const convsmith_kernel *kernel) {
    return kernel != NULL ? &kernel->info : NULL;
}

static int64_t one_if_zero(int64_t value) { return value == 0 ? 1 : value; }

int cs_key_compare(const convsmith_key *a, const convsmith_key *b) {
    const int64_t fields[][2] = {
        {a->c_in, b->c_in},
        {a->kh, b->kh},
        {a->kw, b->kw},
        {a->c_out, b->c_out},
        {one_if_zero(a->stride_h), one_if_zero(b->stride_h)},
        {one_if_zero(a->stride_w), one_if_zero(b->stride_w)},
        {a->pad_h, b->pad_h},
        {a->pad_w, b->pad_w},
        {one_if_zero(a->dilation_h), one_if_zero(b->dilation_h)},
        {one_if_zero(a->dilation_w), one_if_zero(b->dilation_w)},
        {one_if_zero(a->conv_groups), one_if_zero(b->conv_groups)},
        {a->layout, b->layout},
        {a->dtype, b->dtype},
        {a->math, b->math},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; ++i)
        if (fields[i][0] != fields[i][1])
            return fields[i][0] < fields[i][1] ? -1 : 1;
    const int order = strcmp(a->epilogue, b->epilogue);
    if (order != 0)
        return order;
    return (a->target > b->target) - (a->target < b->target);
}

/* The first row that does not come before the key, or comes behind it. */
static size_t bound_of(const convsmith_table *table, const convsmith_key *key, bool behind) {
    size_t low = 0, high = table->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = cs_key_compare(&table->rows[middle].info.key, key);
        if (order < 0 || (order == 0 && behind))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

cs_rows cs_lookup(const convsmith_table *table, const convsmith_key *key) {
    const size_t first = bound_of(table, key, false), end = bound_of(table, key, true);
    return (cs_rows){first < end ? &table->rows[first] : NULL, end - first};
}

/* What a key says of the convolution's parameters where they are not the default: " stride 2x1 groups 8". */
typedef struct parameters_text {
    char text[128];
} parameters_text;

static parameters_text parameters_of(const convsmith_key *key) {
    const struct {
        const char *name;
        int64_t h, w, usual;
    } pairs[] = {
        {"stride", one_if_zero(key->stride_h), one_if_zero(key->stride_w), 1},
        {"padding", key->pad_h, key->pad_w, 0},
        {"dilation", one_if_zero(key->dilation_h), one_if_zero(key->dilation_w), 1},
    };
    parameters_text p = {""};
    int used = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; ++i)
        if (pairs[i].h != pairs[i].usual || pairs[i].w != pairs[i].usual)
            used += snprintf(p.text + used, sizeof p.text - (size_t)used, " %s %dx%d", pairs[i].name, (int)pairs[i].h,
                             (int)pairs[i].w);
    if (one_if_zero(key->conv_groups) != 1)
        used += snprintf(p.text + used, sizeof p.text - (size_t)used, " conv_groups %d", (int)key->conv_groups);
    if (key->layout == CONVSMITH_NHWC)
        snprintf(p.text + used, sizeof p.text - (size_t)used, " nhwc");
    return p;
}

const convsmith_kernel *convsmith_table_find(const convsmith_table *table, const convsmith_key *key) {
    if (key == NULL || key->epilogue == NULL) {
        cs_fail(CONVSMITH_INVALID_ARGUMENT,
                key == NULL ? "key is NULL" : "key->epilogue is NULL; name a chain of steps");
        return NULL;
    }
    cs_chain chain;
    char why[1024];
    if (!cs_chain_parse(key->epilogue, &chain, why, sizeof why)) {
        cs_fail(CONVSMITH_INVALID_ARGUMENT, "key->epilogue: %s", why);
        return NULL;
    }
    table = table_or_builtin(table);
    if (cs_check_table(table) != CONVSMITH_OK)
        return NULL;
    const cs_chain_text name = cs_chain_name(&chain);
    convsmith_key same = *key;
    same.epilogue = name.text;
    const convsmith_kernel *kernel = cs_lookup(table, &same).first;
    if (kernel == NULL)
        cs_fail(CONVSMITH_NO_KERNEL, "no kernel %dx%dx%dx%d%s %s %s %s for %s", (int)key->c_in, (int)key->kh,
                (int)key->kw, (int)key->c_out, parameters_of(key).text, convsmith_dtype_name(key->dtype),
                convsmith_math_name(key->math), name.text, convsmith_target_name(key->target));
    return kernel;
}

const convsmith_kernel *convsmith_find(const convsmith_key *key) { return convsmith_table_find(NULL, key); }

static const char *name_at(const char *const *names, size_t count, size_t index) {
    return index < count ? names[index] : "?";
}

const char *convsmith_dtype_name(convsmith_dtype dtype) {
    static const char *const names[] = {[CONVSMITH_F32] = "f32", [CONVSMITH_F16] = "f16", [CONVSMITH_BF16] = "bf16"};
    return name_at(names, sizeof names / sizeof names[0], (size_t)dtype);
}

const char *convsmith_math_name(convsmith_math math) {
    static const char *const names[] = {[CONVSMITH_MATH_FP32] = "fp32", [CONVSMITH_MATH_TF32] = "tf32"};
    return name_at(names, sizeof names / sizeof names[0], (size_t)math);
}
