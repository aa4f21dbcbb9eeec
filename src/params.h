/* SPDX-License-Identifier: Apache-2.0
 *
 * The parameters that a caller hands to prepack, and the tensors of a run: whether they are those of the chain, and in
 * the form that kernels read.
 */
#ifndef CONVSMITH_PARAMS_H
#define CONVSMITH_PARAMS_H

#include "chain.h"

/* CONVSMITH_OK for parameters that a problem of this dtype and epilogue can be packed with; otherwise the detail says
 * which one is wrong. */
convsmith_status cs_check_params(const convsmith_params *params, const cs_chain *chain, convsmith_dtype dtype);

/* Checked parameters, to be packed into `packed`. */
cs_pack_args cs_pack_args_of(const convsmith_params *params, void *packed);

/* CONVSMITH_OK for a run's tensors that are those of the epilogue's add_tensor steps, of the problem's dtype; otherwise
 * the detail says which one is wrong. */
convsmith_status cs_check_tensors(const convsmith_args *args, const cs_chain *chain, convsmith_dtype dtype);

#endif
