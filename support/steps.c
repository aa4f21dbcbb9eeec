/* SPDX-License-Identifier: Apache-2.0 */
#include "steps.h"

#include <math.h>

static const double unit = 0x1p-24, tiny = 0x1p-126, greatest = 0x1.fffffep127;

/* ---- Pointwise steps, by the formulas of PyTorch's documentation (torch.nn, torch.nn.functional) ----------------- */

/* torch.clamp(max=c) and (min=c): NaN stays NaN, which fmin and fmax would lose. */
static double lesser(double v, const double *c) { return v > c[0] ? c[0] : v; }
static double greater(double v, const double *c) { return v < c[0] ? c[0] : v; }
static double clamp(double v, const double *c) { return lesser(greater(v, c), c + 1); }

static double within(double v, double least, double most) { return clamp(v, (const double[]){least, most}); }

static double relu(double v, const double *c) {
    (void)c;
    return v < 0 ? 0 : v;
}

static double leaky_relu(double v, const double *c) { return v < 0 ? c[0] * v : v; }

static double sigmoid(double v, const double *c) {
    (void)c;
    return 1 / (1 + exp(-v));
}

static double hyperbolic_tangent(double v, const double *c) {
    (void)c;
    return tanh(v);
}

static double silu(double v, const double *c) { return v * sigmoid(v, c); }

/* beta = 1, threshold = 20: above it the value itself. */
static double softplus(double v, const double *c) {
    (void)c;
    return v > 20 ? v : log1p(exp(v));
}

static double mish(double v, const double *c) { return v * tanh(softplus(v, c)); }

static double hardsigmoid(double v, const double *c) {
    (void)c;
    return within(v + 3, 0, 6) / 6;
}

static double hardswish(double v, const double *c) { return v * hardsigmoid(v, c); }

static double gelu(double v, const double *c) {
    (void)c;
    return v * 0.5 * (1 + erf(v * sqrt(0.5)));
}

static double gelu_tanh(double v, const double *c) {
    (void)c;
    return 0.5 * v * (1 + tanh(sqrt(2 / acos(-1)) * (v + 0.044715 * v * v * v)));
}

static double elu(double v, const double *c) { return v < 0 ? c[0] * expm1(v) : v; }

static double square(double v, const double *c) {
    (void)c;
    return v * v;
}

static double magnitude(double v, const double *c) {
    (void)c;
    return fabs(v);
}

/* EXACT: chooses among numbers that there are. ROUNDED: one multiplication. COMPUTED: fp32 functions are within a few
 * units of 2^-24 of max(1, |result|), or of what the result is a part of (elu: alpha). */
typedef enum precision { EXACT, ROUNDED, COMPUTED } precision;

static const struct {
    double (*function)(double v, const double *constants);
    precision precision;
} pointwise[CS_STEP_COUNT] = {
    [CS_STEP_MIN_CONST] = {lesser, EXACT},
    [CS_STEP_MAX_CONST] = {greater, EXACT},
    [CS_STEP_CLAMP] = {clamp, EXACT},
    [CS_STEP_RELU] = {relu, EXACT},
    [CS_STEP_LEAKY_RELU] = {leaky_relu, ROUNDED},
    [CS_STEP_SIGMOID] = {sigmoid, COMPUTED},
    [CS_STEP_TANH] = {hyperbolic_tangent, COMPUTED},
    [CS_STEP_SILU] = {silu, COMPUTED},
    [CS_STEP_MISH] = {mish, COMPUTED},
    [CS_STEP_HARDSWISH] = {hardswish, COMPUTED},
    [CS_STEP_HARDSIGMOID] = {hardsigmoid, COMPUTED},
    [CS_STEP_SOFTPLUS] = {softplus, COMPUTED},
    [CS_STEP_GELU] = {gelu, COMPUTED},
    [CS_STEP_GELU_TANH] = {gelu_tanh, COMPUTED},
    [CS_STEP_ELU] = {elu, COMPUTED},
    [CS_STEP_SQUARE] = {square, ROUNDED},
    [CS_STEP_ABS] = {magnitude, EXACT},
};

bool cs_step_is_curved(cs_step step) {
    return pointwise[step].function != NULL && pointwise[step].precision == COMPUTED;
}

