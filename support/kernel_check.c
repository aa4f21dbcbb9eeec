/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_check.h"

#include "compare.h"
#include "operation.h"
#include "src/device/element.h"
#include "src/element.h"
#include "src/plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Multiply-adds of a family beyond the cases that always run. An emulated GPU takes nanoseconds for each of them; what
 * runs on a device of its own runs everything. */
#ifdef CONVSMITH_EMULATED
static const int64_t budget = 40000000;
#else
static const int64_t budget = INT64_MAX;
#endif

/* Everything that one case needs: its data, the operation on the device and the results. */
typedef struct rig {
    const cs_check *check;
    int index;
    bool is_refused; /* the kernel's schedule does not take the problem; the message says why */
    cs_case data;
    cs_reference reference;
    cs_operation operation;
    void *got; /* of the problem's dtype */
    double *expected;
    cs_slice_statistics *statistics;
} rig;

/* ---- Building and clearing --------------------------------------------------------------------------------------- */

static size_t element_bytes(const rig *r) { return cs_element_bytes(r->data.problem.dtype); }

static bool allocate_results(rig *r, cs_message *message) {
    const size_t count = (size_t)r->data.y_count;
    r->got = malloc(count * element_bytes(r));
    r->expected = malloc(count * sizeof *r->expected);
    r->statistics = malloc((size_t)(r->data.problem.n * r->reference.slices) * sizeof *r->statistics);
    return (r->got && r->expected && r->statistics) || cs_refuse(message, "no memory for the results");
}

static bool build_plan(rig *r, convsmith_plan **plan, cs_message *message) {
    const convsmith_status status = cs_plan_create_for(plan, &r->data.problem, r->check->device, r->check->kernel);
    r->is_refused = status == CONVSMITH_TOO_LARGE;
    return cs_check_status(status, "creating the plan", message);
}

/* Tensors need no alignment beyond their elements'; every other case gives them more. */
static bool build_operation(rig *r, const convsmith_params *params, cs_message *message) {
    const cs_placement placement = {r->check->device, true, r->index % 2 ? 1 : 4 * sizeof(float)};
    convsmith_plan *plan;
    return build_plan(r, &plan, message) &&
           cs_operation_create(&r->operation, plan, &r->data.problem, params, r->data.elements.x, &placement,
                               message) &&
           cs_operation_add_tensors(&r->operation, &r->data.problem, r->reference.tensors, &placement, message);
}

static bool build(rig *r, cs_message *message) {
    const cs_check *check = r->check;
    const convsmith_kernel_info *info = convsmith_kernel_get_info(check->kernel);
    if (!cs_case_create(&r->data, check->family, info, r->index, check->seed, message))
        return false;
    const convsmith_params params = cs_case_params(&r->data);
    r->data.problem.table = check->table;
    if (!cs_reference_init(&r->reference, &r->data.problem, &params, r->data.elements.x, message))
        return false;
    r->reference.tensors = (const void *const *)r->data.elements.tensors;
    return allocate_results(r, message) && build_operation(r, &params, message);
}

static void clear(rig *r) {
    cs_operation_destroy(&r->operation);
    free(r->got);
    free(r->expected);
    free(r->statistics);
    cs_case_destroy(&r->data);
}

/* ---- Running ----------------------------------------------------------------------------------------------------- */

/* One run over a workspace and an output filled with `poison`, the result to `y`. */
static bool run_over(rig *r, unsigned char poison, void *y, cs_message *message) {
    const cs_operation *o = &r->operation;
    return cs_buffer_fill(&o->workspace, poison, message) && cs_buffer_fill(&o->y, poison, message) &&
           cs_operation_run(o, message) && cs_buffer_download(&o->y, 0, y, o->y.size, message);
}

static bool check_guards(const rig *r, cs_message *message) {
    const cs_operation *o = &r->operation;
    if (!cs_buffer_check_guards(&o->y, "y", message) ||
        !cs_buffer_check_guards(&o->workspace, "the workspace", message) ||
        !cs_buffer_check_guards(&o->packed, "the packed parameters", message) ||
        !cs_buffer_check_guards(&o->x, "x", message) || !cs_buffer_check_guards(&o->weight, "conv.weight", message))
        return false;
    for (int i = 0; i < o->chain.value_count; i++)
        if (o->channels[i].block &&
            !cs_buffer_check_guards(&o->channels[i], cs_chain_value_name(&o->chain, i).text, message))
            return false;
    for (int i = 0; i < o->chain.tensor_count; i++)
        if (!cs_buffer_check_guards(&o->tensors[i], "a tensor", message))
            return false;
    return true;
}

