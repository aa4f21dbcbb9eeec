/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include "src/device/element.h"

#include <math.h>

/* The channels of a sample are in so many slices. */
static int64_t slices_of(const convsmith_problem *problem, const cs_chain *chain) {
    if (chain->normalisation < 0)
        return 1;
    return chain->steps[chain->normalisation].step == CS_STEP_INSTANCE_NORM ? problem->c_out : problem->groups;
}

static bool check_sizes(const convsmith_problem *p, cs_message *message) {
    const int64_t none_negative[] = {p->pad_h, p->pad_w, p->n - 1, p->h - 1, p->w - 1, p->kh - 1, p->kw - 1},
                  positive[] = {p->stride_h, p->stride_w, p->dilation_h, p->dilation_w, p->conv_groups};
    for (size_t i = 0; i < sizeof none_negative / sizeof *none_negative; i++)
        if (none_negative[i] < 0)
            return cs_refuse(message, "sizes must be positive, padding 0 or more");
    for (size_t i = 0; i < sizeof positive / sizeof *positive; i++)
        if (positive[i] < 1)
            return cs_refuse(message, "strides, dilations and conv_groups must be positive");
    if (p->c_in % p->conv_groups != 0 || p->c_out % p->conv_groups != 0)
        return cs_refuse(message, "conv_groups must divide the number of channels");
    return (cs_problem_h_out(p) > 0 && cs_problem_w_out(p) > 0) ||
           cs_refuse(message, "a padded image smaller than the kernel has no output");
}

bool cs_reference_init(cs_reference *r, const convsmith_problem *problem, const convsmith_params *params, const void *x,
                       cs_message *message) {
    *r = (cs_reference){.problem = cs_problem_in_full(problem), .params = *params, .x = x, .spread = 1};
    if (!cs_chain_read(problem->epilogue, &r->chain, message) || !check_sizes(&r->problem, message))
        return false;
    r->h_out = cs_problem_h_out(&r->problem);
    r->w_out = cs_problem_w_out(&r->problem);
    r->x_view = cs_view_x(&r->problem);
    r->y_view = cs_view_y(&r->problem);
    r->weight_view = cs_view_weight(&r->problem, params);
    r->slices = slices_of(problem, &r->chain);
    if (r->slices < 1 || problem->c_out % r->slices != 0)
        return cs_refuse(message, "groups must divide the number of output channels");
    if (params->step_count != (size_t)r->chain.count)
        return cs_refuse(message, "there are parameters of %zu steps for an epilogue of %d", params->step_count,
                         r->chain.count);
    r->slice_channels = problem->c_out / r->slices;
    r->slice_size = r->slice_channels * r->h_out * r->w_out;
    return true;
}

/* ---- The convolution --------------------------------------------------------------------------------------------- */

/* One tap along rows or columns: output o meets input o * stride + offset, which exists for o in first..end - 1. */
typedef struct reach {
    int64_t stride, offset, first, end;
} reach;

static reach reach_of(int64_t outputs, int64_t inputs, int64_t stride, int64_t offset) {
    const int64_t last = inputs - 1 - offset;
    reach r = {stride, offset, offset < 0 ? (-offset + stride - 1) / stride : 0, last < 0 ? 0 : last / stride + 1};
    if (r.end > outputs)
        r.end = outputs;
    if (r.first > r.end)
        r.first = r.end;
    return r;
}

enum { INPUTS = 512 };

/* Neighbours along a row of x, as doubles. */
typedef struct inputs {
    double values[INPUTS];
    int64_t first, count;
} inputs;

/* Brings those of the row that begins at `row` from column `first` on. */
static void read_inputs(const cs_reference *r, int64_t row, int64_t first, inputs *in) {
    const int64_t step = r->x_view.strides[3], left = r->problem.w - first;
    in->first = first;
    in->count = left < INPUTS ? left : INPUTS;
    for (int64_t j = 0; j < in->count; j++)
        in->values[j] = (double)load_element((int32_t)r->problem.dtype, r->x, row + (first + j) * step);
}

/* z, a row, += tap * the inputs, for the tap that lies `offset` columns to the right of an output's first. */
static void add_tap(const cs_reference *r, double *z, double tap, int64_t offset, const inputs *in) {
    const reach columns = reach_of(r->w_out, in->count, r->problem.stride_w, offset - in->first);
    if (columns.stride == 1) /* alone, since it is most of the work of a check */
        for (int64_t j = columns.first; j < columns.end; j++)
            z[j] += tap * in->values[j + columns.offset];
    else
        for (int64_t j = columns.first; j < columns.end; j++)
            z[j] += tap * in->values[j * columns.stride + columns.offset];
}

static double weight_at(const cs_reference *r, int64_t channel, int64_t c, int64_t i, int64_t j) {
    const int64_t *s = r->weight_view.strides;
    const float weight =
        load_element((int32_t)r->params.dtype, r->params.weight, channel * s[0] + c * s[1] + i * s[2] + j * s[3]);
    return (double)round_to_element((int32_t)r->problem.dtype, weight);
}

