/* SPDX-License-Identifier: Apache-2.0
 *
 * From a problem and a device to a plan. The checks come in the order in which they can be answered: the problem
 * alone, the device, the table and, kernel by kernel, the sizes.
 */
#include "plan.h"
#include "checked.h"
#include "element.h"
#include "lookup.h"
#include "params.h"
#include "resident.h"
#include "status.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ALIGNMENT 16

/* ---- The problem alone ------------------------------------------------------------------------------------------ */

static convsmith_status check_sizes(const convsmith_problem *problem) {
    const struct {
        const char *name;
        int64_t value;
    } sizes[] = {
        {"n", problem->n},         {"c_in", problem->c_in}, {"h", problem->h},   {"w", problem->w},
        {"c_out", problem->c_out}, {"kh", problem->kh},     {"kw", problem->kw},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i)
        if (sizes[i].value < 1 || sizes[i].value > INT32_MAX)
            return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->%s is %" PRId64 "; a size is from 1 to %" PRId32,
                           sizes[i].name, sizes[i].value, INT32_MAX);
    if (problem->kh > problem->h || problem->kw > problem->w)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                       "problem: the kernel, %" PRId64 "x%" PRId64 ", is larger than the input, %" PRId64 "x%" PRId64,
                       problem->kh, problem->kw, problem->h, problem->w);
    return CONVSMITH_OK;
}

static convsmith_status check_normalisation(const convsmith_problem *problem, const cs_chain *chain) {
    if (chain->normalisation < 0)
        return CONVSMITH_OK;
    if (cs_chain_has(chain, CS_STEP_GROUP_NORM) && (problem->groups < 1 || problem->c_out % problem->groups != 0))
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->groups is %" PRId64 "; it must divide c_out, %" PRId64,
                       problem->groups, problem->c_out);
    if (!(problem->eps > 0.0f) || !isfinite(problem->eps))
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->eps is %g; it must be positive, e.g. 1e-5",
                       (double)problem->eps);
    return CONVSMITH_OK;
}

static convsmith_status check_epilogue(const convsmith_problem *problem, cs_chain *chain) {
    char why[1024];
    if (problem->epilogue == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->epilogue is NULL; e.g. %s",
                       "CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM");
    if (!cs_chain_parse(problem->epilogue, chain, why, sizeof why))
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->epilogue: %s", why);
    return CONVSMITH_OK;
}

/* Takes the epilogue apart too. */
static convsmith_status check_problem(const convsmith_problem *problem, cs_chain *chain) {
    if (problem == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem is NULL");
    convsmith_status status = check_epilogue(problem, chain);
    if (status != CONVSMITH_OK)
        return status;
    if (cs_element_bytes(problem->dtype) == 0)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                       "problem->dtype is %d; it is CONVSMITH_F32 (0), _F16 (1) or _BF16 (2)", (int)problem->dtype);
    if (problem->math != CONVSMITH_MATH_FP32 && problem->math != CONVSMITH_MATH_TF32)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem->math is %d; it is CONVSMITH_MATH_FP32 (0) or _TF32 (1)",
                       (int)problem->math);
    if (problem->table != NULL && problem->table->layout != CS_TABLE_LAYOUT)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT,
                       "problem->table was built with other convsmith headers (layout %d, the library has %d); "
                       "rebuild it with this version",
                       (int)problem->table->layout, CS_TABLE_LAYOUT);
    status = check_sizes(problem);
    return status == CONVSMITH_OK ? check_normalisation(problem, chain) : status;
}

/* A checked problem with the epilogue by its one name, and the groups of an instance_norm. `name` must outlive it. */
static convsmith_problem one_form_of(const convsmith_problem *problem, const cs_chain *chain, cs_chain_text *name) {
    convsmith_problem same = *problem;
    *name = cs_chain_name(chain);
    same.epilogue = name->text;
    if (cs_chain_has(chain, CS_STEP_INSTANCE_NORM))
        same.groups = same.c_out;
    return same;
}

/* ---- The table -------------------------------------------------------------------------------------------------- */

static convsmith_key key_of(const convsmith_problem *problem, convsmith_math math, convsmith_target target) {
    return (convsmith_key){
        .c_in = (int32_t)problem->c_in,
        .kh = (int32_t)problem->kh,
        .kw = (int32_t)problem->kw,
        .c_out = (int32_t)problem->c_out,
        .dtype = problem->dtype,
        .math = math,
        .epilogue = problem->epilogue,
        .target = target,
    };
}

