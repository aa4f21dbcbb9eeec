/* SPDX-License-Identifier: Apache-2.0 */
#include "problem.h"
#include "element.h"
#include "lookup.h"
#include "status.h"
#include "strides.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* ---- Sizes ------------------------------------------------------------------------------------------------------- */

/* What a field of the problem may be. */
typedef struct field {
    const char *name;
    int64_t value;
} field;

static convsmith_status check_fields(const field *fields, size_t count, int64_t least, const char *what) {
    for (size_t i = 0; i < count; ++i)
        if (fields[i].value < least || fields[i].value > INT32_MAX)
            return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->%s is %" PRId64 "; %s to %" PRId32, fields[i].name,
                           fields[i].value, what, INT32_MAX);
    return CONVSMITH_OK;
}

#define CHECK_FIELDS(FIELDS, LEAST, WHAT) check_fields(FIELDS, sizeof FIELDS / sizeof FIELDS[0], LEAST, WHAT)

/* Each by itself. */
static convsmith_status check_ranges(const convsmith_problem *p) {
    const field sizes[] = {
        {"n", p->n}, {"c_in", p->c_in}, {"h", p->h}, {"w", p->w}, {"c_out", p->c_out}, {"kh", p->kh}, {"kw", p->kw},
    };
    const field steps[] = {
        {"stride_h", p->stride_h},     {"stride_w", p->stride_w},       {"dilation_h", p->dilation_h},
        {"dilation_w", p->dilation_w}, {"conv_groups", p->conv_groups},
    };
    const field pads[] = {{"pad_h", p->pad_h}, {"pad_w", p->pad_w}};
    convsmith_status status = CHECK_FIELDS(sizes, 1, "a size is from 1");
    if (status == CONVSMITH_OK)
        status = CHECK_FIELDS(steps, 0, "it is from 1 (or 0, which is 1)");
    return status == CONVSMITH_OK ? CHECK_FIELDS(pads, 0, "padding is from 0") : status;
}

static void fill_defaults(convsmith_problem *p) {
    int64_t *const fields[] = {&p->stride_h, &p->stride_w, &p->dilation_h, &p->dilation_w, &p->conv_groups};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; ++i)
        if (*fields[i] == 0)
            *fields[i] = 1;
}

/* One direction of the convolution. */
typedef struct axis {
    const char *name;
    int64_t input, kernel, stride, pad, dilation;
} axis;

static axis axis_h(const convsmith_problem *p) {
    return (axis){"h", p->h, p->kh, p->stride_h, p->pad_h, p->dilation_h};
}

static axis axis_w(const convsmith_problem *p) {
    return (axis){"w", p->w, p->kw, p->stride_w, p->pad_w, p->dilation_w};
}

static int64_t padded_size(const axis *a) { return a->input + 2 * a->pad; }
static int64_t kernel_extent(const axis *a) { return a->dilation * (a->kernel - 1) + 1; }
static int64_t output_size(const axis *a) { return (padded_size(a) - kernel_extent(a)) / a->stride + 1; }

/* Places of x are counted in 32 bits, those of the padding too. */
static convsmith_status check_padded(const axis *a) {
    if (padded_size(a) <= INT32_MAX)
        return CONVSMITH_OK;
    return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                   "problem->pad_%s is %" PRId64 "; the padded input, %" PRId64 ", may be %" PRId32 " at most", a->name,
                   a->pad, padded_size(a), INT32_MAX);
}

/* "3x3", and what becomes of it where that differs: "3x3 (5x5 with its dilation)". */
static void write_sizes(char *text, size_t room, const int64_t plain[2], const int64_t full[2], const char *why) {
    const int used = snprintf(text, room, "%" PRId64 "x%" PRId64, plain[0], plain[1]);
    if (plain[0] != full[0] || plain[1] != full[1])
        snprintf(text + used, room - (size_t)used, " (%" PRId64 "x%" PRId64 " with its %s)", full[0], full[1], why);
}

static convsmith_status check_kernel(const axis *h, const axis *w) {
    const int64_t kernel[] = {h->kernel, w->kernel}, extent[] = {kernel_extent(h), kernel_extent(w)};
    const int64_t input[] = {h->input, w->input}, padded[] = {padded_size(h), padded_size(w)};
    if (extent[0] <= padded[0] && extent[1] <= padded[1])
        return CONVSMITH_OK;
    char of_kernel[128], of_input[128];
    write_sizes(of_kernel, sizeof of_kernel, kernel, extent, "dilation");
    write_sizes(of_input, sizeof of_input, input, padded, "padding");
    return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem: the kernel, %s, is larger than the input, %s", of_kernel,
                   of_input);
}

static convsmith_status check_conv_groups(const convsmith_problem *p) {
    const field divided[] = {{"c_in", p->c_in}, {"c_out", p->c_out}};
    for (size_t i = 0; i < 2; ++i)
        if (divided[i].value % p->conv_groups != 0)
            return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                           "problem->conv_groups is %" PRId64 "; it must divide %s, %" PRId64, p->conv_groups,
                           divided[i].name, divided[i].value);
    return CONVSMITH_OK;
}

/* Fills in the defaults and the size of y. */
static convsmith_status settle_sizes(cs_settled *s) {
    convsmith_status status = check_ranges(&s->problem);
    if (status != CONVSMITH_OK)
        return status;
    fill_defaults(&s->problem);
    const axis h = axis_h(&s->problem), w = axis_w(&s->problem);
    status = check_padded(&h);
    if (status == CONVSMITH_OK)
        status = check_padded(&w);
    if (status == CONVSMITH_OK)
        status = check_kernel(&h, &w);
    if (status == CONVSMITH_OK)
        status = check_conv_groups(&s->problem);
    if (status != CONVSMITH_OK)
        return status;
    s->h_out = output_size(&h);
    s->w_out = output_size(&w);
    return CONVSMITH_OK;
}

