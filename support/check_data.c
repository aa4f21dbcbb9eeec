/* SPDX-License-Identifier: Apache-2.0 */
#include "check_data.h"

#include <math.h>

/* Inputs are whole numbers in -2..2: two mantissa bits, exact in tf32. */
enum { MOST = 2 };

static double taps(const cs_case *c) { return (double)(c->problem.c_in * c->problem.kh * c->problem.kw); }

/* The spread of a sum of `taps` products of two numbers that are evenly one of -2, -1, 0, 1, 2. */
static double whole_spread(const cs_case *c) { return 2 * sqrt(taps(c)); }

static double choose(cs_random *random, const double *values, int count) {
    return values[cs_random_whole(random, 0, count - 1)];
}

static double sign(cs_random *random) { return cs_random_whole(random, 0, 1) ? 1 : -1; }

static void fill_whole(float *values, int64_t count, double unit, cs_random *random) {
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)((double)cs_random_whole(random, -MOST, MOST) * unit);
}

/* Without a zero, so that each tap counts and infinities stay infinities. */
static void fill_whole_nonzero(float *values, int64_t count, double unit, cs_random *random) {
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)((double)cs_random_whole(random, 1, MOST) * sign(random) * unit);
}

static void fill_even(float *values, int64_t count, double mean, double spread, cs_random *random) {
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)(mean + spread * cs_random_even(random));
}

static void fill_norm(cs_case *c, cs_random *random) {
    static const double weights[] = {0.5, 1, -1, 2};
    for (int64_t i = 0; i < c->problem.c_out; i++) {
        c->channels[CS_PARAM_GROUP_NORM_WEIGHT][i] = (float)choose(random, weights, 4);
        c->channels[CS_PARAM_GROUP_NORM_BIAS][i] = (float)cs_random_whole(random, -2, 2);
    }
}

/* Every sum is a whole multiple of `unit`, small enough for fp32 to hold it exactly; the unit is a power of two that
 * brings pre-activations to about unit variance, so that no sigmoid hides a difference. */
void cs_fill_exact(cs_case *c, int index, cs_random *random) {
    (void)index;
    static const double scales[] = {0.5, 1, -1, 2};
    const double unit = exp2(-ceil(log2(whole_spread(c))));
    fill_whole(c->x, c->x_count, 1, random);
    fill_whole_nonzero(c->weight, c->weight_count, unit, random);
    for (int64_t i = 0; i < c->problem.c_out; i++) {
        c->channels[CS_PARAM_CONV_BIAS][i] = (float)((double)cs_random_whole(random, -4, 4) * unit);
        c->channels[CS_PARAM_BIAS][i] = (float)((double)cs_random_whole(random, -4, 4) * unit);
        c->channels[CS_PARAM_SCALE][i] = (float)choose(random, scales, 4);
    }
    fill_norm(c, random);
}

void cs_fill_random(cs_case *c, int index, cs_random *random) {
    (void)index;
    const int64_t channels = c->problem.c_out;
    fill_even(c->x, c->x_count, 0, 1, random);
    fill_even(c->weight, c->weight_count, 0, 1 / sqrt(taps(c)), random);
    fill_even(c->channels[CS_PARAM_CONV_BIAS], channels, 0, 0.25, random);
    fill_even(c->channels[CS_PARAM_BIAS], channels, 0, 0.25, random);
    fill_even(c->channels[CS_PARAM_SCALE], channels, 1, 0.25, random);
    fill_even(c->channels[CS_PARAM_GROUP_NORM_WEIGHT], channels, 1, 0.1, random);
    fill_even(c->channels[CS_PARAM_GROUP_NORM_BIAS], channels, 0, 0.5, random);
}

/* How far a sigmoid varies within a group, and the eps that lets a variance this small matter. */
typedef struct steadiness {
    double spread;
    float eps;
} steadiness;

static const steadiness constants[] = {{1e-5, 1e-9f}, {1e-4, 1e-10f}, {0, 1e-5f}, {1e-6, 1e-5f}};

static void fill_constant_group(cs_case *c, int64_t first, int64_t count, double unit, cs_random *random) {
    static const double bases[] = {-1, -0.5, 0.5, 1}, scales[] = {-1, 0.5, 1};
    const double base = choose(random, bases, 4), scale = choose(random, scales, 3);
    for (int64_t i = first; i < first + count; i++) {
        c->channels[CS_PARAM_CONV_BIAS][i] = (float)(base + (double)cs_random_whole(random, -2, 2) * unit);
        c->channels[CS_PARAM_BIAS][i] = (float)((double)cs_random_whole(random, -2, 2) * unit);
        c->channels[CS_PARAM_SCALE][i] = (float)scale;
    }
}

/* All pre-activations of a group lie close to one value, by tiny weights (a power of two times whole numbers, exact in
 * tf32 as well); a sigmoid's slope there is about 1/4. */
void cs_fill_constant(cs_case *c, int index, cs_random *random) {
    const steadiness *kind = &constants[index % (int)(sizeof constants / sizeof *constants)];
    const double unit = kind->spread > 0 ? exp2(floor(log2(4 * kind->spread / whole_spread(c)))) : 0;
    const int64_t groups = c->problem.groups > 0 ? c->problem.groups : 1, channels = c->problem.c_out / groups;
    c->problem.eps = kind->eps;
    fill_whole(c->x, c->x_count, 1, random);
    fill_whole(c->weight, c->weight_count, unit, random);
    for (int64_t group = 0; group < groups; group++)
        fill_constant_group(c, group * channels, channels, unit, random);
    fill_norm(c, random);
}

