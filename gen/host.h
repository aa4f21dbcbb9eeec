/* SPDX-License-Identifier: Apache-2.0
 *
 * What the generator's Lua files can ask of the outside: the globals `host` and `require_module`.
 */
#ifndef CONVSMITH_GEN_HOST_H
#define CONVSMITH_GEN_HOST_H

#include "files.h"
#include "options.h"
#include "output.h"
#include "sandbox.h"
#include "sources.h"

typedef struct cs_host {
    const cs_options *options;
    cs_sandbox *sandbox;
    cs_sources sources;
    cs_output output;
    cs_bytes scratch;  /* a file on its way into the state, where an error would lose it */
    char context[512]; /* what is going on, for messages; empty: nothing in particular */
} cs_host;

/* Runs gen/init.lua of the home folder in one protected call; it fills host->output. */
bool cs_host_generate(cs_host *host, cs_error *error);

void cs_host_free(cs_host *host);

#endif
