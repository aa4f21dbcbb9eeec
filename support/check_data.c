/* SPDX-License-Identifier: Apache-2.0 */
#include "check_data.h"

#include "steps.h"

#include <math.h>

/* Inputs are whole numbers in -2..2: two mantissa bits, exact in tf32. */
enum { MOST = 2 };

/* Products of one sum. */
static double taps(const cs_case *c) {
    const convsmith_problem *p = &c->problem;
    return (double)(p->c_in / p->conv_groups * p->kh * p->kw);
}

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

void cs_fill_constants(cs_case *c, int index) {
    for (int i = 0; i < c->chain.count; i++) {
        const cs_chain_step *s = &c->chain.steps[i];
        const float *constants = s->is_fixed ? s->constants : cs_usual_constants(s->step, index + i);
        for (int j = 0; j < CS_STEP_CONSTANTS; j++)
            c->constants[i][j] = constants[j];
    }
}

/* ---- Ranges ------------------------------------------------------------------------------------------------------ */

/* How great a value may become in a step, `received` being how great the steps up to it receive theirs, and `addend`
 * how great addends are. */
static double after_step(const cs_case *c, int index, const double *received, double addend) {
    const double most = received[index];
    const double constants[] = {fabs((double)c->constants[index][0]), fabs((double)c->constants[index][1])};
    switch (c->chain.steps[index].step) {
    case CS_STEP_SIGMOID:
    case CS_STEP_TANH:
    case CS_STEP_HARDSIGMOID:
        return 1;
    case CS_STEP_SOFTPLUS:
        return most + 1;
    case CS_STEP_MIN_CONST:
    case CS_STEP_MAX_CONST:
    case CS_STEP_ELU:
        return fmax(most, constants[0]);
    case CS_STEP_CLAMP:
        return fmax(constants[0], constants[1]);
    case CS_STEP_SQUARE:
        return most * most;
    case CS_STEP_ADD_CONST:
    case CS_STEP_SUB_CONST:
        return most + constants[0];
    case CS_STEP_MUL_CONST:
        return most * constants[0];
    case CS_STEP_LEAKY_RELU:
        return most * fmax(1, constants[0]);
    case CS_STEP_DIV_CONST:
        return most / constants[0];
    case CS_STEP_BATCH_NORM:
        return 8 * fmax(addend, most);
    case CS_STEP_MUL_INPUT_OF:
        return most * received[cs_chain_input(&c->chain, index)];
    case CS_STEP_ADD_TENSOR:
        return 4 * fmax(addend, most);
    default:
        return cs_step_get_info(c->chain.steps[index].step)->kind == CS_AFFINE ? 4 * fmax(addend, most) : most;
    }
}

/* Whether, with sums of magnitude `sum`, fp32 holds all values on their way, the squares of those that are normalised,
 * and y's dtype y. */
static bool is_in_range(const cs_case *c, double sum, double addend) {
    double value = sum, most = value, received[CS_MAX_STEPS];
    for (int i = 0; i < c->chain.count && i != c->chain.normalisation; i++) {
        received[i] = value;
        value = after_step(c, i, received, addend);
        most = fmax(most, value);
    }
    const bool is_narrow = c->chain.normalisation < 0 && c->problem.dtype == CONVSMITH_F16;
    return most < 0x1p120 && value < (is_narrow ? 0x1p15 : 0x1p40);
}

/* What inputs are multiplied by, powers of two: x, the weight, and all addends before the normalisation. */
typedef struct scale {
    double x, weight, addend;
} scale;

/* f16 goes no lower without losing bits of whole numbers' products. */
enum { LEAST_X_OF_F16 = 12, LEAST_WEIGHT_OF_F16 = 6, LEAST = 100 };

static scale scale_by(const cs_case *c, int bits) {
    const int x = c->problem.dtype != CONVSMITH_F16 ? 0 : bits < LEAST_X_OF_F16 ? bits : LEAST_X_OF_F16;
    return (scale){ldexp(1, -x), ldexp(1, x - bits), ldexp(1, -bits)};
}