/* unit: what whole pre-activations are multiplied by. push: added to every pre-activation of a channel, either sign. */
typedef struct saturation {
    double unit, push;
} saturation;

static const saturation saturations[] = {{128, 0}, {8, 0}, {1, 1000}, {0x1p20, 0}, {0x1p100, 0}};

/* What saturates the sigmoid, as far as the parameter is added before it: behind it all values are about 1. */
static saturation share_of(const cs_case *c, cs_param param, saturation kind) {
    return cs_chain_reads_before(&c->chain, param, CS_STEP_SIGMOID) ? kind : (saturation){1, 0};
}

/* As large as the dtype's numbers allow: an f16 weight may be twice the unit and a bias one and a half of it. */
static saturation within_range(saturation kind, convsmith_dtype dtype) {
    if (dtype == CONVSMITH_F16)
        kind.unit = fmin(kind.unit, 0x1p14);
    return kind;
}

/* The biases are odd multiples of 1/2 and 1/4: no pre-activation is close to 0, where rounding before the sigmoid
 * would decide between its ends. */
void cs_fill_saturated(cs_case *c, int index, cs_random *random) {
    static const double halves[] = {-1.5, -0.5, 0.5, 1.5}, quarters[] = {-0.75, -0.25, 0.25, 0.75};
    static const double scales[] = {-2, -1, 1, 2};
    const saturation kind =
        within_range(saturations[index % (int)(sizeof saturations / sizeof *saturations)], c->problem.dtype);
    const saturation conv_bias = share_of(c, CS_PARAM_CONV_BIAS, kind), bias = share_of(c, CS_PARAM_BIAS, kind);
    fill_whole(c->x, c->x_count, 1, random);
    fill_whole_nonzero(c->weight, c->weight_count, kind.unit, random);
    for (int64_t i = 0; i < c->problem.c_out; i++) {
        const double push = conv_bias.push * sign(random);
        c->channels[CS_PARAM_CONV_BIAS][i] = (float)(choose(random, halves, 4) * conv_bias.unit + push);
        c->channels[CS_PARAM_BIAS][i] = (float)(choose(random, quarters, 4) * bias.unit);
        c->channels[CS_PARAM_SCALE][i] = (float)choose(random, scales, 4);
    }
    fill_norm(c, random);
}

/* Overwrites one element, anywhere, of the last sample of x (that alone, so that the others stay finite). */
static void plant_in_x(cs_case *c, float value, cs_random *random) {
    const int64_t sample = c->x_count / c->problem.n;
    c->x[c->x_count - 1 - cs_random_whole(random, 0, sample - 1)] = value;
}

static void plant_nan_in_x(cs_case *c, cs_random *random) { plant_in_x(c, NAN, random); }

static void plant_infinity_in_x(cs_case *c, cs_random *random) { plant_in_x(c, INFINITY, random); }

static void plant_minus_infinity_in_x(cs_case *c, cs_random *random) { plant_in_x(c, -INFINITY, random); }

/* Opposite infinities that one window sees, where a kernel is wider than 1: their sum is NaN. */
static void plant_both_infinities_in_x(cs_case *c, cs_random *random) {
    (void)random;
    c->x[c->x_count - 1] = INFINITY;
    c->x[c->x_count - 2] = -INFINITY;
}

/* An infinity that only zero weights meet in one channel: NaN there. */
static void plant_infinity_under_zeros(cs_case *c, cs_random *random) {
    const int64_t window = c->weight_count / c->problem.c_out;
    const int64_t channel = cs_random_whole(random, 0, c->problem.c_out - 1);
    plant_in_x(c, INFINITY, random);
    for (int64_t i = 0; i < window; i++)
        c->weight[channel * window + i] = 0;
}

static void plant_nan_in_weight(cs_case *c, cs_random *random) {
    c->weight[cs_random_whole(random, 0, c->weight_count - 1)] = NAN;
}

static void plant_in_channel(cs_case *c, cs_param param, float value, cs_random *random) {
    c->channels[param][cs_random_whole(random, 0, c->problem.c_out - 1)] = value;
}

static void plant_in_biases(cs_case *c, cs_random *random) {
    plant_in_channel(c, CS_PARAM_CONV_BIAS, NAN, random);
    plant_in_channel(c, CS_PARAM_BIAS, INFINITY, random);
}

static void plant_in_scale(cs_case *c, cs_random *random) {
    plant_in_channel(c, CS_PARAM_SCALE, NAN, random);
    plant_in_channel(c, CS_PARAM_GROUP_NORM_BIAS, -INFINITY, random);
}

static void plant_in_norm(cs_case *c, cs_random *random) {
    plant_in_channel(c, CS_PARAM_GROUP_NORM_WEIGHT, NAN, random);
    plant_in_channel(c, CS_PARAM_GROUP_NORM_BIAS, INFINITY, random);
}

static void (*const plantings[])(cs_case *, cs_random *) = {
    plant_nan_in_x,
    plant_infinity_in_x,
    plant_both_infinities_in_x,
    plant_nan_in_weight,
    plant_infinity_under_zeros,
    plant_in_biases,
    plant_in_scale,
    plant_in_norm,
    plant_minus_infinity_in_x,
};

void cs_fill_nonfinite(cs_case *c, int index, cs_random *random) {
    cs_fill_exact(c, index, random);
    plantings[index % (int)(sizeof plantings / sizeof *plantings)](c, random);
}
