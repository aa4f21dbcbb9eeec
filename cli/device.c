/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <string.h>

static const char *const kinds[] = {[CONVSMITH_DEVICE_CPU] = "cpu", [CONVSMITH_DEVICE_CUDA] = "cuda"};

enum { KINDS = sizeof kinds / sizeof *kinds };

const char *cs_device_name(convsmith_device device) { return kinds[device.kind]; }

static convsmith_device best_device(void) {
    const convsmith_device cuda = {CONVSMITH_DEVICE_CUDA, 0}, cpu = {CONVSMITH_DEVICE_CPU, 0};
    return convsmith_target_supported(CONVSMITH_TARGET_SM80, cuda) == CONVSMITH_OK ? cuda : cpu;
}

bool cs_value_device(const cs_usage *usage, const char *text, convsmith_device *device) {
    static const char *const words[] = {"cpu", "cuda", "auto"};
    if (!text || strcmp(text, "auto") == 0) {
        *device = best_device();
        return true;
    }
    int kind = 0;
    if (!cs_value_word(usage, "--device", text, words, 3, &kind))
        return false;
    *device = (convsmith_device){(convsmith_device_kind)kind, 0};
    return true;
}

bool cs_value_device_filter(const cs_usage *usage, const char *text, cs_device_filter *filter) {
    int kind = -1;
    if (!cs_value_word(usage, "--device", text, kinds, KINDS, &kind))
        return false;
    filter->cpu = kind != CONVSMITH_DEVICE_CUDA;
    filter->cuda = kind != CONVSMITH_DEVICE_CPU;
    return true;
}

bool cs_device_filter_takes(const cs_device_filter *filter, const convsmith_kernel_info *info) {
    return convsmith_target_device(info->key.target) == CONVSMITH_DEVICE_CUDA ? filter->cuda : filter->cpu;
}

convsmith_device cs_device_of(const convsmith_kernel_info *info) {
    return (convsmith_device){convsmith_target_device(info->key.target), 0};
}

bool cs_kernel_runs_here(const convsmith_kernel_info *info) {
    return convsmith_target_supported(info->key.target, cs_device_of(info)) == CONVSMITH_OK;
}
