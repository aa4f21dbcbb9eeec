/* SPDX-License-Identifier: Apache-2.0
 *
 * A bar on stderr of how far long work is, where that is a terminal and the work takes more than two seconds.
 */
#ifndef CS_CLI_PROGRESS_H
#define CS_CLI_PROGRESS_H

#include "support/buffer.h"

#include <pthread.h>

/* Between cs_progress_show and cs_progress_clear a thread draws the bar, so that the seconds go on where a part of the
 * work is long; it reads what is in the lower half under the lock. */
typedef struct cs_progress {
    cs_stopwatch watch;
    bool is_terminal, is_shown;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t over;
    bool is_over, is_drawn;
    double done;
    char what[64];
} cs_progress;

/* It stays where it is from then on. */
void cs_progress_start(cs_progress *progress);

/* The seconds since the start. */
double cs_progress_seconds(cs_progress *progress);

/* `done` is the share of the work, from 0 to 1; `what` is copied. */
void cs_progress_show(cs_progress *progress, double done, const char *what);

/* Takes the bar away, for lines that stay; at the end, too. */
void cs_progress_clear(cs_progress *progress);

#endif
