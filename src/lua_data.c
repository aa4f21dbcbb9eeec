/* SPDX-License-Identifier: Apache-2.0 */
#include "lua_data.h"
#include "status.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cs_data_refuse(cs_data_reader *r, const char *format, ...) {
    char why[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    r->status = cs_fail(CONVSMITH_BAD_RECORD, "%s:%d: %s", r->path, r->line, why);
    return false;
}

/* ---- Words ------------------------------------------------------------------------------------------------------- */

/* Spaces and comments to the ends of their lines. */
static void skip(cs_data_reader *r) {
    for (;; ++r->at) {
        if (r->at[0] == '-' && r->at[1] == '-')
            r->at += strcspn(r->at, "\n");
        if (*r->at == '\n')
            ++r->line;
        else if (*r->at == '\0' || strchr(" \t\r", *r->at) == NULL)
            return;
    }
}

/* What stands at the reader's place, for a message. */
typedef struct found_words {
    char text[40];
} found_words;

static found_words found(const cs_data_reader *r) {
    found_words words;
    const size_t length = strcspn(r->at, " \t\r\n,={}");
    if (*r->at == '\0')
        snprintf(words.text, sizeof words.text, "the end of the file");
    else
        snprintf(words.text, sizeof words.text, "'%.*s'", (int)(length == 0 ? 1 : length > 30 ? 30 : length), r->at);
    for (char *c = words.text; *c != '\0'; ++c)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return words;
}

static bool has_sign(cs_data_reader *r, char sign) {
    skip(r);
    if (*r->at != sign)
        return false;
    ++r->at;
    return true;
}

bool cs_data_expect_sign(cs_data_reader *r, char sign) {
    return has_sign(r, sign) || cs_data_refuse(r, "'%c' should stand here, not %s", sign, found(r).text);
}

bool cs_data_expect_end(cs_data_reader *r, const char *what) {
    skip(r);
    return *r->at == '\0' || cs_data_refuse(r, "nothing should stand behind %s, but %s does", what, found(r).text);
}

static bool is_word_part(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool cs_data_has_word(cs_data_reader *r, const char *word) {
    const size_t length = strlen(word);
    skip(r);
    if (strncmp(r->at, word, length) != 0 || is_word_part(r->at[length]))
        return false;
    r->at += length;
    return true;
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

/* A string in double quotes, without escapes, which stays in the text; NULL, refused, for anything else. */
static const char *take_string(cs_data_reader *r, const cs_data_field *f) {
    if (!has_sign(r, '"')) {
        cs_data_refuse(r, "%s is a string in double quotes, not %s", f->name, found(r).text);
        return NULL;
    }
    const size_t length = strcspn(r->at, "\"\\\n");
    if (r->at[length] != '"') {
        cs_data_refuse(r, "%s is a string without its closing quote, or with a backslash", f->name);
        return NULL;
    }
    char *string = r->at;
    string[length] = '\0';
    r->at += length + 1;
    return string;
}

bool cs_data_name(cs_data_reader *r, const cs_data_field *f, void *target) {
    const char *string = take_string(r, f);
    if (string == NULL)
        return false;
    *(const char **)target = string;
    return *string != '\0' || cs_data_refuse(r, "%s is empty", f->name);
}

bool cs_data_copied(cs_data_reader *r, const cs_data_field *f, void *target) {
    const char *string = take_string(r, f);
    if (string == NULL)
        return false;
    if (strlen(string) >= f->room)
        return cs_data_refuse(r, "%s has %zu characters; it has %zu at most", f->name, strlen(string), f->room - 1);
    strcpy(target, string);
    return true;
}

/* Decimal numbers; strtod alone would take hexadecimal ones and words. */
bool cs_data_number(cs_data_reader *r, const cs_data_field *f, void *target) {
    skip(r);
    char *end = r->at;
    const size_t length = strspn(r->at, "0123456789.+-eE");
    const double value = length > 0 && *r->at != '+' ? strtod(r->at, &end) : 0;
    if (end == r->at || end != r->at + length || is_word_part(*end))
        return cs_data_refuse(r, "%s is a number, not %s", f->name, found(r).text);
    if (!(value >= f->least && value <= f->most))
        return cs_data_refuse(r, "%s is %s; it is from %g to %.10g", f->name, found(r).text, f->least, f->most);
    r->at = end;
    *(double *)target = value;
    return true;
}

bool cs_data_whole(cs_data_reader *r, const cs_data_field *f, void *target) {
    double number = 0;
    const found_words words = (skip(r), found(r));
    if (!cs_data_number(r, f, &number))
        return false;
    *(int64_t *)target = (int64_t)number;
    return number == floor(number) || cs_data_refuse(r, "%s is %s; it is a whole number", f->name, words.text);
}

bool cs_data_int32(cs_data_reader *r, const cs_data_field *f, void *target) {
    int64_t value = 0;
    if (!cs_data_whole(r, f, &value))
        return false;
    *(int32_t *)target = (int32_t)value;
    return true;
}

/* ---- Tables ------------------------------------------------------------------------------------------------------ */

/* A comma, which may be missing in front of the table's end. */
static bool expect_separator(cs_data_reader *r) {
    return has_sign(r, ',') || *r->at == '}' ||
           cs_data_refuse(r, "',' or '}' should stand here, not %s", found(r).text);
}

/* Reads "name = value" of one of the fields, each of which a table has once. */
static bool read_field(cs_data_reader *r, const cs_data_field *fields, size_t count, unsigned *seen, char *target,
                       const char *what) {
    for (size_t i = 0; i < count; ++i) {
        if (!cs_data_has_word(r, fields[i].name))
            continue;
        if (*seen >> i & 1u)
            return cs_data_refuse(r, "%s has %s twice", what, fields[i].name);
        *seen |= 1u << i;
        return cs_data_expect_sign(r, '=') && fields[i].read(r, &fields[i], target + fields[i].offset);
    }
    return cs_data_refuse(r, "%s has no field %s", what, found(r).text);
}

bool cs_data_fields(cs_data_reader *r, const cs_data_field *fields, size_t count, void *target, const char *what) {
    unsigned seen = 0;
    if (!cs_data_expect_sign(r, '{'))
        return false;
    while (!has_sign(r, '}')) {
        if (!read_field(r, fields, count, &seen, target, what))
            return false;
        if (!expect_separator(r))
            return false;
    }
    for (size_t i = 0; i < count; ++i)
        if (!(seen >> i & 1u))
            return cs_data_refuse(r, "%s that ends here lacks %s", what, fields[i].name);
    return true;
}

bool cs_data_list(cs_data_reader *r, bool (*item)(cs_data_reader *r, void *target), void *target) {
    if (!cs_data_expect_sign(r, '{'))
        return false;
    while (!has_sign(r, '}')) {
        if (!item(r, target))
            return false;
        if (!expect_separator(r))
            return false;
    }
    return true;
}
