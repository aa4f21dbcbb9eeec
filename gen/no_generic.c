/* SPDX-License-Identifier: Apache-2.0
 *
 * What the generator has in place of the library's generic kernels, which it links no code of: it plans rows of tables
 * alone, of which cs_fit does not ask this.
 */
#include "src/fit.h"
#include "src/status.h"

convsmith_status cs_generic_fit(convsmith_plan *plan, const cs_settled *settled) {
    (void)plan;
    (void)settled;
    return cs_fail(CONVSMITH_INVALID_ARGUMENT, "a generic kernel is not predicted");
}
