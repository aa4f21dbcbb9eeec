/* SPDX-License-Identifier: Apache-2.0
 *
 * Chains for who builds problems of them: parsed with a message, and put together with data.
 */
#ifndef CS_SUPPORT_CHAIN_H
#define CS_SUPPORT_CHAIN_H

#include "message.h"
#include "src/chain.h"

/* As cs_chain_parse. */
bool cs_chain_read(const char *text, cs_chain *chain, cs_message *message);

/* The chain's steps for convsmith_params: values[i] is what chain->values[i] points to, constants[i] those of step i,
 * as far as the chain does not fix them. `constants` may be NULL: 0. */
void cs_chain_fill_steps(const cs_chain *chain, const void *const *values, float (*constants)[CS_STEP_CONSTANTS],
                         convsmith_step *steps);

/* Constants that a step may have, of unit-variance values; several, counted round and round. */
const float *cs_usual_constants(cs_step step, int index);

#endif
