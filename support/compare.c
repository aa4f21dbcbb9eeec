/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include "src/device/element.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const double unit = 0x1p-24;

cs_bound cs_bound_of(convsmith_math math) { return math == CONVSMITH_MATH_TF32 ? CS_BOUND_TF32 : CS_BOUND_FP32; }

static bool goes_on_behind(const cs_reference *r) { return cs_chain_behind(&r->chain) < r->chain.count; }

static double rounding_bound(const cs_reference *r, int64_t channel, double y, const cs_slice_statistics *s) {
    if (r->chain.normalisation < 0)
        return s->error + 16 * unit * fabs(y);
    if (goes_on_behind(r))
        return s->behind_error;
    double enlarged;
    const cs_line line = cs_reference_line(r, channel, &enlarged);
    return cs_reference_normalised_error(&line, y, s);
}

static double random_bound(const cs_reference *r, double tolerance, int64_t channel, double y,
                           const cs_slice_statistics *s) {
    double enlarged = 1;
    if (r->chain.normalisation >= 0)
        cs_reference_line(r, channel, &enlarged);
    if (goes_on_behind(r))
        enlarged *= s->behind_gain;
    return tolerance * (1 + fabs(y)) * fmax(1, s->gain * s->rstd * r->spread) * fmax(1, enlarged) +
           rounding_bound(r, channel, y, s);
}

/* How far the value that is to be y may be off. */
static double value_bound(const cs_reference *r, cs_bound bound, int64_t channel, double expected,
                          const cs_slice_statistics *statistics) {
    if (bound == CS_BOUND_ROUNDING)
        return rounding_bound(r, channel, expected, statistics);
    return random_bound(r, bound == CS_BOUND_TF32 ? 5e-3 : 1e-4, channel, expected, statistics);
}

/* Half of the last place of a 16-bit element of this magnitude. */
static double half_place(convsmith_dtype dtype, double magnitude) {
    int exponent = 0; /* magnitude < 2^exponent */
    frexp(isfinite(magnitude) ? magnitude : 0, &exponent);
    return dtype == CONVSMITH_F16 ? fmax(ldexp(1, exponent - 12), 0x1p-25) : ldexp(1, exponent - 9);
}

/* How far y may be from the expected value of an element of the channel, in a slice of these statistics. */
static double bound_at(const cs_reference *r, cs_bound bound, int64_t channel, double expected,
                       const cs_slice_statistics *statistics) {
    if (isinf(statistics->error))
        return INFINITY;
    const double value = value_bound(r, bound, channel, expected, statistics);
    if (r->problem.dtype == CONVSMITH_F32)
        return value;
    return value + half_place(r->problem.dtype, fabs(expected) + value);
}

/* From this magnitude on the nearest element is an infinity. */
static double limit_of(convsmith_dtype dtype) {
    static const double limits[] = {
        [CONVSMITH_F32] = 0x1.ffffffp127, [CONVSMITH_F16] = 0x1.ffep15, [CONVSMITH_BF16] = 0x1.ffp127};
    return limits[dtype];
}

/* A value close to where infinity begins may be that or not. */
static bool is_right(double got, double expected, double bound, double limit) {
    if (isnan(expected))
        return isnan(got);
    if (isinf(expected))
        return got == expected;
    if (isinf(bound))
        return true;
    if (isinf(got))
        return (got > 0 ? expected : -expected) + bound >= limit;
    return fabs(got - expected) <= bound;
}

/* The four indices of an element of y, for people. */
typedef struct place {
    char text[96];
} place;

static place place_of(const cs_reference *r, int64_t sample, int64_t slice, int64_t i) {
    const int64_t plane = r->h_out * r->w_out;
    place p;
    snprintf(p.text, sizeof p.text, "y[%" PRId64 "][%" PRId64 "][%" PRId64 "][%" PRId64 "]", sample,
             slice * r->slice_channels + i / plane, i % plane / r->w_out, i % r->w_out);
    return p;
}

static bool refuse_value(const char *where, double got, double expected, double bound, cs_message *message) {
    if (isnan(expected))
        return cs_refuse(message, "%s is %.9g, expected NaN", where, got);
    if (isnan(got))
        return cs_refuse(message, "%s is NaN, expected %.9g", where, expected);
    return cs_refuse(message, "%s is %.9g, expected %.9g within %.2g (off by %.2g)", where, got, expected, bound,
                     fabs(got - expected));
}

bool cs_compare_slice(const cs_reference *r, cs_bound bound, int64_t sample, int64_t slice, const void *y,
                      const double *expected, const cs_slice_statistics *statistics, double *worst,
                      cs_message *message) {
    const int64_t plane = r->h_out * r->w_out;
    const double limit = limit_of(r->problem.dtype);
    for (int64_t i = 0; i < r->slice_size; i++) {
        const int64_t channel = slice * r->slice_channels + i / plane;
        const double allowed = bound_at(r, bound, channel, expected[i], statistics);
        const double got = (double)load_element((int32_t)r->problem.dtype, y, i);
        if (!is_right(got, expected[i], allowed, limit))
            return refuse_value(place_of(r, sample, slice, i).text, got, expected[i], allowed, message);
        const double error = fabs(got - expected[i]);
        if (worst && error > *worst)
            *worst = error;
    }
    return true;
}
