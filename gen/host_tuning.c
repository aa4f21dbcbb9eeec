/* SPDX-License-Identifier: Apache-2.0
 *
 * host.read_tuning: a tuning record is read by the library's own code, so that what plans could not load is no record
 * for the generator, either.
 */
#include "host_tuning.h"
#include "host.h"

#include "src/tuning.h"

#include <string.h>

static void set_number(lua_State *lua, const char *name, double value) {
    lua_pushnumber(lua, value);
    lua_setfield(lua, -2, name);
}

static void set_whole(lua_State *lua, const char *name, int64_t value) {
    lua_pushinteger(lua, value);
    lua_setfield(lua, -2, name);
}

static void set_string(lua_State *lua, const char *name, const char *value) {
    lua_pushstring(lua, value);
    lua_setfield(lua, -2, name);
}

static void push_kernels(lua_State *lua, const cs_timings *kernels) {
    lua_newtable(lua);
    for (size_t i = 0; i < kernels->count; i++) {
        lua_newtable(lua);
        set_string(lua, "name", kernels->rows[i].name);
        set_number(lua, "us", kernels->rows[i].us);
        set_number(lua, "spread", kernels->rows[i].spread);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
}

static void push_problems(lua_State *lua, const convsmith_tuning *tuning) {
    lua_newtable(lua);
    for (size_t i = 0; i < tuning->count; i++) {
        const cs_tuned_problem *problem = &tuning->problems[i];
        lua_newtable(lua);
        set_whole(lua, "n", problem->n);
        set_whole(lua, "h", problem->h);
        set_whole(lua, "w", problem->w);
        set_whole(lua, "groups", problem->groups);
        push_kernels(lua, &problem->kernels);
        lua_setfield(lua, -2, "kernels");
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
}

/* (record, path) -> the table */
static int make_table(lua_State *lua) {
    const convsmith_tuning *tuning = lua_touserdata(lua, 1);
    const cs_device_model *model = &tuning->identity.model;
    lua_newtable(lua);
    set_string(lua, "path", lua_tostring(lua, 2));
    set_string(lua, "device", model->name);
    set_whole(lua, "compute_capability", model->compute_capability);
    set_whole(lua, "multiprocessors", model->multiprocessors);
    push_problems(lua, tuning);
    lua_setfield(lua, -2, "problems");
    return 1;
}

/* Pushes the path as this program opens it. */
static const char *push_path(lua_State *lua, const char *manifest, const char *path) {
    const char *slash = strrchr(manifest, '/');
    lua_pushlstring(lua, manifest, slash ? (size_t)(slash - manifest) + 1 : 0);
    lua_pushstring(lua, path);
    lua_concat(lua, 2);
    return lua_tostring(lua, -1);
}

int cs_host_read_tuning(lua_State *lua) {
    cs_host *host = cs_policy_owner(lua);
    const char *path = push_path(lua, host->options->manifest, luaL_checkstring(lua, 1));
    const char *where = luaL_checkstring(lua, 2);
    cs_error error;
    if (!cs_sources_add(&host->policy.sources, path, path, &error))
        return cs_policy_raise(lua, &error);
    convsmith_tuning *tuning;
    if (cs_tuning_read(&tuning, path) != CONVSMITH_OK) {
        lua_pushfstring(lua, "%s%s", where, convsmith_detail());
        return lua_error(lua);
    }
    lua_pushcfunction(lua, make_table);
    lua_pushlightuserdata(lua, tuning);
    lua_pushstring(lua, path);
    /* Protected: the record is to be freed where Lua has no memory, too. */
    const int status = lua_pcall(lua, 2, 1, 0);
    convsmith_tuning_destroy(tuning);
    return status == LUA_OK ? 1 : lua_error(lua);
}
