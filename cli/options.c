/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Parsing ----------------------------------------------------------------------------------------------------- */

/* Whether `argument`, up to an equals sign, is the option. */
static bool is_option(const char *argument, const char *name) {
    const size_t length = strcspn(argument, "=");
    return strlen(name) == length && memcmp(name, argument, length) == 0;
}

static const cs_option *find_option(const cs_usage *usage, const char *argument) {
    for (int i = 0; i < usage->count; i++)
        if (is_option(argument, usage->options[i].name))
            return &usage->options[i];
    return NULL;
}

/* The value of the option at argv[*i], behind an equals sign or as the next argument; NULL, told, where there is none.
 */
static const char *take_value(const cs_usage *usage, int argc, char **argv, int *i, const char *name,
                              const char *value) {
    const char *equals = strchr(argv[*i], '=');
    if (equals)
        return equals + 1;
    if (++*i < argc)
        return argv[*i];
    cs_complain(usage->command, "%s needs a value: %s", name, value);
    return NULL;
}

static bool take_repeated(const cs_usage *usage, int argc, char **argv, int *i) {
    cs_repeated *option = usage->repeated;
    const char *text = take_value(usage, argc, argv, i, option->name, option->value);
    if (text && option->count == option->most) {
        cs_complain(usage->command, "%s is given more than %d times", option->name, option->most);
        return false;
    }
    if (text)
        option->texts[option->count++] = text;
    return text != NULL;
}

/* Takes the option at argv[*i] and, where it has one, its value. */
static bool take_option(const cs_usage *usage, int argc, char **argv, int *i) {
    const char *argument = argv[*i];
    const cs_option *option = find_option(usage, argument);
    if (!option && usage->repeated && is_option(argument, usage->repeated->name))
        return take_repeated(usage, argc, argv, i);
    if (!option) {
        cs_complain(usage->command, "unknown option %s; see convsmith %s --help", argument, usage->command);
        return false;
    }
    if (!option->value && strchr(argument, '=')) {
        cs_complain(usage->command, "%s takes no value", option->name);
        return false;
    }
    *option->text = option->value ? take_value(usage, argc, argv, i, option->name, option->value) : option->name;
    return *option->text != NULL;
}

static bool take_operand(const cs_usage *usage, const char *argument) {
    if (usage->operand && !*usage->operand_text) {
        *usage->operand_text = argument;
        return true;
    }
    cs_complain(usage->command, "unexpected argument '%s'; see convsmith %s --help", argument, usage->command);
    return false;
}

cs_parsed cs_options_parse(const cs_usage *usage, int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        cs_help_form form;
        if (cs_help_is_wanted(argv[i], &form)) {
            cs_help_print(&cs_convsmith, usage, form);
            return CS_PARSED_HELP;
        }
        if (!(argv[i][0] == '-' ? take_option(usage, argc, argv, &i) : take_operand(usage, argv[i])))
            return CS_PARSED_BAD;
    }
    if (usage->operand && !*usage->operand_text) {
        cs_complain(usage->command, "%s is missing; see convsmith %s --help", usage->operand, usage->command);
        return CS_PARSED_BAD;
    }
    return CS_PARSED;
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

bool cs_value_whole(const cs_usage *usage, const char *name, const char *text, int64_t least, int64_t most,
                    int64_t *value) {
    if (!text)
        return true;
    char *end;
    errno = 0;
    const long long parsed = strtoll(text, &end, 10);
    if (end == text || *end || errno || parsed < least || parsed > most) {
        cs_complain(usage->command, "%s: '%s' is not a whole number from %" PRId64 " to %" PRId64, name, text, least,
                    most);
        return false;
    }
    *value = parsed;
    return true;
}

/* The number that the text begins with; NULL, or where it ends. */
static const char *read_whole(const char *text, int64_t least, int64_t most, int64_t *value) {
    char *end;
    errno = 0;
    const long long parsed = *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;
    *value = parsed;
    return parsed < least || parsed > most || errno ? NULL : end;
}

bool cs_value_pair(const cs_usage *usage, const char *name, const char *text, int64_t least, int64_t most, int64_t *h,
                   int64_t *w) {
    int64_t first = 0, second = 0;
    if (!text)
        return true;
    const char *end = read_whole(text, least, most, &first);
    if (end && *end == 'x')
        end = read_whole(end + 1, least, most, &second);
    else
        second = first;
    if (!end || *end) {
        cs_complain(usage->command,
                    "%s: '%s' is neither a whole number from %" PRId64 " to %" PRId64 " nor two such as 2x1", name,
                    text, least, most);
        return false;
    }
    *h = first;
    *w = second;
    return true;
}

bool cs_value_positive(const cs_usage *usage, const char *name, const char *text, const char *example, float *value) {
    if (!text)
        return true;
    char *end;
    const float parsed = strtof(text, &end);
    if (end == text || *end || !(parsed > 0) || !isfinite(parsed)) {
        cs_complain(usage->command, "%s: '%s' is not a positive number such as %s", name, text, example);
        return false;
    }
    *value = parsed;
    return true;
}

static void complain_of_word(const cs_usage *usage, const char *name, const char *text, const char *const *words,
                             int count) {
    char known[128] = "";
    size_t used = 0;
    for (int i = 0; i < count && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", words[i]);
    cs_complain(usage->command, "%s: '%s' is none of %s", name, text, known);
}

bool cs_value_word(const cs_usage *usage, const char *name, const char *text, const char *const *words, int count,
                   int *value) {
    if (!text)
        return true;
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], text) == 0) {
            *value = i;
            return true;
        }
    complain_of_word(usage, name, text, words, count);
    return false;
}

bool cs_value_math(const cs_usage *usage, const char *text, convsmith_math *math) {
    static const char *const words[] = {[CONVSMITH_MATH_FP32] = "fp32", [CONVSMITH_MATH_TF32] = "tf32"};
    int index = (int)*math;
    if (!cs_value_word(usage, "--math", text, words, 2, &index))
        return false;
    *math = (convsmith_math)index;
    return true;
}