/* Channels `first` to `first` + `count` - 1 of y, that are sums over the same channels of x. */
typedef struct channel_run {
    int64_t first, count;
} channel_run;

/* What row p of the filters adds to row i of the run's planes in z, from x's row that begins at `row` of channel c. */
static void add_row(const cs_reference *r, const channel_run *run, double *z, int64_t c, int64_t p, int64_t i,
                    int64_t row) {
    const convsmith_problem *const problem = &r->problem;
    inputs in;
    for (int64_t column = 0; column < problem->w; column += INPUTS) {
        read_inputs(r, row, column, &in);
        for (int64_t k = 0; k < run->count; k++)
            for (int64_t q = 0; q < problem->kw; q++)
                add_tap(r, z + (k * r->h_out + i) * r->w_out, weight_at(r, run->first + k, c, p, q),
                        q * problem->dilation_w - problem->pad_w, &in);
    }
}

/* z[k][i][j] = sum over (c, p, q) of weight[first + k][c][p][q] * x[sample][group + c][i * stride_h + p * dilation_h -
 * pad_h][j * stride_w + q * dilation_w - pad_w], `group` being the first channel of x in the run's group. */
static void convolve(const cs_reference *r, int64_t sample, const channel_run *run, double *z) {
    const convsmith_problem *p = &r->problem;
    const int64_t channels = p->c_in / p->conv_groups;
    const int64_t group = run->first / (p->c_out / p->conv_groups) * channels;
    const int64_t *strides = r->x_view.strides;
    for (int64_t i = 0; i < run->count * r->h_out * r->w_out; i++)
        z[i] = 0;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t tap = 0; tap < p->kh; tap++) {
            const reach rows = reach_of(r->h_out, p->h, p->stride_h, tap * p->dilation_h - p->pad_h);
            const int64_t plane = sample * strides[0] + (group + c) * strides[1];
            for (int64_t i = rows.first; i < rows.end; i++)
                add_row(r, run, z, c, tap, i, plane + (i * rows.stride + rows.offset) * strides[2]);
        }
}

/* The convolutions of a slice, a run of channels at a time. */
static void convolve_slice(const cs_reference *r, int64_t sample, int64_t slice, double *z) {
    const int64_t together = r->problem.c_out / r->problem.conv_groups;
    const int64_t begin = slice * r->slice_channels, end = begin + r->slice_channels;
    channel_run run = {begin, 0};
    for (; run.first < end; run.first += run.count) {
        const int64_t group_end = (run.first / together + 1) * together;
        run.count = (group_end < end ? group_end : end) - run.first;
        convolve(r, sample, &run, z + (run.first - begin) * r->h_out * r->w_out);
    }
}

/* ---- The epilogue ------------------------------------------------------------------------------------------------ */

static double value_of(const cs_reference *r, const void *channels, cs_role role, int64_t channel) {
    if (!channels)
        return role == CS_FACTOR ? 1 : 0;
    return (double)load_element((int32_t)r->params.dtype, channels, channel);
}

/* What step `index` of the chain reads for a channel. */
static cs_operands operands_of(const cs_reference *r, int index, int64_t channel) {
    const cs_chain_step *s = &r->chain.steps[index];
    const convsmith_step *given = &r->params.steps[index];
    const cs_step_info *info = cs_step_get_info(s->step);
    cs_operands o = {.step = s->step};
    for (int i = 0; i < info->value_count; i++)
        o.values[i] = value_of(r, given->values[i], info->values[i].role, channel);
    for (int i = 0; i < info->constant_count; i++)
        o.constants[i] = (double)(s->is_fixed ? s->constants : given->constants)[i];
    return o;
}

/* The greatest error, the greatest gain and the sum of gains of finite elements, and their number. */
typedef struct tally {
    double error, gain, gains;
    int64_t count;
} tally;

static void add_traced(tally *all, const cs_traced *t) {
    if (!isfinite(t->value) || !isfinite(t->error) || !isfinite(t->gain))
        return;
    all->error = fmax(all->error, t->error);
    all->gain = fmax(all->gain, t->gain);
    all->gains += t->gain;
    all->count++;
}

/* Steps `first` to `last` - 1 of the chain: what they read for a channel, whose input a mul_input_of reads, which
 * tensor an add_tensor, and whether their own input is kept. `plane`: the channel's first element in y. */
typedef struct stretch {
    const cs_reference *reference;
    int64_t plane;
    int first, last;
    cs_operands operands[CS_MAX_STEPS];
    int input[CS_MAX_STEPS], tensor[CS_MAX_STEPS];
    bool keeps[CS_MAX_STEPS];
} stretch;

static stretch stretch_of(const cs_reference *r, int64_t sample, int64_t channel, int first, int last) {
    stretch s = {.reference = r, .first = first, .last = last};
    s.plane = (sample * r->problem.c_out + channel) * r->h_out * r->w_out;
    for (int i = first; i < last; i++) {
        s.operands[i] = operands_of(r, i, channel);
        s.input[i] = cs_chain_input(&r->chain, i);
        s.tensor[i] = cs_chain_tensor(&r->chain, i);
        s.keeps[i] = cs_chain_keeps(&r->chain, i);
    }
    return s;
}

