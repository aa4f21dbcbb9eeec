/* SPDX-License-Identifier: Apache-2.0
 *
 * The generic kernels: one for each dtype and target, for problems of any size and epilogue. They are kernels like
 * others, but no rows of a table, and are called with what generated kernels have in their code.
 *
 * Their schedule is "stored": the values in front of the normalisation go to the workspace, their statistics are
 * measured there in parts of CS_GENERIC_PART values, and the rest of the epilogue reads them. Without a normalisation
 * the whole is one step.
 */
#ifndef CONVSMITH_GENERIC_GENERIC_H
#define CONVSMITH_GENERIC_GENERIC_H

#include "../device/generic_args.h"
#include "../kernel.h"
#include "../problem.h"
#include "../target.h"
#include "cuda.h"
#include "host.h"

struct convsmith_plan;

typedef struct cs_generic_kernel {
    convsmith_kernel kernel;
    cs_generic_host host;
    cs_generic_cuda cuda;
} cs_generic_kernel;

/* The kernel of a dtype and target; NULL where this build has none. */
const cs_generic_kernel *cs_generic_find(convsmith_dtype dtype, convsmith_target target);

/* The generic kernel that this is; NULL for a row of a table. */
const cs_generic_kernel *cs_generic_of(const convsmith_kernel *kernel);

/* What a plan has of its generic kernel. */
typedef struct cs_generic_plan {
    const cs_generic_kernel *kernel;     /* NULL: the plan's kernel is a row of a table */
    cs_generic_args args;                /* all but the pointers */
    int64_t values_bytes, moments_bytes; /* of the workspace; affine comes behind both */
    cs_generic_way way;                  /* CUDA */
} cs_generic_plan;

/* Fills in plan->generic and the sizes of plan->kernel, a generic kernel. CONVSMITH_TOO_LARGE beyond what can be
 * addressed. */
convsmith_status cs_generic_fit(struct convsmith_plan *plan, const cs_settled *settled);

/* The back ends of convsmith_plan_prepack and convsmith_plan_run; arguments are checked before, `pack` and `conv` are
 * complete but for what points into the workspace. */
convsmith_status cs_generic_prepack(const struct convsmith_plan *plan, const cs_pack_args *pack, void *stream);
convsmith_status cs_generic_run(const struct convsmith_plan *plan, const cs_conv_args *conv, void *workspace,
                                void *stream);

/* Those of CUDA, and cs_prepare_cuda. */
convsmith_status cs_generic_prepare_cuda(const struct convsmith_plan *plan);
convsmith_status cs_generic_prepack_cuda(const struct convsmith_plan *plan, const cs_generic_pack_args *args,
                                         void *stream);
convsmith_status cs_generic_run_cuda(const struct convsmith_plan *plan, const cs_generic_args *args, void *stream);

#endif
