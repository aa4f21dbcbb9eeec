/* SPDX-License-Identifier: Apache-2.0 */
#include "fit.h"
#include "checked.h"
#include "resident.h"
#include "status.h"

#include <inttypes.h>
#include <string.h>

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* How many blocks are launched for `blocks` tiles in all: each its own, or as many as the device holds at once, the
 * same number for every block of channels. */
static int64_t launched_blocks(const convsmith_kernel_info *info, const cs_device_traits *traits, int64_t blocks,
                               int64_t channel_blocks) {
    const int64_t held = (int64_t)info->blocks_per_sm * traits->multiprocessors;
    if (held == 0 || blocks <= held)
        return blocks;
    return channel_blocks * divide_up(held, channel_blocks);
}

/* What a launch is told of the problem, whatever the schedule. */
static cs_conv_args describe(const cs_settled *s) {
    const convsmith_problem *problem = &s->problem;
    cs_conv_args args = {
        .n = (int32_t)problem->n,
        .h = (int32_t)problem->h,
        .w = (int32_t)problem->w,
        .h_out = (int32_t)s->h_out,
        .w_out = (int32_t)s->w_out,
        .groups = s->chain.normalisation >= 0 ? (int32_t)problem->groups : 0,
        .eps = problem->eps,
        .pass = CS_PASS_APPLY,
    };
    memcpy(args.x_strides, problem->x_strides, sizeof args.x_strides);
    memcpy(args.y_strides, problem->y_strides, sizeof args.y_strides);
    return args;
}

/* The recompute schedule: a block a tile, and one a (sample, group) to merge their moments. */
static convsmith_status fix_tiles(convsmith_plan *plan, const convsmith_problem *problem) {
    const convsmith_kernel_info *info = &plan->kernel->info;
    cs_conv_args *args = &plan->args;
    const int64_t tiles_h = divide_up(args->h_out, info->tile_h);
    const int64_t tiles_w = divide_up(args->w_out, info->tile_w);
    const int64_t channel_blocks = divide_up(problem->c_out, info->tile_c);
    const int64_t grid[] = {problem->n, channel_blocks, tiles_h, tiles_w};
    const int64_t merges[] = {problem->n, plan->normalises ? problem->groups : 1};
    const int32_t most = info->blocks_per_sm > 0 ? INT32_MAX / 2 : INT32_MAX; /* walking, they step beyond the last */
    int64_t merge_blocks;
    if (!cs_product(grid, 4, &plan->blocks) || plan->blocks > most || !cs_product(merges, 2, &merge_blocks) ||
        merge_blocks > INT32_MAX)
        return cs_fail(CONVSMITH_TOO_LARGE, "problem: %s would need more than %" PRId32 " blocks; run it in parts of n",
                       info->name, most);
    args->tiles_h = (int32_t)tiles_h;
    args->tiles_w = (int32_t)tiles_w;
    args->channel_blocks = (int32_t)channel_blocks;
    plan->blocks = launched_blocks(info, &plan->traits, plan->blocks, channel_blocks);
    plan->shared_bytes = info->shared_bytes;
    return CONVSMITH_OK;
}

/* The recompute schedule's workspace: moments of the tiles, and the normalisation that is made of them. */
static convsmith_status fix_moments(convsmith_plan *plan, const convsmith_problem *problem) {
    const cs_conv_args *args = &plan->args;
    const int64_t moments[] = {problem->n, problem->c_out, args->tiles_h, args->tiles_w, (int64_t)sizeof(cs_moments)};
    const int64_t affine[] = {problem->n, problem->c_out, (int64_t)sizeof(cs_affine)};
    int64_t affine_bytes;
    if (!plan->normalises)
        return CONVSMITH_OK;
    if (!cs_product(moments, 5, &plan->moments_bytes) || !cs_product(affine, 3, &affine_bytes) ||
        __builtin_add_overflow(plan->moments_bytes, affine_bytes, &plan->workspace_bytes) ||
        (uint64_t)plan->workspace_bytes > SIZE_MAX)
        return cs_fail(CONVSMITH_TOO_LARGE, "problem: the workspace exceeds the address space");
    return CONVSMITH_OK;
}