static double own_error(const cs_operands *o, double result) {
    switch (pointwise[o->step].precision) {
    case EXACT:
        return 0;
    case ROUNDED:
        return unit * fabs(result) + tiny;
    case COMPUTED:
        break;
    }
    const double alpha = o->step == CS_STEP_ELU ? fabs(o->constants[0]) : 1;
    return 6 * unit * fmax(fmax(1, alpha), fabs(result));
}

/* ---- Affine steps ------------------------------------------------------------------------------------------------ */

static cs_line plus(double p) { return (cs_line){1, p, fabs(p), 1}; }
static cs_line times(double p, int roundings) { return (cs_line){p, 0, 0, roundings}; }

static cs_line batch_norm(const double *values, double eps) {
    const double a = values[0] / sqrt(values[3] + eps), shift = values[2] * a;
    return (cs_line){a, values[1] - shift, fabs(values[1]) + fabs(shift), 5};
}

cs_line cs_line_of(const cs_operands *o) {
    switch (o->step) {
    case CS_STEP_BIAS:
    case CS_STEP_ADD_CHANNEL:
        return plus(o->values[0]);
    case CS_STEP_SUB_CHANNEL:
        return plus(-o->values[0]);
    case CS_STEP_MUL_CHANNEL:
        return times(o->values[0], 1);
    case CS_STEP_DIV_CHANNEL:
        return times(1 / o->values[0], 2);
    case CS_STEP_ADD_CONST:
        return plus(o->constants[0]);
    case CS_STEP_SUB_CONST:
        return plus(-o->constants[0]);
    case CS_STEP_MUL_CONST:
        return times(o->constants[0], 1);
    case CS_STEP_DIV_CONST:
        return times(1 / o->constants[0], 2);
    case CS_STEP_BATCH_NORM:
        return batch_norm(o->values, o->constants[0]);
    default:
        return times(1, 0);
    }
}

/* ---- Tracing ----------------------------------------------------------------------------------------------------- */

cs_traced cs_trace_begin(double value) { return (cs_traced){value, fabs(value), 0, 1}; }

/* What fp32 cannot hold is an infinity, or 0. */
static double held(double value) { return fabs(value) > greatest ? copysign(INFINITY, value) : value; }

static void trace_line(cs_traced *t, const cs_operands *o) {
    const cs_line line = cs_line_of(o);
    t->value = held(t->value * line.a + line.b);
    t->mass = t->mass * fabs(line.a) + line.mass;
    t->error = t->error * fabs(line.a) + line.roundings * (unit * t->mass + tiny);
    t->gain *= fabs(line.a);
}

/* The steps' common product and sum, and the constant of an exponential that is folded into them. */
void cs_trace_end(cs_traced *t) {
    t->error += 2 * unit * t->mass;
    t->mass = fabs(t->value);
}

/* The greatest slope of a step from v to v + h and v - h. */
static double slope_of(const cs_operands *o, double v, double h) {
    double (*const f)(double, const double *) = pointwise[o->step].function;
    const double here = f(v, o->constants);
    return fmax(fabs(f(v + h, o->constants) - here), fabs(f(v - h, o->constants) - here)) / h;
}

static void trace_pointwise(cs_traced *t, const cs_operands *o) {
    cs_trace_end(t);
    const double v = t->value;
    t->value = held(pointwise[o->step].function(v, o->constants));
    t->mass = fabs(t->value);
    /* An infinity is exactly that in fp32 too. */
    const double slope = isfinite(v) ? slope_of(o, v, fmax(t->error, 0x1p-23 * fmax(1, fabs(v)))) : 0;
    t->error = (slope > 0 ? slope * t->error : 0) + own_error(o, t->value);
    t->gain *= slope;
}

void cs_trace_step(cs_traced *t, const cs_operands *o) {
    if (cs_step_get_info(o->step)->kind == CS_AFFINE)
        trace_line(t, o);
    else
        trace_pointwise(t, o);
}

void cs_trace_product(cs_traced *t, const cs_traced *other) {
    cs_traced u = *other;
    cs_trace_end(t);
    cs_trace_end(&u);
    const double v = fabs(t->value), w = fabs(u.value);
    t->value = held(t->value * u.value);
    t->error = v * u.error + w * t->error + u.error * t->error + unit * v * w + tiny;
    t->gain = v * u.gain + w * t->gain;
    t->mass = fabs(t->value);
}

void cs_trace_sum(cs_traced *t, double addend) {
    cs_trace_end(t);
    t->value = held(t->value + addend);
    t->mass += fabs(addend);
    t->error += unit * t->mass;
}