/* What the missing row says of elements and products. */
static void write_precision(const convsmith_problem *problem, convsmith_device_kind kind, char *fields, size_t room) {
    if (problem->dtype != CONVSMITH_F32)
        snprintf(fields, room, "dtype = \"%s\"", convsmith_dtype_name(problem->dtype));
    else
        snprintf(fields, room, "math = { \"%s\" }",
                 kind == CONVSMITH_DEVICE_CPU ? "fp32" : convsmith_math_name(problem->math));
}

/* The row that is missing. It names what the default manifest's defaults may not be. */
static convsmith_status no_kernel(const convsmith_problem *problem, const cs_chain *chain, convsmith_device_kind kind) {
    char precision[32];
    const cs_chain_text epilogue = cs_chain_list(chain);
    write_precision(problem, kind, precision, sizeof precision);
    return cs_fail(CONVSMITH_NO_KERNEL,
                   "no %s kernel of %s for C_in %" PRId64 ", K %" PRId64 "x%" PRId64 ", C_out %" PRId64
                   ", epilogue %s; the manifest needs conv { c_in = %" PRId64 ", kernel = \"%" PRId64 "x%" PRId64
                   "\", c_out = %" PRId64 ", %s, epilogue = %s }",
                   kind == CONVSMITH_DEVICE_CUDA ? "CUDA" : "CPU", convsmith_dtype_name(problem->dtype), problem->c_in,
                   problem->kh, problem->kw, problem->c_out, problem->epilogue, problem->c_in, problem->kh, problem->kw,
                   problem->c_out, precision, epilogue.text);
}

/* ---- The sizes -------------------------------------------------------------------------------------------------- */

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
static cs_conv_args describe(const convsmith_problem *problem, bool normalises) {
    return (cs_conv_args){
        .n = (int32_t)problem->n,
        .h = (int32_t)problem->h,
        .w = (int32_t)problem->w,
        .h_out = (int32_t)(problem->h - problem->kh + 1),
        .w_out = (int32_t)(problem->w - problem->kw + 1),
        .y_strides = {problem->c_out * (problem->h - problem->kh + 1) * (problem->w - problem->kw + 1),
                      (problem->h - problem->kh + 1) * (problem->w - problem->kw + 1), problem->w - problem->kw + 1, 1},
        .groups = normalises ? (int32_t)problem->groups : 0,
        .eps = problem->eps,
        .pass = CS_PASS_APPLY,
    };
}

static convsmith_status beyond_memory(void) {
    return cs_fail(CONVSMITH_TOO_LARGE, "problem: a tensor or the workspace exceeds the address space");
}

static convsmith_status check_tensors(const convsmith_problem *problem, const cs_conv_args *args) {
    const int64_t element = (int64_t)cs_element_bytes(problem->dtype);
    const int64_t x[] = {problem->n, problem->c_in, problem->h, problem->w, element};
    const int64_t y[] = {problem->n, problem->c_out, args->h_out, args->w_out, element};
    int64_t bytes;
    return cs_product(x, 5, &bytes) && cs_product(y, 5, &bytes) ? CONVSMITH_OK : beyond_memory();
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
    int64_t merge_blocks;
    if (!cs_product(grid, 4, &plan->blocks) || plan->blocks > INT32_MAX || !cs_product(merges, 2, &merge_blocks) ||
        merge_blocks > INT32_MAX)
        return cs_fail(CONVSMITH_TOO_LARGE, "problem: %s would need more than %" PRId32 " blocks; run it in parts of n",
                       info->name, INT32_MAX);
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
        return beyond_memory();
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
    plan->workspace_bytes = cs_resident_sums_bytes(problem, cut);
    return CONVSMITH_OK;
}

/* Launch geometry and workspace for the plan's kernel; CONVSMITH_TOO_LARGE where its schedule takes no such problem. */
static convsmith_status fix_sizes(convsmith_plan *plan, const convsmith_problem *problem) {
    plan->normalises = plan->chain.normalisation >= 0;
    plan->args = describe(problem, plan->normalises);
    plan->moments_bytes = plan->workspace_bytes = 0;
    const bool resident = plan->kernel->info.schedule == CONVSMITH_SCHEDULE_RESIDENT;
    const convsmith_status status = resident ? fix_resident(plan, problem) : fix_recompute(plan, problem);
    return status == CONVSMITH_OK ? check_tensors(problem, &plan->args) : status;
}

/* ---- The choice ------------------------------------------------------------------------------------------------- */

