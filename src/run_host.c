/* SPDX-License-Identifier: Apache-2.0
 *
 * Running a CPU kernel: its blocks spread over threads. A block writes only what is its own, so any schedule gives
 * the same bits.
 */
#include "plan.h"

static void for_each_block(void (*kernel)(const cs_conv_args *, int64_t), const cs_conv_args *args, int64_t blocks) {
#pragma omp parallel for schedule(dynamic)
    for (int64_t block = 0; block < blocks; ++block)
        kernel(args, block);
}

void cs_prepack_host(const convsmith_plan *plan, const cs_pack_args *args) { plan->kernel->host.prepack(args); }

void cs_run_host(const convsmith_plan *plan, const cs_conv_args *args) {
    const cs_host_entry *entry = &plan->kernel->host;
    cs_conv_args pass = *args;
    if (plan->normalises) {
        pass.pass = CS_PASS_STATISTICS;
        for_each_block(entry->convolve, &pass, plan->blocks);
        for_each_block(entry->merge, &pass, (int64_t)pass.n * pass.groups);
    }
    pass.pass = CS_PASS_APPLY;
    for_each_block(entry->convolve, &pass, plan->blocks);
}
