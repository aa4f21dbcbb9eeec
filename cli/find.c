/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith find: the kernels for a shape.
 */
#include "convolution.h"
#include "device.h"
#include "rows.h"
#include "support/chain.h"
#include "support/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct query {
    int64_t shape[4]; /* c_in, kh, kw, c_out */
    const char *dtype, *math, *epilogue;
    cs_device_filter devices;
    cs_convolution_options convolution;
    convsmith_problem wanted; /* stride, padding, dilation and conv_groups as they are given */
    convsmith_layout layout;
    cs_chain chain; /* of the epilogue, if there is one */
    cs_chain_text name;
} query;

static bool matches(const char *wanted, const char *have) { return !wanted || strcmp(wanted, have) == 0; }

/* Numbers of a key, in which 0 may stand for 1, and of the query. */
static bool is_pair(const char *wanted, int32_t h, int32_t w, int64_t wanted_h, int64_t wanted_w, int32_t usual) {
    return !wanted || ((h ? h : usual) == wanted_h && (w ? w : usual) == wanted_w);
}

static bool takes_convolution(const convsmith_key *key, const query *q) {
    const cs_convolution_options *o = &q->convolution;
    const convsmith_problem *p = &q->wanted;
    return is_pair(o->stride, key->stride_h, key->stride_w, p->stride_h, p->stride_w, 1) &&
           is_pair(o->padding, key->pad_h, key->pad_w, p->pad_h, p->pad_w, 0) &&
           is_pair(o->dilation, key->dilation_h, key->dilation_w, p->dilation_h, p->dilation_w, 1) &&
           is_pair(o->conv_groups, key->conv_groups, key->conv_groups, p->conv_groups, p->conv_groups, 1) &&
           (!o->layout || key->layout == q->layout);
}

