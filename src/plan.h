/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan: the kernel found for a problem, and the launch geometry and sizes that follow from both.
 */
#ifndef CONVSMITH_PLAN_H
#define CONVSMITH_PLAN_H

#include "chain.h"
#include "convsmith/convsmith.h"
#include "gemm.h"
#include "generic/generic.h"
#include "kernel.h"
#include "target.h"
#include <stdbool.h>

struct convsmith_plan {
    const convsmith_kernel *kernel;
    const convsmith_table *table; /* the one the kernel is a row of; of a generic kernel the built-in one */
    cs_generic_plan generic;
    cs_device_traits traits;
    convsmith_problem problem; /* as problem.h settles it; epilogue, table, tuning and autotune are NULL */
    cs_chain chain;
    cs_conv_args args;    /* all but the pointers and the pass */
    int64_t blocks;       /* of a convolution launch */
    bool normalises;      /* the epilogue has a normalisation: statistics, merge, apply; otherwise apply alone */
    int64_t shared_bytes; /* of a convolution launch */
    cs_gemm_sizes gemm;   /* of a kernel on the copy engine */
    cs_gemm_maps maps;    /* likewise */
    int64_t packed_bytes, moments_bytes, workspace_bytes;
};

/* As convsmith_plan_create, but for this kernel of `problem->table` (NULL: the built-in table) and no other. */
convsmith_status cs_plan_create_for(convsmith_plan **plan, const convsmith_problem *problem, convsmith_device device,
                                    const convsmith_kernel *kernel);

/* The back ends of convsmith_plan_create, convsmith_plan_prepack and convsmith_plan_run; arguments are checked before.
 */
convsmith_status cs_prepare_cuda(convsmith_plan *plan);
convsmith_status cs_prepack_cuda(const convsmith_plan *plan, const cs_pack_args *args, void *stream);
convsmith_status cs_run_cuda(const convsmith_plan *plan, const cs_conv_args *args, void *stream);
void cs_prepack_host(const convsmith_plan *plan, const cs_pack_args *args);
void cs_run_host(const convsmith_plan *plan, const cs_conv_args *args);

#endif
