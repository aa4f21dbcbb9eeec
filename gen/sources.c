/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sources.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

static bool grow(cs_sources *sources, cs_error *error) {
    if (sources->count < sources->capacity)
        return true;
    size_t capacity = sources->capacity == 0 ? 32 : sources->capacity * 2;
    cs_source *items = capacity > SIZE_MAX / sizeof *items ? NULL : realloc(sources->items, capacity * sizeof *items);
    if (items == NULL)
        return cs_error_set(error, "out of memory");
    sources->items = items;
    sources->capacity = capacity;
    return true;
}

bool cs_sources_add(cs_sources *sources, const char *name, const char *path, cs_error *error) {
    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->items[i].path, path) == 0)
            return true;
    if (!grow(sources, error))
        return false;
    cs_source source = {cs_path_join(NULL, name, error), cs_path_join(NULL, path, error)};
    if (source.name == NULL || source.path == NULL) {
        free(source.name);
        free(source.path);
        return false;
    }
    sources->items[sources->count++] = source;
    return true;
}

/* Lua keeps the end of a long name and puts dots in front. */
static bool is_name(const char *name, const char *shown, size_t length) {
    size_t whole = strlen(name);
    if (whole == length && memcmp(name, shown, length) == 0)
        return true;
    return length > 3 && memcmp(shown, "...", 3) == 0 && whole > length - 3 &&
           memcmp(name + whole - (length - 3), shown + 3, length - 3) == 0;
}

/* Where a message's "file:line: " ends and its words begin. */
typedef struct parsed_message {
    const char *name; /* the known source's; NULL: the message begins with none */
    const char *line;
    int line_length;
    const char *words;
} parsed_message;

static parsed_message parse_message(const cs_sources *sources, const char *message) {
    for (const char *colon = strchr(message, ':'); colon != NULL; colon = strchr(colon + 1, ':')) {
        size_t digits = strspn(colon + 1, "0123456789");
        if (digits == 0 || colon[1 + digits] != ':')
            continue;
        for (size_t i = 0; i < sources->count; i++)
            if (is_name(sources->items[i].name, message, (size_t)(colon - message)))
                return (parsed_message){sources->items[i].name, colon + 1, (int)digits, colon + 1 + digits + 1};
    }
    return (parsed_message){NULL, NULL, 0, message};
}

void cs_sources_print_error(const cs_sources *sources, const char *message, const char *context, FILE *stream) {
    static const char label[] = "error: ";
    parsed_message parsed = parse_message(sources, message);
    const char *words = parsed.words + strspn(parsed.words, " ");
    if (strncmp(words, label, strlen(label)) == 0)
        words += strlen(label);
    if (parsed.name == NULL)
        fputs("convsmith-gen: ", stream);
    else
        fprintf(stream, "%s:%.*s: ", parsed.name, parsed.line_length, parsed.line);
    fprintf(stream, "%s%s", label, words);
    if (context != NULL && *context != '\0')
        fprintf(stream, " (%s)", context);
    fputc('\n', stream);
}

/* make reads a blank, '#' and '$' of a name as something else unless they are escaped, and backslashes that stand
 * before a blank as escapes. */
static void print_escaped(FILE *stream, const char *path) {
    size_t backslashes = 0;
    for (const char *c = path; *c != '\0'; c++) {
        bool blank = *c == ' ' || *c == '\t';
        for (; blank && backslashes > 0; backslashes--)
            fputc('\\', stream);
        if (blank || *c == '#')
            fputc('\\', stream);
        if (*c == '$')
            fputc('$', stream);
        fputc(*c, stream);
        backslashes = *c == '\\' ? backslashes + 1 : 0;
    }
}

/* Neither make nor ninja can read a name with a line break. */
static bool can_be_listed(const cs_sources *sources, const char *target, cs_error *error) {
    bool listed = strchr(target, '\n') == NULL;
    for (size_t i = 0; listed && i < sources->count; i++)
        listed = strchr(sources->items[i].path, '\n') == NULL;
    return listed || cs_error_set(error, "a depfile cannot hold a file name with a line break");
}

bool cs_sources_write_depfile(const cs_sources *sources, const char *path, const char *target, cs_error *error) {
    if (!can_be_listed(sources, target, error))
        return false;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return cs_error_set(error, "cannot write %s: out of memory", path);
    print_escaped(stream, target);
    fputc(':', stream);
    for (size_t i = 0; i < sources->count; i++) {
        fputs(" \\\n  ", stream);
        print_escaped(stream, sources->items[i].path);
    }
    fputc('\n', stream);
    bool complete = !ferror(stream);
    complete = fclose(stream) == 0 && complete;
    bool written = complete ? cs_file_replace(path, text, size, error)
                            : cs_error_set(error, "cannot write %s: out of memory", path);
    free(text);
    return written;
}

void cs_sources_free(cs_sources *sources) {
    for (size_t i = 0; i < sources->count; i++) {
        free(sources->items[i].name);
        free(sources->items[i].path);
    }
    free(sources->items);
    *sources = (cs_sources){NULL, 0, 0};
}
