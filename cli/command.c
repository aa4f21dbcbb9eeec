/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "colour.h"

#include <stdarg.h>
#include <stdio.h>

const cs_program cs_convsmith = {
    .name = "convsmith",
    .summary = "specialised kernels for fused convolutions: the table, and its kernels at work",
    .synopsis = "COMMAND [options]",
    .status = "0 done, 1 a check failed, 2 bad arguments or input, 3 no such kernel, 130 interrupted.",
    .see_also = "convsmith-gen",
};

cs_exit cs_complain(const char *command, const char *format, ...) {
    va_list arguments;
    fprintf(stderr, "convsmith %s: ", command);
    cs_print_coloured(stderr, CS_RED, "error:");
    fputc(' ', stderr);
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
