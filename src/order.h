/* SPDX-License-Identifier: Apache-2.0
 *
 * In which order a plan asks the kernels that compute its problem: by predicted times, by those that a table has of
 * such a device, by those of a record that the caller loaded. What knows nothing of a kernel leaves it where it is,
 * behind those of which it knows.
 */
#ifndef CONVSMITH_ORDER_H
#define CONVSMITH_ORDER_H

#include "candidates.h"
#include "tuning.h"

/* By times alone. */
void cs_order_by_times(cs_candidates *candidates, const cs_timings *times);

/* Of each table, the kernel that is predicted to be clearly faster than those before it comes before them: where
 * nothing was measured. */
void cs_order_by_prediction(cs_candidates *candidates, const cs_settled *settled, const cs_device_traits *traits);

/* Each table's by what it knows of such a device at a size near to the problem's. CONVSMITH_CUDA_ERROR where the device
 * does not tell its name. */
convsmith_status cs_order_by_tables(cs_candidates *candidates, const cs_settled *settled,
                                    const cs_device_traits *traits);

/* All by a record, likewise. CONVSMITH_INVALID_ARGUMENT where it is of another device. */
convsmith_status cs_order_by_record(cs_candidates *candidates, const convsmith_tuning *tuning,
                                    const cs_settled *settled, const cs_device_traits *traits);

#endif