static bool takes(const convsmith_kernel_info *info, const void *context) {
    const query *q = context;
    const convsmith_key *key = &info->key;
    return key->c_in == q->shape[0] && key->kh == q->shape[1] && key->kw == q->shape[2] && key->c_out == q->shape[3] &&
           matches(q->dtype, convsmith_dtype_name(key->dtype)) && matches(q->math, convsmith_math_name(key->math)) &&
           takes_convolution(key, q) && (!q->epilogue || strcmp(q->name.text, key->epilogue) == 0) &&
           cs_device_filter_takes(&q->devices, info);
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

static bool parse_epilogue(const cs_usage *usage, query *q) {
    cs_message message;
    if (!q->epilogue)
        return true;
    if (!cs_chain_read(q->epilogue, &q->chain, &message)) {
        cs_complain(usage->command, "--epilogue: %s", message.text);
        return false;
    }
    q->name = cs_chain_name(&q->chain);
    return true;
}

static bool check_groups(const cs_usage *usage, const query *q) {
    const int64_t groups = q->convolution.conv_groups ? q->wanted.conv_groups : 1;
    if (q->shape[0] % groups == 0 && q->shape[3] % groups == 0)
        return true;
    cs_complain(usage->command, "--conv-groups: %" PRId64 " does not divide the %" PRId64 " and %" PRId64 " channels",
                groups, q->shape[0], q->shape[3]);
    return false;
}

static bool parse_query(const cs_usage *usage, query *q, const char *shape, const char *device) {
    static const char *const dtypes[] = {"f32", "f16", "bf16"};
    int dtype = 0;
    convsmith_math math = CONVSMITH_MATH_FP32;
    if (!parse_shape(shape, q->shape)) {
        cs_complain(usage->command, "'%s' is not a shape C_in x KH x KW x C_out such as 8x3x3x32", shape);
        return false;
    }
    return parse_epilogue(usage, q) && cs_value_word(usage, "--dtype", q->dtype, dtypes, 3, &dtype) &&
           cs_value_math(usage, q->math, &math) &&
           cs_value_convolution(usage, &q->convolution, &q->wanted, &q->layout) && check_groups(usage, q) &&
           cs_value_device_filter(usage, device, &q->devices);
}

/* ---- What to do when there is none ------------------------------------------------------------------------------- */

static bool has(const query *q) {
    for (size_t i = 0; i < convsmith_table_size(NULL); i++)
        if (takes(convsmith_kernel_get_info(convsmith_table_at(NULL, i)), q))
            return true;
    return false;
}

static bool is_word(const char *text, const char *word) { return text && strcmp(text, word) == 0; }

static bool is_16_bit(const query *q) { return q->dtype && !is_word(q->dtype, "f32"); }

static void print_field(const char *name, int64_t h, int64_t w) {
    if (h == w)
        fprintf(stderr, ", %s = %" PRId64, name, h);
    else
        fprintf(stderr, ", %s = \"%" PRId64 "x%" PRId64 "\"", name, h, w);
}

static void print_convolution(const query *q) {
    const convsmith_problem *p = &q->wanted;
    if (q->convolution.stride)
        print_field("stride", p->stride_h, p->stride_w);
    if (q->convolution.padding)
        print_field("padding", p->pad_h, p->pad_w);
    if (q->convolution.dilation)
        print_field("dilation", p->dilation_h, p->dilation_w);
    if (q->convolution.conv_groups)
        print_field("conv_groups", p->conv_groups, p->conv_groups);
    if (q->convolution.layout)
        fprintf(stderr, ", layout = \"%s\"", q->convolution.layout);
}

/* How many rows or columns of x, padding included, a kernel reaches over. */
static int64_t reach_of(int64_t kernel, int64_t dilation) { return (dilation ? dilation : 1) * (kernel - 1) + 1; }

/* A reference size, where the default one is smaller than the kernel. */
static void print_reference(const query *q) {
    enum { DEFAULT_SIDE = 128 }; /* gen/manifest.lua */
    const convsmith_problem *p = &q->wanted;
    const int64_t h = reach_of(q->shape[1], p->dilation_h), w = reach_of(q->shape[2], p->dilation_w);
    if (h - 2 * p->pad_h > DEFAULT_SIDE || w - 2 * p->pad_w > DEFAULT_SIDE)
        fprintf(stderr, ", reference = { h = %" PRId64 ", w = %" PRId64 " }", h + DEFAULT_SIDE, w + DEFAULT_SIDE);
}

static void print_row(const query *q) {
    const int64_t *s = q->shape;
    fprintf(stderr,
            "To have one, add this row to the manifest (shapes.lua) and rebuild; the generator says so where none can\n"
            "serve it:\n"
            "    conv { c_in = %" PRId64 ", kernel = \"%" PRId64 "x%" PRId64 "\", c_out = %" PRId64,
            s[0], s[1], s[2], s[3]);
    print_convolution(q);
    if (is_16_bit(q))
        fprintf(stderr, ", dtype = \"%s\"", q->dtype);
    else if (q->math)
        fprintf(stderr, ", math = { \"%s\" }", q->math);
    if (q->epilogue)
        fprintf(stderr, ", epilogue = %s", cs_chain_list(&q->chain).text);
    print_reference(q);
    fputs(" }\n", stderr);
}

static void print_math_hint(const query *q, const char *other) {
    const int64_t *s = q->shape;
    fprintf(stderr,
            "The table has %" PRId64 "x%" PRId64 "x%" PRId64 "x%" PRId64 " with math %s: add "
            "math = { \"fp32\", \"tf32\" } to its row in the manifest (shapes.lua) and rebuild.\n",
            s[0], s[1], s[2], s[3], other);
}

static bool has_cuda(void) {
    for (size_t i = 0; i < convsmith_table_size(NULL); i++) {
        const convsmith_kernel_info *info = convsmith_kernel_get_info(convsmith_table_at(NULL, i));
        if (convsmith_target_device(info->key.target) == CONVSMITH_DEVICE_CUDA)
            return true;
    }
    return false;
}

/* What no row of a manifest can give: a CUDA kernel in this build, tf32 on a CPU or of 16-bit elements. */
static bool print_limit(const query *q) {
    const bool tf32 = is_word(q->math, "tf32");
    if (is_16_bit(q) && tf32)
        fprintf(stderr, "Kernels of %s have math fp32 alone, and serve where tf32 is allowed too: ask for that.\n",
                q->dtype);
    else if (!q->devices.cuda && tf32)
        fprintf(stderr, "CPU kernels have math fp32 alone, and serve where tf32 is allowed too: ask for that.\n");
    else if (!q->devices.cpu && !has_cuda())
        fprintf(stderr, "This program was built without CUDA kernels.\n");
    else if (tf32 && !has_cuda())
        fprintf(stderr, "Only CUDA kernels have math tf32, and this program was built without them.\n");
    else
        return false;
    return true;
}

/* What is beyond the limits of a manifest (gen/manifest.lua, gen/convolution.lua); false where nothing is. */
static bool print_no_row(const query *q) {
    enum { MOST_CHANNELS = 1024, MOST_TAPS = 15, MOST_STEPS = 64 };
    const convsmith_problem *p = &q->wanted;
    const struct {
        const char *name;
        int64_t value, most;
    } fields[] = {
        {"c_in", q->shape[0], MOST_CHANNELS},
        {"kh", q->shape[1], MOST_TAPS},
        {"kw", q->shape[2], MOST_TAPS},
        {"c_out", q->shape[3], MOST_CHANNELS},
        {"stride_h", p->stride_h, MOST_STEPS},
        {"stride_w", p->stride_w, MOST_STEPS},
        {"pad_h", p->pad_h, MOST_STEPS},
        {"pad_w", p->pad_w, MOST_STEPS},
        {"dilation_h", p->dilation_h, MOST_STEPS},
        {"dilation_w", p->dilation_w, MOST_STEPS},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].value > fields[i].most) {
            fprintf(stderr,
                    "No row of a manifest can have %s = %" PRId64 ": it is %" PRId64
                    " at most. The generic kernel serves it.\n",
                    fields[i].name, fields[i].value, fields[i].most);
            return true;
        }
    return false;
}