static double tensor_at(const cs_reference *r, int tensor, int64_t i) {
    return (double)load_element((int32_t)r->problem.dtype, r->tensors[tensor], cs_view_place(&r->y_view, i));
}

/* The value at element `pixel` of the plane. */
static double trace_stretch(const stretch *s, int64_t pixel, cs_traced t, tally *all) {
    cs_traced received[CS_MAX_STEPS];
    for (int i = s->first; i < s->last; i++) {
        if (s->keeps[i]) /* ends what affine steps before it are folded to */
            cs_trace_end(&t);
        received[i] = t;
        if (s->input[i] >= 0)
            cs_trace_product(&t, &received[s->input[i]]);
        else if (s->tensor[i] >= 0)
            cs_trace_sum(&t, tensor_at(s->reference, s->tensor[i], s->plane + pixel));
        else
            cs_trace_step(&t, &s->operands[i]);
    }
    cs_trace_end(&t);
    add_traced(all, &t);
    return t.value;
}

/* All steps before the normalisation, on a channel's plane. */
static void trace_plane(const cs_reference *r, int64_t sample, int64_t channel, double *y, tally *all) {
    const int steps = r->chain.normalisation < 0 ? r->chain.count : r->chain.normalisation;
    const stretch s = stretch_of(r, sample, channel, 0, steps);
    for (int64_t i = 0; i < r->h_out * r->w_out; i++) {
        cs_traced t = cs_trace_begin(y[i]);
        t.error = r->sum_error;
        y[i] = trace_stretch(&s, i, t, all);
    }
}

cs_line cs_reference_line(const cs_reference *r, int64_t channel, double *enlarged) {
    const cs_operands norm = operands_of(r, r->chain.normalisation, channel);
    cs_line all = {norm.values[0], norm.values[1], fabs(norm.values[1]), 0};
    *enlarged = 1;
    for (int i = r->chain.normalisation + 1; i < cs_chain_behind(&r->chain); i++) {
        const cs_operands o = operands_of(r, i, channel);
        const cs_line line = cs_line_of(&o);
        all.a *= line.a;
        all.b = all.b * line.a + line.b;
        all.mass = all.mass * fabs(line.a) + line.mass;
        all.roundings += line.roundings;
        *enlarged *= fabs(line.a);
    }
    return all;
}

double cs_reference_normalised_error(const cs_line *line, double value, const cs_slice_statistics *s) {
    const double part = fabs(value - line->b);
    return s->error * s->rstd * (2 * fabs(line->a) + part) + (16 + line->roundings) * 0x1p-24 * (part + line->mass);
}

/* Mean, then the mean squared deviation from it: the biased variance, as torch.nn.GroupNorm has it. */
static void measure(const double *values, int64_t count, double eps, cs_slice_statistics *s) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++)
        sum += values[i];
    s->mean = sum / (double)count;
    for (int64_t i = 0; i < count; i++)
        squares += (values[i] - s->mean) * (values[i] - s->mean);
    if (isfinite(squares) && squares > 0x1p127)
        s->error = INFINITY;
    s->rstd = 1 / sqrt(squares / (double)count + eps);
}

/* A channel's plane, and all steps behind the normalisation. */
static void normalise_plane(const cs_reference *r, int64_t sample, int64_t channel, const cs_slice_statistics *s,
                            double *y, tally *all) {
    double enlarged;
    const cs_line line = cs_reference_line(r, channel, &enlarged);
    const stretch behind = stretch_of(r, sample, channel, cs_chain_behind(&r->chain), r->chain.count);
    for (int64_t i = 0; i < r->h_out * r->w_out; i++) {
        cs_traced t = cs_trace_begin((y[i] - s->mean) * s->rstd * line.a + line.b);
        t.error = cs_reference_normalised_error(&line, t.value, s);
        y[i] = trace_stretch(&behind, i, t, all);
    }
}

static void normalise(const cs_reference *r, int64_t sample, int64_t first_channel, cs_slice_statistics *s, double *y) {
    tally all = {0};
    for (int64_t c = 0; c < r->slice_channels; c++)
        normalise_plane(r, sample, first_channel + c, s, y + c * r->h_out * r->w_out, &all);
    s->behind_error = isinf(s->error) ? INFINITY : all.error;
    s->behind_gain = all.gain;
}

void cs_reference_slice(const cs_reference *r, int64_t sample, int64_t slice, double *y,
                        cs_slice_statistics *statistics) {
    const int64_t plane = r->h_out * r->w_out, first_channel = slice * r->slice_channels;
    tally all = {0};
    convolve_slice(r, sample, slice, y);
    for (int64_t c = 0; c < r->slice_channels; c++)
        trace_plane(r, sample, first_channel + c, y + c * plane, &all);
    cs_slice_statistics s = {
        .mean = 0, .rstd = 1, .error = all.error, .gain = all.count ? all.gains / (double)all.count : 0};
    if (r->chain.normalisation >= 0) {
        measure(y, r->slice_size, r->problem.eps, &s);
        normalise(r, sample, first_channel, &s, y);
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