/* The scale by which values of magnitude `peak` come to be in range: 1 where they are, or where none helps, as with
 * great constants. Infinities are then what is expected. */
static scale fitting_scale(const cs_case *c, double peak) {
    const int least = c->problem.dtype == CONVSMITH_F16 ? LEAST_X_OF_F16 + LEAST_WEIGHT_OF_F16 : LEAST;
    for (int bits = 0; bits <= least; bits++)
        if (is_in_range(c, ldexp(peak, -bits), ldexp(1, -bits)))
            return scale_by(c, bits);
    return scale_by(c, 0);
}

/* ---- Values of the steps ----------------------------------------------------------------------------------------- */

static bool is_of_norm(const cs_chain *chain, int i) { return cs_chain_value_step(chain, i)->kind == CS_NORMALISATION; }

static const double factors[] = {0.5, 1, -1, 2}, divisors[] = {-2, 0.5, 1, 2}, variances[] = {0.25, 0.5, 1, 2};

/* A factor, a divisor or a variance; powers of two. */
static double choose_for(cs_role role, cs_random *random) {
    const double *const lists[] = {[CS_FACTOR] = factors, [CS_DIVISOR] = divisors, [CS_VARIANCE] = variances};
    return choose(random, lists[role], 4);
}

/* Value i for one channel: an addend of at most `most` units, or a power of two. */
static double whole_value(const cs_chain *chain, int i, double most, double unit, cs_random *random) {
    const cs_role role = cs_chain_value_role(chain, i);
    if (role != CS_ADDEND)
        return choose_for(role, random);
    if (is_of_norm(chain, i))
        return (double)cs_random_whole(random, -2, 2);
    return (double)cs_random_whole(random, (int64_t)-most, (int64_t)most) * unit;
}

/* The values of a normalisation and of what stands behind it. */
static bool is_behind(const cs_chain *chain, int i) {
    return chain->normalisation >= 0 && chain->values[i].step >= chain->normalisation;
}

static void fill_behind(cs_case *c, cs_random *random) {
    for (int i = 0; i < c->chain.value_count; i++)
        for (int64_t channel = 0; is_behind(&c->chain, i) && channel < c->problem.c_out; channel++)
            c->channels[i][channel] = (float)whole_value(&c->chain, i, 2, 0.5, random);
}

/* Whether the step that adds tensor i stands behind a normalisation; and its index. */
static int step_of_tensor(const cs_chain *chain, int i) {
    int step = 0;
    while (cs_chain_tensor(chain, step) != i)
        step++;
    return step;
}

static bool is_tensor_behind(const cs_chain *chain, int i) {
    return chain->normalisation >= 0 && step_of_tensor(chain, i) > chain->normalisation;
}

/* Whole numbers of at most `most`, times the unit; halves of them behind a normalisation. */
static void fill_tensors(cs_case *c, int most, double unit, cs_random *random) {
    for (int i = 0; i < c->chain.tensor_count; i++) {
        const bool behind = is_tensor_behind(&c->chain, i);
        const int64_t bound = behind ? MOST : most;
        for (int64_t k = 0; k < c->y_count; k++)
            c->tensors[i][k] = (float)((double)cs_random_whole(random, -bound, bound) * (behind ? 0.5 : unit));
    }
}

/* Sums of unit variance are hardly ever greater. */
static const double usual_peak = 6;

/* A power of two that brings sums to about unit variance, so that no sigmoid hides a difference, times one of 128
 * numbers of eight bits, so that each case has values of its own. Sums of less than 2^14 taps of whole numbers have
 * bits enough to be exact. */
static double whole_unit(const cs_case *c, cs_random *random) {
    return exp2(-ceil(log2(whole_spread(c)))) * (double)cs_random_whole(random, 128, 255) / 128;
}

/* Now and then so great that it counts beside the variance: without it, a normalisation hides a wrong factor. */
static float whole_eps(int index) { return index % 3 == 1 ? 0.25f : 1e-5f; }

