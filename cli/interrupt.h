/* SPDX-License-Identifier: Apache-2.0
 *
 * Ctrl-C between two steps of long work, whose results are to be kept.
 */
#ifndef CS_CLI_INTERRUPT_H
#define CS_CLI_INTERRUPT_H

#include <stdbool.h>

/* From here on SIGINT no longer ends the program, but waits to be asked for; of threads made later, too. */
void cs_interrupt_hold(void);
bool cs_is_interrupted(void);

#endif
