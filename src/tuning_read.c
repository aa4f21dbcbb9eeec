/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a tuning record: a table of Lua that is data alone, in which each field has its place below. Whatever is not
 * as cs_tuning_write has it, but for comments, spaces and the order of fields, is an error of its line.
 */
#define _POSIX_C_SOURCE 200809L
#include "plain_locale.h"
#include "status.h"
#include "tuning.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES ((size_t)64 << 20)
#define MOST_KERNELS 256 /* of a problem */

typedef struct reader {
    const char *path;
    char *at; /* strings are ended by a zero byte in the text itself */
    int line;
    convsmith_tuning *tuning;
    convsmith_status status;
} reader;

/* A named place of a table. */
typedef struct field {
    const char *name;
    bool (*read)(reader *r, const struct field *field, void *target);
    size_t offset; /* in the struct that the table fills in */
    size_t room;   /* of a string that is copied */
    double least, most;
} field;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static bool
refuse(reader *r, const char *format, ...) {
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
static void skip(reader *r) {
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

static found_words found(const reader *r) {
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

static bool has_sign(reader *r, char sign) {
    skip(r);
    if (*r->at != sign)
        return false;
    ++r->at;
    return true;
}

static bool expect_sign(reader *r, char sign) {
    return has_sign(r, sign) || refuse(r, "'%c' should stand here, not %s", sign, found(r).text);
}

static bool is_word_part(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Whether the word stands here, which is then read. */
static bool has_word(reader *r, const char *word) {
    const size_t length = strlen(word);
    skip(r);
    if (strncmp(r->at, word, length) != 0 || is_word_part(r->at[length]))
        return false;
    r->at += length;
    return true;
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

/* A string in double quotes, without escapes, which stays in the text; NULL, refused, for anything else. */
static const char *take_string(reader *r, const field *f) {
    if (!has_sign(r, '"')) {
        refuse(r, "%s is a string in double quotes, not %s", f->name, found(r).text);
        return NULL;
    }
    const size_t length = strcspn(r->at, "\"\\\n");
    if (r->at[length] != '"') {
        refuse(r, "%s is a string without its closing quote, or with a backslash", f->name);
        return NULL;
    }
    char *string = r->at;
    string[length] = '\0';
    r->at += length + 1;
    return string;
}

static bool read_name(reader *r, const field *f, void *target) {
    const char *string = take_string(r, f);
    if (string == NULL)
        return false;
    *(const char **)target = string;
    return *string != '\0' || refuse(r, "%s is empty", f->name);
}

static bool read_copied(reader *r, const field *f, void *target) {
    const char *string = take_string(r, f);
    if (string == NULL)
        return false;
    if (strlen(string) >= f->room)
        return refuse(r, "%s has %zu characters; it has %zu at most", f->name, strlen(string), f->room - 1);
    strcpy(target, string);
    return true;
}

/* Decimal numbers; strtod alone would take hexadecimal ones and words. */
static bool read_number(reader *r, const field *f, void *target) {
    skip(r);
    char *end = r->at;
    const size_t length = strspn(r->at, "0123456789.+-eE");
    const double value = length > 0 ? strtod(r->at, &end) : 0;
    if (end == r->at || end != r->at + length || is_word_part(*end))
        return refuse(r, "%s is a number, not %s", f->name, found(r).text);
    if (!(value >= f->least && value <= f->most))
        return refuse(r, "%s is %s; it is from %g to %.10g", f->name, found(r).text, f->least, f->most);
    r->at = end;
    *(double *)target = value;
    return true;
}

static bool take_whole(reader *r, const field *f, int64_t *value) {
    double number;
    const found_words words = (skip(r), found(r));
    if (!read_number(r, f, &number))
        return false;
    *value = (int64_t)number;
    return number == floor(number) || refuse(r, "%s is %s; it is a whole number", f->name, words.text);
}

static bool read_whole(reader *r, const field *f, void *target) { return take_whole(r, f, target); }

static bool read_int32(reader *r, const field *f, void *target) {
    int64_t value;
    if (!take_whole(r, f, &value))
        return false;
    *(int32_t *)target = (int32_t)value;
    return true;
}

/* ---- Tables ------------------------------------------------------------------------------------------------------ */

/* Reads "name = value" of one of the fields, each of which a table has once. */
static bool read_field(reader *r, const field *fields, size_t count, unsigned *seen, char *target, const char *what) {
    for (size_t i = 0; i < count; ++i) {
        if (!has_word(r, fields[i].name))
            continue;
        if (*seen >> i & 1u)
            return refuse(r, "%s has %s twice", what, fields[i].name);
        *seen |= 1u << i;
        return expect_sign(r, '=') && fields[i].read(r, &fields[i], target + fields[i].offset);
    }
    return refuse(r, "%s has no field %s", what, found(r).text);
}

/* A table of all of the fields, in any order. */
static bool read_fields(reader *r, const field *fields, size_t count, void *target, const char *what) {
    unsigned seen = 0;
    if (!expect_sign(r, '{'))
        return false;
    while (!has_sign(r, '}')) {
        if (!read_field(r, fields, count, &seen, target, what))
            return false;
        if (!has_sign(r, ',') && (skip(r), *r->at != '}'))
            return refuse(r, "',' or '}' should stand here, not %s", found(r).text);
    }
    for (size_t i = 0; i < count; ++i)
        if (!(seen >> i & 1u))
            return refuse(r, "%s that ends here lacks %s", what, fields[i].name);
    return true;
}

/* A table of tables, each read by `item`. */
static bool read_list(reader *r, bool (*item)(reader *r, void *target), void *target) {
    if (!expect_sign(r, '{'))
        return false;
    while (!has_sign(r, '}')) {
        if (!item(r, target))
            return false;
        if (!has_sign(r, ',') && (skip(r), *r->at != '}'))
            return refuse(r, "',' or '}' should stand here, not %s", found(r).text);
    }
    return true;
}

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof *(ARRAY))

/* ---- The record -------------------------------------------------------------------------------------------------- */

#define BEGINNING "a tuning record begins with: return { format = %d, ...", CS_TUNING_FORMAT

static bool no_memory(reader *r) {
    r->status = cs_fail(CONVSMITH_OUT_OF_MEMORY, "%s: no memory for the record", r->path);
    return false;
}

static bool read_kernel(reader *r, void *target) {
    static const field fields[] = {
        {"name", read_name, offsetof(cs_timing, name), 0, 0, 0},
        {"us", read_number, offsetof(cs_timing, us), 0, 1e-3, 1e12},
        {"spread", read_number, offsetof(cs_timing, spread), 0, 0, 1e6},
    };
    cs_timings *kernels = target;
    cs_timing timing;
    if (!read_fields(r, fields, COUNT(fields), &timing, "a kernel"))
        return false;
    for (size_t i = 0; i < kernels->count; ++i)
        if (strcmp(kernels->rows[i].name, timing.name) == 0)
            return refuse(r, "a problem has the kernel %.100s twice", timing.name);
    if (kernels->count == MOST_KERNELS)
        return refuse(r, "a problem has more than %d kernels", MOST_KERNELS);
    cs_timing *rows = realloc(kernels->rows, (kernels->count + 1) * sizeof *rows);
    if (rows == NULL)
        return no_memory(r);
    kernels->rows = rows;
    rows[kernels->count++] = timing;
    return true;
}

static bool read_kernels(reader *r, const field *f, void *target) {
    cs_timings *kernels = target;
    return read_list(r, read_kernel, kernels) && (kernels->count > 0 || refuse(r, "%s is empty", f->name));
}

static bool read_problem(reader *r, void *target) {
    static const field fields[] = {
        {"n", read_whole, offsetof(cs_tuned_problem, n), 0, 1, INT32_MAX},
        {"h", read_whole, offsetof(cs_tuned_problem, h), 0, 1, INT32_MAX},
        {"w", read_whole, offsetof(cs_tuned_problem, w), 0, 1, INT32_MAX},
        {"groups", read_whole, offsetof(cs_tuned_problem, groups), 0, 0, INT32_MAX},
        {"kernels", read_kernels, offsetof(cs_tuned_problem, kernels), 0, 0, 0},
    };
    convsmith_tuning *tuning = target;
    cs_tuned_problem problem = {0};
    bool good = read_fields(r, fields, COUNT(fields), &problem, "a problem");
    if (good) {
        r->status = cs_tuning_put(tuning, &problem);
        good = r->status == CONVSMITH_OK;
    }
    free(problem.kernels.rows);
    return good;
}

static bool read_problems(reader *r, const field *f, void *target) {
    (void)f;
    (void)target;
    return read_list(r, read_problem, r->tuning);
}

/* A record of another format may have other fields, so that this one is asked for first. */
static bool read_format(reader *r) {
    static const field format = {"format", read_whole, 0, 0, 0, INT32_MAX};
    reader ahead = *r;
    int64_t value = 0;
    const bool good = expect_sign(&ahead, '{') && has_word(&ahead, "format") && expect_sign(&ahead, '=') &&
                      take_whole(&ahead, &format, &value);
    if (!good)
        return refuse(r, BEGINNING);
    if (value != CS_TUNING_FORMAT)
        return refuse(r, "the record has format %lld; this library reads format %d: make it anew by `convsmith tune`",
                      (long long)value, CS_TUNING_FORMAT);
    return true;
}

static bool read_record(reader *r) {
    static const field fields[] = {
        {"format", read_whole, offsetof(convsmith_tuning, format), 0, CS_TUNING_FORMAT, CS_TUNING_FORMAT},
        {"device", read_copied, offsetof(convsmith_tuning, identity.device), sizeof((cs_identity *)0)->device, 0, 0},
        {"compute_capability", read_int32, offsetof(convsmith_tuning, identity.compute_capability), 0, 0, 10000},
        {"multiprocessors", read_int32, offsetof(convsmith_tuning, identity.multiprocessors), 0, 0, 1 << 20},
        {"driver", read_copied, offsetof(convsmith_tuning, identity.driver), sizeof((cs_identity *)0)->driver, 0, 0},
        {"runtime", read_int32, offsetof(convsmith_tuning, identity.runtime), 0, 0, INT32_MAX},
        {"version", read_copied, offsetof(convsmith_tuning, identity.version), sizeof((cs_identity *)0)->version, 0, 0},
        {"date", read_copied, offsetof(convsmith_tuning, date), sizeof((convsmith_tuning *)0)->date, 0, 0},
        {"problems", read_problems, 0, 0, 0, 0},
    };
    if (!has_word(r, "return"))
        return refuse(r, BEGINNING);
    if (!read_format(r) || !read_fields(r, fields, COUNT(fields), r->tuning, "the record"))
        return false;
    skip(r);
    return *r->at == '\0' || refuse(r, "nothing should stand behind the record, but %s does", found(r).text);
}

/* ---- The file ---------------------------------------------------------------------------------------------------- */

static convsmith_status fail_file(const char *path, const char *why) {
    return cs_fail(CONVSMITH_BAD_RECORD, "%s: %s", path, why);
}

/* The whole of a file with a zero byte behind it. */
static convsmith_status read_stream(FILE *stream, const char *path, char **text, size_t *size) {
    size_t room = 4096;
    for (*size = 0;; room *= 2) {
        char *larger = realloc(*text, room + 1);
        if (larger == NULL)
            return cs_fail(CONVSMITH_OUT_OF_MEMORY, "%s: no memory for %zu bytes", path, room);
        *text = larger;
        *size += fread(*text + *size, 1, room - *size, stream);
        (*text)[*size] = '\0';
        if (ferror(stream))
            return fail_file(path, strerror(errno));
        if (*size < room)
            return CONVSMITH_OK;
        if (room > MOST_BYTES)
            return fail_file(path, "it is larger than any tuning record");
    }
}

static convsmith_status read_text(convsmith_tuning *tuning, const char *path) {
    size_t size;
    FILE *stream = fopen(path, "rb");
    if (stream == NULL)
        return fail_file(path, strerror(errno));
    const convsmith_status status = read_stream(stream, path, &tuning->text, &size);
    fclose(stream);
    if (status == CONVSMITH_OK && strlen(tuning->text) != size)
        return fail_file(path, "it holds a zero byte; a tuning record is text");
    return status;
}

convsmith_status cs_tuning_read(convsmith_tuning **tuning, const char *path) {
    static const cs_identity nothing = {0};
    convsmith_status status = cs_tuning_create(tuning, &nothing);
    if (status != CONVSMITH_OK)
        return status;
    status = read_text(*tuning, path);
    if (status == CONVSMITH_OK) {
        reader r = {.path = path, .at = (*tuning)->text, .line = 1, .tuning = *tuning, .status = CONVSMITH_OK};
        locale_t plain, before = cs_enter_plain_locale(&plain);
        read_record(&r);
        cs_leave_plain_locale(before, plain);
        status = r.status;
    }
    if (status == CONVSMITH_OK)
        return status;
    convsmith_tuning_destroy(*tuning);
    *tuning = NULL;
    return status;
}
