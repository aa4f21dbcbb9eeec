/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_check.h"

#include "case_check.h"
#include "operation.h"
#include "src/plan.h"

#include <inttypes.h>

/* Multiply-adds of a family beyond the cases that always run. An emulated GPU takes nanoseconds for each of them, and
 * so does code that checks its every access; what runs by itself runs everything. */
#if defined CONVSMITH_EMULATED || defined __SANITIZE_ADDRESS__
static const int64_t budget = 40000000;
#else
static const int64_t budget = INT64_MAX;
#endif

/* Skipped: the kernel does not take this problem. */
static cs_verdict run_case(const cs_check *check, int index, cs_message *message) {
    const convsmith_kernel_info *info = convsmith_kernel_get_info(check->kernel);
    cs_case c;
    if (!cs_case_create(&c, check->family, info, index, check->seed, message))
        return CS_FAILED;
    c.problem.table = check->table;
    convsmith_plan *plan;
    const convsmith_status status = cs_plan_create_for(&plan, &c.problem, check->device, check->kernel);
    cs_verdict verdict = status == CONVSMITH_TOO_LARGE ? CS_SKIPPED : CS_FAILED;
    /* Tensors need no alignment beyond their elements'; every other case gives them more. */
    const cs_case_check how = {
        .device = check->device, .family = check->family, .alignment = index % 2 ? 1 : 4 * sizeof(float)};
    if (cs_check_status(status, "creating the plan", message) && cs_check_case(&c, &how, plan, message))
        verdict = CS_PASSED;
    cs_case_destroy(&c);
    return verdict;
}

/* ---- The family -------------------------------------------------------------------------------------------------- */

static bool applies(const cs_check *check, cs_message *message) {
    const convsmith_kernel_info *info = convsmith_kernel_get_info(check->kernel);
    if (!cs_family_applies(check->family, info->key.epilogue))
        return cs_refuse(message, "family %s says nothing about epilogue %s", cs_family_name(check->family),
                         info->key.epilogue);
    return convsmith_target_supported(info->key.target, check->device) == CONVSMITH_OK ||
           cs_refuse(message, "%s", convsmith_detail());
}

/* The program `convsmith` knows the built-in table alone; a kernel of another is found again by its test's name. */
static void tell_how_to_repeat(const cs_check *check, int index, const cs_message *found, cs_message *message) {
    const convsmith_kernel_info *info = convsmith_kernel_get_info(check->kernel);
    if (check->table)
        cs_refuse(message, "CONVSMITH_TEST_SEED=%" PRIu64 " this program '%s/%s', case %d: %.600s", check->seed,
                  info->name, cs_family_name(check->family), index, found->text);
    else
        cs_refuse(message, "convsmith check --device %s --filter %s --family %s --case %d --seed %" PRIu64 ": %.600s",
                  check->device.kind == CONVSMITH_DEVICE_CUDA ? "cuda" : "cpu", info->name,
                  cs_family_name(check->family), index, check->seed, found->text);
}

/* A family none of whose cases the kernel takes is not checked at all; the one case that was asked for may be such. */
static cs_verdict refuse_all(const cs_check *check, const cs_message *found, cs_message *message) {
    cs_refuse(message, "%s takes no case of family %s that was chosen: %.600s",
              convsmith_kernel_get_info(check->kernel)->name, cs_family_name(check->family), found->text);
    return check->only_case == CS_ALL_CASES ? CS_FAILED : CS_SKIPPED;
}

/* The cases that the bits of `selection` name, up to the first that fails. */
static cs_verdict run_cases(const cs_check *check, uint32_t selection, int *done, cs_message *message) {
    cs_message found = {""};
    for (int i = 0; i < cs_case_count(check->family); i++) {
        if (!(selection >> i & 1))
            continue;
        const cs_verdict verdict = run_case(check, i, &found);
        *done += verdict != CS_SKIPPED;
        if (verdict == CS_FAILED) {
            tell_how_to_repeat(check, i, &found, message);
            return CS_FAILED;
        }
    }
    return *done ? CS_PASSED : refuse_all(check, &found, message);
}

uint32_t cs_check_selection(const cs_check *check) {
    if (check->only_case != CS_ALL_CASES)
        return UINT32_C(1) << check->only_case;
    return cs_case_selection(check->family, convsmith_kernel_get_info(check->kernel), budget);
}

cs_verdict cs_check_kernel(const cs_check *check, int *cases, cs_message *message) {
    int done = 0;
    const cs_verdict verdict =
        applies(check, message) ? run_cases(check, cs_check_selection(check), &done, message) : CS_SKIPPED;
    if (cases)
        *cases = done;
    return verdict;
}
