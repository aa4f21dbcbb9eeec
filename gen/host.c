/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "host.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define INIT_PATH "gen/init.lua"
#define PAIRS_PATH "gen/pairs.lua"

/* A manifest is data; this is room for ten thousand rows, and a mistake in a loop shows within some seconds. */
static const cs_limits manifest_limits = {
    .subject = "the manifest", .work = 100000000, .memory = (size_t)64 << 20, .string = (size_t)1 << 20};

static cs_host *host_of(lua_State *lua) { return lua_touserdata(lua, lua_upvalueindex(1)); }

/* Raises the error as it is: luaL_error would put the place of the generator's own Lua code in front. */
static int raise(lua_State *lua, const cs_error *error) {
    lua_pushstring(lua, error->text);
    return lua_error(lua);
}

/* Pushes the text of a file and notes that it was read; `where` is put before an error, and may be empty. */
static void push_file(lua_State *lua, cs_host *host, const char *name, const char *path, const char *where) {
    cs_error error;
    free(host->scratch.bytes);
    if (cs_file_read(path, &host->scratch, &error) != CS_READ_OK)
        lua_pushfstring(lua, "%s%s", where, error.text), lua_error(lua);
    if (!cs_sources_add(&host->sources, name, path, &error))
        raise(lua, &error);
    lua_pushlstring(lua, host->scratch.bytes, host->scratch.size);
}

static void push_home_file(lua_State *lua, cs_host *host, const char *name, const char *where) {
    const char *path = lua_pushfstring(lua, "%s/%s", host->options->home, name);
    push_file(lua, host, name, path, where);
    lua_remove(lua, -2);
}

/* host.read(path [, where]) -> the text of a file below the home folder; `where`: "file:line: ", for the error. */
static int host_read(lua_State *lua) {
    push_home_file(lua, host_of(lua), luaL_checkstring(lua, 1), luaL_optstring(lua, 2, ""));
    return 1;
}

/* host.read_manifest() -> its text */
static int host_read_manifest(lua_State *lua) {
    cs_host *host = host_of(lua);
    push_file(lua, host, host->options->manifest, host->options->manifest, "");
    return 1;
}

/* Pushes the function that a text is compiled to; raises Lua's "name:line: ..." when it is wrong. */
static void push_chunk(lua_State *lua, const char *text, size_t size, const char *name) {
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

/* host.load(text, name [, environment]) -> function */
static int host_load(lua_State *lua) {
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    lua_settop(lua, 3);
    push_chunk(lua, text, size, luaL_checkstring(lua, 2));
    if (!lua_isnil(lua, 3)) {
        lua_pushvalue(lua, 3);
        lua_setupvalue(lua, -2, 1); /* a main chunk's only upvalue is its environment */
    }
    return 1;
}

/* require_module(path) -> what that file of the home folder returns; it runs when it is first asked for. The loaded
 * modules are in the function's second upvalue. */
static int require_module(lua_State *lua) {
    const char *name = luaL_checkstring(lua, 1);
    lua_settop(lua, 1);
    if (lua_getfield(lua, lua_upvalueindex(2), name) != LUA_TNIL)
        return 1;
    push_home_file(lua, host_of(lua), name, "");
    size_t size = 0;
    const char *text = lua_tolstring(lua, -1, &size);
    push_chunk(lua, text, size, name);
    lua_call(lua, 0, 1);
    if (lua_isnil(lua, -1))
        return luaL_error(lua, "%s returns nothing; a module returns its value", name);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, lua_upvalueindex(2), name);
    return 1;
}

/* host.call_manifest(f): calls it under the manifest's limits */
static int host_call_manifest(lua_State *lua) {
    cs_host *host = host_of(lua);
    luaL_checktype(lua, 1, LUA_TFUNCTION);
    const char *source = lua_pushfstring(lua, "@%s", host->options->manifest);
    lua_pushvalue(lua, 1);
    cs_sandbox_call(host->sandbox, &manifest_limits, source);
    return 0;
}

/* host.line(name) -> the line that runs now in the outermost function of that source, or the last one that ran: of a
 * row that a function of the manifest makes, the line of the call says which one it is */
static int host_line(lua_State *lua) {
    const char *name = luaL_checkstring(lua, 1);
    int line = host_of(lua)->sandbox->line; /* where a tail call has taken the functions' place */
    lua_Debug activation;
    for (int level = 1; lua_getstack(lua, level, &activation); level++) {
        lua_getinfo(lua, "Sl", &activation);
        if (activation.source[0] == '@' && strcmp(activation.source + 1, name) == 0)
            line = activation.currentline;
    }
    lua_pushinteger(lua, line);
    return 1;
}

