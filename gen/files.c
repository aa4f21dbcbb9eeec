/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *cs_path_join(const char *folder, const char *name, cs_error *error) {
    size_t folder_length = folder == NULL ? 0 : strlen(folder);
    const char *slash = folder_length == 0 || folder[folder_length - 1] == '/' ? "" : "/";
    size_t size = folder_length + 1 + strlen(name) + 1;
    char *path = malloc(size);
    if (path == NULL)
        cs_error_set(error, "out of memory");
    else
        snprintf(path, size, "%s%s%s", folder == NULL ? "" : folder, slash, name);
    return path;
}

static bool read_open_file(int file, const char *path, cs_bytes *contents, cs_error *error) {
    struct stat status;
    if (fstat(file, &status) != 0)
        return cs_error_set(error, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return cs_error_set(error, "cannot read %s: it is not a regular file", path);
    if (status.st_size > (off_t)CS_FILE_LIMIT)
        return cs_error_set(error, "cannot read %s: it is larger than %zu MB", path, CS_FILE_LIMIT >> 20);
    size_t capacity = (size_t)status.st_size;
    char *bytes = malloc(capacity + 1);
    if (bytes == NULL)
        return cs_error_set(error, "cannot read %s: out of memory", path);
    size_t size = 0;
    while (size < capacity) {
        ssize_t got = read(file, bytes + size, capacity - size);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(bytes);
            return cs_error_set(error, "cannot read %s: %s", path, strerror(errno));
        }
        size += (size_t)got;
    }
    bytes[size] = '\0';
    *contents = (cs_bytes){bytes, size};
    return true;
}

cs_read_result cs_file_load(const char *path, cs_bytes *contents, cs_error *error) {
    *contents = (cs_bytes){NULL, 0};
    /* Not blocking, so that a pipe in place of the file is refused and not waited for. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        bool missing = errno == ENOENT;
        cs_error_set(error, "cannot read %s: %s", path, strerror(errno));
        return missing ? CS_READ_MISSING : CS_READ_FAILED;
    }
    bool read_well = read_open_file(file, path, contents, error);
    close(file);
    return read_well ? CS_READ_OK : CS_READ_FAILED;
}

static bool make_folder(const char *path, cs_error *error) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    return cs_error_set(error, "cannot create the folder %s: %s", path, strerror(errno));
}

bool cs_folder_create(const char *path, cs_error *error) {
    char *copy = cs_path_join(NULL, path, error);
    if (copy == NULL)
        return false;
    bool made = true;
    for (char *slash = strchr(copy + 1, '/'); made && slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        made = make_folder(copy, error);
        *slash = '/';
    }
    made = made && make_folder(path, error);
    free(copy);
    return made;
}

static bool write_all(int file, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t written = write(file, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

static bool write_new_file(const char *path, const char *bytes, size_t size, cs_error *error) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (file < 0)
        return cs_error_set(error, "cannot write %s: %s", path, strerror(errno));
    bool written = write_all(file, bytes, size);
    int cause = errno;
    /* A full disk may show only here. */
    if (close(file) != 0 && written) {
        written = false;
        cause = errno;
    }
    if (written)
        return true;
    unlink(path);
    return cs_error_set(error, "cannot write %s: %s", path, strerror(cause));
}

bool cs_file_write_beside(const char *path, const char *bytes, size_t size, char **temporary, cs_error *error) {
    /* No living process shares this one's number: what has this name already is left over, and is overwritten. */
    size_t name_size = strlen(path) + 32;
    char *name = malloc(name_size);
    *temporary = NULL;
    if (name == NULL)
        return cs_error_set(error, "cannot write %s: out of memory", path);
    snprintf(name, name_size, "%s.%ld.tmp", path, (long)getpid());
    if (!write_new_file(name, bytes, size, error)) {
        free(name);
        return false;
    }
    *temporary = name;
    return true;
}

bool cs_file_replace(const char *path, const char *bytes, size_t size, cs_error *error) {
    char *temporary = NULL;
    if (!cs_file_write_beside(path, bytes, size, &temporary, error))
        return false;
    bool renamed = rename(temporary, path) == 0;
    if (!renamed) {
        cs_error_set(error, "cannot write %s: %s", path, strerror(errno));
        unlink(temporary);
    }
    free(temporary);
    return renamed;
}
