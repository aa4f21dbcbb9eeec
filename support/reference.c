/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <math.h>

bool cs_reference_init(cs_reference *r, const convsmith_problem *problem, const convsmith_params *params,
                       const float *x, cs_message *message) {
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

/* plane += tap * image, where the image's rows are `stride` apart. */
static void add_tap(double *plane, int64_t rows, int64_t columns, double tap, const float *image, int64_t stride) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            plane[i * columns + j] += tap * (double)image[i * stride + j];
}

/* z[i][j] = sum over (c, p, q) of weight[channel][c][p][q] * x[sample][c][i + p][j + q] */
static void convolve(const cs_reference *r, int64_t sample, int64_t channel, double *z) {
    const convsmith_problem *p = &r->problem;
    const float *weight = (const float *)r->params.weight + channel * p->c_in * p->kh * p->kw;
    const float *image = r->x + sample * p->c_in * p->h * p->w;
    for (int64_t i = 0; i < r->h_out * r->w_out; i++)
        z[i] = 0;
    for (int64_t c = 0; c < p->c_in; c++)
        for (int64_t i = 0; i < p->kh; i++)
            for (int64_t j = 0; j < p->kw; j++)
                add_tap(z, r->h_out, r->w_out, weight[(c * p->kh + i) * p->kw + j], image + (c * p->h + i) * p->w + j,
                        p->w);
}

static double sigmoid(double v) { return 1 / (1 + exp(-v)); }

static double parameter(const void *channels, int64_t channel) { return ((const float *)channels)[channel]; }

/* Every step but the normalisation, in the chain's order. */
static double pointwise(const cs_reference *r, int64_t channel, double v) {
    for (int i = 0; i < r->chain.count; i++)
        switch (r->chain.steps[i]) {
        case CS_STEP_BIAS:
            v += parameter(r->params.conv_bias, channel);
            break;
        case CS_STEP_ADD_CHANNEL:
            v += parameter(r->params.bias, channel);
            break;
        case CS_STEP_MUL_CHANNEL:
            v *= parameter(r->params.scale, channel);
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
        const double weight = parameter(r->params.group_norm_weight, first_channel + c);
        const double bias = parameter(r->params.group_norm_bias, first_channel + c);
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
