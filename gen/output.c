/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include "output.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

/* The marker is looked for in this many bytes. */
enum { MARKER_REACH = 512 };

static const size_t total_limit = (size_t)256 << 20;

static bool has_marker(const char *text, size_t size) {
    size_t reach = size < MARKER_REACH ? size : MARKER_REACH;
    return memmem(text, reach, CS_OUTPUT_MARKER, strlen(CS_OUTPUT_MARKER)) != NULL;
}

static bool path_is_valid(const char *path) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    const char *name = path;
    if (strncmp(path, CS_OUTPUT_FOLDER "/", strlen(CS_OUTPUT_FOLDER "/")) == 0)
        name += strlen(CS_OUTPUT_FOLDER "/");
    return name[0] != '\0' && name[0] != '.' && name[strspn(name, allowed)] == '\0';
}

static const cs_output_file *find_file(const cs_output *output, const char *path) {
    for (size_t i = 0; i < output->count; i++)
        if (strcmp(output->files[i].path, path) == 0)
            return &output->files[i];
    return NULL;
}

/* A new last file with a copy of its path; NULL: out of memory. */
static cs_output_file *append_file(cs_output *output, const char *path, cs_error *error) {
    if (output->count == output->capacity) {
        size_t capacity = output->capacity == 0 ? 64 : output->capacity * 2;
        cs_output_file *files =
            capacity > SIZE_MAX / sizeof *files ? NULL : realloc(output->files, capacity * sizeof *files);
        if (files == NULL) {
            cs_error_set(error, "out of memory for %s", path);
            return NULL;
        }
        output->files = files;
        output->capacity = capacity;
    }
    char *copy = cs_path_join(NULL, path, error);
    if (copy == NULL)
        return NULL;
    cs_output_file *file = &output->files[output->count++];
    *file = (cs_output_file){.path = copy};
    return file;
}

bool cs_output_add(cs_output *output, const char *path, const char *text, size_t size, cs_error *error) {
    if (!path_is_valid(path))
        return cs_error_set(
            error, "'%s' is no path of an output file; it is a plain name, or " CS_OUTPUT_FOLDER "/ and one", path);
    if (!has_marker(text, size))
        return cs_error_set(error, "%s lacks the words '" CS_OUTPUT_MARKER "' at its beginning", path);
    if (find_file(output, path) != NULL)
        return cs_error_set(error, "%s is generated twice", path);
    if (size > total_limit - output->total_size)
        return cs_error_set(error, "the output is larger than %zu MB", total_limit >> 20);
    char *copy = malloc(size + 1);
    if (copy == NULL)
        return cs_error_set(error, "out of memory for %s", path);
    memcpy(copy, text, size);
    copy[size] = '\0';
    cs_output_file *file = append_file(output, path, error);
    if (file == NULL) {
        free(copy);
        return false;
    }
    file->text = copy;
    file->size = size;
    output->total_size += size;
    return true;
}

static cs_output_state compare_bytes(const cs_output_file *file, const cs_bytes *old) {
    if (old->size == file->size && memcmp(old->bytes, file->text, old->size) == 0)
        return CS_OUTPUT_SAME;
    return has_marker(old->bytes, old->size) ? CS_OUTPUT_DIFFERS : CS_OUTPUT_FOREIGN;
}

static bool compare_file(cs_output_file *file, const char *folder, cs_error *error) {
    file->full = cs_path_join(folder, file->path, error);
    if (file->full == NULL)
        return false;
    cs_bytes old;
    cs_read_result result = cs_file_load(file->full, &old, error);
    file->state = result == CS_READ_OK ? compare_bytes(file, &old) : CS_OUTPUT_MISSING;
    free(old.bytes);
    return result != CS_READ_FAILED;
}

/* Whether the file is one that the generator wrote. What cannot be read is not. */
static bool is_generated(const char *full) {
    cs_error unread;
    cs_bytes bytes;
    bool generated = cs_file_load(full, &bytes, &unread) == CS_READ_OK && has_marker(bytes.bytes, bytes.size);
    free(bytes.bytes);
    return generated;
}

/* Adds `name` of the folder as stale when it is a generated file that is none of the collected ones. */
static bool note_if_stale(cs_output *output, const char *folder, const char *inner, const char *name, cs_error *error) {
    char *path = cs_path_join(inner, name, error);
    char *full = path == NULL ? NULL : cs_path_join(folder, path, error);
    bool noted = full != NULL;
    if (noted && find_file(output, path) == NULL && is_generated(full)) {
        cs_output_file *file = append_file(output, path, error);
        noted = file != NULL;
        if (noted) {
            file->state = CS_OUTPUT_STALE;
            file->full = full;
            full = NULL;
        }
    }
    free(full);
    free(path);
    return noted;
}

