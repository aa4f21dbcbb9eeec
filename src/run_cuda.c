/* SPDX-License-Identifier: Apache-2.0
 *
 * Running a CUDA kernel: prepack is one launch. A run of the recompute schedule is statistics, merge and apply, or
 * apply alone; one of the resident schedule is one launch, after a memset where samples have several bands; one of a
 * kernel on the copy engine is a copy of x, or of its first samples, where that is needed, the convolution and, where
 * it normalises, merge and apply, unless the convolution's launch does that, too, after a memset.
 */
#include "plan.h"
#include "status.h"

#include <string.h>

#ifdef CONVSMITH_WITH_CUDA
#include "cuda_launch.h"
#include "run_cuda.h"

#define PREPACK_THREADS 256
#define PREPACK_MAX_BLOCKS 1024

convsmith_status cs_cuda_status(cudaError_t error, const convsmith_plan *plan, const char *what) {
    if (error == cudaSuccess)
        return CONVSMITH_OK;
    cudaGetLastError();
    return cs_fail(CONVSMITH_CUDA_ERROR, "%s: %s: %s", plan->kernel->info.name, what, cudaGetErrorString(error));
}

convsmith_status cs_cuda_prepared(cudaError_t error, const convsmith_plan *plan) {
    if (error == cudaErrorNoKernelImageForDevice || error == cudaErrorInvalidDeviceFunction) {
        cudaGetLastError();
        return cs_fail(CONVSMITH_UNSUPPORTED_DEVICE,
                       "%s is not compiled for compute capability %d.%d; build with CONVSMITH_CUDA_ARCHS=%d",
                       plan->kernel->info.name, plan->traits.compute_capability / 10,
                       plan->traits.compute_capability % 10, plan->traits.compute_capability);
    }
    return cs_cuda_status(error, plan, "preparing the kernel");
}

convsmith_status cs_on_device(const convsmith_plan *plan,
                              convsmith_status (*work)(const convsmith_plan *, const void *, cudaStream_t),
                              const void *args, void *stream) {
    const int wanted = plan->traits.device.ordinal;
    int current = wanted;
    convsmith_status status = cs_cuda_status(cudaGetDevice(&current), plan, "asking for the current device");
    if (status == CONVSMITH_OK && current != wanted)
        status = cs_cuda_status(cudaSetDevice(wanted), plan, "selecting the plan's device");
    if (status != CONVSMITH_OK)
        return status;
    status = work(plan, args, stream);
    if (current != wanted) {
        const convsmith_status restored = cs_cuda_status(cudaSetDevice(current), plan, "restoring the current device");
        if (status == CONVSMITH_OK)
            status = restored;
    }
    return status;
}

/* What a kernel on the copy engine needs beside the others. */
static cudaError_t prepare_gemm(const convsmith_plan *plan) {
    const struct cs_cuda_runtime *cuda = plan->table->cuda;
    const convsmith_kernel *kernel = plan->kernel;
    cudaError_t error = cuda->prepare_conv(kernel->cuda.copy, CS_COPY_SHARED_BYTES);
    if (error == cudaSuccess)
        error = cuda->prepare_conv(kernel->cuda.apply, (size_t)kernel->gemm.apply_bytes);
    return error;
}

/* What the kernel may ask for whatever the problem: a smaller limit for this plan would hold for the others', too. */
static size_t most_shared(const convsmith_plan *plan) {
    const int32_t wanted = plan->kernel->info.shared_bytes, most = plan->traits.shared_bytes;
    return (size_t)(wanted < most ? wanted : most);
}

static convsmith_status prepare(const convsmith_plan *plan, const void *args, cudaStream_t stream) {
    (void)args;
    (void)stream;
    const convsmith_kernel *kernel = plan->kernel;
    const struct cs_cuda_runtime *cuda = plan->table->cuda;
    cudaError_t error = cuda->prepare_conv(kernel->cuda.convolve, most_shared(plan));
    if (error == cudaSuccess)
        error = cuda->prepare_conv(kernel->cuda.merge, CS_MERGE_SHARED_BYTES);
    if (error == cudaSuccess)
        error = cuda->prepare_pack(kernel->cuda.prepack);
    if (error == cudaSuccess && kernel->gemm.columns > 0)
        error = prepare_gemm(plan);
    return cs_cuda_prepared(error, plan);
}