/* Every sum is a whole multiple of one number, small enough for fp32 to hold it exactly. */
void cs_fill_exact(cs_case *c, int index, cs_random *random) {
    const double unit = whole_unit(c, random);
    const scale scale = fitting_scale(c, usual_peak);
    c->problem.eps = whole_eps(index);
    fill_whole(c->x, c->x_count, scale.x, random);
    fill_whole_nonzero(c->weight, c->weight_count, unit * scale.weight, random);
    for (int i = 0; i < c->chain.value_count; i++)
        for (int64_t channel = 0; channel < c->problem.c_out; channel++)
            c->channels[i][channel] = (float)whole_value(&c->chain, i, 4, unit * scale.addend, random);
    fill_tensors(c, 4, unit * scale.addend, random);
}

/* Mean and spread of value i: of unit-variance values unit-variance ones are made, about. */
static void fill_even_value(cs_case *c, int i, double addend, cs_random *random) {
    static const double means[] = {[CS_ADDEND] = 0, [CS_FACTOR] = 1, [CS_DIVISOR] = 1, [CS_VARIANCE] = 1};
    const cs_role role = cs_chain_value_role(&c->chain, i);
    const double spread = is_of_norm(&c->chain, i) ? (role == CS_FACTOR ? 0.1 : 0.5)
                          : role == CS_ADDEND      ? 0.25 * addend
                                                   : 0.25;
    fill_even(c->channels[i], c->problem.c_out, means[role], spread, random);
}

void cs_fill_random(cs_case *c, int index, cs_random *random) {
    const scale scale = fitting_scale(c, usual_peak);
    (void)index;
    c->spread = scale.x * scale.weight;
    fill_even(c->x, c->x_count, 0, scale.x, random);
    fill_even(c->weight, c->weight_count, 0, scale.weight / sqrt(taps(c)), random);
    for (int i = 0; i < c->chain.value_count; i++)
        fill_even_value(c, i, scale.addend, random);
    for (int i = 0; i < c->chain.tensor_count; i++)
        fill_even(c->tensors[i], c->y_count, 0, 0.5 * (is_tensor_behind(&c->chain, i) ? 1 : scale.addend), random);
}

/* How far a sigmoid varies within a group, and the eps that lets a variance this small matter. */
typedef struct steadiness {
    double spread;
    float eps;
} steadiness;

static const steadiness constants[] = {{1e-5, 1e-9f}, {1e-4, 1e-10f}, {0, 1e-5f}, {1e-6, 1e-5f}};

static int64_t groups_of(const cs_case *c) {
    if (cs_chain_has(&c->chain, CS_STEP_INSTANCE_NORM))
        return c->problem.c_out;
    return c->problem.groups > 0 ? c->problem.groups : 1;
}

/* One value for all channels of a group, `base`, and addends up to two units off. */
static void fill_constant_value(cs_case *c, int i, int64_t first, int64_t count, double base, double unit,
                                cs_random *random) {
    const bool is_addend = cs_chain_value_role(&c->chain, i) == CS_ADDEND;
    for (int64_t channel = first; channel < first + count; channel++)
        c->channels[i][channel] = (float)(base + (is_addend ? (double)cs_random_whole(random, -2, 2) * unit : 0));
}

/* The first addend is the value that the group is close to, the others add to it nothing but units. */
static void fill_constant_group(cs_case *c, int64_t first, int64_t count, double unit, double addend,
                                cs_random *random) {
    static const double bases[] = {-1, -0.5, 0.5, 1};
    bool is_first = true;
    for (int i = 0; i < c->chain.value_count && !is_behind(&c->chain, i); i++) {
        const cs_role role = cs_chain_value_role(&c->chain, i);
        const double base = role != CS_ADDEND ? choose_for(role, random)
                            : is_first        ? choose(random, bases, 4) * addend
                                              : 0;
        is_first = is_first && role != CS_ADDEND;
        fill_constant_value(c, i, first, count, base, unit, random);
    }
}

