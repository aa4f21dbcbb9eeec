/* SPDX-License-Identifier: Apache-2.0
 *
 * The devices of this machine, as options name them.
 */
#ifndef CS_CLI_DEVICE_H
#define CS_CLI_DEVICE_H

#include "options.h"

/* "cpu" or "cuda". */
const char *cs_device_name(convsmith_device device);

/* --device auto|cpu|cuda; NULL is auto: the CUDA device if there is one that this build can use, else the CPU. */
bool cs_value_device(const cs_usage *usage, const char *text, convsmith_device *device);

/* --device cpu|cuda as a filter of kernels; NULL is both. */
typedef struct cs_device_filter {
    bool cpu, cuda;
} cs_device_filter;

bool cs_value_device_filter(const cs_usage *usage, const char *text, cs_device_filter *filter);
bool cs_device_filter_takes(const cs_device_filter *filter, const convsmith_kernel_info *info);

/* Device 0 of the kind that the kernel is for, and whether it can run there. */
convsmith_device cs_device_of(const convsmith_kernel_info *info);
bool cs_kernel_runs_here(const convsmith_kernel_info *info);

#endif
