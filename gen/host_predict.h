/* SPDX-License-Identifier: Apache-2.0
 *
 * The library's predictions of a kernel's time, for the generator's Lua.
 */
#ifndef CONVSMITH_GEN_HOST_PREDICT_H
#define CONVSMITH_GEN_HOST_PREDICT_H

#include <lua.h>

/* host.predict({ info, key, resident, gemm, cost, problem, rates }) -> { seconds, launches = { { what, seconds, bound
 * },
 * ... } } or, where the kernel takes no such problem on that GPU, nil and why. Enumerations are their numbers in C. */
int cs_host_predict(lua_State *lua);

#endif
