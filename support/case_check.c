/* SPDX-License-Identifier: Apache-2.0 */
#include "case_check.h"

#include "compare.h"
#include "operation.h"
#include "src/device/element.h"
#include "src/element.h"
#include "view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Everything that one case needs: its data, the operation on the device and the results, contiguous. */
typedef struct rig {
    const cs_case *data;
    const cs_case_check *how;
    cs_reference reference;
    cs_operation operation;
    cs_view y;
    unsigned char *placed; /* y as the run left it, with what lies between its elements */
    void *got;             /* of the problem's dtype */
    double *expected;
    cs_slice_statistics *statistics;
} rig;

/* ---- Building and clearing --------------------------------------------------------------------------------------- */

static size_t element_bytes(const rig *r) { return cs_element_bytes(r->data->problem.dtype); }

static bool allocate_results(rig *r, cs_message *message) {
    const size_t count = (size_t)r->data->y_count;
    r->placed = malloc(r->operation.y.size);
    r->got = malloc(count * element_bytes(r));
    r->expected = malloc(count * sizeof *r->expected);
    r->statistics = malloc((size_t)(r->data->problem.n * r->reference.slices) * sizeof *r->statistics);
    return (r->placed && r->got && r->expected && r->statistics) || cs_refuse(message, "no memory for the results");
}

static bool build(rig *r, convsmith_plan *plan, cs_message *message) {
    const convsmith_params params = cs_case_params(r->data);
    const cs_placement placement = {r->how->device, true, r->how->alignment};
    r->y = cs_view_y(&r->data->problem);
    if (!cs_operation_create(&r->operation, plan, &r->data->problem, &params, r->data->elements.x, &placement,
                             message) ||
        !cs_reference_init(&r->reference, &r->data->problem, &params, r->data->elements.x, message))
        return false;
    r->reference.tensors = (const void *const *)r->data->elements.tensors;
    r->reference.spread = r->data->spread;
    r->reference.sum_error = r->how->sum_error;
    return cs_operation_add_tensors(&r->operation, &r->data->problem, r->reference.tensors, &placement, message) &&
           allocate_results(r, message);
}

static void clear(rig *r) {
    cs_operation_destroy(&r->operation);
    free(r->placed);
    free(r->got);
    free(r->expected);
    free(r->statistics);
}

/* ---- Running ----------------------------------------------------------------------------------------------------- */

/* Moves the elements of y to `y`, contiguous, leaving `poison` in their places. */
static void gather(rig *r, unsigned char poison, unsigned char *y) {
    const size_t bytes = element_bytes(r);
    for (int64_t i = 0; i < r->data->y_count; i++) {
        unsigned char *element = r->placed + (size_t)cs_view_place(&r->y, i) * bytes;
        memcpy(y + (size_t)i * bytes, element, bytes);
        memset(element, poison, bytes);
    }
}

/* Once the elements are gathered, all is poison. */
static bool check_gaps(const rig *r, unsigned char poison, cs_message *message) {
    for (size_t i = 0; i < r->operation.y.size; i++)
        if (r->placed[i] != poison)
            return cs_refuse(message, "something was written between the elements of y, %zu byte(s) behind its start",
                             i);
    return true;
}

/* One run over a workspace and an output filled with `poison`, the result to `y`. */
static bool run_over(rig *r, unsigned char poison, void *y, cs_message *message) {
    const cs_operation *o = &r->operation;
    if (!cs_buffer_fill(&o->workspace, poison, message) || !cs_buffer_fill(&o->y, poison, message) ||
        !cs_operation_run(o, message) || !cs_buffer_download(&o->y, 0, r->placed, o->y.size, message))
        return false;
    gather(r, poison, y);
    return check_gaps(r, poison, message);
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
    const bool random = r->how->family == CS_FAMILY_RANDOM || r->how->family == CS_FAMILY_REPEAT;
    const cs_bound bound = random ? cs_bound_of(r->data->problem.math) : CS_BOUND_ROUNDING;
    cs_reference_run(&r->reference, r->expected, r->statistics);
    for (int64_t i = 0; i < r->data->problem.n * r->reference.slices; i++) {
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
        if (!check_unchanged(&r->operation.tensors[i], r->data->elements.tensors[i], "a tensor", message))
            return false;
    return true;
}

static bool check_same(const rig *r, const void *again, cs_message *message) {
    const size_t bytes = element_bytes(r);
    const int32_t dtype = (int32_t)r->data->problem.dtype;
    for (int64_t i = 0; i < r->data->y_count; i++)
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
           check_unchanged(&o->x, r->data->elements.x, "x", message) && check_tensors_unchanged(r, message) &&
           check_guards(r, message) && check_same(r, again, message);
}

static bool repeat(rig *r, cs_message *message) {
    void *again = malloc((size_t)r->data->y_count * element_bytes(r));
    void *packed = malloc(r->operation.packed.size + 1);
    const bool good =
        (again && packed) ? repeat_with(r, again, packed, message) : cs_refuse(message, "no memory to repeat");
    free(again);
    free(packed);
    return good;
}

bool cs_check_case(const cs_case *c, const cs_case_check *how, convsmith_plan *plan, cs_message *message) {
    rig r = {.data = c, .how = how};
    const bool good = build(&r, plan, message) && run_over(&r, CS_POISON, r.got, message) &&
                      check_guards(&r, message) && compare(&r, message) &&
                      (how->family != CS_FAMILY_REPEAT || repeat(&r, message));
    clear(&r);
    return good;
}
