/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "generator_place.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ARGUMENTS 32

const char place_manifest[] = "defaults { math = { \"fp32\", \"tf32\" }, epilogue = { \"bias\", \"group_norm\" } }\n"
                              "conv { c_in = 8, kernel = \"3x3\", c_out = 32 }\n"
                              "conv { c_in = 3, kernel = \"5x3\", c_out = 20 }\n"
                              "conv { c_in = 3, kernel = \"3x5\", c_out = 20 }\n";

static const char source_folder[] = TEST_SOURCE_DIR;

static void path_in(const place *p, const char *name, char *path, size_t size) {
    assert_true(snprintf(path, size, "%s/%s", p->folder, name) < (int)size);
}

/* ---- The place --------------------------------------------------------------------------------------------------- */

static void link_source(const place *p, const char *from, const char *to) {
    char target[512], path[512];
    assert_true(snprintf(target, sizeof target, "%s/%s", source_folder, from) < (int)sizeof target);
    path_in(p, to, path, sizeof path);
    unlink(path);
    assert_int_equal(symlink(target, path), 0);
}

static void make_folder(const place *p, const char *name) {
    char path[512];
    path_in(p, name, path, sizeof path);
    mkdir(path, 0777);
}

/* The real gen/ and the templates of what is not a kernel. */
static void link_home(const place *p) {
    char folder[512];
    assert_true(snprintf(folder, sizeof folder, "%s/gen", source_folder) < (int)sizeof folder);
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        char from[300], to[300];
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".lua") != 0)
            continue;
        snprintf(from, sizeof from, "gen/%s", entry->d_name);
        snprintf(to, sizeof to, "home/gen/%s", entry->d_name);
        link_source(p, from, to);
    }
    closedir(entries);
    link_source(p, "templates/shard.lua", "home/templates/shard.lua");
    link_source(p, "templates/kernels.inc.lua", "home/templates/kernels.inc.lua");
    link_source(p, "templates/rates.inc.lua", "home/templates/rates.inc.lua");
    link_source(p, "templates/tunings.inc.lua", "home/templates/tunings.inc.lua");
    link_source(p, "gen/arch", "home/gen/arch");
    link_source(p, "tests/data/generator/plan.lua", "home/gen/plan.lua");
    link_source(p, "tests/data/generator/explain.lua", "home/gen/explain.lua");
    link_source(p, "tests/data/generator/kernel.lua", "home/templates/kernel.lua");
}

int place_create(void **state) {
    place *p = calloc(1, sizeof *p);
    const char *parent = getenv("TMPDIR");
    if (!p)
        return -1;
    snprintf(p->folder, sizeof p->folder, "%s/convsmith-test-XXXXXX", parent && *parent ? parent : "/tmp");
    if (!mkdtemp(p->folder))
        return -1;
    make_folder(p, "home");
    make_folder(p, "home/gen");
    make_folder(p, "home/templates");
    link_home(p);
    place_write(p, "shapes.lua", place_manifest);
    p->about = *state;
    *state = p;
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)status, (void)kind, (void)where;
    return remove(path);
}

