/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "case_check.h"
#include "operation.h"
#include "src/plan.h"
#include "view.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- In words ---------------------------------------------------------------------------------------------------- */

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
add(cs_sample_words *words, const char *format, ...) {
    const size_t used = strlen(words->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words->text + used, sizeof words->text - used, format, arguments);
    va_end(arguments);
}

static void add_view(cs_sample_words *words, const char *name, const cs_view *view) {
    const int64_t *n = view->sizes, *s = view->strides;
    add(words, "%s [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 "]", name, n[0], n[1], n[2], n[3]);
    if (!cs_view_is_contiguous(view))
        add(words, " strides (%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ")", s[0], s[1], s[2], s[3]);
}

static void add_pair(cs_sample_words *words, const char *name, int64_t h, int64_t w, int64_t usual) {
    if (h != usual || w != usual)
        add(words, ", %s %" PRId64 "x%" PRId64, name, h, w);
}

static void add_number(cs_sample_words *words, const char *name, int64_t value, int64_t usual) {
    if (value != usual)
        add(words, ", %s %" PRId64, name, value);
}

cs_sample_words cs_sample_describe(const cs_sample *sample) {
    const convsmith_problem *p = &sample->subject.problem;
    convsmith_params params = {0};
    memcpy(params.weight_strides, sample->subject.weight_strides, sizeof params.weight_strides);
    const cs_view x = cs_view_x(p), weight = cs_view_weight(p, &params), y = cs_view_y(p);
    cs_sample_words words = {""};
    add(&words, "%s %s ", convsmith_dtype_name(p->dtype), convsmith_math_name(p->math));
    add_view(&words, "x", &x);
    add(&words, ", %s ", convsmith_dtype_name(sample->subject.params_dtype));
    add_view(&words, "weight", &weight);
    add_view(&words, ", y", &y);
    add_pair(&words, "stride", p->stride_h, p->stride_w, 1);
    add_pair(&words, "padding", p->pad_h, p->pad_w, 0);
    add_pair(&words, "dilation", p->dilation_h, p->dilation_w, 1);
    add_number(&words, "conv_groups", p->conv_groups, 1);
    add_number(&words, "groups", p->groups, 0);
    add(&words, ", '%s', %s data %d, aligned to %zu", p->epilogue, cs_family_name(sample->family), sample->variant,
        sample->alignment);
    return words;
}

/* ---- Checking ---------------------------------------------------------------------------------------------------- */

/* How far the sums of random data may be off: a walk of fp32's roundings, or of those of tf32's numbers. Epilogues that
 * are steep enlarge it by more than their mean slope. */
static double sum_error(const cs_case *c) {
    const convsmith_problem *p = &c->problem;
    const double taps = (double)(p->c_in / p->conv_groups * p->kh * p->kw);
    const bool is_coarse = p->dtype == CONVSMITH_F32 && p->math == CONVSMITH_MATH_TF32;
    return c->spread * (8 * sqrt(taps) * 0x1p-24 + (is_coarse ? 4e-3 : 0));
}

/* Without numbers where the defaults are meant, in half of the samples. */
static convsmith_problem as_called(const cs_sample *sample, const cs_case *c) {
    convsmith_problem p = c->problem;
    const cs_view x = cs_view_x(&p), y = cs_view_y(&p);
    if (sample->variant % 2)
        return p;
    p.conv_groups = p.conv_groups == 1 ? 0 : p.conv_groups;
    p.stride_h = p.stride_h == 1 ? 0 : p.stride_h;
    p.dilation_w = p.dilation_w == 1 ? 0 : p.dilation_w;
    if (cs_view_is_contiguous(&x))
        memset(p.x_strides, 0, sizeof p.x_strides);
    if (cs_view_is_contiguous(&y))
        memset(p.y_strides, 0, sizeof p.y_strides);
    return p;
}

static convsmith_status create(convsmith_plan **plan, const cs_sampling *from, const convsmith_problem *problem) {
    return from->kernel ? cs_plan_create_for(plan, problem, from->device, from->kernel)
                        : convsmith_plan_create(plan, problem, from->device);
}

static cs_verdict run(const cs_sampling *from, const cs_sample *sample, const cs_case *c,
                      const convsmith_kernel **kernel, cs_message *message) {
    const bool random = sample->family == CS_FAMILY_RANDOM || sample->family == CS_FAMILY_REPEAT;
    const cs_case_check how = {.device = from->device,
                               .family = sample->family,
                               .alignment = sample->alignment,
                               .sum_error = random ? sum_error(c) : 0};
    const convsmith_problem problem = as_called(sample, c);
    convsmith_plan *plan;
    const convsmith_status status = create(&plan, from, &problem);
    if (!cs_check_status(status, "creating the plan", message))
        return status == CONVSMITH_NO_KERNEL || status == CONVSMITH_UNSUPPORTED_DEVICE ? CS_SKIPPED : CS_FAILED;
    *kernel = convsmith_plan_kernel(plan);
    return cs_check_case(c, &how, plan, message) ? CS_PASSED : CS_FAILED;
}

static void tell_how_to_repeat(const cs_sampling *from, int64_t index, const cs_sample *sample,
                               const convsmith_kernel *kernel, const cs_message *found, cs_message *message) {
    cs_refuse(message, "convsmith check --device %s%s%s%s --sample %" PRIu64 ":%" PRId64 ": %s: %s: %.200s",
              from->device.kind == CONVSMITH_DEVICE_CUDA ? "cuda" : "cpu", from->is_small ? " --small" : "",
              from->kernel ? " --filter " : "", from->kernel ? convsmith_kernel_get_info(from->kernel)->name : "",
              from->seed, index, cs_sample_describe(sample).text,
              kernel ? convsmith_kernel_get_info(kernel)->name : "no kernel", found->text);
}

cs_verdict cs_sample_check(const cs_sampling *from, int64_t index, const convsmith_kernel **kernel,
                           cs_message *message) {
    const convsmith_kernel *ran = NULL;
    cs_message found = {""};
    cs_sample sample;
    cs_case c;
    cs_sample_draw(&sample, from, index);
    cs_verdict verdict = CS_FAILED;
    if (cs_case_create_of(&c, sample.family, &sample.subject, sample.variant, sample.seed, &found)) {
        verdict = run(from, &sample, &c, &ran, &found);
        cs_case_destroy(&c);
    }
    if (verdict == CS_FAILED)
        tell_how_to_repeat(from, index, &sample, ran, &found, message);
    else if (verdict == CS_SKIPPED)
        cs_refuse(message, "%s", found.text);
    if (kernel)
        *kernel = ran;
    return verdict;
}
