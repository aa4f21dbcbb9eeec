/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the program convsmith in a scratch folder. Before this header: what scratch.h asks for.
 */
#ifndef CS_TESTS_PROGRAM_H
#define CS_TESTS_PROGRAM_H

#include "scratch.h"

#include <stdlib.h>
#include <sys/wait.h>

enum { DONE = 0, CHECK_FAILED = 1, BAD_INPUT = 2, NO_KERNEL = 3, INTERRUPTED = 130 };

typedef struct outcome {
    int status;
    char *out, *err; /* what it printed */
} outcome;

/* Runs a program in the scratch folder. */
static inline outcome run_program(scratch *s, const char *program, const char *arguments) {
    char command[2048], path[512];
    size_t size;
    snprintf(command, sizeof command, "cd '%s' && '%s' %s >out.txt 2>err.txt", s->folder, program, arguments);
    const int status = system(command);
    assert_true(WIFEXITED(status));
    outcome o = {.status = WEXITSTATUS(status)};
    snprintf(path, sizeof path, "%s/out.txt", s->folder);
    o.out = scratch_read(path, &size);
    snprintf(path, sizeof path, "%s/err.txt", s->folder);
    o.err = scratch_read(path, &size);
    return o;
}

static inline outcome run(scratch *s, const char *arguments) { return run_program(s, TEST_PROGRAM, arguments); }

static inline void drop(outcome *o) {
    free(o->out);
    free(o->err);
}

/* Runs the program, which must end with `status` and say `words`: on stdout when it is done, else on stderr. */
static inline void expect(scratch *s, const char *arguments, int status, const char *words) {
    outcome o = run(s, arguments);
    const char *said = status == DONE ? o.out : o.err;
    if (o.status != status || !strstr(said, words))
        fail_msg("convsmith %s: exit status %d, should be %d; it should say '%s', it said: %s%s", arguments, o.status,
                 status, words, o.out, o.err);
    drop(&o);
}

#endif