static convsmith_status prepack(const convsmith_plan *plan, const void *args, cudaStream_t stream) {
    const int64_t elements = plan->kernel->info.packed_bytes / 4;
    const int64_t wanted = (elements + PREPACK_THREADS - 1) / PREPACK_THREADS;
    const unsigned grid = (unsigned)(wanted < PREPACK_MAX_BLOCKS ? wanted : PREPACK_MAX_BLOCKS);
    return cs_cuda_status(
        plan->table->cuda->launch_pack(plan->kernel->cuda.prepack, args, grid, PREPACK_THREADS, 0, stream), plan,
        "launching the prepack");
}

static convsmith_status convolve(const convsmith_plan *plan, const cs_conv_args *args, cs_pass pass,
                                 cudaStream_t stream) {
    const convsmith_kernel_info *info = &plan->kernel->info;
    cs_conv_args with_pass = *args;
    with_pass.pass = (int32_t)pass;
    return cs_cuda_status(plan->table->cuda->launch_conv(plan->kernel->cuda.convolve, &with_pass,
                                                         (unsigned)plan->blocks, (unsigned)info->threads,
                                                         (size_t)plan->shared_bytes, stream),
                          plan, pass == CS_PASS_STATISTICS ? "launching the statistics pass" : "launching the kernel");
}

static convsmith_status merge(const convsmith_plan *plan, const cs_conv_args *args, cudaStream_t stream) {
    const unsigned grid = (unsigned)args->n * (unsigned)args->groups;
    return cs_cuda_status(plan->table->cuda->launch_conv(plan->kernel->cuda.merge, args, grid, CS_MERGE_THREADS,
                                                         CS_MERGE_SHARED_BYTES, stream),
                          plan, "launching the merge of statistics");
}

/* A launch whose blocks tell each other by the workspace, from zeros at `from` on, what they have done. */
static convsmith_status convolve_together(const convsmith_plan *plan, const cs_conv_args *args, void *from,
                                          int64_t bytes, cudaStream_t stream) {
    const cudaError_t error = cudaMemsetAsync(from, 0, (size_t)bytes, stream);
    if (error != cudaSuccess)
        return cs_cuda_status(error, plan, "clearing what blocks share");
    return cs_cuda_status(plan->table->cuda->launch_conv_cooperative(
                              plan->kernel->cuda.convolve, args, (unsigned)plan->blocks,
                              (unsigned)plan->kernel->info.threads, (size_t)plan->shared_bytes, stream),
                          plan, "launching the kernel");
}

/* A sample of one band needs nothing of the other blocks. */
static convsmith_status run_resident(const convsmith_plan *plan, const cs_conv_args *args, cudaStream_t stream) {
    if (args->resident.bands == 1)
        return convolve(plan, args, CS_PASS_APPLY, stream);
    return convolve_together(plan, args, args->resident.sums, plan->workspace_bytes, stream);
}

static convsmith_status run_recompute(const convsmith_plan *plan, const cs_conv_args *args, cudaStream_t stream) {
    convsmith_status status = CONVSMITH_OK;
    if (plan->normalises) {
        status = convolve(plan, args, CS_PASS_STATISTICS, stream);
        if (status == CONVSMITH_OK)
            status = merge(plan, args, stream);
    }
    return status == CONVSMITH_OK ? convolve(plan, args, CS_PASS_APPLY, stream) : status;
}

/* Whether this run copies x. */
static bool copies_x(const convsmith_plan *plan, const cs_conv_args *args) {
    return plan->gemm.copies || (uintptr_t)args->x % CS_TENSOR_ALIGNMENT != 0;
}

/* ---- Tensors of the copy engine, before it is known where they begin -----------------------------------------------
 */

#define SOMEWHERE ((void *)4096)

