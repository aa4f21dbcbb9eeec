/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith advise: what a profile says of a kernel, and what to change. The policy is Lua, gen/advise/; here is what
 * it asks of this program.
 */
#define _POSIX_C_SOURCE 200809L
#include "gen/home.h"
#include "gen/policy.h"
#include "json.h"
#include "options.h"
#include "rows.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INIT_PATH "gen/advise/init.lua"

/* Of a metrics file: some two thousand launches of all sections; and of its JSON, objects of metrics in objects of
 * kernels in a list, and more, so that it can be told what is wrong with them. */
enum { FILE_LIMIT = 16 << 20, MAX_DEPTH = 4 };

/* Room for such a file, of whose counters those that no rule reads are dropped at once. */
static const cs_limits advise_limits = {
    .subject = "the metrics file", .work = 1000000000, .memory = (size_t)256 << 20, .string = CS_FILE_LIMIT + 1};

typedef struct adviser {
    const char *file, *arch, *kernel, *json, *apply;
    cs_policy policy;
    cJSON *document; /* on its way into the state, where an error would lose it */
} adviser;

/* Raises an error that is told as it is. */
__attribute__((format(printf, 2, 3))) static int refuse(lua_State *lua, const char *format, ...) {
    cs_error error;
    va_list values;
    va_start(values, format);
    vsnprintf(error.text, sizeof error.text, format, values);
    va_end(values);
    return cs_policy_raise(lua, &error);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void push_json(lua_State *lua, const adviser *a, const cJSON *item, int depth);

static void push_members(lua_State *lua, const adviser *a, const cJSON *item, int depth) {
    lua_newtable(lua);
    lua_Integer place = 0;
    const cJSON *member;
    cJSON_ArrayForEach(member, item) {
        if (member->string)
            lua_pushstring(lua, member->string);
        else
            lua_pushinteger(lua, ++place);
        lua_pushvalue(lua, -1);
        if (lua_rawget(lua, -3) != LUA_TNIL)
            refuse(lua, "%s: \"%s\" stands twice in an object", a->file, member->string);
        lua_pop(lua, 1);
        push_json(lua, a, member, depth + 1);
        lua_rawset(lua, -3);
    }
}

/* What is null was not measured: nil. */
static void push_json(lua_State *lua, const adviser *a, const cJSON *item, int depth) {
    if (depth > MAX_DEPTH)
        refuse(lua, "%s: the JSON is nested too deeply for metrics", a->file);
    luaL_checkstack(lua, 4, NULL);
    if (cJSON_IsArray(item) || cJSON_IsObject(item))
        push_members(lua, a, item, depth);
    else if (cJSON_IsNumber(item) && item->valuedouble == item->valueint)
        lua_pushinteger(lua, item->valueint);
    else if (cJSON_IsNumber(item))
        lua_pushnumber(lua, item->valuedouble);
    else if (cJSON_IsString(item))
        lua_pushstring(lua, item->valuestring);
    else if (cJSON_IsBool(item))
        lua_pushboolean(lua, cJSON_IsTrue(item));
    else
        lua_pushnil(lua);
}

/* host.json(text) -> its value */
static int host_json(lua_State *lua) {
    adviser *a = cs_policy_owner(lua);
    size_t size;
    const char *text = luaL_checklstring(lua, 1, &size);
    cs_error error;
    cJSON_Delete(a->document);
    a->document = cs_json_parse(a->file, text, size, &error);
    if (!a->document)
        return cs_policy_raise(lua, &error);
    push_json(lua, a, a->document, 0);
    return 1;
}

/* ---- The files and the table ------------------------------------------------------------------------------------- */

/* host.metrics() -> the metrics file's text */
static int host_metrics(lua_State *lua) {
    adviser *a = cs_policy_owner(lua);
    cs_policy_push_file(lua, &a->policy, a->file, a->file, "");
    if (lua_rawlen(lua, -1) > FILE_LIMIT)
        return refuse(lua, "%s is larger than %d MB: profile fewer launches at once", a->file, FILE_LIMIT >> 20);
    return 1;
}

/* host.read_record() -> the text of the record of --apply */
static int host_read_record(lua_State *lua) {
    adviser *a = cs_policy_owner(lua);
    if (access(a->apply, F_OK) != 0)
        return refuse(lua, "cannot read %s: %s; where the table has no record yet, an empty file begins one", a->apply,
                      strerror(errno));
    cs_policy_push_file(lua, &a->policy, a->apply, a->apply, "");
    return 1;
}

/* host.write_record(text): in the place of what it was */
static int host_write_record(lua_State *lua) {
    adviser *a = cs_policy_owner(lua);
    size_t size;
    const char *text = luaL_checklstring(lua, 1, &size);
    cs_error error;
    return cs_file_replace(a->apply, text, size, &error) ? 0 : cs_policy_raise(lua, &error);
}

/* host.kernel(name) -> the row of the table's kernel of that name, as `list --json` has it, or nil */
static int host_kernel(lua_State *lua) {
    adviser *a = cs_policy_owner(lua);
    const char *name = luaL_checkstring(lua, 1);
    for (size_t i = 0; i < convsmith_table_size(NULL); i++) {
        const convsmith_kernel_info *info = convsmith_kernel_get_info(convsmith_table_at(NULL, i));
        if (strcmp(info->name, name) != 0)
            continue;
        cJSON_Delete(a->document);
        a->document = cs_row_json(info);
        if (!a->document)
            return refuse(lua, "out of memory");
        push_json(lua, a, a->document, 0);
        return 1;
    }
    lua_pushnil(lua);
    return 1;
}

/* ---- The command ------------------------------------------------------------------------------------------------- */

static const luaL_Reg functions[] = {{"json", host_json},
                                     {"metrics", host_metrics},
                                     {"read_record", host_read_record},
                                     {"write_record", host_write_record},
                                     {"kernel", host_kernel},
                                     {NULL, NULL}};

static void push_options(lua_State *lua, const void *owner) {
    const adviser *a = owner;
    const struct {
        const char *name, *value;
    } strings[] = {{"file", a->file}, {"arch", a->arch}, {"kernel", a->kernel}, {"apply", a->apply}};
    lua_newtable(lua);
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        lua_pushstring(lua, strings[i].value); /* nil for NULL */
        lua_setfield(lua, -2, strings[i].name);
    }
    lua_pushboolean(lua, a->json != NULL);
    lua_setfield(lua, -2, "json");
}