/* host.glob(pattern, text) -> whether it matches */
static int host_glob(lua_State *lua) {
    lua_pushboolean(lua, fnmatch(luaL_checkstring(lua, 1), luaL_checkstring(lua, 2), 0) == 0);
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

/* host.emit(path, text): one output file */
static int host_emit(lua_State *lua) {
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 2, &size);
    cs_error error;
    if (!cs_output_add(&host_of(lua)->output, luaL_checkstring(lua, 1), text, size, &error))
        return raise(lua, &error);
    return 0;
}

/* host.print(text): a line to the standard output */
static int host_print(lua_State *lua) {
    static const cs_error full = {"cannot write to the standard output"};
    if (fputs(luaL_checkstring(lua, 1), stdout) < 0 || putchar('\n') == EOF)
        return raise(lua, &full);
    return 0;
}

/* host.warn(text): a line to the standard error, that does not keep the run from going on */
static int host_warn(lua_State *lua) {
    fprintf(stderr, "convsmith-gen: warning: %s\n", luaL_checkstring(lua, 1));
    return 0;
}

/* host.step(text or nil): begins a step. Its instructions are counted anew; errors are said to be "(text)". */
static int host_step(lua_State *lua) {
    cs_host *host = host_of(lua);
    cs_sandbox_renew(host->sandbox);
    snprintf(host->context, sizeof host->context, "%s", luaL_optstring(lua, 1, ""));
    return 0;
}

static const luaL_Reg functions[] = {{"read", host_read},   {"read_manifest", host_read_manifest},
                                     {"load", host_load},   {"call_manifest", host_call_manifest},
                                     {"line", host_line},   {"glob", host_glob},
                                     {"hash", host_hash},   {"emit", host_emit},
                                     {"print", host_print}, {"warn", host_warn},
                                     {"step", host_step},   {NULL, NULL}};

static void push_options(lua_State *lua, const cs_options *options) {
    const struct {
        const char *name, *value;
    } strings[] = {
        {"manifest", options->manifest}, {"out", options->out},       {"filter", options->filter},
        {"arch", options->arch},         {"prefix", options->prefix},
    };
    lua_newtable(lua);
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        lua_pushstring(lua, strings[i].value); /* nil for NULL */
        lua_setfield(lua, -2, strings[i].name);
    }
    lua_pushinteger(lua, options->shards);
    lua_setfield(lua, -2, "shards");
    lua_pushboolean(lua, options->explain);
    lua_setfield(lua, -2, "explain");
}

/* Runs a file of the home folder through the global require_module; its value is on top of the stack. */
static void push_module(lua_State *lua, const char *name) {
    lua_getglobal(lua, "require_module");
    lua_pushstring(lua, name);
    lua_call(lua, 1, 1);
}

static void set_globals(lua_State *lua, cs_host *host) {
    luaL_newlibtable(lua, functions);
    lua_pushlightuserdata(lua, host);
    luaL_setfuncs(lua, functions, 1);
    push_options(lua, host->options);
    lua_setfield(lua, -2, "options");
    lua_setglobal(lua, "host");
    lua_pushlightuserdata(lua, host);
    lua_newtable(lua);
    lua_pushcclosure(lua, require_module, 2);
    lua_setglobal(lua, "require_module");
    /* Lua's own pairs has an order that differs from run to run, and so would the output. */
    push_module(lua, PAIRS_PATH);
    lua_setglobal(lua, "pairs");
}

static int generate(lua_State *lua) {
    set_globals(lua, lua_touserdata(lua, 1));
    push_module(lua, INIT_PATH);
    return 0;
}

bool cs_host_generate(cs_host *host, cs_error *error) {
    lua_State *lua = host->sandbox->lua;
    lua_pushcfunction(lua, generate);
    lua_pushlightuserdata(lua, host);
    int status = lua_pcall(lua, 1, 0, 0);
    if (status == LUA_OK)
        return true;
    cs_sandbox_explain(host->sandbox, status, error->text, sizeof error->text);
    return false;
}

void cs_host_free(cs_host *host) {
    free(host->scratch.bytes);
    cs_sources_free(&host->sources);
    cs_output_free(&host->output);
    host->scratch = (cs_bytes){NULL, 0};
}