/* Takes the kernel for the best target that the device supports and that takes the problem. `otherwise` is the status
 * where the table has none for the device. */
static convsmith_status choose_of_table(convsmith_plan *plan, const convsmith_problem *problem, convsmith_math math,
                                        convsmith_status otherwise) {
    convsmith_status status = otherwise;
    for (size_t i = CS_TARGET_COUNT; i-- > 0;) {
        const convsmith_target target = (convsmith_target)i;
        if (!cs_target_runs_on(target, &plan->traits))
            continue;
        const convsmith_key key = key_of(problem, math, target);
        plan->kernel = cs_lookup(plan->table, &key);
        if (plan->kernel == NULL)
            continue;
        status = fix_sizes(plan, problem);
        if (status != CONVSMITH_TOO_LARGE)
            return status;
    }
    return status;
}

/* Fills in the kernel and the sizes. Where kernels take no such problem, the detail is what the last of them says. */
static convsmith_status choose_kernel(convsmith_plan *plan, const convsmith_problem *problem) {
    const convsmith_table *const tables[] = {problem->table, convsmith_builtin_table()};
    /* A permission to use TF32 is not a duty: the exact kernel serves where there is no other. */
    const convsmith_math maths[] = {problem->math, CONVSMITH_MATH_FP32};
    convsmith_status status = CONVSMITH_NO_KERNEL;
    for (size_t t = 0; t < 2; ++t)
        for (size_t m = 0; m < 2 && tables[t] != NULL; ++m) {
            plan->table = tables[t];
            status = choose_of_table(plan, problem, maths[m], status);
            if (status == CONVSMITH_OK)
                return status;
        }
    return status == CONVSMITH_NO_KERNEL ? no_kernel(problem, &plan->chain, plan->traits.device.kind) : status;
}

static convsmith_status prepare_device(const convsmith_plan *plan) {
    return plan->traits.device.kind == CONVSMITH_DEVICE_CUDA ? cs_prepare_cuda(plan) : CONVSMITH_OK;
}

static convsmith_status publish(convsmith_plan **plan, const convsmith_plan *draft) {
    *plan = malloc(sizeof **plan);
    if (*plan == NULL)
        return cs_fail(CONVSMITH_OUT_OF_MEMORY, "no memory for a plan of %zu bytes", sizeof **plan);
    **plan = *draft;
    return CONVSMITH_OK;
}

/* ---- Creating --------------------------------------------------------------------------------------------------- */

convsmith_status convsmith_plan_create(convsmith_plan **plan, const convsmith_problem *problem,
                                       convsmith_device device) {
    if (plan == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "plan is NULL; pass the address of a convsmith_plan *");
    *plan = NULL;
    convsmith_plan draft = {0};
    convsmith_status status = check_problem(problem, &draft.chain);
    if (status == CONVSMITH_OK)
        status = cs_device_probe(device, &draft.traits);
    if (status != CONVSMITH_OK)
        return status;
    cs_chain_text name;
    const convsmith_problem same = one_form_of(problem, &draft.chain, &name);
    status = choose_kernel(&draft, &same);
    if (status == CONVSMITH_OK)
        status = prepare_device(&draft);
    return status == CONVSMITH_OK ? publish(plan, &draft) : status;
}

/* Sizes the draft for its kernel, if the problem is that kernel's. */
static convsmith_status fit_kernel(convsmith_plan *draft, const convsmith_problem *problem) {
    const convsmith_kernel_info *info = &draft->kernel->info;
    cs_chain_text name;
    const convsmith_problem same = one_form_of(problem, &draft->chain, &name);
    const convsmith_key key = key_of(&same, same.math, info->key.target);
    if (cs_key_compare(&key, &info->key) != 0)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "problem: it is not one that %s computes", info->name);
    return fix_sizes(draft, &same);
}

convsmith_status cs_plan_create_for(convsmith_plan **plan, const convsmith_problem *problem, convsmith_device device,
                                    const convsmith_kernel *kernel) {
    *plan = NULL;
    convsmith_plan draft = {.kernel = kernel, .table = problem->table};
    if (draft.table == NULL)
        draft.table = convsmith_builtin_table();
    convsmith_status status = check_problem(problem, &draft.chain);
    if (status == CONVSMITH_OK)
        status = convsmith_target_supported(kernel->info.key.target, device);
    if (status == CONVSMITH_OK)
        status = cs_device_probe(device, &draft.traits);
    if (status == CONVSMITH_OK)
        status = fit_kernel(&draft, problem);
    if (status == CONVSMITH_OK)
        status = prepare_device(&draft);
    return status == CONVSMITH_OK ? publish(plan, &draft) : status;
}

