/* SPDX-License-Identifier: Apache-2.0
 *
 * What the table's CUDA kernels take of a multiprocessor, and how many of their blocks GPUs hold: by gen/occupancy.lua.
 */
#ifndef CS_CLI_OCCUPANCY_H
#define CS_CLI_OCCUPANCY_H

#include "gen/error.h"

struct cJSON;

/* An object by kernels' names, the caller's to delete: of each `registers` a thread (the most on any architecture),
 * `registers_from` ("nvcc", which said so, or "plan"), `static_shared_bytes` of a block, and `occupancy`, an object by
 * architecture profiles. NULL, with *error, when the generator's Lua is not found or its record is damaged. */
struct cJSON *cs_occupancy(cs_error *error);

/* `profiles`, a list of the architecture profiles with their figures (gen/arch), and `kernels`, the same as above with
 * what the record in the folder `generated` has of them: `compiled`, figures by architecture. The caller's to delete;
 * NULL, with *error, as above. */
struct cJSON *cs_resources(const char *home, const char *generated, cs_error *error);

#endif
