/* SPDX-License-Identifier: Apache-2.0
 *
 * Running a generic kernel on a CUDA device: the same steps as on the CPU, a launch each.
 */
#include "../plan.h"
#include "../status.h"
#include "generic.h"

#ifdef CONVSMITH_WITH_CUDA
#include "../cuda_launch.h"
#include "../run_cuda.h"

enum {
    THREADS = CS_GENERIC_CUDA_THREADS,
    MAX_BLOCKS = 1 << 20, /* of a launch, each of which takes every so manieth tile then */
    PREPACK_MAX_BLOCKS = 4096,
    MEASURE_SHARED = THREADS / 32 * 4,
};

static const size_t shared_bytes[CS_GENERIC_WAYS] = {
    [CS_GENERIC_WIDE] = CS_GENERIC_SHARED(CS_GENERIC_WIDE_TILE),
    [CS_GENERIC_NARROW] = CS_GENERIC_SHARED(CS_GENERIC_NARROW_TILE),
    [CS_GENERIC_SMALL] = CS_GENERIC_SHARED(CS_GENERIC_SMALL_TILE),
    [CS_GENERIC_DIRECT] = CS_GENERIC_SHARED(CS_GENERIC_DIRECT_TILE),
};

static convsmith_status prepare(const convsmith_plan *plan, const void *args, cudaStream_t stream) {
    (void)args;
    (void)stream;
    const cs_generic_cuda *cuda = &plan->generic.kernel->cuda;
    void (*const kernels[])(cs_generic_args) = {cuda->convolve[plan->generic.way], cuda->measure, cuda->merge,
                                                cuda->apply};
    cudaError_t error = cs_prepare_generic_pack(cuda->prepack);
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0] && error == cudaSuccess; ++i)
        error = cs_prepare_generic(kernels[i]);
    return cs_cuda_prepared(error, plan);
}

/* As many blocks as there are sets of work, or as many as a launch should have. */
static unsigned grid_for(int64_t sets, int64_t most) { return (unsigned)(sets < most ? sets : most); }

static convsmith_status prepack(const convsmith_plan *plan, const void *args, cudaStream_t stream) {
    const int64_t blocks = (plan->packed_bytes / 4 + THREADS - 1) / THREADS;
    return cs_cuda_status(cs_launch_generic_pack(plan->generic.kernel->cuda.prepack, args,
                                                 grid_for(blocks, PREPACK_MAX_BLOCKS), THREADS, 0, stream),
                          plan, "launching the prepack");
}

/* One launch of a run. */
typedef struct launch {
    void (*kernel)(cs_generic_args);
    int64_t sets;
    unsigned threads;
    size_t shared;
    const char *what;
} launch;

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

static convsmith_status run(const convsmith_plan *plan, const void *arguments, cudaStream_t stream) {
    const cs_generic_args *args = arguments;
    const cs_generic_cuda *cuda = &plan->generic.kernel->cuda;
    const cs_generic_way way = plan->generic.way;
    const int64_t groups = (int64_t)args->conv.n * args->conv.groups;
    const launch launches[] = {
        {cuda->convolve[way], args->pixel_tiles * args->channel_tiles, THREADS, shared_bytes[way],
         "launching the convolution"},
        {cuda->measure, groups * args->parts, THREADS, MEASURE_SHARED, "launching the statistics"},
        {cuda->merge, groups, CS_MERGE_THREADS, CS_MERGE_SHARED_BYTES, "launching the merge of statistics"},
        {cuda->apply,
         divide_up(args->all_pixels, CS_GENERIC_PLAIN_PIXELS) *
             divide_up(args->weight.c_out, CS_GENERIC_PLAIN_CHANNELS),
         THREADS, shared_bytes[CS_GENERIC_DIRECT], "launching the normalisation"},
    };
    const size_t count = plan->normalises ? sizeof launches / sizeof launches[0] : 1;
    convsmith_status status = CONVSMITH_OK;
    for (size_t i = 0; i < count && status == CONVSMITH_OK; ++i)
        status = cs_cuda_status(cs_launch_generic(launches[i].kernel, args, grid_for(launches[i].sets, MAX_BLOCKS),
                                                  launches[i].threads, launches[i].shared, stream),
                                plan, launches[i].what);
    return status;
}

convsmith_status cs_generic_prepare_cuda(const convsmith_plan *plan) { return cs_on_device(plan, prepare, NULL, NULL); }

convsmith_status cs_generic_prepack_cuda(const convsmith_plan *plan, const cs_generic_pack_args *args, void *stream) {
    return cs_on_device(plan, prepack, args, stream);
}

convsmith_status cs_generic_run_cuda(const convsmith_plan *plan, const cs_generic_args *args, void *stream) {
    return cs_on_device(plan, run, args, stream);
}

#else

/* No plan of a CPU-only build is for a CUDA device: cs_device_probe has refused it. */
static convsmith_status cpu_only(const convsmith_plan *plan) {
    return cs_fail(CONVSMITH_UNSUPPORTED_DEVICE, "%s: this library is a CPU-only build", plan->kernel->info.name);
}

convsmith_status cs_generic_prepare_cuda(const convsmith_plan *plan) { return cpu_only(plan); }

convsmith_status cs_generic_prepack_cuda(const convsmith_plan *plan, const cs_generic_pack_args *args, void *stream) {
    (void)args;
    (void)stream;
    return cpu_only(plan);
}

convsmith_status cs_generic_run_cuda(const convsmith_plan *plan, const cs_generic_args *args, void *stream) {
    (void)args;
    (void)stream;
    return cpu_only(plan);
}

#endif
