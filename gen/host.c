/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "host.h"
#include "host_predict.h"
#include "host_tuning.h"

#include <string.h>
#include <unistd.h>

#define INIT_PATH "gen/init.lua"

const cs_limits cs_host_limits = {
    .subject = "the generator", .work = 50000000, .memory = (size_t)256 << 20, .string = (size_t)256 << 20};

/* A manifest is data; this is room for ten thousand rows, and a mistake in a loop shows within some seconds. */
static const cs_limits manifest_limits = {
    .subject = "the manifest", .work = 100000000, .memory = (size_t)64 << 20, .string = (size_t)1 << 20};

static cs_host *host_of(lua_State *lua) { return cs_policy_owner(lua); }

/* host.read(path [, where]) -> the text of a file below the home folder; `where`: "file:line: ", for the error. */
static int host_read(lua_State *lua) {
    cs_policy_push_home_file(lua, &host_of(lua)->policy, luaL_checkstring(lua, 1), luaL_optstring(lua, 2, ""));
    return 1;
}

/* host.read_manifest() -> its text */
static int host_read_manifest(lua_State *lua) {
    cs_host *host = host_of(lua);
    cs_policy_push_file(lua, &host->policy, host->options->manifest, host->options->manifest, "");
    return 1;
}

/* host.read_feedback() -> the text of the file of --feedback */
static int host_read_feedback(lua_State *lua) {
    cs_host *host = host_of(lua);
    cs_policy_push_file(lua, &host->policy, host->options->feedback, host->options->feedback, "");
    return 1;
}

/* host.read_output(name) -> the text of that file of the output folder; nil where there is none */
static int host_read_output(lua_State *lua) {
    cs_host *host = host_of(lua);
    const char *path = lua_pushfstring(lua, "%s/%s", host->options->out, luaL_checkstring(lua, 1));
    if (access(path, F_OK) != 0)
        return 0;
    cs_policy_push_file(lua, &host->policy, path, path, "");
    return 1;
}

/* host.call_manifest(f): calls it under the manifest's limits */
static int host_call_manifest(lua_State *lua) {
    cs_host *host = host_of(lua);
    luaL_checktype(lua, 1, LUA_TFUNCTION);
    const char *source = lua_pushfstring(lua, "@%s", host->options->manifest);
    lua_pushvalue(lua, 1);
    cs_sandbox_call(&host->policy.sandbox, &manifest_limits, source, 0);
    return 0;
}

/* host.line(name) -> the line that runs now in the outermost function of that source, or the last one that ran: of a
 * row that a function of the manifest makes, the line of the call says which one it is */
static int host_line(lua_State *lua) {
    const char *name = luaL_checkstring(lua, 1);
    int line = host_of(lua)->policy.sandbox.line; /* where a tail call has taken the functions' place */
    lua_Debug activation;
    for (int level = 1; lua_getstack(lua, level, &activation); level++) {
        lua_getinfo(lua, "Sl", &activation);
        if (activation.source[0] == '@' && strcmp(activation.source + 1, name) == 0)
            line = activation.currentline;
    }
    lua_pushinteger(lua, line);
    return 1;
}

/* host.emit(path, text): one output file */
static int host_emit(lua_State *lua) {
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 2, &size);
    cs_error error;
    if (!cs_output_add(&host_of(lua)->output, luaL_checkstring(lua, 1), text, size, &error))
        return cs_policy_raise(lua, &error);
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
    cs_sandbox_renew(&host->policy.sandbox);
    snprintf(host->context, sizeof host->context, "%s", luaL_optstring(lua, 1, ""));
    return 0;
}

static const luaL_Reg functions[] = {{"read", host_read},
                                     {"read_manifest", host_read_manifest},
                                     {"read_feedback", host_read_feedback},
                                     {"read_output", host_read_output},
                                     {"read_tuning", cs_host_read_tuning},
                                     {"call_manifest", host_call_manifest},
                                     {"line", host_line},
                                     {"emit", host_emit},
                                     {"warn", host_warn},
                                     {"step", host_step},
                                     {"predict", cs_host_predict},
                                     {NULL, NULL}};

static void push_options(lua_State *lua, const void *owner) {
    const cs_options *options = ((const cs_host *)owner)->options;
    const struct {
        const char *name, *value;
    } strings[] = {
        {"manifest", options->manifest}, {"out", options->out},       {"filter", options->filter},
        {"arch", options->arch},         {"prefix", options->prefix}, {"feedback", options->feedback},
        {"problem", options->problem},
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
    lua_pushboolean(lua, options->json);
    lua_setfield(lua, -2, "json");
}

bool cs_host_generate(cs_host *host, cs_error *error) {
    const cs_policy_host globals = {.functions = functions, .owner = host, .push_options = push_options};
    return cs_policy_run(&host->policy, &globals, INIT_PATH, error);
}