/* All pre-activations of a group lie close to one value, by tiny weights (a power of two times whole numbers, exact in
 * tf32 as well); a sigmoid's slope there is about 1/4. */
void cs_fill_constant(cs_case *c, int index, cs_random *random) {
    const steadiness *kind = &constants[index % (int)(sizeof constants / sizeof *constants)];
    const double unit = kind->spread > 0 ? exp2(floor(log2(4 * kind->spread / whole_spread(c)))) : 0;
    const int64_t groups = groups_of(c), channels = c->problem.c_out / groups;
    const scale scale = fitting_scale(c, 2);
    c->problem.eps = kind->eps;
    fill_whole(c->x, c->x_count, scale.x, random);
    fill_whole(c->weight, c->weight_count, unit * scale.weight, random);
    for (int64_t group = 0; group < groups; group++)
        fill_constant_group(c, group * channels, channels, unit * scale.addend, scale.addend, random);
    fill_behind(c, random);
    fill_tensors(c, MOST, unit * scale.addend, random);
}

/* unit: what whole pre-activations are multiplied by. push: added to every pre-activation of a channel, either sign. */
typedef struct saturation {
    double unit, push;
} saturation;

static const saturation saturations[] = {{128, 0}, {8, 0}, {1, 1000}, {0x1p20, 0}, {0x1p100, 0}};

/* Whether step `index` stands before the first curved step, which is what is saturated. */
static bool is_before_curve(const cs_chain *chain, int index) {
    for (int i = 0; i <= index; i++)
        if (cs_step_is_curved(chain->steps[i].step))
            return false;
    return true;
}

static bool is_kind_in_range(const cs_case *c, saturation kind) {
    return is_in_range(c, 4 * taps(c) * kind.unit + kind.push, fmin(1, kind.unit));
}

/* As large as the dtype's numbers allow, and the epilogue: an f16 weight may be twice the unit and a bias one and a
 * half of it. Where an epilogue enlarges ever so much, or its constants alone are too great, so be it. */
static saturation within_range(const cs_case *c, saturation kind) {
    const double least = c->problem.dtype == CONVSMITH_F16 ? 0x1p-14 : 0x1p-100;
    if (c->problem.dtype == CONVSMITH_F16)
        kind.unit = fmin(kind.unit, 0x1p14);
    while (!is_kind_in_range(c, kind) && kind.unit > least) {
        kind.unit /= 2;
        kind.push /= 2;
    }
    return is_kind_in_range(c, kind) ? kind : (saturation){1, 0};
}

/* Addend number `count` of those before the curve, an odd multiple of 2^-count: no sum of them is close to 0. */
static double odd_part(int count, cs_random *random) {
    static const double odds[] = {-3, -1, 1, 3};
    return choose(random, odds, 4) * exp2(-count);
}

static void fill_saturated_value(cs_case *c, int i, int count, saturation kind, cs_random *random) {
    static const double ends[] = {-2, -1, 1, 2};
    const cs_role role = cs_chain_value_role(&c->chain, i);
    for (int64_t channel = 0; channel < c->problem.c_out; channel++) {
        double value = role == CS_VARIANCE ? choose_for(role, random) : choose(random, ends, 4);
        if (role == CS_ADDEND)
            value = odd_part(count, random) * kind.unit + (count == 1 ? kind.push * sign(random) : 0);
        c->channels[i][channel] = (float)value;
    }
}

/* As addends that come behind those of channels. */
static void fill_saturated_tensors(cs_case *c, int count, saturation kind, cs_random *random) {
    fill_tensors(c, 0, 0, random);
    for (int i = 0; i < c->chain.tensor_count; i++) {
        const double unit = is_before_curve(&c->chain, step_of_tensor(&c->chain, i)) ? kind.unit : fmin(1, kind.unit);
        for (int64_t k = 0; !is_tensor_behind(&c->chain, i) && k < c->y_count; k++)
            c->tensors[i][k] = (float)(odd_part(count + 1 + i, random) * unit);
    }
}

