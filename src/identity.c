/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"
#include "status.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#ifdef CONVSMITH_WITH_CUDA
#include <cuda_runtime_api.h>
#endif

/* Copies a name without the spaces around it; what a record's strings cannot hold becomes '?'. */
static void copy_name(char *target, size_t room, const char *name) {
    size_t length = 0;
    name += strspn(name, " ");
    for (; *name != '\0' && length + 1 < room; ++name) {
        const bool plain = *name >= ' ' && *name <= '~' && *name != '"' && *name != '\\';
        target[length++] = plain ? *name : '?';
    }
    while (length > 0 && target[length - 1] == ' ')
        --length;
    target[length] = '\0';
}

/* ---- The CPU ----------------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
/* What the processor calls itself. */
static void name_cpu(cs_device_model *model) {
    enum { LEAVES = 3, REGISTERS = 4 };
    const unsigned int first_leaf = 0x80000002u;
    unsigned int words[LEAVES * REGISTERS + 1] = {0};
    for (unsigned int i = 0; i < LEAVES; ++i) {
        unsigned int *r = words + i * REGISTERS;
        if (__get_cpuid(first_leaf + i, &r[0], &r[1], &r[2], &r[3]) == 0)
            break;
    }
    copy_name(model->name, sizeof model->name, (const char *)words);
    if (model->name[0] == '\0')
        copy_name(model->name, sizeof model->name, "CPU");
}
#else
static void name_cpu(cs_device_model *model) { copy_name(model->name, sizeof model->name, "CPU"); }
#endif

/* ---- GPUs -------------------------------------------------------------------------------------------------------- */

#ifdef CONVSMITH_WITH_CUDA
/* The driver's release: the first word of its line that begins with a digit, as in
 * "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Mon Aug 11 ..." */
static bool read_driver_release(char *release, size_t room) {
    char line[256] = "";
    FILE *file = fopen("/proc/driver/nvidia/version", "r");
    if (file == NULL)
        return false;
    const bool has_line = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    for (const char *at = line; has_line && *at != '\0'; at += strcspn(at, " \n")) {
        at += strspn(at, " \n");
        if (*at < '0' || *at > '9')
            continue;
        snprintf(release, room, "%.*s", (int)strcspn(at, " \n"), at);
        return true;
    }
    return false;
}

static convsmith_status fail_cuda(cudaError_t error, const cs_device_traits *traits, const char *what) {
    cudaGetLastError();
    return cs_fail(CONVSMITH_CUDA_ERROR, "device: asking CUDA device %d for its %s: %s", traits->device.ordinal, what,
                   cudaGetErrorString(error));
}

static convsmith_status name_cuda(cs_device_model *model, const cs_device_traits *traits) {
    struct cudaDeviceProp properties;
    const cudaError_t error = cudaGetDeviceProperties(&properties, traits->device.ordinal);
    if (error != cudaSuccess)
        return fail_cuda(error, traits, "name");
    copy_name(model->name, sizeof model->name, properties.name);
    return CONVSMITH_OK;
}

/* What runs it. */
static convsmith_status identify_software(cs_identity *identity, const cs_device_traits *traits) {
    int driver = 0, runtime = 0;
    cudaError_t error = cudaDriverGetVersion(&driver);
    if (error == cudaSuccess)
        error = cudaRuntimeGetVersion(&runtime);
    if (error != cudaSuccess)
        return fail_cuda(error, traits, "driver");
    char release[32];
    if (!read_driver_release(release, sizeof release))
        snprintf(release, sizeof release, "CUDA %d.%d", driver / 1000, driver % 1000 / 10);
    copy_name(identity->driver, sizeof identity->driver, release);
    identity->runtime = runtime;
    return CONVSMITH_OK;
}
#else
static convsmith_status name_cuda(cs_device_model *model, const cs_device_traits *traits) {
    (void)model;
    return cs_fail(CONVSMITH_UNSUPPORTED_DEVICE, "device: CUDA device %d, but this library is a CPU-only build",
                   traits->device.ordinal);
}

/* Not reached: without CUDA no such device has a name. */
static convsmith_status identify_software(cs_identity *identity, const cs_device_traits *traits) {
    return name_cuda(&identity->model, traits);
}
#endif

/* ---- Both -------------------------------------------------------------------------------------------------------- */

convsmith_status cs_identify_model(const cs_device_traits *traits, cs_device_model *model) {
    *model =
        (cs_device_model){.compute_capability = traits->compute_capability, .multiprocessors = traits->multiprocessors};
    if (traits->device.kind == CONVSMITH_DEVICE_CUDA)
        return name_cuda(model, traits);
    name_cpu(model);
    return CONVSMITH_OK;
}

convsmith_status cs_identify(const cs_device_traits *traits, cs_identity *identity) {
    *identity = (cs_identity){0};
    snprintf(identity->version, sizeof identity->version, "%s", convsmith_version());
    const convsmith_status status = cs_identify_model(traits, &identity->model);
    if (status != CONVSMITH_OK || traits->device.kind != CONVSMITH_DEVICE_CUDA)
        return status;
    return identify_software(identity, traits);
}

bool cs_is_same_model(const cs_device_model *a, const cs_device_model *b) {
    return strcmp(a->name, b->name) == 0 && a->compute_capability == b->compute_capability &&
           a->multiprocessors == b->multiprocessors;
}

cs_device_words cs_describe_model(const cs_device_model *model) {
    cs_device_words words;
    int used = snprintf(words.text, sizeof words.text, "%s", model->name);
    if (model->multiprocessors > 0)
        snprintf(words.text + used, sizeof words.text - (size_t)used, " (compute capability %d.%d, %d multiprocessors)",
                 (int)model->compute_capability / 10, (int)model->compute_capability % 10, (int)model->multiprocessors);
    return words;
}
