/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith find: the kernels for a shape.
 */
#include "device.h"
#include "rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct query {
    int64_t shape[4]; /* c_in, kh, kw, c_out */
    const char *dtype, *math, *epilogue;
    cs_device_filter devices;
} query;

static bool matches(const char *wanted, const char *have) { return !wanted || strcmp(wanted, have) == 0; }

static bool takes(const convsmith_kernel_info *info, const void *context) {
    const query *q = context;
    const convsmith_key *key = &info->key;
    return key->c_in == q->shape[0] && key->kh == q->shape[1] && key->kw == q->shape[2] && key->c_out == q->shape[3] &&
           matches(q->dtype, convsmith_dtype_name(key->dtype)) && matches(q->math, convsmith_math_name(key->math)) &&
           matches(q->epilogue, key->epilogue) && cs_device_filter_takes(&q->devices, info);
}

/* "8x3x3x32" */
static bool parse_shape(const char *text, int64_t shape[4]) {
    for (int i = 0; i < 4; i++) {
        int64_t value = 0;
        const char *start = text;
        while (*text >= '0' && *text <= '9' && value < INT32_MAX)
            value = value * 10 + (*text++ - '0');
        if (text == start || value < 1 || value > INT32_MAX || *text != (i < 3 ? 'x' : '\0'))
            return false;
        shape[i] = value;
        text++;
    }
    return true;
}

static bool parse_query(const cs_usage *usage, query *q, const char *shape, const char *device) {
    static const char *const dtypes[] = {"f32"};
    int dtype = 0;
    convsmith_math math = CONVSMITH_MATH_FP32;
    if (!parse_shape(shape, q->shape)) {
        cs_complain(usage->command, "'%s' is not a shape C_in x KH x KW x C_out such as 8x3x3x32", shape);
        return false;
    }
    return cs_value_word(usage, "--dtype", q->dtype, dtypes, 1, &dtype) && cs_value_math(usage, q->math, &math) &&
           cs_value_device_filter(usage, device, &q->devices);
}

static void print_hint(const query *q) {
    const int64_t *s = q->shape;
    const query any = {.shape = {s[0], s[1], s[2], s[3]}, .devices = {true, true}};
    bool others = false;
    for (size_t i = 0; i < convsmith_table_size(NULL); i++)
        others = others || takes(convsmith_kernel_get_info(convsmith_table_at(NULL, i)), &any);
    if (others)
        fprintf(stderr,
                "There are kernels of this shape, but for another dtype, math, epilogue or device: see "
                "`convsmith find %" PRId64 "x%" PRId64 "x%" PRId64 "x%" PRId64 "`.\n",
                s[0], s[1], s[2], s[3]);
    else
        fprintf(stderr,
                "To have one, add this row to the manifest (shapes.lua) and rebuild:\n"
                "    conv { c_in = %" PRId64 ", kernel = \"%" PRId64 "x%" PRId64 "\", c_out = %" PRId64 " }\n",
                s[0], s[1], s[2], s[3]);
}

cs_exit cs_command_find(int argc, char **argv) {
    const char *shape = NULL, *device = NULL, *json = NULL;
    query q = {{0}, NULL, NULL, NULL, {false, false}};
    const cs_option options[] = {
        {"--dtype", "f32", "only kernels for elements of this type", &q.dtype},
        {"--math", "fp32|tf32", "only kernels that form products so", &q.math},
        {"--epilogue", "CHAIN", "only kernels of this epilogue", &q.epilogue},
        {"--device", "cpu|cuda", "only kernels for this kind of device", &device},
        {"--json", NULL, "as a JSON array, as list --json", &json},
    };
    const cs_usage usage = {
        .command = "find",
        .about =
            "Prints the kernels for C_in x KH x KW x C_out as `convsmith list` does. Exit status 3 and a hint when\n"
            "there is none.",
        .operand = "SHAPE",
        .operand_text = &shape,
        .example = "find 8x3x3x32 --math tf32 --device cuda",
        .options = options,
        .count = sizeof options / sizeof *options,
    };
    const cs_parsed parsed = cs_options_parse(&usage, argc, argv);
    if (parsed != CS_PARSED)
        return parsed == CS_PARSED_HELP ? CS_EXIT_DONE : CS_EXIT_BAD_INPUT;
    if (!parse_query(&usage, &q, shape, device))
        return CS_EXIT_BAD_INPUT;
    const int rows = cs_print_rows(takes, &q, json != NULL);
    if (rows < 0)
        return cs_complain(usage.command, "no memory for the JSON text");
    if (rows > 0)
        return CS_EXIT_DONE;
    cs_complain(usage.command, "no kernel for %s", shape);
    print_hint(&q);
    return CS_EXIT_NO_KERNEL;
}
