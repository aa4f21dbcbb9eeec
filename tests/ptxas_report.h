/* SPDX-License-Identifier: Apache-2.0
 *
 * What ptxas says of kernels (-Xptxas -v), read from the files in which the build keeps it.
 * Before this header: the headers that cmocka.h asks for.
 */
#ifndef CS_TESTS_PTXAS_REPORT_H
#define CS_TESTS_PTXAS_REPORT_H

/* One kernel on one architecture. In bytes; stack and spills are a thread's, shared memory is what a block has besides
 * the dynamic. */
typedef struct ptxas_kernel {
    char name[256];
    char arch[16]; /* such as "sm_89" */
    int registers;
    long stack, spill_stores, spill_loads, shared;
} ptxas_kernel;

typedef struct ptxas_report {
    ptxas_kernel *kernels;
    size_t count;
    char *remarks; /* the lines of what ptxas remarks on its own, such as (C7510); NULL for none */
} ptxas_report;

/* Adds what a file says to a report, which is {0} at first. The test fails when the file cannot be read. */
void ptxas_report_add(ptxas_report *report, const char *path);
void ptxas_report_free(ptxas_report *report);

/* A kernel on an architecture, or NULL. */
const ptxas_kernel *ptxas_report_find(const ptxas_report *report, const char *name, const char *arch);

/* A line for each kernel that has a stack or spills, and each remark; "" when all is well. The caller's to free. */
char *ptxas_report_faults(const ptxas_report *report);

#endif
