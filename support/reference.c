/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include "src/device/element.h"

#include <math.h>

bool cs_reference_init(cs_reference *r, const convsmith_problem *problem, const convsmith_params *params, const void *x,
                       cs_message *message) {
    *r = (cs_reference){.problem = *problem, .params = *params, .x = x};
    if (!cs_chain_parse(problem->epilogue, &r->chain, message))
        return false;
    if (problem->h < problem->kh || problem->w < problem->kw)
        return cs_refuse(message, "an image smaller than the kernel has no output");
    r->h_out = problem->h - problem->kh + 1;
    r->w_out = problem->w - problem->kw + 1;
    r->slices = cs_chain_has(&r->chain, CS_STEP_GROUP_NORM) ? problem->groups : 1;
    if (r->slices < 1 || problem->c_out % r->slices != 0)
        return cs_refuse(message, "groups must divide the number of output channels");
    r->slice_channels = problem->c_out / r->slices;
    r->slice_size = r->slice_channels * r->h_out * r->w_out;
    return true;
}

/* row += tap * x from element `first` on. */
static void add_row(double *row, int64_t columns, double tap, convsmith_dtype dtype, const void *x, int64_t first) {
    if (dtype == CONVSMITH_F32) /* alone, since it is most of the work of a check */
        for (int64_t j = 0; j < columns; j++)
            row[j] += tap * (double)((const float *)x)[first + j];
    else
        for (int64_t j = 0; j < columns; j++)
            row[j] += tap * (double)load_element((int32_t)dtype, x, first + j);
}

/* z += tap * x from element `first` on, a row of x a row of z. */
static void add_tap(const cs_reference *r, double *z, double tap, int64_t first) {
    for (int64_t i = 0; i < r->h_out; i++)
        add_row(z + i * r->w_out, r->w_out, tap, r->problem.dtype, r->x, first + i * r->problem.w);
}

static double weight_at(const cs_reference *r, int64_t i) {
    const float weight = load_element((int32_t)r->params.dtype, r->params.weight, i);
    return (double)round_to_element((int32_t)r->problem.dtype, weight);
}

/* z[i][j] = sum over (c, p, q) of weight[channel][c][p][q] * x[sample][c][i + p][j + q] */
static void convolve(const cs_reference *r, int64_t sample, int64_t channel, double *z) {
    const convsmith_problem *p = &r->problem;
    for (int64_t i = 0; i < r->h_out * r->w_out; i++)
        z[i] = 0;
    for (int64_t c = 0; c < p->c_in; c++)
        for (int64_t i = 0; i < p->kh; i++)
            for (int64_t j = 0; j < p->kw; j++)
                add_tap(r, z, weight_at(r, ((channel * p->c_in + c) * p->kh + i) * p->kw + j),
                        ((sample * p->c_in + c) * p->h + i) * p->w + j);
}

static double sigmoid(double v) { return 1 / (1 + exp(-v)); }

static double parameter(const cs_reference *r, const void *channels, int64_t channel) {
    return (double)load_element((int32_t)r->params.dtype, channels, channel);
}

/* Every step but the normalisation, in the chain's order. */
static double pointwise(const cs_reference *r, int64_t channel, double v) {
    for (int i = 0; i < r->chain.count; i++)
        switch (r->chain.steps[i]) {
        case CS_STEP_BIAS:
            v += parameter(r, r->params.conv_bias, channel);
            break;
        case CS_STEP_ADD_CHANNEL:
            v += parameter(r, r->params.bias, channel);
            break;
        case CS_STEP_MUL_CHANNEL:
            v *= parameter(r, r->params.scale, channel);
            break;
        case CS_STEP_SIGMOID:
            v = sigmoid(v);
            break;
        case CS_STEP_GROUP_NORM:
        case CS_STEP_COUNT:
            break;
        }
    return v;
}

/* Mean, then the mean squared deviation from it: the biased variance, as torch.nn.GroupNorm has it. */
static void measure(const double *values, int64_t count, double eps, cs_slice_statistics *s) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++)
        sum += values[i];
    s->mean = sum / (double)count;
    for (int64_t i = 0; i < count; i++)
        squares += (values[i] - s->mean) * (values[i] - s->mean);
    s->rstd = 1 / sqrt(squares / (double)count + eps);
}

static void normalise(const cs_reference *r, int64_t first_channel, const cs_slice_statistics *s, double *y) {
    const int64_t plane = r->h_out * r->w_out;
    for (int64_t c = 0; c < r->slice_channels; c++) {
        const double weight = parameter(r, r->params.group_norm_weight, first_channel + c);
        const double bias = parameter(r, r->params.group_norm_bias, first_channel + c);
        for (int64_t i = c * plane; i < (c + 1) * plane; i++)
            y[i] = (y[i] - s->mean) * s->rstd * weight + bias;
    }
}

static double greatest_magnitude(const double *values, int64_t count) {
    double peak = 0;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            peak = fmax(peak, fabs(values[i]));
    return peak;
}

void cs_reference_slice(const cs_reference *r, int64_t sample, int64_t slice, double *y,
                        cs_slice_statistics *statistics) {
    const int64_t plane = r->h_out * r->w_out, first_channel = slice * r->slice_channels;
    for (int64_t c = 0; c < r->slice_channels; c++) {
        convolve(r, sample, first_channel + c, y + c * plane);
        for (int64_t i = c * plane; i < (c + 1) * plane; i++)
            y[i] = pointwise(r, first_channel + c, y[i]);
    }
    cs_slice_statistics s = {.mean = 0, .rstd = 1, .peak = greatest_magnitude(y, r->slice_size)};
    if (cs_chain_has(&r->chain, CS_STEP_GROUP_NORM)) {
        measure(y, r->slice_size, r->problem.eps, &s);
        normalise(r, first_channel, &s, y);
    }
    if (statistics)
        *statistics = s;
}

void cs_reference_run(const cs_reference *r, double *y, cs_slice_statistics *statistics) {
    for (int64_t sample = 0; sample < r->problem.n; sample++)
        for (int64_t slice = 0; slice < r->slices; slice++) {
            const int64_t index = sample * r->slices + slice;
            cs_reference_slice(r, sample, slice, y + index * r->slice_size, statistics ? &statistics[index] : NULL);
        }
}
