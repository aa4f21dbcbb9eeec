/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices and the targets that run on them.
 */
#ifndef CONVSMITH_TARGET_H
#define CONVSMITH_TARGET_H

#include "convsmith/convsmith.h"
#include <stdbool.h>

/* Number of targets; they are enumerated from 0, within a kind of device the better one later. */
#define CS_TARGET_COUNT ((size_t)CONVSMITH_TARGET_SM90A + 1)

/* What is asked of a device once; what it supports then follows without asking again. */
typedef struct cs_device_traits {
    convsmith_device device;
    int compute_capability; /* 10 * major + minor; this and the following for CUDA only */
    int multiprocessors;
    int shared_bytes; /* the most that a block can have */
} cs_device_traits;

/* CONVSMITH_OK when the device exists and this build has code for its kind. */
convsmith_status cs_device_probe(convsmith_device device, cs_device_traits *traits);

/* Whether code of `target` runs on the device. */
bool cs_target_runs_on(convsmith_target target, const cs_device_traits *traits);

#endif