convsmith_status convsmith_output_size(const convsmith_problem *problem, int64_t *h_out, int64_t *w_out) {
    if (problem == NULL || h_out == NULL || w_out == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s is NULL",
                       problem == NULL ? "problem"
                       : h_out == NULL ? "h_out"
                                       : "w_out");
    cs_settled settled = {.problem = *problem};
    const convsmith_status status = settle_sizes(&settled);
    if (status != CONVSMITH_OK)
        return status;
    *h_out = settled.h_out;
    *w_out = settled.w_out;
    return CONVSMITH_OK;
}

/* ---- The rest ---------------------------------------------------------------------------------------------------- */

static convsmith_status settle_epilogue(cs_settled *s) {
    char why[1024];
    if (s->problem.epilogue == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->epilogue is NULL; e.g. %s",
                       "CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM");
    if (!cs_chain_parse(s->problem.epilogue, &s->chain, why, sizeof why))
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->epilogue: %s", why);
    s->name = cs_chain_name(&s->chain);
    s->problem.epilogue = s->name.text;
    return CONVSMITH_OK;
}

static convsmith_status check_choice(const convsmith_problem *problem) {
    if (problem->tuning != NULL && problem->autotune != NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->tuning and problem->autotune are both set; choose by one");
    if (problem->autotune != NULL && *problem->autotune == '\0')
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->autotune is empty; name a folder, or NULL for none");
    return CONVSMITH_OK;
}

static convsmith_status check_enumerations(const convsmith_problem *problem) {
    if (cs_element_bytes(problem->dtype) == 0)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                       "problem->dtype is %d; it is CONVSMITH_F32 (0), _F16 (1) or _BF16 (2)", (int)problem->dtype);
    if (problem->math != CONVSMITH_MATH_FP32 && problem->math != CONVSMITH_MATH_TF32)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->math is %d; it is CONVSMITH_MATH_FP32 (0) or _TF32 (1)",
                       (int)problem->math);
    return problem->table != NULL ? cs_check_table(problem->table) : CONVSMITH_OK;
}

static convsmith_status settle_normalisation(cs_settled *s) {
    convsmith_problem *p = &s->problem;
    if (s->chain.normalisation < 0)
        return CONVSMITH_OK;
    if (cs_chain_has(&s->chain, CS_STEP_INSTANCE_NORM))
        p->groups = p->c_out;
    if (p->groups < 1 || p->c_out % p->groups != 0)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->groups is %" PRId64 "; it must divide c_out, %" PRId64,
                       p->groups, p->c_out);
    if (!(p->eps > 0.0f) || !isfinite(p->eps))
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->eps is %g; it must be positive, e.g. 1e-5",
                       (double)p->eps);
    return CONVSMITH_OK;
}

static cs_shape shape_of_x(const cs_settled *s) {
    const convsmith_problem *p = &s->problem;
    return (cs_shape){"problem: x", "problem->x_strides", "nchw", {p->n, p->c_in, p->h, p->w}};
}

static cs_shape shape_of_y(const cs_settled *s) {
    const convsmith_problem *p = &s->problem;
    return (cs_shape){"problem: y", "problem->y_strides", "nchw", {p->n, p->c_out, s->h_out, s->w_out}};
}

static convsmith_status settle_strides(cs_settled *s, const convsmith_problem *given) {
    const cs_shape x = shape_of_x(s), y = shape_of_y(s);
    const int64_t bytes = (int64_t)cs_element_bytes(given->dtype);
    convsmith_status status = cs_strides_settle(&x, given->x_strides, bytes, s->problem.x_strides);
    if (status == CONVSMITH_OK)
        status = cs_strides_settle(&y, given->y_strides, bytes, s->problem.y_strides);
    return status == CONVSMITH_OK ? cs_strides_check_apart(&y, s->problem.y_strides) : status;
}

convsmith_status cs_problem_settle(const convsmith_problem *problem, cs_settled *settled) {
    if (problem == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem is NULL");
    settled->problem = *problem;
    convsmith_status status = settle_epilogue(settled);
    if (status == CONVSMITH_OK)
        status = check_enumerations(problem);
    if (status == CONVSMITH_OK)
        status = check_choice(problem);
    if (status == CONVSMITH_OK)
        status = settle_sizes(settled);
    if (status == CONVSMITH_OK)
        status = settle_normalisation(settled);
    return status == CONVSMITH_OK ? settle_strides(settled, problem) : status;
}

/* ---- Layouts ----------------------------------------------------------------------------------------------------- */

static bool has_layout(const cs_shape *shape, const int64_t strides[4], convsmith_layout layout) {
    const int fastest = layout == CONVSMITH_NCHW ? 3 : 1;
    return shape->sizes[fastest] == 1 || strides[fastest] == 1;
}

bool cs_problem_has_layout(const cs_settled *s, convsmith_layout layout) {
    const cs_shape x = shape_of_x(s), y = shape_of_y(s);
    return has_layout(&x, s->problem.x_strides, layout) && has_layout(&y, s->problem.y_strides, layout);
}

bool cs_problem_is_contiguous(const cs_settled *s) {
    return cs_strides_are_contiguous(shape_of_x(s).sizes, s->problem.x_strides) &&
           cs_strides_are_contiguous(shape_of_y(s).sizes, s->problem.y_strides);
}
