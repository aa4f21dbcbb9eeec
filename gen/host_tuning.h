/* SPDX-License-Identifier: Apache-2.0
 *
 * Tuning records, for the generator's Lua.
 */
#ifndef CONVSMITH_GEN_HOST_TUNING_H
#define CONVSMITH_GEN_HOST_TUNING_H

#include <lua.h>

/* host.read_tuning(path, where) -> the record of a file, whose path begins at the manifest's folder: { path, device,
 * compute_capability, multiprocessors, problems = { { n, h, w, groups, kernels = { { name, us, spread }, ... } },
 * ... } }, the kernels of a problem from the fastest on, and `path` as messages have it. `where`: "file:line: ", for
 * the error of a file that is not there or damaged. */
int cs_host_read_tuning(lua_State *lua);

#endif
