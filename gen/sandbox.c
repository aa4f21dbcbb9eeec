/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INSTRUCTIONS_PER_HOOK = 1000, BYTES_PER_INSTRUCTION = 16 };

/* ---- Memory ---------------------------------------------------------------------------------------------------- */

static void note_refusal(cs_sandbox *sandbox, const char *what, size_t amount, const char *unit) {
    snprintf(sandbox->refusal, sizeof sandbox->refusal, "%s exceeds its %s of %zu %s", sandbox->limits->subject, what,
             amount, unit);
}

static void note_work_refusal(cs_sandbox *sandbox) {
    note_refusal(sandbox, "instruction limit", (size_t)(sandbox->limits->work / 1000000),
                 "million; is there a loop that does not end?");
}

/* False, with the reason noted, when a block may not grow by so much. */
static bool may_grow(cs_sandbox *sandbox, size_t old_size, size_t new_size, bool is_string) {
    const cs_limits *limits = sandbox->limits;
    size_t growth = new_size - old_size;
    if (is_string && new_size > limits->string)
        note_refusal(sandbox, "limit for one string", limits->string >> 20, "MB");
    else if (growth > limits->memory || sandbox->memory_used > limits->memory - growth)
        note_refusal(sandbox, "memory limit", limits->memory >> 20, "MB");
    else
        return true;
    return false;
}

/* Lua's allocator. Shrinking and freeing must not fail, so only growth is checked. */
static void *allocate(void *data, void *block, size_t old_size, size_t new_size) {
    cs_sandbox *sandbox = data;
    bool is_string = block == NULL && old_size == LUA_TSTRING;
    if (block == NULL)
        old_size = 0; /* it was the kind of the new value */
    if (new_size == 0) {
        free(block);
        sandbox->memory_used -= old_size;
        return NULL;
    }
    if (new_size > old_size && !may_grow(sandbox, old_size, new_size, is_string))
        return NULL;
    void *moved = realloc(block, new_size);
    if (moved == NULL) {
        sandbox->refusal[0] = '\0';
        return NULL;
    }
    if (new_size > old_size)
        sandbox->work_left -= (int64_t)((new_size - old_size) / BYTES_PER_INSTRUCTION);
    sandbox->memory_used += new_size - old_size; /* wraps to a subtraction when it shrinks */
    return moved;
}

/* ---- Instructions ---------------------------------------------------------------------------------------------- */

static cs_sandbox *sandbox_of(lua_State *lua) {
    void *data = NULL;
    lua_getallocf(lua, &data);
    return data;
}

static void note_place(cs_sandbox *sandbox, lua_State *lua, lua_Debug *activation) {
    lua_getinfo(lua, "Sl", activation);
    if (sandbox->followed != NULL && strcmp(sandbox->followed, activation->source) != 0)
        return;
    memcpy(sandbox->place, activation->short_src, sizeof sandbox->place);
    sandbox->line = activation->currentline;
}

static void hook(lua_State *lua, lua_Debug *activation) {
    cs_sandbox *sandbox = sandbox_of(lua);
    note_place(sandbox, lua, activation);
    if (activation->event != LUA_HOOKCOUNT)
        return;
    sandbox->work_left -= INSTRUCTIONS_PER_HOOK;
    if (sandbox->work_left > 0)
        return;
    note_work_refusal(sandbox);
    sandbox->exhausted = true;
    lua_pushnil(lua);
    lua_error(lua);
}

/* ---- Libraries ------------------------------------------------------------------------------------------------- */

/* Left out on purpose: what reaches files, processes, bytecode or other chunks (io, os, package, debug, load, dofile,
 * string.dump), what would swallow an exceeded limit (pcall, xpcall, coroutine), and what differs from run to run
 * (math.random, collectgarbage). */
static const char *const base_names[] = {"assert",   "error",    "getmetatable", "ipairs", "next",         "rawequal",
                                         "rawget",   "rawlen",   "rawset",       "select", "setmetatable", "pairs",
                                         "tonumber", "tostring", "type",         NULL};
static const char *const string_names[] = {"byte",  "char", "find", "format",  "gmatch", "gsub",   "len",   "lower",
                                           "match", "pack", "rep",  "reverse", "sub",    "unpack", "upper", NULL};
static const char *const table_names[] = {"concat", "insert", "move", "pack", "remove", "sort", "unpack", NULL};
static const char *const math_names[] = {"abs", "ceil",       "floor", "fmod", "huge",      "log",  "max", "maxinteger",
                                         "min", "mininteger", "modf",  "sqrt", "tointeger", "type", "ult", NULL};