/* x as the copy engine reads it, all but its sizes and strides. */
static cs_tensor inputs_of(const convsmith_plan *plan) {
    const convsmith_problem *p = &plan->problem;
    const cs_gemm_needs *needs = &plan->kernel->gemm;
    const cs_gemm *tile = &plan->args.gemm;
    const int32_t channels = needs->row_bytes / needs->operand_bytes;
    const cs_tensor of_pixels = {
        .elements = SOMEWHERE,
        .operand_bytes = needs->operand_bytes,
        .row_bytes = needs->row_bytes,
        .box = {channels, tile->pitch, tile->box_rows, 1},
        .steps = {1, p->stride_w, p->stride_h, 1},
    };
    const cs_tensor of_planes = {
        .elements = SOMEWHERE,
        .operand_bytes = needs->operand_bytes,
        .row_bytes = CS_PLANE_BYTES,
        .box = {CS_PLANE_BYTES / needs->operand_bytes, channels, 1, 1},
        .steps = {1, 1, 1, 1},
    };
    return needs->planes ? of_planes : of_pixels;
}

static void set_places(cs_tensor *tensor, const cs_gemm_tensor *places) {
    memcpy(tensor->sizes, places->sizes, sizeof places->sizes);
    memcpy(tensor->strides, places->strides, sizeof places->strides);
}

static cudaError_t encode_x(convsmith_plan *plan) {
    const cs_gemm_tensor x = cs_gemm_x(plan->kernel, &plan->problem);
    const cs_gemm_tensor copy = cs_gemm_copy(plan->kernel, &plan->problem, &plan->args.gemm);
    const struct cs_cuda_runtime *cuda = plan->table->cuda;
    cs_tensor inputs = inputs_of(plan);
    set_places(&inputs, &copy);
    const cudaError_t error = cuda->encode_tensor(&plan->maps.driver, &plan->maps.copy, &inputs);
    if (error != cudaSuccess || plan->gemm.copies)
        return error;
    set_places(&inputs, &x);
    return cuda->encode_tensor(&plan->maps.driver, &plan->args.gemm.inputs, &inputs);
}

/* y as the copy engine writes it: a row of some channels' planes at a time, or all pixels of a tile. */
static cudaError_t encode_y(convsmith_plan *plan) {
    cs_gemm *tile = &plan->args.gemm;
    const int32_t bytes = plan->kernel->gemm.operand_bytes;
    const cs_gemm_tensor y = cs_gemm_y(plan->kernel, &plan->problem, &plan->args);
    cs_tensor planes = {.elements = SOMEWHERE,
                        .operand_bytes = bytes,
                        .box = {tile->width, 1, CS_STORED_PLANES(bytes), 1},
                        .steps = {1, 1, 1, 1}};
    cs_tensor pixels = {.elements = SOMEWHERE,
                        .operand_bytes = bytes,
                        .row_bytes = CS_STORED_BYTES,
                        .box = {CS_STORED_BYTES / bytes, tile->width, tile->rows, 1},
                        .steps = {1, 1, 1, 1}};
    cs_tensor *outputs = plan->kernel->info.key.layout == CONVSMITH_NHWC ? &pixels : &planes;
    set_places(outputs, &y);
    return plan->table->cuda->encode_tensor(&plan->maps.driver, &tile->outputs, outputs);
}

static convsmith_status encode_tensors(convsmith_plan *plan) {
    cudaError_t error = plan->table->cuda->find_tensor_driver(&plan->maps.driver);
    if (error == cudaSuccess)
        error = encode_x(plan);
    if (error == cudaSuccess && plan->args.gemm.width > 0)
        error = encode_y(plan);
    return cs_cuda_status(error, plan, "describing tensors to the copy engine");
}

/* ---- Runs on the copy engine --------------------------------------------------------------------------------------
 */

/* Lets the tensors begin where those of this run do. */
static convsmith_status place_tensors(const convsmith_plan *plan, cs_conv_args *args) {
    const struct cs_cuda_runtime *cuda = plan->table->cuda;
    const bool copies = copies_x(plan, args);
    if (copies)
        args->gemm.inputs = plan->maps.copy;
    if ((uintptr_t)args->y % CS_TENSOR_ALIGNMENT != 0)
        args->gemm.width = 0;
    const void *const x = copies ? args->gemm.copy : args->x;
    cudaError_t error = cuda->move_tensor(&plan->maps.driver, &args->gemm.inputs, x);
    if (error == cudaSuccess && args->gemm.width > 0)
        error = cuda->move_tensor(&plan->maps.driver, &args->gemm.outputs, args->y);
    return cs_cuda_status(error, plan, "telling the copy engine where tensors begin");
}

