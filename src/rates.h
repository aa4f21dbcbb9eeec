/* SPDX-License-Identifier: Apache-2.0
 *
 * The GPUs whose figures the library knows.
 */
#ifndef CONVSMITH_RATES_H
#define CONVSMITH_RATES_H

#include "cost.h"
#include "target.h"

/* Constant. The figures of a GPU by its profile's name ("h200"); NULL for an unknown one. */
const cs_rates *cs_rates_named(const char *name);

/* Those to predict with on a device: the profile of its compute capability, or else the newest before that, whose
 * multiprocessors are nearest in number, with the device's own number of them and shared memory, and what the whole GPU
 * does in proportion; memory is the profile's. False for a device older than all. */
bool cs_rates_for(const cs_device_traits *traits, cs_rates *rates);

#endif