static bool advise(adviser *a, const char *home, cs_error *error) {
    const cs_policy_host host = {.functions = functions, .owner = a, .push_options = push_options};
    const bool done =
        cs_policy_open(&a->policy, home, &advise_limits, error) && cs_policy_run(&a->policy, &host, INIT_PATH, error);
    cs_policy_close(&a->policy);
    cJSON_Delete(a->document);
    return done;
}

cs_exit cs_command_advise(int argc, char **argv) {
    adviser a = {0};
    const char *given_home = NULL;
    const cs_option options[] = {
        {"--arch", "NAME", "the GPU's profile, such as h200 or rtx4090: what is to be had of it", &a.arch},
        {"--kernel", "GLOB", "only the kernels whose name matches", &a.kernel},
        {"--json", NULL, "as a JSON array, an object a launch", &a.json},
        {"--apply", "FILE", "write steps that follow the advice into the table's resources.lua", &a.apply},
        {"--home", "DIR", "the folder of gen/ (default: ../share/convsmith beside this program)", &given_home},
    };
    const cs_usage usage = {
        .command = "advise",
        .about =
            "Reads counters of Nsight Compute and says for each launch what bounds it and which fields of its plan\n"
            "to change, the greatest gain first, with the counters that say so. What a counter that is missing\n"
            "could have told is said, too; nothing is guessed. METRICS is one of\n"
            "    ncu --set full --csv --page raw PROGRAM >METRICS    a row a launch\n"
            "    ncu --csv PROGRAM >METRICS                          a row a metric\n"
            "    ncu --page raw PROGRAM >METRICS                     text; --page details likewise\n"
            "    {\"kernel\": {\"metric\": value, ...}, ...}            JSON, in bytes, ns and percent\n"
            "--apply writes, for each kernel of this program's table, the step of its strategy that follows\n"
            "the advice of the greatest gain for which there is one: build, and the generator plans so. Where\n"
            "no step is left, FILE stays as it is; the status is 0, too. It is 2 where no kernel is the table's.",
        .operand = "METRICS",
        .operand_text = &a.file,
        .example = "advise profile.csv --arch h200 --kernel '*_mma_*'",
        .options = options,
        .count = sizeof options / sizeof *options,
    };
    const cs_parsed parsed = cs_options_parse(&usage, argc, argv);
    if (parsed != CS_PARSED)
        return parsed == CS_PARSED_HELP ? CS_EXIT_DONE : CS_EXIT_BAD_INPUT;
    cs_error error;
    char *home = cs_home_find(given_home, &error);
    const bool done = home && advise(&a, home, &error);
    free(home);
    return done ? CS_EXIT_DONE : cs_complain(usage.command, "%s", error.text);
}
