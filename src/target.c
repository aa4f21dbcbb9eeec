/* SPDX-License-Identifier: Apache-2.0 */
#include "target.h"
#include "status.h"

#include <limits.h>

#ifdef CONVSMITH_WITH_CUDA
#include <cuda_runtime_api.h>
#endif

static bool always(void) { return true; }

#if defined(__x86_64__)
static bool cpu_has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static bool cpu_has_avx512(void) {
    return cpu_has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#else
static bool never(void) { return false; }
#define cpu_has_avx2 never
#define cpu_has_avx512 never
#endif

static const struct {
    const char *name;
    convsmith_device_kind device;
    int compute_capability;     /* the least, for CUDA */
    bool exactly;               /* that compute capability alone */
    bool (*cpu_supports)(void); /* for the CPU */
} targets[CS_TARGET_COUNT] = {
    [CONVSMITH_TARGET_HOST_BASE] = {"host_base", CONVSMITH_DEVICE_CPU, 0, false, always},
    [CONVSMITH_TARGET_HOST_AVX2] = {"host_avx2", CONVSMITH_DEVICE_CPU, 0, false, cpu_has_avx2},
    [CONVSMITH_TARGET_HOST_AVX512] = {"host_avx512", CONVSMITH_DEVICE_CPU, 0, false, cpu_has_avx512},
    [CONVSMITH_TARGET_SM80] = {"sm80", CONVSMITH_DEVICE_CUDA, 80, false, always},
    [CONVSMITH_TARGET_SM90A] = {"sm90a", CONVSMITH_DEVICE_CUDA, 90, true, always},
};

const char *convsmith_target_name(convsmith_target target) {
    return (size_t)target < CS_TARGET_COUNT ? targets[target].name : "?";
}

convsmith_device_kind convsmith_target_device(convsmith_target target) {
    return (size_t)target < CS_TARGET_COUNT ? targets[target].device : CONVSMITH_DEVICE_CPU;
}

static convsmith_status probe_cpu(cs_device_traits *traits) {
    if (traits->device.ordinal != 0)
        return cs_fail(CONVSMITH_UNSUPPORTED_DEVICE, "device: there is no CPU %d; the CPU is ordinal 0",
                       traits->device.ordinal);
    return CONVSMITH_OK;
}

#ifdef CONVSMITH_WITH_CUDA
static convsmith_status probe_cuda(cs_device_traits *traits) {
    const int ordinal = traits->device.ordinal;
    int count = 0;
    cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) {
        cudaGetLastError();
        return cs_fail(CONVSMITH_UNSUPPORTED_DEVICE, "device: no usable CUDA device (%s)", cudaGetErrorString(error));
    }
    if (ordinal < 0 || ordinal >= count)
        return cs_fail(CONVSMITH_UNSUPPORTED_DEVICE, "device: there is no CUDA device %d; this machine has %d", ordinal,
                       count);
    int major = 0, minor = 0;
    const struct {
        enum cudaDeviceAttr attribute;
        int *value;
    } questions[] = {
        {cudaDevAttrComputeCapabilityMajor, &major},
        {cudaDevAttrComputeCapabilityMinor, &minor},
        {cudaDevAttrMultiProcessorCount, &traits->multiprocessors},
        {cudaDevAttrMaxSharedMemoryPerBlockOptin, &traits->shared_bytes},
    };
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; ++i) {
        error = cudaDeviceGetAttribute(questions[i].value, questions[i].attribute, ordinal);
        if (error != cudaSuccess)
            return cs_fail(CONVSMITH_CUDA_ERROR, "device: asking CUDA device %d for its properties: %s", ordinal,
                           cudaGetErrorString(error));
    }
    traits->compute_capability = 10 * major + minor;
    return CONVSMITH_OK;
}
#else
static convsmith_status probe_cuda(cs_device_traits *traits) {
    return cs_fail(CONVSMITH_UNSUPPORTED_DEVICE,
                   "device: CUDA device %d was asked for, but this library is a CPU-only build",
                   traits->device.ordinal);
}
#endif

convsmith_status cs_device_probe(convsmith_device device, cs_device_traits *traits) {
    *traits = (cs_device_traits){.device = device};
    switch (device.kind) {
    case CONVSMITH_DEVICE_CPU:
        return probe_cpu(traits);
    case CONVSMITH_DEVICE_CUDA:
        return probe_cuda(traits);
    }
    return cs_fail(CONVSMITH_INVALID_ARGUMENT, "device: kind %d is neither CONVSMITH_DEVICE_CPU nor _CUDA",
                   (int)device.kind);
}

bool cs_target_runs_on(convsmith_target target, const cs_device_traits *traits) {
    const int least = targets[target].compute_capability;
    const int most = targets[target].exactly ? least : INT_MAX;
    return targets[target].device == traits->device.kind && traits->compute_capability >= least &&
           traits->compute_capability <= most && targets[target].cpu_supports();
}

convsmith_status convsmith_target_supported(convsmith_target target, convsmith_device device) {
    if ((size_t)target >= CS_TARGET_COUNT)
        return cs_fail(CONVSMITH_INVALID_ARGUMENT, "target: %d is none of the enumerated targets", (int)target);
    cs_device_traits traits;
    const convsmith_status status = cs_device_probe(device, &traits);
    if (status != CONVSMITH_OK)
        return status;
    if (!cs_target_runs_on(target, &traits))
        return cs_fail(CONVSMITH_UNSUPPORTED_DEVICE, "device: it does not run code for %s",
                       convsmith_target_name(target));
    return CONVSMITH_OK;
}
