/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program convsmith prints where its output is a terminal.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A program at work on a terminal of its own, and what it has printed there. */
typedef struct session {
    pid_t child;
    int terminal;
    char said[4096];
    size_t length;
} session;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void become_program(const char *terminal, char *const *arguments) {
    setsid();
    const int end = open(terminal, O_RDWR);
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        dup2(end, stream);
    execv(TEST_PROGRAM, arguments);
    _exit(127);
}

static session start(char *const *arguments) {
    session s = {.terminal = posix_openpt(O_RDWR | O_NOCTTY)};
    assert_true(s.terminal >= 0 && grantpt(s.terminal) == 0 && unlockpt(s.terminal) == 0);
    const char *name = ptsname(s.terminal);
    assert_non_null(name);
    s.child = fork();
    assert_true(s.child >= 0);
    if (s.child == 0)
        become_program(name, arguments);
    return s;
}

/* Reads until the words are there, or the program ends, or the seconds are over; whether they are there. */
static bool says(session *s, const char *words, double seconds) {
    const double end = now() + seconds;
    while (!strstr(s->said, words) && s->length + 1 < sizeof s->said) {
        struct pollfd wait = {.fd = s->terminal, .events = POLLIN};
        const double left = end - now();
        if (left <= 0 || poll(&wait, 1, (int)(left * 1e3) + 1) <= 0)
            break;
        const ssize_t count = read(s->terminal, s->said + s->length, sizeof s->said - 1 - s->length);
        if (count <= 0)
            break;
        s->length += (size_t)count;
        s->said[s->length] = '\0';
    }
    return strstr(s->said, words) != NULL;
}

static void finish(session *s) {
    kill(s->child, SIGKILL);
    waitpid(s->child, NULL, 0);
    close(s->terminal);
}

/* ---- Colour ------------------------------------------------------------------------------------------------------ */

static void errors_are_red(void **state) {
    (void)state;
    session s = start((char *[]){"convsmith", "find", "8x3x3", NULL});
    const bool is_red = says(&s, "find: \033[31merror:\033[m '8x3x3'", 10);
    finish(&s);
    if (!is_red)
        fail_msg("it said: %s", s.said);
}

static void no_colour_is_used_where_the_environment_says_so(void **state) {
    (void)state;
    setenv("NO_COLOR", "1", 1);
    session s = start((char *[]){"convsmith", "find", "8x3x3", NULL});
    unsetenv("NO_COLOR");
    const bool is_plain = says(&s, "find: error: '8x3x3'", 10);
    finish(&s);
    if (!is_plain)
        fail_msg("it said: %s", s.said);
}

/* ---- Progress ---------------------------------------------------------------------------------------------------- */

static void long_work_shows_how_far_it_is_after_two_seconds(void **state) {
    (void)state;
    const double begin = now();
    session s = start((char *[]){"convsmith", "check", "--samples", "1000000", "--small", "--device", "cpu", NULL});
    const bool shows = says(&s, "samples", 30);
    const double seconds = now() - begin;
    finish(&s);
    if (!shows || seconds < 2 || !strstr(s.said, "[........................]"))
        fail_msg("after %g s it said: %s", seconds, s.said);
}

/* Of one kernel: the bar is there before the work on it ends, and is drawn again and again. */
static void long_work_in_one_piece_shows_it_too(void **state) {
    (void)state;
    session s = start((char *[]){"convsmith", "bench", "--filter", "conv_f32_c8_k3x3_o32_*_host_base", "--device",
                                 "cpu", "--repeats", "10000", NULL});
    bool shows = true;
    for (int drawn = 0; drawn < 3 && shows; drawn++) {
        s.said[s.length = 0] = '\0';
        shows = says(&s, "] ", 30) && says(&s, "s  conv_f32_c8_k3x3_o32_", 30);
    }
    finish(&s);
    if (!shows)
        fail_msg("it said: %s", s.said);
}

static void short_work_shows_none(void **state) {
    (void)state;
    session s = start((char *[]){"convsmith", "check", "--samples", "2", "--small", "--device", "cpu", NULL});
    const bool is_done = says(&s, "2 passed", 10);
    finish(&s);
    assert_true(is_done);
    assert_null(strstr(s.said, "[...."));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_red),
        cmocka_unit_test(no_colour_is_used_where_the_environment_says_so),
        cmocka_unit_test(long_work_shows_how_far_it_is_after_two_seconds),
        cmocka_unit_test(long_work_in_one_piece_shows_it_too),
        cmocka_unit_test(short_work_shows_none),
    };
    return cmocka_run_group_tests_name("cli_terminal", tests, NULL, NULL);
}
