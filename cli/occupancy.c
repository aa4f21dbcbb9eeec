/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "occupancy.h"

#include "convsmith/convsmith.h"
#include "gen/home.h"
#include "gen/policy.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <unistd.h>

#define RECORD_NAME "resources.lua"

/* Room for a table of some thousand kernels. */
static const cs_limits limits = {
    .subject = "the table", .work = 1000000000, .memory = (size_t)256 << 20, .string = (size_t)64 << 20};

typedef struct asker {
    cs_policy policy;
    const char *generated; /* the folder of the record; NULL: that of the home folder */
    cJSON *answer;
} asker;

static const char *push_record_path(lua_State *lua, const asker *a) {
    if (a->generated)
        return lua_pushfstring(lua, "%s/" RECORD_NAME, a->generated);
    return lua_pushfstring(lua, "%s/generated/" RECORD_NAME, a->policy.home);
}

/* host.resources() -> the text of the record of the shipped kernels, or nil where there is none, and its path */
static int host_resources(lua_State *lua) {
    asker *a = cs_policy_owner(lua);
    const char *path = push_record_path(lua, a);
    if (access(path, F_OK) == 0)
        cs_policy_push_file(lua, &a->policy, path, path, "");
    else
        lua_pushnil(lua);
    lua_insert(lua, -2);
    return 2;
}

/* host.result(text): JSON */
static int host_result(lua_State *lua) {
    static const cs_error no_memory = {"no memory for the JSON text"};
    asker *a = cs_policy_owner(lua);
    a->answer = cJSON_Parse(luaL_checkstring(lua, 1));
    return a->answer ? 0 : cs_policy_raise(lua, &no_memory);
}

static const luaL_Reg functions[] = {{"resources", host_resources}, {"result", host_result}, {NULL, NULL}};

static void push_kernel(lua_State *lua, const convsmith_kernel_info *info) {
    const struct {
        const char *name;
        lua_Integer value;
    } numbers[] = {{"threads", info->threads}, {"registers", info->registers}, {"shared_bytes", info->shared_bytes}};
    lua_newtable(lua);
    lua_pushstring(lua, info->name);
    lua_setfield(lua, -2, "name");
    lua_pushstring(lua, convsmith_target_name(info->key.target));
    lua_setfield(lua, -2, "target");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        lua_pushinteger(lua, numbers[i].value);
        lua_setfield(lua, -2, numbers[i].name);
    }
}

/* The table's CUDA kernels. */
static void push_kernels(lua_State *lua, const void *owner) {
    (void)owner;
    lua_Integer place = 0;
    lua_newtable(lua);
    for (size_t i = 0; i < convsmith_table_size(NULL); i++) {
        const convsmith_kernel_info *info = convsmith_kernel_get_info(convsmith_table_at(NULL, i));
        if (convsmith_target_device(info->key.target) != CONVSMITH_DEVICE_CUDA)
            continue;
        push_kernel(lua, info);
        lua_rawseti(lua, -2, ++place);
    }
}

/* What a script of the home folder says of the table's CUDA kernels. */
static cJSON *ask(const char *home, const char *generated, const char *script, cs_error *error) {
    asker a = {.generated = generated};
    const cs_policy_host host = {.functions = functions, .owner = &a, .push_options = push_kernels};
    const bool done = cs_policy_open(&a.policy, home, &limits, error) && cs_policy_run(&a.policy, &host, script, error);
    cs_policy_close(&a.policy);
    if (done)
        return a.answer;
    cJSON_Delete(a.answer);
    return NULL;
}

cJSON *cs_occupancy(cs_error *error) {
    char *home = cs_home_find(NULL, error);
    cJSON *answer = home ? ask(home, NULL, "gen/list.lua", error) : NULL;
    free(home);
    return answer;
}

cJSON *cs_resources(const char *home, const char *generated, cs_error *error) {
    return ask(home, generated, "gen/report.lua", error);
}
