/* SPDX-License-Identifier: Apache-2.0
 *
 * An epilogue as a list of operations that the generic kernels interpret. Nothing is folded, so that no product of
 * operands can leave the range of floats where the steps one by one would not; batch_norm is a step like others.
 */
#ifndef CONVSMITH_GENERIC_PROGRAM_H
#define CONVSMITH_GENERIC_PROGRAM_H

#include "../chain.h"
#include "../device/generic_args.h"

cs_generic_program cs_program_of(const cs_chain *chain);

/* Fills in the constants that the chain's text fixes, beside those that the caller gave. */
void cs_program_fix_constants(const cs_chain *chain, cs_step_args steps[CS_MAX_STEPS]);

#endif
