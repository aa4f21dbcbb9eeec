/* SPDX-License-Identifier: Apache-2.0
 *
 * What the generator's Lua files can ask of the outside: the global `host`.
 */
#ifndef CONVSMITH_GEN_HOST_H
#define CONVSMITH_GEN_HOST_H

#include "options.h"
#include "output.h"
#include "policy.h"

typedef struct cs_host {
    const cs_options *options;
    cs_policy policy;
    cs_output output;
    char context[512]; /* what is going on, for messages; empty: nothing in particular */
} cs_host;

/* Room for all plans and texts; the instructions are those of one step, such as a row or a kernel. */
extern const cs_limits cs_host_limits;

/* Runs gen/init.lua of the home folder in one protected call; it fills host->output. */
bool cs_host_generate(cs_host *host, cs_error *error);

#endif
