/* SPDX-License-Identifier: Apache-2.0
 *
 * A Lua state with few libraries, an instruction limit and a memory limit.
 */
#ifndef CONVSMITH_GEN_SANDBOX_H
#define CONVSMITH_GEN_SANDBOX_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What code may use. `work` counts instructions, and one for every 16 bytes allocated. */
typedef struct cs_limits {
    const char *subject; /* of whom a message speaks */
    int64_t work;
    size_t memory; /* bytes in use by the whole state */
    size_t string; /* bytes of one string */
} cs_limits;

typedef struct cs_sandbox {
    lua_State *lua;
    const cs_limits *limits;
    const char *followed; /* the source whose lines are noted; NULL: every source */
    int64_t work_left;
    size_t memory_used;
    bool exhausted;         /* instructions have run out */
    char refusal[160];      /* which limit the last failed allocation met; empty: the machine has no more */
    char place[LUA_IDSIZE]; /* the source that ran last, as messages name it; empty before the first */
    int line;
} cs_sandbox;

/* A new state under `limits`, whose globals are the safe parts of base, string, table and math. `sandbox` must stay
 * where it is until it is closed. NULL: out of memory. */
lua_State *cs_sandbox_open(cs_sandbox *sandbox, const cs_limits *limits);

/* Calls the function on top of the stack, without arguments, for so many results, under other limits. `source` is the
 * chunk name that is noted meanwhile. An error leaves those limits in place: the run is over. */
void cs_sandbox_call(cs_sandbox *sandbox, const cs_limits *limits, const char *source, int results);

/* Gives back what the current limits allow: the next step is counted on its own. */
void cs_sandbox_renew(cs_sandbox *sandbox);

/* Says what a failed lua_pcall, its error value on top of the stack, has met: "file:line: words" or just words. */
void cs_sandbox_explain(const cs_sandbox *sandbox, int status, char *text, size_t size);

void cs_sandbox_close(cs_sandbox *sandbox);

#endif