static convsmith_status launch(const convsmith_plan *plan, void (*kernel)(cs_conv_args), const cs_conv_args *args,
                               int64_t blocks, int threads, int64_t shared, cudaStream_t stream, const char *what) {
    return cs_cuda_status(
        plan->table->cuda->launch_conv(kernel, args, (unsigned)blocks, (unsigned)threads, (size_t)shared, stream), plan,
        what);
}

static convsmith_status copy_x(const convsmith_plan *plan, cs_conv_args *args, cudaStream_t stream) {
    const bool aligned = (uintptr_t)args->x % CS_TENSOR_ALIGNMENT == 0;
    args->gemm.copied = aligned ? (int32_t)plan->gemm.copied : args->n;
    const int64_t blocks = plan->gemm.copy_blocks / args->n * args->gemm.copied;
    return launch(plan, plan->kernel->cuda.copy, args, blocks, CS_COPY_THREADS, CS_COPY_SHARED_BYTES, stream,
                  "launching the copy of x");
}

static convsmith_status run_gemm(const convsmith_plan *plan, const cs_conv_args *args, cudaStream_t stream) {
    const convsmith_kernel *kernel = plan->kernel;
    cs_conv_args placed = *args;
    convsmith_status status = place_tensors(plan, &placed);
    if (status == CONVSMITH_OK && copies_x(plan, args))
        status = copy_x(plan, &placed, stream);
    if (status == CONVSMITH_OK && placed.gemm.at_once)
        return convolve_together(plan, &placed, placed.moments, plan->gemm.published_bytes, stream);
    if (status == CONVSMITH_OK)
        status = convolve(plan, &placed, CS_PASS_APPLY, stream);
    if (status == CONVSMITH_OK && plan->normalises)
        status = merge(plan, &placed, stream);
    if (status == CONVSMITH_OK && plan->normalises)
        status = launch(plan, kernel->cuda.apply, &placed, plan->gemm.tiles, CS_APPLY_THREADS, kernel->gemm.apply_bytes,
                        stream, "launching the normalisation");
    return status;
}

static convsmith_status run(const convsmith_plan *plan, const void *args, cudaStream_t stream) {
    if (plan->kernel->gemm.columns > 0)
        return run_gemm(plan, args, stream);
    return plan->kernel->info.schedule == CONVSMITH_SCHEDULE_RESIDENT ? run_resident(plan, args, stream)
                                                                      : run_recompute(plan, args, stream);
}

/* `target`: the same plan, which may still be written. */
static convsmith_status encode(const convsmith_plan *plan, const void *target, cudaStream_t stream) {
    (void)plan;
    (void)stream;
    return encode_tensors(*(convsmith_plan *const *)target);
}

convsmith_status cs_prepare_cuda(convsmith_plan *plan) {
    if (plan->generic.kernel != NULL)
        return cs_generic_prepare_cuda(plan);
    const convsmith_status status = cs_on_device(plan, prepare, NULL, NULL);
    return status == CONVSMITH_OK && plan->kernel->gemm.columns > 0 ? cs_on_device(plan, encode, &plan, NULL) : status;
}

convsmith_status cs_prepack_cuda(const convsmith_plan *plan, const cs_pack_args *args, void *stream) {
    return cs_on_device(plan, prepack, args, stream);
}

convsmith_status cs_run_cuda(const convsmith_plan *plan, const cs_conv_args *args, void *stream) {
    return cs_on_device(plan, run, args, stream);
}

#else

/* No plan of a CPU-only build is for a CUDA device: cs_device_probe has refused it. */
static convsmith_status cpu_only(const convsmith_plan *plan) {
    return cs_fail(CONVSMITH_UNSUPPORTED_DEVICE, "%s: this library is a CPU-only build", plan->kernel->info.name);
}

convsmith_status cs_prepare_cuda(convsmith_plan *plan) { return cpu_only(plan); }

convsmith_status cs_prepack_cuda(const convsmith_plan *plan, const cs_pack_args *args, void *stream) {
    (void)args;
    (void)stream;
    return cpu_only(plan);
}

convsmith_status cs_run_cuda(const convsmith_plan *plan, const cs_conv_args *args, void *stream) {
    (void)args;
    (void)stream;
    return cpu_only(plan);
}

#endif
