/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 24, PERIOD = 250 /* milliseconds from one drawing to the next */ };

static const double patience = 2; /* seconds */

/* A stopwatch of the CPU does not fail. */
void cs_progress_start(cs_progress *p) {
    *p = (cs_progress){
        .is_terminal = isatty(STDERR_FILENO) == 1, .lock = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER};
    cs_stopwatch_create(&p->watch, (convsmith_device){CONVSMITH_DEVICE_CPU, 0}, NULL);
    cs_stopwatch_start(&p->watch, NULL);
}

double cs_progress_seconds(cs_progress *p) {
    double milliseconds = 0;
    cs_stopwatch_stop(&p->watch, &milliseconds, NULL);
    return milliseconds / 1e3;
}

/* ---- The thread that draws --------------------------------------------------------------------------------------- */

static void draw(cs_progress *p) {
    char bar[WIDTH + 1];
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < (int)(p->done * WIDTH) ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %3.0f %%  %.0f s  %s\033[K", bar, 100 * p->done, cs_progress_seconds(p), p->what);
    p->is_drawn = true;
}

static void wait_for_next(cs_progress *p) {
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += PERIOD * 1000000L;
    end.tv_sec += end.tv_nsec / 1000000000L;
    end.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&p->over, &p->lock, &end);
}

static void *keep_drawing(void *progress) {
    cs_progress *p = progress;
    pthread_mutex_lock(&p->lock);
    while (!p->is_over) {
        if (cs_progress_seconds(p) >= patience)
            draw(p);
        wait_for_next(p);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- What it draws ----------------------------------------------------------------------------------------------- */

void cs_progress_show(cs_progress *p, double done, const char *what) {
    if (!p->is_terminal)
        return;
    pthread_mutex_lock(&p->lock);
    p->done = done;
    snprintf(p->what, sizeof p->what, "%s", what);
    p->is_over = false;
    pthread_mutex_unlock(&p->lock);
    if (!p->is_shown)
        p->is_shown = pthread_create(&p->thread, NULL, keep_drawing, p) == 0; /* without one there is no bar */
}

void cs_progress_clear(cs_progress *p) {
    if (!p->is_shown)
        return;
    pthread_mutex_lock(&p->lock);
    p->is_over = true;
    pthread_cond_signal(&p->over);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    p->is_shown = false;
    if (p->is_drawn)
        fprintf(stderr, "\r\033[K");
    p->is_drawn = false;
}
