/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan with all the buffers that running it takes, on its device.
 */
#ifndef CS_SUPPORT_OPERATION_H
#define CS_SUPPORT_OPERATION_H

#include "buffer.h"
#include "chain.h"

typedef struct cs_operation {
    convsmith_plan *plan; /* owned */
    cs_chain chain;
    cs_buffer x, weight, channels[CS_MAX_VALUES], packed, workspace, y; /* channels by chain.values */
    cs_buffer tensors[CS_MAX_TENSORS];
} cs_operation;

/* How its buffers are made. */
typedef struct cs_placement {
    convsmith_device device;
    bool guarded;
    size_t alignment; /* of x, y and the parameters, or their elements' if that is more; packed and workspace have the
                         16 bytes that they need */
} cs_placement;

/* Takes the plan over (destroying it on failure), allocates everything, uploads x and the parameters (host memory)
 * and prepacks. x, weight and y have the strides of problem and params, and room from their first element to their last
 * alone. */
bool cs_operation_create(cs_operation *operation, convsmith_plan *plan, const convsmith_problem *problem,
                         const convsmith_params *params, const void *x, const cs_placement *placement,
                         cs_message *message);

/* The tensors of the chain's add_tensor steps (host memory, each lying as y), without which an operation that has such
 * steps does not run. */
bool cs_operation_add_tensors(cs_operation *operation, const convsmith_problem *problem, const void *const *tensors,
                              const cs_placement *placement, cs_message *message);

void cs_operation_destroy(cs_operation *operation);

/* Runs once; on a GPU the work is enqueued on the default stream. */
bool cs_operation_run(const cs_operation *operation, cs_message *message);

/* False, with the library's own words, unless `status` is CONVSMITH_OK. `call` says what was being done. */
bool cs_check_status(convsmith_status status, const char *call, cs_message *message);

#endif
