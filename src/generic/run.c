/* SPDX-License-Identifier: Apache-2.0
 *
 * Running a generic kernel, and here all of it on the CPU: convolve alone, or convolve, measure, merge and apply, the
 * blocks of each spread over threads. A block writes only what is its own, so any schedule gives the same bits.
 */
#include "../plan.h"
#include "generic.h"
#include "program.h"

static void prepack_host(const cs_generic_host *host, const cs_generic_pack_args *args) {
#pragma omp parallel for schedule(static)
    for (int64_t channel = 0; channel < args->weight.c_out; ++channel)
        host->prepack(args, channel);
}

/* Blocks of tiles: convolve or apply. */
static void for_each_tile(void (*work)(const cs_generic_args *, int32_t, int64_t), const cs_generic_args *args,
                          int32_t dtype) {
    const int64_t blocks = args->pixel_tiles * args->channel_tiles;
#pragma omp parallel for schedule(dynamic)
    for (int64_t block = 0; block < blocks; ++block)
        work(args, dtype, block);
}

/* Blocks of statistics: measure or merge. */
static void for_each_set(void (*work)(const cs_generic_args *, int64_t), const cs_generic_args *args, int64_t blocks) {
#pragma omp parallel for schedule(static)
    for (int64_t block = 0; block < blocks; ++block)
        work(args, block);
}

static void run_host(const cs_generic_host *host, const cs_generic_args *args, int32_t dtype) {
    const int64_t groups = (int64_t)args->conv.n * args->conv.groups;
    for_each_tile(host->convolve, args, dtype);
    if (args->program.normalisation == args->program.count)
        return;
    for_each_set(host->measure, args, groups * args->parts);
    for_each_set(host->merge, args, groups);
    for_each_tile(host->apply, args, dtype);
}

convsmith_status cs_generic_prepack(const convsmith_plan *plan, const cs_pack_args *pack, void *stream) {
    cs_generic_pack_args args = {
        .pack = *pack,
        .weight = plan->generic.args.weight,
        .program = plan->generic.args.program,
        .dtype = (int32_t)plan->problem.dtype,
        .weight_room = plan->generic.args.weight_room,
    };
    cs_program_fix_constants(&plan->chain, args.pack.steps);
    if (plan->traits.device.kind == CONVSMITH_DEVICE_CUDA)
        return cs_generic_prepack_cuda(plan, &args, stream);
    prepack_host(&plan->generic.kernel->host, &args);
    return CONVSMITH_OK;
}

/* Lets the arguments point at their parts of the workspace. */
static void place_workspace(const cs_generic_plan *g, cs_generic_args *args, char *workspace) {
    const int64_t moments = (g->values_bytes + 15) / 16 * 16, affine = moments + (g->moments_bytes + 15) / 16 * 16;
    args->values = (float *)workspace;
    args->conv.moments = (cs_moments *)(workspace + moments);
    args->conv.affine = (cs_affine *)(workspace + affine);
}

convsmith_status cs_generic_run(const convsmith_plan *plan, const cs_conv_args *conv, void *workspace, void *stream) {
    cs_generic_args args = plan->generic.args;
    args.conv = *conv;
    if (plan->normalises)
        place_workspace(&plan->generic, &args, workspace);
    if (plan->traits.device.kind == CONVSMITH_DEVICE_CUDA)
        return cs_generic_run_cuda(plan, &args, stream);
    run_host(&plan->generic.kernel->host, &args, (int32_t)plan->problem.dtype);
    return CONVSMITH_OK;
}