static bool compare(rig *r, cs_message *message) {
    const bool random = r->check->family == CS_FAMILY_RANDOM || r->check->family == CS_FAMILY_REPEAT;
    const cs_bound bound = random ? cs_bound_of(r->data.problem.math) : CS_BOUND_ROUNDING;
    cs_reference_run(&r->reference, r->expected, r->statistics);
    for (int64_t i = 0; i < r->data.problem.n * r->reference.slices; i++) {
        const int64_t start = i * r->reference.slice_size;
        const char *got = (const char *)r->got + (size_t)start * element_bytes(r);
        if (!cs_compare_slice(&r->reference, bound, i / r->reference.slices, i % r->reference.slices, got,
                              r->expected + start, &r->statistics[i], NULL, message))
            return false;
    }
    return true;
}

/* Whether the buffer still holds `size` bytes as they were. */
static bool check_unchanged(const cs_buffer *buffer, const void *before, const char *name, cs_message *message) {
    void *after = malloc(buffer->size + 1);
    if (!after)
        return cs_refuse(message, "no memory to check %s", name);
    bool good = cs_buffer_download(buffer, 0, after, buffer->size, message);
    if (good && memcmp(before, after, buffer->size) != 0)
        good = cs_refuse(message, "the run changed %s, which it may only read", name);
    free(after);
    return good;
}

static bool check_tensors_unchanged(const rig *r, cs_message *message) {
    for (int i = 0; i < r->operation.chain.tensor_count; i++)
        if (!check_unchanged(&r->operation.tensors[i], r->data.elements.tensors[i], "a tensor", message))
            return false;
    return true;
}

static bool check_same(const rig *r, const void *again, cs_message *message) {
    const size_t bytes = element_bytes(r);
    const int32_t dtype = (int32_t)r->data.problem.dtype;
    for (int64_t i = 0; i < r->data.y_count; i++)
        if (memcmp((const char *)r->got + (size_t)i * bytes, (const char *)again + (size_t)i * bytes, bytes) != 0)
            return cs_refuse(message,
                             "element %" PRId64 " of y is %.9g in one run and %.9g in the next, over a workspace and "
                             "a y of other contents",
                             i, (double)load_element(dtype, r->got, i), (double)load_element(dtype, again, i));
    return true;
}

/* A second run, over memory poisoned otherwise: nothing changed but y and the workspace, and the same bits come out. */
static bool repeat_with(rig *r, void *again, void *packed, cs_message *message) {
    const cs_operation *o = &r->operation;
    return cs_buffer_download(&o->packed, 0, packed, o->packed.size, message) && run_over(r, 0x5a, again, message) &&
           check_unchanged(&o->packed, packed, "the packed parameters", message) &&
           check_unchanged(&o->x, r->data.elements.x, "x", message) && check_tensors_unchanged(r, message) &&
           check_guards(r, message) && check_same(r, again, message);
}

static bool repeat(rig *r, cs_message *message) {
    void *again = malloc(r->operation.y.size);
    void *packed = malloc(r->operation.packed.size + 1);
    const bool good =
        (again && packed) ? repeat_with(r, again, packed, message) : cs_refuse(message, "no memory to repeat");
    free(again);
    free(packed);
    return good;
}

/* Skipped: the kernel does not take this problem. */
static cs_verdict run_case(const cs_check *check, int index, cs_message *message) {
    rig r = {.check = check, .index = index};
    const bool good = build(&r, message) && run_over(&r, CS_POISON, r.got, message) && check_guards(&r, message) &&
                      compare(&r, message) && (check->family != CS_FAMILY_REPEAT || repeat(&r, message));
    const cs_verdict verdict = good ? CS_PASSED : r.is_refused ? CS_SKIPPED : CS_FAILED;
    clear(&r);
    return verdict;
}

/* ---- The family -------------------------------------------------------------------------------------------------- */

static bool applies(const cs_check *check, cs_message *message) {
    const convsmith_kernel_info *info = convsmith_kernel_get_info(check->kernel);
    if (!cs_family_applies(check->family, info))
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
