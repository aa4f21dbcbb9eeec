/* SPDX-License-Identifier: Apache-2.0
 *
 * The resident schedule's fit: whether a problem stays on the chip, and how it is cut then (device/resident.cuh).
 */
#ifndef CONVSMITH_RESIDENT_H
#define CONVSMITH_RESIDENT_H

#include "device/args.h"
#include "kernel.h"
#include "target.h"
#include <stdbool.h>

/* Cuts the problem for the kernel on the device; false when it does not fit. Leaves the fields that depend on the
 * buffers of a run (y_aligned, sums) alone. */
bool cs_resident_fit(const convsmith_kernel *kernel, const convsmith_problem *problem, const cs_device_traits *traits,
                     cs_resident *resident);

/* Bytes of shared memory that a block of this cut needs, and of the sums in the workspace. */
int64_t cs_resident_shared_bytes(const convsmith_kernel *kernel, const cs_resident *resident);
int64_t cs_resident_sums_bytes(const convsmith_kernel *kernel, const convsmith_problem *problem,
                               const cs_resident *resident);

#endif
