/* SPDX-License-Identifier: Apache-2.0
 *
 * Failing with a reason.
 */
#ifndef CONVSMITH_STATUS_H
#define CONVSMITH_STATUS_H

#include "convsmith/convsmith.h"

/* Sets this thread's detail message (printf style; cut, never overflowing) and returns `status`. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
convsmith_status
cs_fail(convsmith_status status, const char *format, ...);

#endif