int place_destroy(void **state) {
    place *p = *state;
    const int failed = nftw(p->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(p->output);
    free(p->messages);
    free(p);
    return failed;
}

/* ---- Files ------------------------------------------------------------------------------------------------------- */

void place_write(const place *p, const char *name, const char *text) {
    char path[512];
    path_in(p, name, path, sizeof path);
    for (char *slash = strchr(path + strlen(p->folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    unlink(path); /* it may be a link to the real one */
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, strlen(text), stream), strlen(text));
    assert_int_equal(fclose(stream), 0);
}

void place_remove(const place *p, const char *name) {
    char path[512];
    path_in(p, name, path, sizeof path);
    assert_int_equal(unlink(path), 0);
}

char *place_read(const place *p, const char *name) {
    char path[512];
    path_in(p, name, path, sizeof path);
    FILE *stream = fopen(path, "rb");
    if (!stream)
        fail_msg("%s cannot be opened", path);
    char *text = NULL;
    size_t size = 0, got = 1;
    for (; got > 0; size += got) {
        text = realloc(text, size + 65537);
        assert_non_null(text);
        got = fread(text + size, 1, 65536, stream);
    }
    text[size] = '\0';
    fclose(stream);
    return text;
}

int place_has(const place *p, const char *name) {
    char path[512];
    path_in(p, name, path, sizeof path);
    return access(path, F_OK) == 0;
}

struct stat place_status(const place *p, const char *name) {
    char path[512];
    struct stat status;
    path_in(p, name, path, sizeof path);
    if (stat(path, &status) != 0)
        fail_msg("%s is not there", path);
    return status;
}

int place_count(const place *p, const char *folder) {
    char path[512];
    int count = 0;
    path_in(p, folder, path, sizeof path);
    DIR *entries = opendir(path);
    for (struct dirent *entry = entries ? readdir(entries) : NULL; entry; entry = readdir(entries)) {
        char inner[800];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        assert_true(snprintf(inner, sizeof inner, "%s/%s", folder, entry->d_name) < (int)sizeof inner);
        count += S_ISDIR(place_status(p, inner).st_mode) ? place_count(p, inner) : 1;
    }
    if (entries)
        closedir(entries);
    return count;
}

/* ---- Runs -------------------------------------------------------------------------------------------------------- */

static void limit(int resource, unsigned long bytes) {
    const struct rlimit limits = {bytes, bytes};
    if (bytes > 0)
        setrlimit(resource, &limits);
}

static void redirect(int to, const char *path) {
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0 || dup2(file, to) < 0)
        _exit(126);
}

/* In the child. */
static void become_generator(const place *p, char **arguments) {
    if (chdir(p->folder) != 0)
        _exit(126);
    redirect(STDOUT_FILENO, p->output_path ? p->output_path : "output.txt");
    redirect(STDERR_FILENO, "messages.txt");
    signal(SIGXFSZ, SIG_IGN); /* so that a write fails in place of killing */
    limit(RLIMIT_FSIZE, p->file_limit);
    limit(RLIMIT_AS, p->memory_limit);
    execv(arguments[0], arguments);
    _exit(126);
}

void place_run(place *p, const char *const *arguments) {
    char *copy[MAX_ARGUMENTS] = {(char *)(uintptr_t)TEST_GENERATOR};
    for (size_t i = 0; arguments[i]; i++) {
        assert_true(i + 2 < MAX_ARGUMENTS);
        copy[i + 1] = (char *)(uintptr_t)arguments[i];
    }
    const pid_t child = fork();
    if (child == 0)
        become_generator(p, copy);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    p->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    free(p->output);
    free(p->messages);
    p->output = p->output_path ? calloc(1, 1) : place_read(p, "output.txt");
    p->messages = place_read(p, "messages.txt");
}

void place_generate(place *p, const char *const *added) {
    const char *arguments[MAX_ARGUMENTS] = {"--home", "home", "--manifest", "shapes.lua", "--out", "out"};
    for (size_t i = 0; added[i]; i++) {
        assert_true(i + 7 < MAX_ARGUMENTS);
        arguments[i + 6] = added[i];
    }
    place_run(p, arguments);
}

void place_expect(const place *p, int exit_code) {
    if (p->exit_code != exit_code)
        fail_msg("exit code %d in place of %d\n%s%s", p->exit_code, exit_code, p->output, p->messages);
}

void place_expect_error(const place *p, const char *start, const char *core) {
    place_expect(p, 2);
    const char *end = strchr(p->messages, '\n');
    if (strncmp(p->messages, start, strlen(start)) != 0 || !strstr(p->messages, core))
        fail_msg("expected\n  %s ... %s\nin place of\n  %s", start, core, p->messages);
    if (!end || end[1] != '\0')
        fail_msg("not one line: %s", p->messages);
}

void place_expect_same(const place *p, const char *name, const char *other) {
    char *a = place_read(p, name), *b = place_read(p, other);
    const int same = strcmp(a, b) == 0;
    free(a);
    free(b);
    if (!same)
        fail_msg("%s and %s differ", name, other);
}
