/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

enum { WIDTH = 24 };

static const double patience = 2; /* seconds */

/* A stopwatch of the CPU does not fail. */
void cs_progress_start(cs_progress *p) {
    *p = (cs_progress){.is_terminal = isatty(STDERR_FILENO) == 1};
    cs_stopwatch_create(&p->watch, (convsmith_device){CONVSMITH_DEVICE_CPU, 0}, NULL);
    cs_stopwatch_start(&p->watch, NULL);
}

double cs_progress_seconds(cs_progress *p) {
    double milliseconds = 0;
    cs_stopwatch_stop(&p->watch, &milliseconds, NULL);
    return milliseconds / 1e3;
}

void cs_progress_show(cs_progress *p, double done, const char *what) {
    char bar[WIDTH + 1];
    const double seconds = cs_progress_seconds(p);
    if (!p->is_terminal || seconds < patience)
        return;
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < (int)(done * WIDTH) ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %3.0f %%  %.0f s  %.60s\033[K", bar, 100 * done, seconds, what);
    p->is_drawn = true;
}

void cs_progress_clear(cs_progress *p) {
    if (p->is_drawn)
        fprintf(stderr, "\r\033[K");
    p->is_drawn = false;
}
