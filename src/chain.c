/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "chain.h"
#include "plain_locale.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- The steps --------------------------------------------------------------------------------------------------- */

#define AFFINE(NAME, VALUE, ROLE)                                                                                      \
    {                                                                                                                  \
        .name = NAME, .kind = CS_AFFINE, .value_count = 1, .values = { {VALUE, ROLE} }                                 \
    }
#define AFFINE_CONST(NAME)                                                                                             \
    {                                                                                                                  \
        .name = NAME, .kind = CS_AFFINE, .constant_count = 1, .constants = { "c" }                                     \
    }
#define POINTWISE(NAME)                                                                                                \
    { .name = NAME, .kind = CS_POINTWISE }
#define POINTWISE_OF(NAME, ...)                                                                                        \
    {                                                                                                                  \
        .name = NAME, .kind = CS_POINTWISE, .constant_count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),  \
        .constants = {                                                                                                 \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

static const cs_step_info infos[CS_STEP_COUNT] = {
    [CS_STEP_BIAS] = AFFINE("bias", "conv.bias", CS_ADDEND),
    [CS_STEP_ADD_CHANNEL] = AFFINE("add_channel", "bias", CS_ADDEND),
    [CS_STEP_SUB_CHANNEL] = AFFINE("sub_channel", "sub", CS_ADDEND),
    [CS_STEP_MUL_CHANNEL] = AFFINE("mul_channel", "scale", CS_FACTOR),
    [CS_STEP_DIV_CHANNEL] = AFFINE("div_channel", "divisor", CS_DIVISOR),
    [CS_STEP_ADD_CONST] = AFFINE_CONST("add_const"),
    [CS_STEP_SUB_CONST] = AFFINE_CONST("sub_const"),
    [CS_STEP_MUL_CONST] = AFFINE_CONST("mul_const"),
    [CS_STEP_DIV_CONST] = AFFINE_CONST("div_const"),
    [CS_STEP_MIN_CONST] = POINTWISE_OF("min_const", "c"),
    [CS_STEP_MAX_CONST] = POINTWISE_OF("max_const", "c"),
    [CS_STEP_CLAMP] = POINTWISE_OF("clamp", "lo", "hi"),
    [CS_STEP_RELU] = POINTWISE("relu"),
    [CS_STEP_LEAKY_RELU] = POINTWISE_OF("leaky_relu", "slope"),
    [CS_STEP_SIGMOID] = POINTWISE("sigmoid"),
    [CS_STEP_TANH] = POINTWISE("tanh"),
    [CS_STEP_SILU] = POINTWISE("silu"),
    [CS_STEP_MISH] = POINTWISE("mish"),
    [CS_STEP_HARDSWISH] = POINTWISE("hardswish"),
    [CS_STEP_HARDSIGMOID] = POINTWISE("hardsigmoid"),
    [CS_STEP_SOFTPLUS] = POINTWISE("softplus"),
    [CS_STEP_GELU] = POINTWISE("gelu"),
    [CS_STEP_GELU_TANH] = POINTWISE("gelu_tanh"),
    [CS_STEP_ELU] = POINTWISE_OF("elu", "alpha"),
    [CS_STEP_SQUARE] = POINTWISE("square"),
    [CS_STEP_ABS] = POINTWISE("abs"),
    [CS_STEP_BATCH_NORM] = {.name = "batch_norm",
                            .kind = CS_AFFINE,
                            .value_count = 4,
                            .constant_count = 1,
                            .values = {{"batch_norm.weight", CS_FACTOR},
                                       {"batch_norm.bias", CS_ADDEND},
                                       {"batch_norm.running_mean", CS_ADDEND},
                                       {"batch_norm.running_var", CS_VARIANCE}},
                            .constants = {"eps"}},
    [CS_STEP_GROUP_NORM] = {.name = "group_norm",
                            .kind = CS_NORMALISATION,
                            .value_count = 2,
                            .values = {{"group_norm.weight", CS_FACTOR}, {"group_norm.bias", CS_ADDEND}}},
    [CS_STEP_INSTANCE_NORM] = {.name = "instance_norm",
                               .kind = CS_NORMALISATION,
                               .value_count = 2,
                               .values = {{"instance_norm.weight", CS_FACTOR}, {"instance_norm.bias", CS_ADDEND}},
                               .values_optional = true},
    [CS_STEP_MUL_INPUT_OF] =
        {.name = "mul_input_of", .kind = CS_POINTWISE, .constant_count = 1, .constants = {"k"}, .always_fixed = true},
    [CS_STEP_ADD_TENSOR] = POINTWISE("add_tensor"),
};

const cs_step_info *cs_step_get_info(cs_step step) { return &infos[step]; }

const char *cs_step_refuses(cs_step step, const float constants[CS_STEP_CONSTANTS], int *which) {
    for (*which = 0; *which < infos[step].constant_count; ++*which)
        if (!isfinite(constants[*which]))
            return "must be finite";
    *which = 0;
    if (step == CS_STEP_DIV_CONST && constants[0] == 0.0f)
        return "must not be 0";
    if (step == CS_STEP_CLAMP && constants[0] > constants[1])
        return "must be at most hi";
    if (step == CS_STEP_BATCH_NORM && !(constants[0] > 0.0f))
        return "must be positive, e.g. 1e-5";
    return NULL;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

/* Text that grows in a room of fixed size and is cut where that ends. */
typedef struct writer {
    char *text;
    size_t room, used;
} writer;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
write_text(writer *w, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const bool full = w->used >= w->room;
    const int length = vsnprintf(full ? NULL : w->text + w->used, full ? 0 : w->room - w->used, format, arguments);
    va_end(arguments);
    w->used += length > 0 ? (size_t)length : 0;
}

/* The shortest text that reads back as the same float: 10, not 1e+01. */
static void write_number(writer *w, float value) {
    char shortest[32] = "0", text[32];
    for (int digits = 1; value != 0.0f && digits <= 9; ++digits) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        const bool is_first = strcmp(shortest, "0") == 0;
        if ((float)strtod(text, NULL) == value && (is_first || strlen(text) <= strlen(shortest)))
            strcpy(shortest, text);
    }
    write_text(w, "%s", shortest);
}

static void write_constants(writer *w, const cs_chain_step *s, const char *separator) {
    for (int i = 0; i < infos[s->step].constant_count; ++i) {
        write_text(w, "%s", i > 0 ? separator : "");
        write_number(w, s->constants[i]);
    }
}

cs_chain_text cs_chain_name(const cs_chain *chain) {
    cs_chain_text name = {""};
    writer w = {name.text, sizeof name.text, 0};
    locale_t plain, before = cs_enter_plain_locale(&plain);
    for (int i = 0; i < chain->count; ++i) {
        const cs_chain_step *s = &chain->steps[i];
        write_text(&w, "%s%s%s", i > 0 ? "+" : "", infos[s->step].name, s->is_fixed ? "(" : "");
        if (s->is_fixed) {
            write_constants(&w, s, ",");
            write_text(&w, ")");
        }
    }
    cs_leave_plain_locale(before, plain);
    return name;
}

cs_chain_text cs_chain_list(const cs_chain *chain) {
    cs_chain_text list = {""};
    writer w = {list.text, sizeof list.text, 0};
    locale_t plain, before = cs_enter_plain_locale(&plain);
    write_text(&w, "{");
    for (int i = 0; i < chain->count; ++i) {
        const cs_chain_step *s = &chain->steps[i];
        write_text(&w, "%s%s\"%s\"", i > 0 ? ", " : " ", s->is_fixed ? "{ " : "", infos[s->step].name);
        if (s->is_fixed) {
            write_text(&w, ", ");
            write_constants(&w, s, ", ");
            write_text(&w, " }");
        }
    }
    write_text(&w, chain->count > 0 ? " }" : "}");
    cs_leave_plain_locale(before, plain);
    return list;
}

/* ---- Parsing ----------------------------------------------------------------------------------------------------- */

/* What is read, how far, and where the reason goes when it is wrong. */
typedef struct reader {
    const char *at;
    cs_chain *chain;
    writer why;
} reader;

#define REFUSE(READER, ...) (write_text(&(READER)->why, __VA_ARGS__), false)

static void skip_spaces(reader *r) { r->at += strspn(r->at, " \t"); }

/* The words that messages call the step at `index` by, which begins with its number from 1. */
typedef struct step_words {
    char text[48];
} step_words;

static step_words words_of(int index, const char *name) {
    step_words words;
    snprintf(words.text, sizeof words.text, "epilogue step %d, %s,", index + 1, name);
    return words;
}

static void write_steps(writer *w) {
    for (int i = 0; i < CS_STEP_COUNT; ++i)
        write_text(w, "%s%s", i > 0 ? ", " : "", infos[i].name);
}

static bool find_step(const char *name, size_t length, cs_step *step) {
    for (int i = 0; i < CS_STEP_COUNT; ++i)
        if (strlen(infos[i].name) == length && memcmp(infos[i].name, name, length) == 0) {
            *step = (cs_step)i;
            return true;
        }
    return false;
}

static bool read_name(reader *r, cs_step *step) {
    skip_spaces(r);
    const char *name = r->at;
    size_t length = strcspn(name, "+(");
    r->at += length;
    while (length > 0 && strchr(" \t", name[length - 1]) != NULL)
        --length;
    if (find_step(name, length, step))
        return true;
    write_text(&r->why, "epilogue step %d, '%.*s' is unknown; ", r->chain->count + 1, (int)(length < 64 ? length : 64),
               name);
    for (int i = 0; i < CS_STEP_COUNT; ++i)
        if (strlen(infos[i].name) == length && strncasecmp(infos[i].name, name, length) == 0)
            return REFUSE(r, "did you mean %s?", infos[i].name);
    write_text(&r->why, "the steps, joined by '+', are ");
    write_steps(&r->why);
    return false;
}

/* strtod alone would take hexadecimal numbers and words. */
static bool read_number(reader *r, const step_words *step, float *value) {
    skip_spaces(r);
    const size_t length = strspn(r->at, "+-.0123456789eE");
    char *end = NULL;
    *value = (float)strtod(r->at, &end);
    if (length == 0 || end != r->at + length)
        return REFUSE(r, "%s has '%.*s' where a number should be", step->text, (int)strcspn(r->at, ",)+"), r->at);
    r->at = end;
    skip_spaces(r);
    return true;
}

static bool check_constant_count(reader *r, const step_words *step, const cs_step_info *info, int count) {
    if (count == info->constant_count)
        return true;
    if (info->constant_count == 0)
        return REFUSE(r, "%s takes no constants", step->text);
    return REFUSE(r, "%s has %d constant%s; it takes %d, (%s%s%s)%s", step->text, count, count == 1 ? "" : "s",
                  info->constant_count, info->constants[0], info->constant_count > 1 ? ", " : "",
                  info->constant_count > 1 ? info->constants[1] : "",
                  info->always_fixed ? "" : ", or none where they are given at prepack");
}

/* "()" */
static bool refuse_empty(reader *r, const step_words *step, const cs_step_info *info) {
    if (info->always_fixed)
        return REFUSE(r, "%s has nothing in its parentheses; it takes (%s)", step->text, info->constants[0]);
    return REFUSE(r, "%s has nothing in its parentheses; %s is written without them%s", step->text, info->name,
                  info->constant_count > 0 ? ", where its constants are given at prepack" : "");
}

/* "(0, 6)", from the parenthesis on. */
static bool read_constants(reader *r, cs_chain_step *s) {
    const cs_step_info *info = &infos[s->step];
    const step_words step = words_of(r->chain->count, info->name);
    int count = 0;
    if (r->at[1 + strspn(r->at + 1, " \t")] == ')')
        return refuse_empty(r, &step, info);
    do {
        float value;
        ++r->at;
        if (!read_number(r, &step, &value))
            return false;
        if (count < CS_STEP_CONSTANTS)
            s->constants[count] = value;
        ++count;
    } while (*r->at == ',');
    if (*r->at != ')')
        return REFUSE(r, "%s lacks its ')'", step.text);
    ++r->at;
    skip_spaces(r);
    if (!check_constant_count(r, &step, info, count))
        return false;
    int which;
    const char *wrong = cs_step_refuses(s->step, s->constants, &which);
    s->is_fixed = true;
    return wrong == NULL || REFUSE(r, "%s has a bad constant: %s %s", step.text, info->constants[which], wrong);
}

static bool check_place(reader *r, cs_step step) {
    const cs_step_info *info = &infos[step];
    const step_words words = words_of(r->chain->count, info->name);
    if (r->chain->count == CS_MAX_STEPS)
        return REFUSE(r, "epilogue: it has more than %d steps", CS_MAX_STEPS);
    if (step == CS_STEP_ADD_TENSOR && r->chain->tensor_count == CS_MAX_TENSORS)
        return REFUSE(r, "epilogue: it has more than %d steps add_tensor", CS_MAX_TENSORS);
    if (r->chain->normalisation >= 0 && info->kind == CS_NORMALISATION)
        return REFUSE(r, "%s is a second normalisation; a chain has one at most", words.text);
    return true;
}

/* Of a step that reads an earlier one's input, on the same side of the normalisation. */
static bool check_input(reader *r, const cs_chain_step *s) {
    const step_words step = words_of(r->chain->count, infos[s->step].name);
    const int first = r->chain->normalisation + 2, last = r->chain->count; /* numbers of steps, from 1 */
    const char *side = first > 1 ? " on its side of the normalisation" : "";
    if (!s->is_fixed)
        return REFUSE(r, "%s lacks its (k), the number of the step whose input it multiplies by", step.text);
    if (last < first)
        return REFUSE(r, "%s has no step before it%s; it multiplies by what an earlier one received", step.text, side);
    const float k = s->constants[0];
    if (k >= (float)first && k <= (float)last && k == floorf(k))
        return true;
    return REFUSE(r, "%s has k = %g; it is the number of an earlier step%s, from %d to %d", step.text, (double)k, side,
                  first, last);
}

static void append(cs_chain *chain, const cs_chain_step *s) {
    const cs_step_info *info = &infos[s->step];
    cs_chain_step *added = &chain->steps[chain->count];
    *added = *s;
    added->occurrence = 1;
    for (int i = 0; i < chain->count; ++i)
        added->occurrence += chain->steps[i].step == s->step;
    if (info->kind == CS_NORMALISATION)
        chain->normalisation = chain->count;
    chain->tensor_count += s->step == CS_STEP_ADD_TENSOR;
    for (int i = 0; i < info->value_count; ++i) {
        chain->values[chain->value_count].step = chain->count;
        chain->values[chain->value_count++].index = i;
    }
    ++chain->count;
}

static bool read_step(reader *r) {
    cs_chain_step s = {0};
    if (!read_name(r, &s.step) || !check_place(r, s.step))
        return false;
    if (*r->at == '(' && !read_constants(r, &s))
        return false;
    if (s.step == CS_STEP_MUL_INPUT_OF && !check_input(r, &s))
        return false;
    append(r->chain, &s);
    if (*r->at != '\0' && *r->at != '+')
        return REFUSE(r, "%s is followed by '%.16s'; steps are joined by '+'",
                      words_of(r->chain->count - 1, infos[s.step].name).text, r->at);
    return true;
}

static bool read_steps(reader *r) {
    if (r->at[strspn(r->at, " \t")] == '\0')
        return true;
    while (read_step(r)) {
        if (*r->at == '\0')
            return true;
        ++r->at;
    }
    return false;
}

bool cs_chain_parse(const char *text, cs_chain *chain, char *why, size_t room) {
    reader r = {text, chain, {why, room, 0}};
    locale_t plain, before = cs_enter_plain_locale(&plain);
    *chain = (cs_chain){.normalisation = -1};
    const bool good = read_steps(&r);
    cs_leave_plain_locale(before, plain);
    return good;
}

/* ---- What a chain has -------------------------------------------------------------------------------------------- */

bool cs_chain_has(const cs_chain *chain, cs_step step) {
    for (int i = 0; i < chain->count; ++i)
        if (chain->steps[i].step == step)
            return true;
    return false;
}

int cs_chain_input(const cs_chain *chain, int index) {
    const cs_chain_step *s = &chain->steps[index];
    return s->step == CS_STEP_MUL_INPUT_OF ? (int)s->constants[0] - 1 : -1;
}

int cs_chain_tensor(const cs_chain *chain, int index) {
    const cs_chain_step *s = &chain->steps[index];
    return s->step == CS_STEP_ADD_TENSOR ? s->occurrence - 1 : -1;
}

bool cs_chain_keeps(const cs_chain *chain, int index) {
    for (int i = index + 1; i < chain->count; ++i)
        if (cs_chain_input(chain, i) == index)
            return true;
    return false;
}

int cs_chain_behind(const cs_chain *chain) {
    int i = chain->normalisation + 1;
    while (chain->normalisation >= 0 && i < chain->count && infos[chain->steps[i].step].kind == CS_AFFINE &&
           !cs_chain_keeps(chain, i))
        ++i;
    return chain->normalisation >= 0 ? i : chain->count;
}

const cs_step_info *cs_chain_value_step(const cs_chain *chain, int i) {
    return &infos[chain->steps[chain->values[i].step].step];
}

cs_role cs_chain_value_role(const cs_chain *chain, int i) {
    return cs_chain_value_step(chain, i)->values[chain->values[i].index].role;
}

cs_value_name cs_chain_value_name(const cs_chain *chain, int i) {
    const char *name = cs_chain_value_step(chain, i)->values[chain->values[i].index].name;
    const int occurrence = chain->steps[chain->values[i].step].occurrence;
    cs_value_name full;
    if (occurrence == 1)
        snprintf(full.text, sizeof full.text, "%s", name);
    else
        snprintf(full.text, sizeof full.text, "%s.%d", name, occurrence);
    return full;
}
