/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of the Lua files below the home folder: what convsmith-gen and convsmith have in common. Their globals are
 * those of the sandbox, `require_module`, a `pairs` of fixed order, and the table `host`: what a program lets them ask
 * of the outside.
 */
#ifndef CONVSMITH_GEN_POLICY_H
#define CONVSMITH_GEN_POLICY_H

#include <lauxlib.h>
#include <stdio.h>

#include "files.h"
#include "sandbox.h"
#include "sources.h"

typedef struct cs_policy {
    const char *home;
    cs_sandbox sandbox;
    cs_sources sources;
    cs_bytes scratch; /* a file on its way into the state, where an error would lose it */
    FILE *printed;    /* where host.print writes; set once it is open, NULL: the standard output */
} cs_policy;

/* What a program adds to `host`, beside glob, print, run_record, load and hash. */
typedef struct cs_policy_host {
    const luaL_Reg *functions;                               /* NULL-ended */
    void *owner;                                             /* of these functions: cs_policy_owner */
    void (*push_options)(lua_State *lua, const void *owner); /* pushes the value of host.options */
} cs_policy_host;

/* `home` must stay as it is until the policy is closed, and so must the policy's place. */
bool cs_policy_open(cs_policy *policy, const char *home, const cs_limits *limits, cs_error *error);

/* Sets the globals and runs a file of the home folder, in one protected call. */
bool cs_policy_run(cs_policy *policy, const cs_policy_host *host, const char *module, cs_error *error);

void cs_policy_close(cs_policy *policy);

/* ---- For functions of `host`. They raise errors of Lua. -------------------------------------------------------------
 */

void *cs_policy_owner(lua_State *lua);

/* Raises the error as it is: luaL_error would put the place of the policy's own Lua code in front. */
int cs_policy_raise(lua_State *lua, const cs_error *error);

/* Pushes the text of a file and notes that it was read; `where` is put before an error, and may be empty. */
void cs_policy_push_file(lua_State *lua, cs_policy *policy, const char *name, const char *path, const char *where);
void cs_policy_push_home_file(lua_State *lua, cs_policy *policy, const char *name, const char *where);

/* Pushes the function that a text is compiled to; raises Lua's "name:line: ..." when it is wrong. */
void cs_policy_push_chunk(lua_State *lua, const char *text, size_t size, const char *name);

#endif
