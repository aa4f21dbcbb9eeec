/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "report_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_PATH "report/page.html"
#define DATA "data"

static bool load(const char *home, const char *name, cs_bytes *text, cs_error *error) {
    char *path = cs_path_join(home, name, error);
    const bool loaded = path && cs_file_load(path, text, error) == CS_READ_OK;
    free(path);
    return loaded;
}

/* In a script element "</script" and "<!--" would mean something; in JSON '<' stands in strings alone. */
static void put_data(FILE *out, const char *data) {
    for (size_t length; *data; data += length) {
        length = strcspn(data, "<");
        fwrite(data, 1, length, out);
        if (data[length]) {
            fputs("\\u003c", out);
            length++;
        }
    }
}

static bool put_file(FILE *out, const char *home, const char *name, cs_error *error) {
    char relative[128];
    cs_bytes text;
    snprintf(relative, sizeof relative, "report/%s", name);
    if (!load(home, relative, &text, error))
        return false;
    fwrite(text.bytes, 1, text.size, out);
    free(text.bytes);
    return true;
}

static bool put_named(FILE *out, const char *home, const char *name, const char *data, cs_error *error) {
    if (strcmp(name, DATA) != 0)
        return put_file(out, home, name, error);
    put_data(out, data);
    return true;
}

static bool put_page(FILE *out, const char *home, const char *text, const char *data, cs_error *error) {
    for (const char *mark; (mark = strstr(text, "${")) != NULL;) {
        char name[64];
        int length = 0;
        fwrite(text, 1, (size_t)(mark - text), out);
        if (sscanf(mark, "${%63[a-z._]}%n", name, &length) != 1 || length == 0)
            return cs_error_set(error, PAGE_PATH ": '%.20s' is no ${data} and no ${file}", mark);
        if (!put_named(out, home, name, data, error))
            return false;
        text = mark + length;
    }
    fputs(text, out);
    return true;
}

bool cs_report_page(const char *home, const char *data, cs_bytes *page, cs_error *error) {
    cs_bytes text;
    *page = (cs_bytes){NULL, 0};
    if (!load(home, PAGE_PATH, &text, error))
        return false;
    FILE *out = open_memstream(&page->bytes, &page->size);
    bool good = out ? put_page(out, home, text.bytes, data, error) : false;
    const bool whole = out && !ferror(out);
    free(text.bytes);
    if (!out || fclose(out) != 0 || !whole)
        good = cs_error_set(error, "no memory for the page");
    if (good)
        return true;
    free(page->bytes);
    *page = (cs_bytes){NULL, 0};
    return false;
}
