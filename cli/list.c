/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith list: the dispatch table.
 */
#include "occupancy.h"
#include "options.h"
#include "rows.h"

#include <cjson/cJSON.h>
#include <stdio.h>

static bool takes_all(const convsmith_kernel_info *info, const void *context) {
    (void)info;
    (void)context;
    return true;
}

cs_exit cs_command_list(int argc, char **argv) {
    const char *json = NULL;
    const cs_option options[] = {
        {"--json", NULL, "as a JSON array, with all that is known of a kernel", &json},
    };
    const cs_usage usage = {
        .command = "list",
        .about =
            "Prints the dispatch table built into this program, one row a kernel, in key order. SHAPE is\n"
            "C_in x KH x KW x C_out; CONV is s for a stride, p for padding, d for a dilation and g for conv_groups,\n"
            "as far as they are not the default, and nhwc where channels are fastest; TILE is the channels, rows and\n"
            "columns that a block computes; HERE says whether this machine can run it. Of CUDA kernels, REGS is the\n"
            "registers of a thread, as nvcc said when it compiled them, or, with ~, as they were planned; SMEM is a\n"
            "block's shared memory; and below each GPU's name are the warps that its multiprocessors hold, of all\n"
            "that they have room for. The generic kernels, which take any shape, are no rows of it.",
        .example = "list --json",
        .options = options,
        .count = sizeof options / sizeof *options,
    };
    const cs_parsed parsed = cs_options_parse(&usage, argc, argv);
    if (parsed != CS_PARSED)
        return parsed == CS_PARSED_HELP ? CS_EXIT_DONE : CS_EXIT_BAD_INPUT;
    cs_error error;
    cJSON *occupancy = cs_occupancy(&error);
    if (!occupancy)
        fprintf(stderr, "convsmith list: warning: registers and occupancy are left out: %s\n", error.text);
    const int rows = cs_print_rows(takes_all, NULL, occupancy, json != NULL);
    cJSON_Delete(occupancy);
    if (rows < 0)
        return cs_complain(usage.command, "no memory for the JSON text");
    if (!json)
        printf("%d kernels\n", rows);
    return CS_EXIT_DONE;
}
