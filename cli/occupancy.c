/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "occupancy.h"

#include "convsmith/convsmith.h"
#include "gen/home.h"
#include "gen/policy.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <unistd.h>

#define SCRIPT_PATH "gen/list.lua"
#define RECORD_PATH "generated/resources.lua"

/* Room for a table of some thousand kernels. */
static const cs_limits limits = {
    .subject = "the table", .work = 1000000000, .memory = (size_t)256 << 20, .string = (size_t)64 << 20};

typedef struct asker {
    cs_policy policy;
    cJSON *rows;
} asker;

/* host.resources() -> the text of the record of the shipped kernels, or nil where there is none */
static int host_resources(lua_State *lua) {
    asker *a = cs_policy_owner(lua);
    const char *path = lua_pushfstring(lua, "%s/" RECORD_PATH, a->policy.home);
    if (access(path, F_OK) != 0)
        return 0;
    cs_policy_push_home_file(lua, &a->policy, RECORD_PATH, "");
    return 1;
}

/* host.result(text): JSON, by kernels' names */
static int host_result(lua_State *lua) {
    static const cs_error no_memory = {"no memory for the JSON text"};
    asker *a = cs_policy_owner(lua);
    a->rows = cJSON_Parse(luaL_checkstring(lua, 1));
    return a->rows ? 0 : cs_policy_raise(lua, &no_memory);
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

cJSON *cs_occupancy(cs_error *error) {
    asker a = {0};
    const cs_policy_host host = {.functions = functions, .owner = &a, .push_options = push_kernels};
    char *home = cs_home_find(NULL, error);
    if (!home)
        return NULL;
    const bool done =
        cs_policy_open(&a.policy, home, &limits, error) && cs_policy_run(&a.policy, &host, SCRIPT_PATH, error);
    cs_policy_close(&a.policy);
    free(home);
    if (done)
        return a.rows;
    cJSON_Delete(a.rows);
    return NULL;
}
