/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PAIRS_PATH "gen/pairs.lua"

void *cs_policy_owner(lua_State *lua) { return lua_touserdata(lua, lua_upvalueindex(1)); }

int cs_policy_raise(lua_State *lua, const cs_error *error) {
    lua_pushstring(lua, error->text);
    return lua_error(lua);
}

/* ---- Files and modules ------------------------------------------------------------------------------------------- */

void cs_policy_push_file(lua_State *lua, cs_policy *policy, const char *name, const char *path, const char *where) {
    cs_error error;
    free(policy->scratch.bytes);
    if (cs_file_load(path, &policy->scratch, &error) != CS_READ_OK)
        lua_pushfstring(lua, "%s%s", where, error.text), lua_error(lua);
    if (!cs_sources_add(&policy->sources, name, path, &error))
        cs_policy_raise(lua, &error);
    lua_pushlstring(lua, policy->scratch.bytes, policy->scratch.size);
}

void cs_policy_push_home_file(lua_State *lua, cs_policy *policy, const char *name, const char *where) {
    const char *path = lua_pushfstring(lua, "%s/%s", policy->home, name);
    cs_policy_push_file(lua, policy, name, path, where);
    lua_remove(lua, -2);
}

void cs_policy_push_chunk(lua_State *lua, const char *text, size_t size, const char *name) {
    if (size > 0 && text[0] == LUA_SIGNATURE[0])
        lua_pushfstring(lua, "%s:1: this is not text but a compiled chunk, which is never run", name), lua_error(lua);
    const char *chunk_name = lua_pushfstring(lua, "@%s", name);
    int status = luaL_loadbufferx(lua, text, size, chunk_name, "t");
    if (status == LUA_ERRRUN) /* the compiler's stack, which knows no line */
        lua_pushfstring(lua, "%s:1: this file is nested too deeply", name);
    if (status != LUA_OK)
        lua_error(lua);
    lua_remove(lua, -2);
}

/* require_module(path) -> what that file of the home folder returns; it runs when it is first asked for. The loaded
 * modules are in the function's second upvalue. */
static int require_module(lua_State *lua) {
    const char *name = luaL_checkstring(lua, 1);
    lua_settop(lua, 1);
    if (lua_getfield(lua, lua_upvalueindex(2), name) != LUA_TNIL)
        return 1;
    cs_policy_push_home_file(lua, cs_policy_owner(lua), name, "");
    size_t size = 0;
    const char *text = lua_tolstring(lua, -1, &size);
    cs_policy_push_chunk(lua, text, size, name);
    lua_call(lua, 0, 1);
    if (lua_isnil(lua, -1))
        return luaL_error(lua, "%s returns nothing; a module returns its value", name);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, lua_upvalueindex(2), name);
    return 1;
}

/* ---- What every host has ----------------------------------------------------------------------------------------- */

/* host.glob(pattern, text) -> whether it matches */
static int host_glob(lua_State *lua) {
    lua_pushboolean(lua, fnmatch(luaL_checkstring(lua, 1), luaL_checkstring(lua, 2), 0) == 0);
    return 1;
}

/* host.print(text): a line to the standard output, or to whoever keeps it */
static int host_print(lua_State *lua) {
    static const cs_error full = {"cannot write to the standard output"}, no_memory = {"no memory for what is printed"};
    const cs_policy *policy = lua_touserdata(lua, lua_upvalueindex(1));
    FILE *stream = policy->printed ? policy->printed : stdout;
    if (fputs(luaL_checkstring(lua, 1), stream) < 0 || putc('\n', stream) == EOF)
        return cs_policy_raise(lua, policy->printed ? &no_memory : &full);
    return 0;
}

/* Room for a record of some ten thousand kernels. */
static const cs_limits record_limits = {
    .subject = "the record", .work = 10000000, .memory = (size_t)256 << 20, .string = (size_t)1 << 20};

