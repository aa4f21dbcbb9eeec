/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>

cs_exit cs_complain(const char *command, const char *format, ...) {
    va_list arguments;
    fprintf(stderr, "convsmith %s: error: ", command);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return CS_EXIT_BAD_INPUT;
}

cs_exit cs_complain_status(const char *command, convsmith_status status) {
    cs_complain(command, "%s: %s", convsmith_status_string(status), convsmith_detail());
    return status == CONVSMITH_NO_KERNEL ? CS_EXIT_NO_KERNEL : CS_EXIT_BAD_INPUT;
}
