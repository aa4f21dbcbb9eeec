/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder in which convsmith-gen is run: its home is the real one, but for tiny plans and one tiny template
 * (tests/data/generator), so that a test writes what it is about and nothing else.
 * Before this header: the headers that cmocka.h asks for.
 */
#ifndef CS_TESTS_GENERATOR_PLACE_H
#define CS_TESTS_GENERATOR_PLACE_H

#include <sys/stat.h>

#define PLACE_MAX_FILES 256

typedef struct place {
    char folder[256];
    const void *about;                      /* the test's initial state */
    int exit_code;                          /* of the last run */
    char *output, *messages;                /* its standard output and standard error */
    unsigned long file_limit, memory_limit; /* bytes, for the runs to come; 0: none */
    const char *output_path;                /* where its standard output goes instead; NULL: into `output` */
} place;

/* A cmocka set-up and tear-down: *state becomes a place, whose shapes.lua holds PLACE_MANIFEST. */
int place_create(void **state);
int place_destroy(void **state);

/* Three rows, on lines 2 to 4: twelve kernels. */
extern const char place_manifest[];

/* Writes a file, its folder made if need be; removes one. */
void place_write(const place *p, const char *name, const char *text);
void place_remove(const place *p, const char *name);

/* A file's text, the caller's to free; the test fails when there is none. */
char *place_read(const place *p, const char *name);

/* Whether there is such a file or folder; its status. */
int place_has(const place *p, const char *name);
struct stat place_status(const place *p, const char *name);

/* The number of files in a folder and those below it; 0 when there is none. */
int place_count(const place *p, const char *folder);

/* Runs the generator inside the place with exactly these arguments, NULL-ended. */
void place_run(place *p, const char *const *arguments);

/* Runs it on shapes.lua, with home "home" and output folder "out", and the arguments that are added, or NULL. */
void place_generate(place *p, const char *const *added);
#define PLACE_GENERATE(p, ...) place_generate(p, (const char *const[]){__VA_ARGS__, NULL})

/* Fails the test, printing what the run said, unless it ended so. */
void place_expect(const place *p, int exit_code);

/* Expects exit code 2 and exactly one line of messages, which begins with `start` and has `core` in it. */
void place_expect_error(const place *p, const char *start, const char *core);

/* Fails the test unless both files have the same bytes. */
void place_expect_same(const place *p, const char *name, const char *other);

#endif
