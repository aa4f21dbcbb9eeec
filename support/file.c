/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FILE *cs_file_open(const char *path, int64_t *size, cs_message *message) {
    FILE *stream = fopen(path, "rb");
    if (!stream) {
        cs_refuse(message, "%s: cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    struct stat status;
    if (fstat(fileno(stream), &status) || !S_ISREG(status.st_mode)) {
        cs_refuse(message, "%s: not a regular file", path);
        fclose(stream);
        return NULL;
    }
    *size = status.st_size;
    return stream;
}

bool cs_file_read(FILE *stream, void *data, size_t size, const char *path, cs_message *message) {
    errno = 0;
    if (fread(data, 1, size, stream) == size)
        return true;
    if (ferror(stream))
        return cs_refuse(message, "%s: cannot be read: %s", path, strerror(errno));
    return cs_refuse(message, "%s: the file ends early; it is truncated", path);
}

static bool is_special(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static char *temporary_name(const char *path) {
    const size_t size = strlen(path) + 32;
    char *name = malloc(size);
    if (name)
        snprintf(name, size, "%s.%ld.tmp", path, (long)getpid());
    return name;
}

/* Renaming over a symbolic link would replace the link, not the file that it names. */
static char *resolved(const char *path) {
    char *real = realpath(path, NULL);
    return real ? real : strdup(path);
}

static void forget(cs_new_file *file) {
    free(file->path);
    free(file->temporary);
    *file = (cs_new_file){0};
}

static bool fail_open(cs_new_file *file, const char *path, const char *reason, cs_message *message) {
    forget(file);
    return cs_refuse(message, "%s: cannot be written: %s", path, reason);
}

bool cs_new_file_open(cs_new_file *file, const char *path, cs_message *message) {
    *file = (cs_new_file){.path = resolved(path)};
    if (!file->path)
        return fail_open(file, path, strerror(errno), message);
    const bool direct = is_special(file->path);
    if (!direct && !(file->temporary = temporary_name(file->path)))
        return fail_open(file, path, strerror(errno), message);
    const int flags = O_WRONLY | (direct ? 0 : O_CREAT | O_TRUNC);
    const int descriptor = open(direct ? file->path : file->temporary, flags, 0666);
    if (descriptor < 0)
        return fail_open(file, path, strerror(errno), message);
    file->stream = fdopen(descriptor, "wb");
    if (!file->stream) {
        close(descriptor);
        return fail_open(file, path, strerror(errno), message);
    }
    return true;
}

bool cs_new_file_commit(cs_new_file *file, cs_message *message) {
    errno = 0;
    const bool written = fflush(file->stream) == 0 && !ferror(file->stream);
    const bool closed = fclose(file->stream) == 0;
    const bool placed = written && closed && (!file->temporary || rename(file->temporary, file->path) == 0);
    if (!placed)
        cs_refuse(message, "%s: cannot be written in full: %s", file->path, errno ? strerror(errno) : "a write failed");
    if (!placed && file->temporary)
        unlink(file->temporary);
    forget(file);
    return placed;
}

void cs_new_file_discard(cs_new_file *file) {
    fclose(file->stream);
    if (file->temporary)
        unlink(file->temporary);
    forget(file);
}