static convsmith_status fix_recompute(convsmith_plan *plan, const convsmith_problem *problem) {
    const convsmith_status status = fix_tiles(plan, problem);
    return status == CONVSMITH_OK ? fix_moments(plan, problem) : status;
}

static convsmith_status fix_resident(convsmith_plan *plan, const convsmith_problem *problem) {
    cs_resident *cut = &plan->args.resident;
    if (!cs_resident_fit(plan->kernel, problem, &plan->traits, cut))
        return cs_fail(CONVSMITH_TOO_LARGE,
                       "problem: %s cannot keep a sample's values on this device, or eps is too small for its fixed "
                       "point, or n too large; kernels of schedule = { \"recompute\" } have no such limits",
                       plan->kernel->info.name);
    plan->blocks = (int64_t)cut->bands * cut->lanes;
    plan->shared_bytes = cs_resident_shared_bytes(plan->kernel, cut);
    plan->workspace_bytes = cs_resident_sums_bytes(plan->kernel, problem, cut);
    return CONVSMITH_OK;
}

static convsmith_status fix_gemm(convsmith_plan *plan, const cs_settled *s) {
    if (!cs_gemm_fit(plan->kernel, s, &plan->args, &plan->gemm))
        return cs_fail(CONVSMITH_TOO_LARGE,
                       "problem: %s has no tile for rows of %" PRId64 " outputs, or n is too large",
                       plan->kernel->info.name, s->w_out);
    plan->blocks = launched_blocks(&plan->kernel->info, &plan->traits, plan->gemm.tiles, 1);
    plan->shared_bytes = plan->kernel->info.shared_bytes;
    cs_gemm_share_copy(plan->kernel, &s->problem, plan->blocks, &plan->gemm);
    const bool fits = cs_gemm_place_values(plan->kernel, s, plan->blocks, &plan->args, &plan->gemm);
    const convsmith_status status = fix_moments(plan, &s->problem);
    int64_t own = plan->gemm.marks_bytes;
    if (status == CONVSMITH_OK && (!fits || __builtin_add_overflow(own, plan->gemm.copy_bytes, &own) ||
                                   __builtin_add_overflow(own, plan->gemm.values_bytes, &own) ||
                                   __builtin_add_overflow(own, plan->workspace_bytes, &plan->workspace_bytes)))
        return cs_fail(CONVSMITH_TOO_LARGE, "problem: the workspace exceeds the address space");
    return status;
}

static convsmith_status fix_schedule(convsmith_plan *plan, const cs_settled *s) {
    if (plan->kernel->gemm.columns > 0)
        return fix_gemm(plan, s);
    if (plan->kernel->info.schedule == CONVSMITH_SCHEDULE_STORED)
        return cs_generic_fit(plan, s);
    const bool resident = plan->kernel->info.schedule == CONVSMITH_SCHEDULE_RESIDENT;
    return resident ? fix_resident(plan, &s->problem) : fix_recompute(plan, &s->problem);
}

/* Whether a block can have the shared memory that the launch asks for. */
static convsmith_status check_shared(const convsmith_plan *plan) {
    if (plan->traits.device.kind != CONVSMITH_DEVICE_CUDA || plan->shared_bytes <= plan->traits.shared_bytes)
        return CONVSMITH_OK;
    return cs_fail(CONVSMITH_TOO_LARGE,
                   "device: a block of %s needs %" PRId64 " bytes of shared memory and can have %d on this GPU",
                   plan->kernel->info.name, plan->shared_bytes, plan->traits.shared_bytes);
}

convsmith_status cs_fit(convsmith_plan *plan, const cs_settled *s) {
    plan->normalises = s->chain.normalisation >= 0;
    plan->args = describe(s);
    plan->packed_bytes = plan->kernel->info.packed_bytes;
    plan->moments_bytes = plan->workspace_bytes = plan->shared_bytes = 0;
    plan->generic.kernel = NULL;
    const convsmith_status status = fix_schedule(plan, s);
    return status == CONVSMITH_OK ? check_shared(plan) : status;
}
