/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of convsmith-gen.
 */
#ifndef CONVSMITH_GEN_OPTIONS_H
#define CONVSMITH_GEN_OPTIONS_H

#include <stdbool.h>

/* Strings are the command line's own; NULL where an option is not given. */
typedef struct cs_options {
    const char *manifest, *out, *filter, *arch, *depfile, *prefix, *home, *feedback, *problem;
    int shards;
    bool check, explain, json;
} cs_options;

/* The generator's exit codes. */
enum { CS_EXIT_DONE = 0, CS_EXIT_DRIFT = 1, CS_EXIT_BAD = 2 };

/* Reads the command line. True: go on. False: leave with *exit_code, everything having been said. */
bool cs_options_parse(cs_options *options, int argc, char **argv, int *exit_code);

#endif
