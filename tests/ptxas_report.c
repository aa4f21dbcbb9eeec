/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/ptxas_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_kernel(ptxas_report *report, const ptxas_kernel *kernel) {
    ptxas_kernel *kernels = realloc(report->kernels, (report->count + 1) * sizeof *kernels);
    assert_non_null(kernels);
    kernels[report->count++] = *kernel;
    report->kernels = kernels;
}

static void add_remark(ptxas_report *report, const char *line) {
    const size_t before = report->remarks ? strlen(report->remarks) : 0;
    char *remarks = realloc(report->remarks, before + strlen(line) + 1);
    assert_non_null(remarks);
    strcpy(remarks + before, line);
    report->remarks = remarks;
}

static void raise_to(long *figure, long to) {
    if (*figure < to)
        *figure = to;
}

/* A stack and spills: the kernel's, or those of a function that it calls. */
static int read_frame(ptxas_kernel *kernel, const char *line) {
    long stack, stores, loads;
    if (sscanf(line, " %ld bytes stack frame, %ld bytes spill stores, %ld bytes spill loads", &stack, &stores,
               &loads) != 3)
        return 0;
    raise_to(&kernel->stack, stack);
    raise_to(&kernel->spill_stores, stores);
    raise_to(&kernel->spill_loads, loads);
    return 1;
}

static void read_use(ptxas_kernel *kernel, const char *line) {
    if (sscanf(line, "ptxas info : Used %d registers", &kernel->registers) != 1)
        return;
    for (const char *part = strchr(line, ','); part; part = strchr(part + 1, ',')) {
        long bytes;
        int end = 0;
        sscanf(part, ", %ld bytes smem%n", &bytes, &end);
        if (end > 0)
            kernel->shared = bytes;
        end = 0;
        sscanf(part, ", %ld bytes cumulative stack size%n", &bytes, &end);
        if (end > 0)
            raise_to(&kernel->stack, bytes);
    }
}

static void read_line(ptxas_report *report, const char *line) {
    ptxas_kernel kernel = {0};
    if (sscanf(line, "ptxas info : Compiling entry function '%255[^']' for '%15[^']'", kernel.name, kernel.arch) == 2) {
        add_kernel(report, &kernel);
        return;
    }
    if (strncmp(line, "ptxas", 5) == 0 && strstr(line, ": (C"))
        add_remark(report, line);
    if (report->count == 0)
        return;
    ptxas_kernel *last = &report->kernels[report->count - 1];
    if (!read_frame(last, line))
        read_use(last, line);
}

void ptxas_report_add(ptxas_report *report, const char *path) {
    FILE *stream = fopen(path, "r");
    if (!stream)
        fail_msg("%s cannot be opened", path);
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stream) >= 0)
        read_line(report, line);
    free(line);
    fclose(stream);
}

void ptxas_report_free(ptxas_report *report) {
    free(report->kernels);
    free(report->remarks);
    *report = (ptxas_report){0};
}

const ptxas_kernel *ptxas_report_find(const ptxas_report *report, const char *name, const char *arch) {
    for (size_t i = 0; i < report->count; ++i)
        if (strcmp(report->kernels[i].name, name) == 0 && strcmp(report->kernels[i].arch, arch) == 0)
            return &report->kernels[i];
    return NULL;
}

char *ptxas_report_faults(const ptxas_report *report) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    for (size_t i = 0; i < report->count; ++i) {
        const ptxas_kernel *kernel = &report->kernels[i];
        if (kernel->stack != 0 || kernel->spill_stores != 0 || kernel->spill_loads != 0)
            fprintf(stream,
                    "%s on %s: %ld bytes of stack, %ld of spill stores, %ld of spill loads, with %d registers\n",
                    kernel->name, kernel->arch, kernel->stack, kernel->spill_stores, kernel->spill_loads,
                    kernel->registers);
    }
    fputs(report->remarks ? report->remarks : "", stream);
    fclose(stream);
    return text;
}
