/* SPDX-License-Identifier: Apache-2.0
 *
 * Words in colour on a terminal.
 */
#ifndef CS_CLI_COLOUR_H
#define CS_CLI_COLOUR_H

#include <stdio.h>

typedef enum cs_colour { CS_GREEN, CS_YELLOW, CS_RED } cs_colour;

/* Prints the word, as it is where the stream is no terminal or the environment has NO_COLOR (no-color.org). */
void cs_print_coloured(FILE *stream, cs_colour colour, const char *word);

#endif
