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
    void *encoder;
    cudaError_t error = cuda->find_tensor_encoder(&encoder);
    if (error == cudaSuccess)
        error = cuda->prepare_conv(kernel->cuda.copy, CS_COPY_SHARED_BYTES);
    if (error == cudaSuccess)
        error = cuda->prepare_conv(kernel->cuda.apply, (size_t)kernel->gemm.apply_bytes);
    return error;
}

static convsmith_status prepare(const convsmith_plan *plan, const void *args, cudaStream_t stream) {
    (void)args;
    (void)stream;
    const convsmith_kernel *kernel = plan->kernel;
    const struct cs_cuda_runtime *cuda = plan->table->cuda;
    cudaError_t error = cuda->prepare_conv(kernel->cuda.convolve, (size_t)kernel->info.shared_bytes);
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

/* x as the copy engine reads it itself. */
static void describe_x(const convsmith_plan *plan, const cs_conv_args *args, cs_tensor *inputs) {
    const cs_gemm_tensor x = cs_gemm_x(plan->kernel, &plan->problem);
    inputs->elements = (void *)(uintptr_t)args->x; /* only read */
    memcpy(inputs->sizes, x.sizes, sizeof x.sizes);
    memcpy(inputs->strides, x.strides, sizeof x.strides);
}

static void describe_copy(const convsmith_plan *plan, const cs_conv_args *args, cs_tensor *inputs) {
    inputs->elements = args->gemm.copy;
    inputs->sizes[0] = args->gemm.copy_channels;
    inputs->strides[0] = inputs->sizes[0] * inputs->operand_bytes;
    inputs->strides[1] = inputs->strides[0] * plan->problem.w;
    inputs->strides[2] = inputs->strides[1] * plan->problem.h;
}

/* The driver's encoder is asked for anew: a plan is the same for all threads, and the answer costs next to nothing. */
static convsmith_status encode(const convsmith_plan *plan, const cs_tensor *tensor, cs_tensor_map *map,
                               const char *what) {
    const struct cs_cuda_runtime *cuda = plan->table->cuda;
    void *encoder;
    cudaError_t error = cuda->find_tensor_encoder(&encoder);
    if (error == cudaSuccess)
        error = cuda->encode_tensor(encoder, map, tensor);
    return cs_cuda_status(error, plan, what);
}

static convsmith_status encode_inputs(const convsmith_plan *plan, cs_conv_args *args) {
    const convsmith_problem *p = &plan->problem;
    const cs_gemm_needs *needs = &plan->kernel->gemm;
    cs_tensor inputs = {
        .operand_bytes = needs->operand_bytes,
        .row_bytes = needs->row_bytes,
        .sizes = {0, p->w, p->h, p->n},
        .box = {needs->row_bytes / needs->operand_bytes, args->gemm.pitch, args->gemm.box_rows, 1},
        .steps = {1, p->stride_w, p->stride_h, 1},
    };
    if (copies_x(plan, args))
        describe_copy(plan, args, &inputs);
    else
        describe_x(plan, args, &inputs);
    return encode(plan, &inputs, &args->gemm.inputs, "describing x to the copy engine");
}

/* y as the copy engine writes it: a row of some channels' planes at a time, or all pixels of a tile. */
static convsmith_status encode_outputs(const convsmith_plan *plan, cs_conv_args *args) {
    const cs_gemm_tensor y = cs_gemm_y(plan->kernel, &plan->problem, args);
    cs_tensor outputs = {.elements = args->y, .operand_bytes = plan->kernel->gemm.operand_bytes, .steps = {1, 1, 1, 1}};
    memcpy(outputs.sizes, y.sizes, sizeof y.sizes);
    memcpy(outputs.strides, y.strides, sizeof y.strides);
    if ((uintptr_t)args->y % CS_TENSOR_ALIGNMENT != 0)
        args->gemm.width = 0;
    if (args->gemm.width == 0)
        return CONVSMITH_OK;
    const int64_t planes[] = {args->gemm.width, 1, CS_STORED_PLANES(outputs.operand_bytes), 1};
    const int64_t pixels[] = {CS_STORED_BYTES / outputs.operand_bytes, args->gemm.width, args->gemm.rows, 1};
    const bool of_pixels = plan->kernel->info.key.layout == CONVSMITH_NHWC;
    memcpy(outputs.box, of_pixels ? pixels : planes, sizeof outputs.box);
    outputs.row_bytes = of_pixels ? CS_STORED_BYTES : 0;
    return encode(plan, &outputs, &args->gemm.outputs, "describing y to the copy engine");
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
    cs_conv_args encoded = *args;
    convsmith_status status = encode_inputs(plan, &encoded);
    if (status == CONVSMITH_OK)
        status = encode_outputs(plan, &encoded);
    if (status == CONVSMITH_OK && copies_x(plan, args))
        status = copy_x(plan, &encoded, stream);
    if (status == CONVSMITH_OK && encoded.gemm.at_once)
        return convolve_together(plan, &encoded, encoded.moments, plan->gemm.published_bytes, stream);
    if (status == CONVSMITH_OK)
        status = convolve(plan, &encoded, CS_PASS_APPLY, stream);
    if (status == CONVSMITH_OK && plan->normalises)
        status = merge(plan, &encoded, stream);
    if (status == CONVSMITH_OK && plan->normalises)
        status = launch(plan, kernel->cuda.apply, &encoded, plan->gemm.tiles, CS_APPLY_THREADS,
                        kernel->gemm.apply_bytes, stream, "launching the normalisation");
    return status;
}

static convsmith_status run(const convsmith_plan *plan, const void *args, cudaStream_t stream) {
    if (plan->kernel->gemm.columns > 0)
        return run_gemm(plan, args, stream);
    return plan->kernel->info.schedule == CONVSMITH_SCHEDULE_RESIDENT ? run_resident(plan, args, stream)
                                                                      : run_recompute(plan, args, stream);
}

convsmith_status cs_prepare_cuda(const convsmith_plan *plan) {
    return plan->generic.kernel != NULL ? cs_generic_prepare_cuda(plan) : cs_on_device(plan, prepare, NULL, NULL);
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

convsmith_status cs_prepare_cuda(const convsmith_plan *plan) { return cpu_only(plan); }

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