static bool note_stale_in(cs_output *output, const char *folder, const char *inner, cs_error *error) {
    char *path = inner == NULL ? cs_path_join(NULL, folder, error) : cs_path_join(folder, inner, error);
    if (path == NULL)
        return false;
    DIR *entries = opendir(path);
    bool read_well = entries != NULL || errno == ENOENT;
    if (!read_well)
        cs_error_set(error, "cannot read the folder %s: %s", path, strerror(errno));
    while (read_well && entries != NULL) {
        errno = 0;
        const struct dirent *entry = readdir(entries);
        if (entry == NULL) {
            if (errno != 0)
                read_well = cs_error_set(error, "cannot read the folder %s: %s", path, strerror(errno));
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            read_well = note_if_stale(output, folder, inner, entry->d_name, error);
    }
    if (entries != NULL)
        closedir(entries);
    free(path);
    return read_well;
}

static int by_path(const void *left, const void *right) {
    return strcmp(((const cs_output_file *)left)->path, ((const cs_output_file *)right)->path);
}

bool cs_output_compare(cs_output *output, const char *folder, cs_error *error) {
    for (size_t i = 0; i < output->count; i++)
        if (!compare_file(&output->files[i], folder, error))
            return false;
    if (!note_stale_in(output, folder, NULL, error) || !note_stale_in(output, folder, CS_OUTPUT_FOLDER, error))
        return false;
    if (output->count > 0)
        qsort(output->files, output->count, sizeof *output->files, by_path);
    return true;
}

size_t cs_output_print_differences(const cs_output *output) {
    static const char *const words[] = {
        [CS_OUTPUT_DIFFERS] = "differs",
        [CS_OUTPUT_FOREIGN] = "differs",
        [CS_OUTPUT_MISSING] = "missing",
        [CS_OUTPUT_STALE] = "not generated any more",
    };
    size_t differences = 0;
    for (size_t i = 0; i < output->count; i++) {
        const cs_output_file *file = &output->files[i];
        if (file->state == CS_OUTPUT_SAME)
            continue;
        printf("%s: %s\n", file->full, words[file->state]);
        differences++;
    }
    return differences;
}

static bool create_folders(const char *folder, cs_error *error) {
    char *inner = cs_path_join(folder, CS_OUTPUT_FOLDER, error);
    bool created = inner != NULL && cs_folder_create(inner, error);
    free(inner);
    return created;
}

static bool needs_writing(const cs_output_file *file) {
    return file->state == CS_OUTPUT_DIFFERS || file->state == CS_OUTPUT_MISSING;
}

static bool write_temporary(cs_output_file *file, cs_error *error) {
    return cs_file_write_beside(file->full, file->text, file->size, &file->temporary, error);
}

static bool rename_temporary(cs_output_file *file, cs_error *error) {
    if (rename(file->temporary, file->full) != 0)
        return cs_error_set(error, "cannot write %s: %s", file->full, strerror(errno));
    free(file->temporary);
    file->temporary = NULL;
    return true;
}

static bool remove_stale(const cs_output_file *file, cs_error *error) {
    if (unlink(file->full) != 0 && errno != ENOENT)
        return cs_error_set(error, "cannot remove %s: %s", file->full, strerror(errno));
    return true;
}

static bool refuse_foreign(const cs_output *output, cs_error *error) {
    for (size_t i = 0; i < output->count; i++)
        if (output->files[i].state == CS_OUTPUT_FOREIGN)
            return cs_error_set(error,
                                "%s exists and is not a generated file ('" CS_OUTPUT_MARKER
                                "' is missing at its beginning); remove it or choose another --out",
                                output->files[i].full);
    return true;
}

bool cs_output_write(cs_output *output, const char *folder, cs_error *error) {
    if (!refuse_foreign(output, error) || !create_folders(folder, error))
        return false;
    for (size_t i = 0; i < output->count; i++)
        if (needs_writing(&output->files[i]) && !write_temporary(&output->files[i], error))
            return false;
    /* Backwards: kernels.inc sorts first, so it comes last, and a build that watches it repeats an interrupted run. */
    for (size_t i = output->count; i-- > 0;)
        if (output->files[i].temporary != NULL && !rename_temporary(&output->files[i], error))
            return false;
    for (size_t i = 0; i < output->count; i++)
        if (output->files[i].state == CS_OUTPUT_STALE && !remove_stale(&output->files[i], error))
            return false;
    return true;
}

void cs_output_free(cs_output *output) {
    for (size_t i = 0; i < output->count; i++) {
        cs_output_file *file = &output->files[i];
        if (file->temporary != NULL)
            unlink(file->temporary);
        free(file->temporary);
        free(file->text);
        free(file->full);
        free(file->path);
    }
    free(output->files);
    *output = (cs_output){NULL, 0, 0, 0};
}
