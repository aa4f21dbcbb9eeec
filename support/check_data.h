/* SPDX-License-Identifier: Apache-2.0
 *
 * The data of the cases in check_case.h.
 */
#ifndef CS_SUPPORT_CHECK_DATA_H
#define CS_SUPPORT_CHECK_DATA_H

#include "check_case.h"
#include "random.h"

/* The constants of all steps, usual ones where the chain does not fix them. */
void cs_fill_constants(cs_case *c, int index);

/* Each fills all data of a case whose sizes and constants are set; `index` chooses among the family's variants and may
 * set the problem's eps. */
void cs_fill_exact(cs_case *c, int index, cs_random *random);
void cs_fill_random(cs_case *c, int index, cs_random *random);
void cs_fill_constant(cs_case *c, int index, cs_random *random);
void cs_fill_saturated(cs_case *c, int index, cs_random *random);
void cs_fill_nonfinite(cs_case *c, int index, cs_random *random);

#endif
