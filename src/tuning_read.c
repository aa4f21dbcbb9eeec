/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a tuning record: a table of Lua that is data alone, in which each field has its place below. Whatever is not
 * as cs_tuning_write has it, but for comments, spaces and the order of fields, is an error of its line.
 */
#define _POSIX_C_SOURCE 200809L
#include "lua_data.h"
#include "plain_locale.h"
#include "status.h"
#include "tuning.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES ((size_t)64 << 20)
#define MOST_KERNELS 256 /* of a problem */
#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof *(ARRAY))

/* ---- The record -------------------------------------------------------------------------------------------------- */

#define BEGINNING "a tuning record begins with: return { format = %d, ...", CS_TUNING_FORMAT

static bool no_memory(cs_data_reader *r) {
    r->status = cs_fail(CONVSMITH_OUT_OF_MEMORY, "%s: no memory for the record", r->path);
    return false;
}

static bool read_kernel(cs_data_reader *r, void *target) {
    static const cs_data_field fields[] = {
        {"name", cs_data_name, offsetof(cs_timing, name), 0, 0, 0},
        {"us", cs_data_number, offsetof(cs_timing, us), 0, 1e-3, 1e12},
        {"spread", cs_data_number, offsetof(cs_timing, spread), 0, 0, 1e6},
    };
    cs_timings *kernels = target;
    cs_timing timing;
    if (!cs_data_fields(r, fields, COUNT(fields), &timing, "a kernel"))
        return false;
    for (size_t i = 0; i < kernels->count; ++i)
        if (strcmp(kernels->rows[i].name, timing.name) == 0)
            return cs_data_refuse(r, "a problem has the kernel %.100s twice", timing.name);
    if (kernels->count == MOST_KERNELS)
        return cs_data_refuse(r, "a problem has more than %d kernels", MOST_KERNELS);
    cs_timing *rows = realloc((void *)kernels->rows, (kernels->count + 1) * sizeof *rows);
    if (rows == NULL)
        return no_memory(r);
    kernels->rows = rows;
    rows[kernels->count++] = timing;
    return true;
}

static bool read_kernels(cs_data_reader *r, const cs_data_field *f, void *target) {
    cs_timings *kernels = target;
    return cs_data_list(r, read_kernel, kernels) && (kernels->count > 0 || cs_data_refuse(r, "%s is empty", f->name));
}

static bool read_problem(cs_data_reader *r, void *target) {
    static const cs_data_field fields[] = {
        {"n", cs_data_whole, offsetof(cs_tuned_problem, n), 0, 1, INT32_MAX},
        {"h", cs_data_whole, offsetof(cs_tuned_problem, h), 0, 1, INT32_MAX},
        {"w", cs_data_whole, offsetof(cs_tuned_problem, w), 0, 1, INT32_MAX},
        {"groups", cs_data_whole, offsetof(cs_tuned_problem, groups), 0, 0, INT32_MAX},
        {"kernels", read_kernels, offsetof(cs_tuned_problem, kernels), 0, 0, 0},
    };
    convsmith_tuning *tuning = target;
    cs_tuned_problem problem = {0};
    bool good = cs_data_fields(r, fields, COUNT(fields), &problem, "a problem");
    if (good) {
        r->status = cs_tuning_put(tuning, &problem);
        good = r->status == CONVSMITH_OK;
    }
    cs_timings_free(&problem.kernels);
    return good;
}

/* Into the record itself: the offset is 0. */
static bool read_problems(cs_data_reader *r, const cs_data_field *f, void *target) {
    (void)f;
    return cs_data_list(r, read_problem, target);
}

/* A record of another format may have other fields, so that this one is asked for first. */
static bool read_format(cs_data_reader *r) {
    static const cs_data_field format = {"format", cs_data_whole, 0, 0, 0, INT32_MAX};
    cs_data_reader ahead = *r;
    int64_t value = 0;
    const bool good = cs_data_expect_sign(&ahead, '{') && cs_data_has_word(&ahead, "format") &&
                      cs_data_expect_sign(&ahead, '=') && cs_data_whole(&ahead, &format, &value);
    if (!good)
        return cs_data_refuse(r, BEGINNING);
    if (value != CS_TUNING_FORMAT)
        return cs_data_refuse(
            r, "the record has format %lld; this library reads format %d: make it anew by `convsmith tune`",
            (long long)value, CS_TUNING_FORMAT);
    return true;
}

static bool read_record(cs_data_reader *r, convsmith_tuning *tuning) {
    static const cs_data_field fields[] = {
        {"format", cs_data_whole, offsetof(convsmith_tuning, format), 0, CS_TUNING_FORMAT, CS_TUNING_FORMAT},
        {"device", cs_data_copied, offsetof(convsmith_tuning, identity.model.name), sizeof((cs_device_model *)0)->name,
         0, 0},
        {"compute_capability", cs_data_int32, offsetof(convsmith_tuning, identity.model.compute_capability), 0, 0,
         10000},
        {"multiprocessors", cs_data_int32, offsetof(convsmith_tuning, identity.model.multiprocessors), 0, 0, 1 << 20},
        {"driver", cs_data_copied, offsetof(convsmith_tuning, identity.driver), sizeof((cs_identity *)0)->driver, 0, 0},
        {"runtime", cs_data_int32, offsetof(convsmith_tuning, identity.runtime), 0, 0, INT32_MAX},
        {"version", cs_data_copied, offsetof(convsmith_tuning, identity.version), sizeof((cs_identity *)0)->version, 0,
         0},
        {"date", cs_data_copied, offsetof(convsmith_tuning, date), sizeof((convsmith_tuning *)0)->date, 0, 0},
        {"problems", read_problems, 0, 0, 0, 0},
    };
    if (!cs_data_has_word(r, "return"))
        return cs_data_refuse(r, BEGINNING);
    if (!read_format(r) || !cs_data_fields(r, fields, COUNT(fields), tuning, "the record"))
        return false;
    return cs_data_expect_end(r, "the record");
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
        cs_data_reader r = {.path = path, .at = (*tuning)->text, .line = 1, .status = CONVSMITH_OK};
        locale_t plain, before = cs_enter_plain_locale(&plain);
        read_record(&r, *tuning);
        cs_leave_plain_locale(before, plain);
        status = r.status;
    }
    if (status == CONVSMITH_OK)
        return status;
    convsmith_tuning_destroy(*tuning);
    *tuning = NULL;
    return status;
}
