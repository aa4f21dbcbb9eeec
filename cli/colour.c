/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "colour.h"

#include <stdlib.h>
#include <unistd.h>

void cs_print_coloured(FILE *stream, cs_colour colour, const char *word) {
    static const char *const codes[] = {[CS_GREEN] = "32", [CS_YELLOW] = "33", [CS_RED] = "31"};
    const char *off = getenv("NO_COLOR");
    if (isatty(fileno(stream)) && !(off && *off))
        fprintf(stream, "\033[%sm%s\033[m", codes[colour], word);
    else
        fputs(word, stream);
}
