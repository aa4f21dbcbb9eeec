/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules of the policy, tested in Lua: each file of tests/lua raises an error where one is not as it should be.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gen/policy.h"

static const cs_limits limits = {
    .subject = "the test", .work = 100000000, .memory = (size_t)64 << 20, .string = (size_t)1 << 20};

/* host.kernel(name) -> nil: there is no table. */
static int no_kernel(lua_State *lua) {
    (void)lua;
    return 0;
}

static const luaL_Reg functions[] = {{"kernel", no_kernel}, {NULL, NULL}};

static void push_no_options(lua_State *lua, const void *owner) {
    (void)owner;
    lua_newtable(lua);
}

static void run_file(void **state) {
    const cs_policy_host host = {.functions = functions, .owner = NULL, .push_options = push_no_options};
    cs_policy policy;
    cs_error error;
    assert_true(cs_policy_open(&policy, TEST_SOURCE_DIR, &limits, &error));
    const int passed = cs_policy_run(&policy, &host, *state, &error);
    cs_policy_close(&policy);
    if (!passed)
        fail_msg("%s", error.text);
}

#define LUA_TEST(name)                                                                                                 \
    { #name, run_file, NULL, NULL, "tests/lua/" #name ".lua" }

int main(void) {
    const struct CMUnitTest tests[] = {
        LUA_TEST(arch),        LUA_TEST(rates),        LUA_TEST(cost),         LUA_TEST(json),
        LUA_TEST(occupancy),   LUA_TEST(resources),    LUA_TEST(advise_units), LUA_TEST(advise_rules),
        LUA_TEST(advise_plan), LUA_TEST(advise_steps), LUA_TEST(epilogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