void convsmith_plan_destroy(convsmith_plan *plan) { free(plan); }

const convsmith_kernel *convsmith_plan_kernel(const convsmith_plan *plan) { return plan != NULL ? plan->kernel : NULL; }

size_t convsmith_plan_packed_size(const convsmith_plan *plan) {
    return plan != NULL ? (size_t)plan->kernel->info.packed_bytes : 0;
}

size_t convsmith_plan_workspace_size(const convsmith_plan *plan) {
    return plan != NULL ? (size_t)plan->workspace_bytes : 0;
}

/* ---- Using ------------------------------------------------------------------------------------------------------ */

static convsmith_status check_pointer(const void *pointer, const char *name, size_t alignment) {
    if (pointer == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s is NULL", name);
    if ((uintptr_t)pointer % alignment != 0)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "%s is not aligned to %zu bytes", name, alignment);
    return CONVSMITH_OK;
}

static convsmith_status check_stream(const convsmith_plan *plan, const void *stream) {
    if (plan->traits.device.kind == CONVSMITH_DEVICE_CPU && stream != NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "stream is not NULL, but the plan is for the CPU");
    return CONVSMITH_OK;
}

convsmith_status convsmith_plan_prepack(const convsmith_plan *plan, const convsmith_params *params, void *packed,
                                        void *stream) {
    if (plan == NULL || params == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, plan == NULL ? "plan is NULL" : "params is NULL");
    convsmith_status status = cs_check_params(params, &plan->chain, plan->kernel->info.key.dtype);
    if (status == CONVSMITH_OK)
        status = check_pointer(packed, "packed", ALIGNMENT);
    if (status == CONVSMITH_OK)
        status = check_stream(plan, stream);
    if (status != CONVSMITH_OK)
        return status;
    const cs_pack_args args = cs_pack_args_of(params, packed);
    if (plan->traits.device.kind == CONVSMITH_DEVICE_CUDA)
        return cs_prepack_cuda(plan, &args, stream);
    cs_prepack_host(plan, &args);
    return CONVSMITH_OK;
}

static convsmith_status check_args(const convsmith_plan *plan, const convsmith_args *args, const void *workspace,
                                   const void *stream) {
    if (plan == NULL || args == NULL)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, plan == NULL ? "plan is NULL" : "args is NULL");
    const size_t element = cs_element_bytes(plan->kernel->info.key.dtype);
    convsmith_status status = check_pointer(args->x, "args->x", element);
    if (status == CONVSMITH_OK)
        status = check_pointer(args->y, "args->y", element);
    if (status == CONVSMITH_OK)
        status = check_pointer(args->packed, "args->packed", ALIGNMENT);
    if (status == CONVSMITH_OK)
        status = cs_check_tensors(args, &plan->chain, plan->kernel->info.key.dtype);
    if (status == CONVSMITH_OK && plan->workspace_bytes > 0)
        status = check_pointer(workspace, "workspace", ALIGNMENT);
    return status == CONVSMITH_OK ? check_stream(plan, stream) : status;
}

/* Lets the arguments point at their parts of the workspace. */
static void place_workspace(const convsmith_plan *plan, cs_conv_args *conv, void *workspace) {
    if (plan->kernel->info.schedule == CONVSMITH_SCHEDULE_RESIDENT) {
        conv->resident.sums = workspace;
        conv->resident.y_aligned = (uintptr_t)conv->y % 16 == 0;
    } else if (plan->normalises) {
        conv->moments = workspace;
        conv->affine = (cs_affine *)((char *)workspace + plan->moments_bytes);
    }
}

convsmith_status convsmith_plan_run(const convsmith_plan *plan, const convsmith_args *args, void *workspace,
                                    void *stream) {
    const convsmith_status status = check_args(plan, args, workspace, stream);
    if (status != CONVSMITH_OK)
        return status;
    cs_conv_args conv = plan->args;
    conv.x = args->x;
    conv.packed = args->packed;
    conv.y = args->y;
    for (int i = 0; i < CS_MAX_TENSORS; ++i)
        conv.tensors[i] = args->tensors[i];
    place_workspace(plan, &conv, workspace);
    if (plan->traits.device.kind == CONVSMITH_DEVICE_CUDA)
        return cs_run_cuda(plan, &conv, stream);
    cs_run_host(plan, &conv);
    return CONVSMITH_OK;
}