/* Pre-activations are odd multiples of a part of the unit: none is close to 0, where rounding before the sigmoid would
 * decide between its ends. Behind that all values are about 1, and so are the addends. */
void cs_fill_saturated(cs_case *c, int index, cs_random *random) {
    const saturation kind = within_range(c, saturations[index % (int)(sizeof saturations / sizeof *saturations)]);
    const saturation behind = {fmin(1, kind.unit), 0};
    int count = 0;
    fill_whole(c->x, c->x_count, 1, random);
    fill_whole_nonzero(c->weight, c->weight_count, kind.unit, random);
    for (int i = 0; i < c->chain.value_count && !is_behind(&c->chain, i); i++) {
        count += cs_chain_value_role(&c->chain, i) == CS_ADDEND;
        fill_saturated_value(c, i, count, is_before_curve(&c->chain, c->chain.values[i].step) ? kind : behind, random);
    }
    fill_saturated_tensors(c, count, kind, random);
    fill_behind(c, random);
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

/* What a weight in the padding comes to is nobody's word. */
static void plant_nan_in_weight(cs_case *c, cs_random *random) {
    if (c->problem.pad_h > 0 || c->problem.pad_w > 0)
        plant_nan_in_x(c, random);
    else
        c->weight[cs_random_whole(random, 0, c->weight_count - 1)] = NAN;
}

/* Overwrites one channel of value number `count` (from 0, round and round) of those with the role, if there are any. */
static void plant_in_role(cs_case *c, cs_role role, int count, float value, cs_random *random) {
    int found[CS_MAX_VALUES], total = 0;
    for (int i = 0; i < c->chain.value_count; i++)
        if (cs_chain_value_role(&c->chain, i) == role)
            found[total++] = i;
    if (total > 0)
        c->channels[found[count % total]][cs_random_whole(random, 0, c->problem.c_out - 1)] = value;
}

/* Anywhere in the last sample, but for the last tensor where there are several. */
static void plant_in_tensors(cs_case *c, cs_random *random) {
    static const float values[] = {NAN, INFINITY, -INFINITY, NAN};
    const int64_t sample = c->y_count / c->problem.n;
    for (int i = 0; i < c->chain.tensor_count && (i == 0 || i + 1 < c->chain.tensor_count); i++)
        c->tensors[i][c->y_count - 1 - cs_random_whole(random, 0, sample - 1)] = values[i];
}

static void plant_in_addends(cs_case *c, cs_random *random) {
    plant_in_role(c, CS_ADDEND, 0, NAN, random);
    plant_in_role(c, CS_ADDEND, 1, INFINITY, random);
}

static void plant_in_factors(cs_case *c, cs_random *random) {
    plant_in_role(c, CS_FACTOR, 0, NAN, random);
    plant_in_role(c, CS_ADDEND, 2, -INFINITY, random);
}

static void plant_in_others(cs_case *c, cs_random *random) {
    plant_in_role(c, CS_FACTOR, 1, NAN, random);
    plant_in_role(c, CS_DIVISOR, 0, NAN, random);
    plant_in_role(c, CS_VARIANCE, 0, NAN, random);
    plant_in_role(c, CS_ADDEND, 2, INFINITY, random);
    plant_in_tensors(c, random);
}

static void (*const plantings[])(cs_case *, cs_random *) = {
    plant_nan_in_x,
    plant_infinity_in_x,
    plant_both_infinities_in_x,
    plant_nan_in_weight,
    plant_infinity_under_zeros,
    plant_in_addends,
    plant_in_factors,
    plant_in_others,
    plant_minus_infinity_in_x,
};

void cs_fill_nonfinite(cs_case *c, int index, cs_random *random) {
    cs_fill_exact(c, index, random);
    plantings[index % (int)(sizeof plantings / sizeof *plantings)](c, random);
}
