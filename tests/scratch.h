/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder of its own for a test program's files, and whole files in and out of memory.
 * Before this header: the headers that cmocka.h asks for, and _XOPEN_SOURCE 700.
 */
#ifndef CS_TESTS_SCRATCH_H
#define CS_TESTS_SCRATCH_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct scratch {
    char folder[256];
    char path[512]; /* of the last name asked for */
} scratch;

/* A cmocka group set-up: a new folder in $TMPDIR or /tmp becomes the state. */
static inline int scratch_create(void **state) {
    scratch *s = calloc(1, sizeof *s);
    const char *parent = getenv("TMPDIR");
    if (!s)
        return -1;
    snprintf(s->folder, sizeof s->folder, "%s/convsmith-test-XXXXXX", parent && *parent ? parent : "/tmp");
    *state = s;
    return mkdtemp(s->folder) ? 0 : -1;
}

/* The path of a file in the folder, valid until the next call. */
static inline const char *scratch_path(scratch *s, const char *name) {
    snprintf(s->path, sizeof s->path, "%s/%s", s->folder, name);
    return s->path;
}

/* The number of files in the folder; with `remove_them` they are gone afterwards. */
static inline int scratch_files(scratch *s, int remove_them) {
    int count = 0;
    DIR *folder = opendir(s->folder);
    if (!folder)
        return -1;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        if (entry->d_name[0] != '.') {
            count++;
            if (remove_them)
                unlink(scratch_path(s, entry->d_name));
        }
    closedir(folder);
    return count;
}

/* A cmocka group tear-down. */
static inline int scratch_destroy(void **state) {
    scratch *s = *state;
    scratch_files(s, 1);
    const int failed = rmdir(s->folder);
    free(s);
    return failed;
}

static inline const char *scratch_write(scratch *s, const char *name, const void *bytes, size_t size) {
    FILE *stream = fopen(scratch_path(s, name), "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
    return s->path;
}

/* A whole file with a zero byte behind it, the caller's to free. */
static inline char *scratch_read(const char *path, size_t *size) {
    FILE *stream = fopen(path, "rb");
    if (!stream)
        fail_msg("%s cannot be opened", path);
    char *bytes = NULL;
    *size = 0;
    for (size_t got = 1; got > 0; *size += got) {
        bytes = realloc(bytes, *size + 65537);
        assert_non_null(bytes);
        got = fread(bytes + *size, 1, 65536, stream);
    }
    bytes[*size] = '\0';
    fclose(stream);
    return bytes;
}

#endif
