/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans for chains whose constants are all known: kernels may be made for any of them, and take the others at prepack.
 */
#ifndef CS_SUPPORT_KNOWN_CONSTANTS_H
#define CS_SUPPORT_KNOWN_CONSTANTS_H

#include "chain.h"

/* Whether a row's chain computes `wanted` given the constants that it does not fix; `fixed` becomes the number of steps
 * whose constants it fixes. */
bool cs_chain_serves(const cs_chain *row, const cs_chain *wanted, int *fixed);

/* Creates a plan for the problem, with the chain `wanted`, of which all constants are fixed, in place of its epilogue.
 * Of the kernels that the problem's table and the built-in one have for its shape it takes one that is made for as many
 * of the constants as any; where there is none, what the library has for any problem. `name` becomes the epilogue that
 * the plan is for, which problem->epilogue then points at; constants of steps that it leaves open go to `steps`. */
convsmith_status cs_plan_of_constants(convsmith_plan **plan, convsmith_problem *problem, const cs_chain *wanted,
                                      convsmith_device device, cs_chain_text *name, convsmith_step *steps);

#endif
