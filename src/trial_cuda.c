/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"
#include "trial.h"

#ifdef CONVSMITH_WITH_CUDA
#include "run_cuda.h"

/* What runs on the device are timed with: a stream of their own, that waits for no other. */
typedef struct gpu_clock {
    cudaStream_t stream;
    cudaEvent_t *events; /* two for each run */
    int count;
} gpu_clock;

static cudaError_t read_times(const gpu_clock *c, double *us) {
    cudaError_t error = cudaStreamSynchronize(c->stream);
    for (int i = 0; i < c->count && error == cudaSuccess; ++i) {
        float milliseconds = 0;
        error = cudaEventElapsedTime(&milliseconds, c->events[2 * i], c->events[2 * i + 1]);
        us[i] = 1e3 * (double)milliseconds;
    }
    return error;
}

static convsmith_status run_between(const cs_trial *trial, const gpu_clock *c, double *us) {
    const convsmith_plan *plan = trial->plan;
    convsmith_status status = CONVSMITH_OK;
    for (int i = 0; i < c->count && status == CONVSMITH_OK; ++i) {
        status = cs_cuda_status(cudaEventRecord(c->events[2 * i], c->stream), plan, "recording an event");
        if (status == CONVSMITH_OK)
            status = convsmith_plan_run(plan, &trial->args, trial->workspace, c->stream);
        if (status == CONVSMITH_OK)
            status = cs_cuda_status(cudaEventRecord(c->events[2 * i + 1], c->stream), plan, "recording an event");
    }
    return status == CONVSMITH_OK ? cs_cuda_status(read_times(c, us), plan, "timing the kernel") : status;
}

static convsmith_status with_events(const cs_trial *trial, gpu_clock *c, double *us) {
    int made = 0;
    cudaError_t error = cudaSuccess;
    while (made < 2 * c->count && error == cudaSuccess) {
        error = cudaEventCreate(&c->events[made]);
        made += error == cudaSuccess;
    }
    const convsmith_status status =
        error == cudaSuccess ? run_between(trial, c, us) : cs_cuda_status(error, trial->plan, "creating an event");
    while (made > 0)
        cudaEventDestroy(c->events[--made]);
    return status;
}

convsmith_status cs_trial_time_cuda(const cs_trial *trial, int count, double *us) {
    cudaEvent_t events[2 * CS_TRIAL_MOST_RUNS];
    gpu_clock c = {.events = events, .count = count};
    const cudaError_t error = cudaStreamCreateWithFlags(&c.stream, cudaStreamNonBlocking);
    if (error != cudaSuccess)
        return cs_cuda_status(error, trial->plan, "creating a stream");
    const convsmith_status status = with_events(trial, &c, us);
    cudaStreamDestroy(c.stream);
    return status;
}

/* What `work` below is called with. */
typedef struct job {
    cs_trial *trial;
    cs_timing *timing;
    convsmith_status (*measure)(cs_trial *trial, cs_timing *timing);
} job;

static convsmith_status work(const convsmith_plan *plan, const void *args, cudaStream_t stream) {
    (void)stream;
    const job *j = args;
    void *block;
    cudaError_t error = cudaMalloc(&block, j->trial->bytes);
    if (error != cudaSuccess) {
        cudaGetLastError();
        return cs_fail(CONVSMITH_OUT_OF_MEMORY, "no device memory to time %s: %zu bytes: %s", plan->kernel->info.name,
                       j->trial->bytes, cudaGetErrorString(error));
    }
    error = cudaMemset(block, CS_TRIAL_BYTE, j->trial->bytes);
    if (error == cudaSuccess)
        error = cudaDeviceSynchronize(); /* the stream of the runs would not wait for it */
    convsmith_status status = cs_cuda_status(error, plan, "filling memory");
    cs_trial_place(j->trial, block);
    if (status == CONVSMITH_OK)
        status = j->measure(j->trial, j->timing);
    cudaFree(block);
    return status;
}

convsmith_status cs_trial_on_cuda(cs_trial *trial, cs_timing *timing,
                                  convsmith_status (*measure)(cs_trial *trial, cs_timing *timing)) {
    const job j = {trial, timing, measure};
    return cs_on_device(trial->plan, work, &j, NULL);
}

#else

/* No plan of a CPU-only build is for a CUDA device: cs_device_probe has refused it. */
convsmith_status cs_trial_time_cuda(const cs_trial *trial, int count, double *us) {
    (void)count;
    (void)us;
    return cs_fail(CONVSMITH_UNSUPPORTED_DEVICE, "%s: this library is a CPU-only build",
                   trial->plan->kernel->info.name);
}

convsmith_status cs_trial_on_cuda(cs_trial *trial, cs_timing *timing,
                                  convsmith_status (*measure)(cs_trial *trial, cs_timing *timing)) {
    (void)timing;
    (void)measure;
    return cs_fail(CONVSMITH_UNSUPPORTED_DEVICE, "%s: this library is a CPU-only build",
                   trial->plan->kernel->info.name);
}

#endif