/* host.run_record(text, path) -> what the record's text returns, which has nothing but itself; nil for nothing */
static int host_run_record(lua_State *lua) {
    cs_policy *policy = lua_touserdata(lua, lua_upvalueindex(1));
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 1, &size), *path = luaL_checkstring(lua, 2);
    const char *source = lua_pushfstring(lua, "@%s", path);
    cs_policy_push_chunk(lua, text, size, path);
    lua_newtable(lua);
    lua_setupvalue(lua, -2, 1); /* a main chunk's only upvalue is its environment */
    cs_sandbox_call(&policy->sandbox, &record_limits, source, 1);
    return 1;
}

/* host.load(text, name [, environment]) -> function */
static int host_load(lua_State *lua) {
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    lua_settop(lua, 3);
    cs_policy_push_chunk(lua, text, size, luaL_checkstring(lua, 2));
    if (!lua_isnil(lua, 3)) {
        lua_pushvalue(lua, 3);
        lua_setupvalue(lua, -2, 1); /* a main chunk's only upvalue is its environment */
    }
    return 1;
}

/* host.hash(text) -> 16 hexadecimal digits, the same everywhere (FNV-1a) */
static int host_hash(lua_State *lua) {
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    char digits[17];
    snprintf(digits, sizeof digits, "%016" PRIx64, hash);
    lua_pushstring(lua, digits);
    return 1;
}

static const luaL_Reg common_functions[] = {{"glob", host_glob}, {"print", host_print}, {"run_record", host_run_record},
                                            {"load", host_load}, {"hash", host_hash},   {NULL, NULL}};

/* ---- The run ----------------------------------------------------------------------------------------------------- */

/* Runs a file of the home folder through the global require_module; its value is on top of the stack. */
static void push_module(lua_State *lua, const char *name) {
    lua_getglobal(lua, "require_module");
    lua_pushstring(lua, name);
    lua_call(lua, 1, 1);
}

static void set_globals(lua_State *lua, cs_policy *policy, const cs_policy_host *host) {
    luaL_newlibtable(lua, common_functions);
    lua_pushlightuserdata(lua, policy);
    luaL_setfuncs(lua, common_functions, 1);
    lua_pushlightuserdata(lua, host->owner);
    luaL_setfuncs(lua, host->functions, 1);
    host->push_options(lua, host->owner);
    lua_setfield(lua, -2, "options");
    lua_setglobal(lua, "host");
    lua_pushlightuserdata(lua, policy);
    lua_newtable(lua);
    lua_pushcclosure(lua, require_module, 2);
    lua_setglobal(lua, "require_module");
    /* Lua's own pairs has an order that differs from run to run, and so would the output. */
    push_module(lua, PAIRS_PATH);
    lua_setglobal(lua, "pairs");
}

static int run(lua_State *lua) {
    set_globals(lua, lua_touserdata(lua, 1), lua_touserdata(lua, 2));
    push_module(lua, lua_touserdata(lua, 3));
    return 0;
}

bool cs_policy_open(cs_policy *policy, const char *home, const cs_limits *limits, cs_error *error) {
    *policy = (cs_policy){.home = home};
    return cs_sandbox_open(&policy->sandbox, limits) != NULL || cs_error_set(error, "out of memory");
}

bool cs_policy_run(cs_policy *policy, const cs_policy_host *host, const char *module, cs_error *error) {
    lua_State *lua = policy->sandbox.lua;
    lua_pushcfunction(lua, run);
    lua_pushlightuserdata(lua, policy);
    lua_pushlightuserdata(lua, (void *)host);
    lua_pushlightuserdata(lua, (void *)module);
    int status = lua_pcall(lua, 3, 0, 0);
    if (status == LUA_OK)
        return true;
    cs_sandbox_explain(&policy->sandbox, status, error->text, sizeof error->text);
    return false;
}

void cs_policy_close(cs_policy *policy) {
    cs_sandbox_close(&policy->sandbox);
    cs_sources_free(&policy->sources);
    free(policy->scratch.bytes);
    policy->scratch = (cs_bytes){NULL, 0};
}