/* Methods of every string, those of a manifest included: none that matches patterns, which may run very long inside
 * C, where no instruction is counted. Code that may use those calls string.find(s, ...). */
static const char *const method_names[] = {"format", "len", "lower", "rep", "sub", "upper", NULL};

/* Pushes a new table with the named fields of the table at `from`. */
static void push_chosen(lua_State *lua, int from, const char *const *names) {
    from = lua_absindex(lua, from);
    lua_newtable(lua);
    for (; *names != NULL; names++) {
        lua_getfield(lua, from, *names);
        lua_setfield(lua, -2, *names);
    }
}

/* Opens a library and puts its chosen part into the table on top of the stack. */
static void add_library(lua_State *lua, const char *name, lua_CFunction open, const char *const *names) {
    luaL_requiref(lua, name, open, 0);
    push_chosen(lua, -1, names);
    lua_setfield(lua, -3, name);
    lua_pop(lua, 1); /* the whole library */
}

static void restrict_string_methods(lua_State *lua) {
    lua_pushliteral(lua, "");
    lua_getmetatable(lua, -1);
    lua_getfield(lua, -1, "__index");
    push_chosen(lua, -1, method_names);
    lua_setfield(lua, -3, "__index");
    lua_pushboolean(lua, false); /* what getmetatable("") gives */
    lua_setfield(lua, -3, "__metatable");
    lua_pop(lua, 3); /* the full __index, the metatable, the string */
}

static int open_libraries(lua_State *lua) {
    luaL_requiref(lua, LUA_GNAME, luaopen_base, 0);
    push_chosen(lua, -1, base_names);
    add_library(lua, LUA_STRLIBNAME, luaopen_string, string_names);
    add_library(lua, LUA_TABLIBNAME, luaopen_table, table_names);
    add_library(lua, LUA_MATHLIBNAME, luaopen_math, math_names);
    lua_rawseti(lua, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    restrict_string_methods(lua);
    lua_pushnil(lua);
    lua_setfield(lua, LUA_REGISTRYINDEX, LUA_LOADED_TABLE); /* the full libraries go with it */
    return 0;
}

/* ---- The state ------------------------------------------------------------------------------------------------- */

lua_State *cs_sandbox_open(cs_sandbox *sandbox, const cs_limits *limits) {
    *sandbox = (cs_sandbox){.limits = limits, .work_left = limits->work};
    sandbox->lua = lua_newstate(allocate, sandbox);
    if (sandbox->lua == NULL)
        return NULL;
    lua_pushcfunction(sandbox->lua, open_libraries);
    if (lua_pcall(sandbox->lua, 0, 0, 0) != LUA_OK) {
        cs_sandbox_close(sandbox);
        return NULL;
    }
    lua_sethook(sandbox->lua, hook, LUA_MASKLINE | LUA_MASKCOUNT, INSTRUCTIONS_PER_HOOK);
    return sandbox->lua;
}

void cs_sandbox_call(cs_sandbox *sandbox, const cs_limits *limits, const char *source, int results) {
    const cs_limits *outer_limits = sandbox->limits;
    int64_t outer_work = sandbox->work_left;
    sandbox->limits = limits;
    sandbox->work_left = limits->work;
    sandbox->followed = source;
    lua_call(sandbox->lua, 0, results);
    sandbox->limits = outer_limits;
    sandbox->work_left = outer_work;
    sandbox->followed = NULL;
}

void cs_sandbox_renew(cs_sandbox *sandbox) { sandbox->work_left = sandbox->limits->work; }

void cs_sandbox_explain(const cs_sandbox *sandbox, int status, char *text, size_t size) {
    lua_State *lua = sandbox->lua;
    bool limited = status == LUA_ERRMEM || sandbox->exhausted;
    const char *refusal = sandbox->refusal[0] == '\0' ? "out of memory" : sandbox->refusal;
    if (limited && sandbox->place[0] != '\0')
        snprintf(text, size, "%s:%d: %s", sandbox->place, sandbox->line, refusal);
    else if (limited)
        snprintf(text, size, "%s", refusal);
    else if (lua_type(lua, -1) == LUA_TSTRING)
        snprintf(text, size, "%s", lua_tostring(lua, -1));
    else
        snprintf(text, size, "%s:%d: the error raised is a %s, not a string", sandbox->place, sandbox->line,
                 lua_typename(lua, lua_type(lua, -1)));
}

void cs_sandbox_close(cs_sandbox *sandbox) {
    if (sandbox->lua != NULL)
        lua_close(sandbox->lua);
    sandbox->lua = NULL;
}
