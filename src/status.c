/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>

#define DETAIL_BYTES 2048

/* The one piece of mutable state in the library; its own copy for each thread. */
static _Thread_local char detail[DETAIL_BYTES];

convsmith_status cs_fail(convsmith_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    return status;
}

const char *convsmith_detail(void) { return detail; }

const char *convsmith_status_string(convsmith_status status) {
    static const char *const strings[] = {
        [CONVSMITH_OK] = "success",
        [CONVSMITH_INVALID_ARGUMENT] = "invalid argument",
        [CONVSMITH_NO_KERNEL] = "no kernel for this shape in the table",
        [CONVSMITH_UNSUPPORTED_DEVICE] = "unsupported device",
        [CONVSMITH_TOO_LARGE] = "problem too large",
        [CONVSMITH_OUT_OF_MEMORY] = "out of memory",
        [CONVSMITH_CUDA_ERROR] = "CUDA error",
        [CONVSMITH_BAD_RECORD] = "bad tuning record",
    };
    const size_t index = (size_t)status;
    return index < sizeof strings / sizeof strings[0] ? strings[index] : "unknown status";
}
