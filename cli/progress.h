/* SPDX-License-Identifier: Apache-2.0
 *
 * A bar on stderr of how far long work is, where that is a terminal and the work takes more than two seconds.
 */
#ifndef CS_CLI_PROGRESS_H
#define CS_CLI_PROGRESS_H

#include "support/buffer.h"

typedef struct cs_progress {
    cs_stopwatch watch;
    bool is_terminal, is_drawn;
} cs_progress;

void cs_progress_start(cs_progress *progress);

/* The seconds since the start. */
double cs_progress_seconds(cs_progress *progress);

/* `done` is the share of the work, from 0 to 1. */
void cs_progress_show(cs_progress *progress, double done, const char *what);

/* Takes the bar away, for lines that stay. */
void cs_progress_clear(cs_progress *progress);

#endif