static void print_hint(const query *q) {
    if (print_limit(q))
        return;
    query wanted = *q, other = *q;
    if (!q->devices.cuda)
        wanted.math = "fp32";
    other.math = is_word(wanted.math, "fp32") ? "tf32" : "fp32";
    other.devices = (cs_device_filter){true, true};
    if (wanted.math && !is_16_bit(q) && has(&other))
        print_math_hint(&wanted, other.math);
    else
        print_row(&wanted);
}

/* ---- What a plan has for the shape as it is ---------------------------------------------------------------------- */

/* The least of x that the kernel fits in. */
static int64_t least_input(int64_t kernel, int64_t dilation, int64_t pad) {
    const int64_t size = reach_of(kernel, dilation) - 2 * pad;
    return size > 1 ? size : 1;
}

/* The smallest problem of the shape, of contiguous NCHW. */
static convsmith_problem smallest(const query *q) {
    convsmith_problem p = q->wanted;
    p.n = 1;
    p.c_in = q->shape[0];
    p.kh = q->shape[1];
    p.kw = q->shape[2];
    p.c_out = q->shape[3];
    p.h = least_input(p.kh, p.dilation_h, p.pad_h);
    p.w = least_input(p.kw, p.dilation_w, p.pad_w);
    p.groups = 1;
    p.eps = 1e-5f;
    p.dtype = is_word(q->dtype, "f16") ? CONVSMITH_F16 : is_word(q->dtype, "bf16") ? CONVSMITH_BF16 : CONVSMITH_F32;
    p.epilogue = q->epilogue ? q->epilogue : CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM;
    return p;
}

/* Whether there can be such a problem, on a CPU, which there always is; where not, the library's detail says why. */
static bool is_possible(const convsmith_problem *p) {
    convsmith_plan *plan;
    const convsmith_status status = convsmith_plan_create(&plan, p, (convsmith_device){CONVSMITH_DEVICE_CPU, 0});
    convsmith_plan_destroy(plan);
    return status != CONVSMITH_INVALID_ARGUMENT && status != CONVSMITH_TOO_LARGE;
}

static void print_plan(const convsmith_problem *p, convsmith_device_kind kind, const char *who) {
    convsmith_plan *plan;
    const convsmith_status status = convsmith_plan_create(&plan, p, (convsmith_device){kind, 0});
    if (status == CONVSMITH_OK)
        fprintf(stderr, "%s for it on the %s runs %s.\n", who, kind == CONVSMITH_DEVICE_CUDA ? "GPU" : "CPU",
                convsmith_kernel_get_info(convsmith_plan_kernel(plan))->name);
    convsmith_plan_destroy(plan);
}

/* What to do without a kernel, or why there can be none. */
static void print_advice(const query *q) {
    convsmith_problem p = smallest(q);
    if (!is_possible(&p)) {
        fprintf(stderr, "%s\n", convsmith_detail());
        return;
    }
    cs_problem_lay_out(&p, q->layout); /* its sizes are within memory by now */
    const bool no_row = print_no_row(q);
    if (!no_row)
        print_hint(q);
    if (q->devices.cpu)
        print_plan(&p, CONVSMITH_DEVICE_CPU, no_row ? "A plan" : "Meanwhile a plan");
    if (q->devices.cuda)
        print_plan(&p, CONVSMITH_DEVICE_CUDA, no_row ? "A plan" : "Meanwhile a plan");
}

cs_exit cs_command_find(int argc, char **argv) {
    const char *shape = NULL, *device = NULL, *json = NULL;
    query q = {0};
    const cs_option options[] = {
        {"--dtype", "f32|f16|bf16", "only kernels for elements of this type", &q.dtype},
        {"--math", "fp32|tf32", "only kernels that form products so", &q.math},
        {"--epilogue", "CHAIN", "only kernels of this epilogue, bias+clamp(0,6)", &q.epilogue},
        CS_CONVOLUTION_OPTIONS(q.convolution, "only kernels of this stride, in h and in w",
                               "only kernels of this padding", "only kernels of this dilation",
                               "only kernels of so many groups of channels", "only kernels for x and y that lie so"),
        {"--device", "cpu|cuda", "only kernels for this kind of device", &device},
        {"--json", NULL, "as a JSON array, as list --json", &json},
    };
    const cs_usage usage = {
        .command = "find",
        .about =
            "Prints the kernels for C_in x KH x KW x C_out as `convsmith list` does. Exit status 3 and a hint when\n"
            "there is none: the row that the manifest needs, and the kernel that a plan for the shape has until then,\n"
            "most often the generic one. What cannot be is told instead.",
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
    const int rows = cs_print_rows(takes, &q, NULL, json != NULL);
    if (rows < 0)
        return cs_complain(usage.command, "no memory for the JSON text");
    if (rows > 0)
        return CS_EXIT_DONE;
    cs_complain(usage.command, "no kernel for %s", shape);
    print_advice(&q);
    return CS_EXIT_NO_KERNEL;
}
