/* SPDX-License-Identifier: Apache-2.0 */
#include "epilogue.h"
#include "element.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *step; /* NULL: the convolution itself */
    const char *field;
    size_t offset;
} parameters[] = {
    {NULL, "weight", offsetof(convsmith_params, weight)},
    {"bias", "conv_bias", offsetof(convsmith_params, conv_bias)},
    {"add_channel", "bias", offsetof(convsmith_params, bias)},
    {"mul_channel", "scale", offsetof(convsmith_params, scale)},
    {"group_norm", "group_norm_weight", offsetof(convsmith_params, group_norm_weight)},
    {"group_norm", "group_norm_bias", offsetof(convsmith_params, group_norm_bias)},
};

static bool has_step(const char *epilogue, const char *step) {
    const size_t length = strlen(step);
    while (*epilogue != '\0') {
        const size_t here = strcspn(epilogue, "+");
        if (here == length && memcmp(epilogue, step, length) == 0)
            return true;
        epilogue += here + (epilogue[here] == '+');
    }
    return false;
}

bool cs_epilogue_normalises(const char *epilogue) { return has_step(epilogue, "group_norm"); }

bool cs_param_is_null(const void *value, convsmith_dtype dtype) {
    (void)dtype;
    return value == NULL;
}

bool cs_param_is_misaligned(const void *value, convsmith_dtype dtype) {
    return (uintptr_t)value % cs_element_bytes(dtype) != 0;
}

bool cs_epilogue_find_param(const char *epilogue, const convsmith_params *params,
                            bool (*wrong)(const void *value, convsmith_dtype dtype), cs_chain_param *found) {
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; ++i) {
        if (parameters[i].step != NULL && !has_step(epilogue, parameters[i].step))
            continue;
        found->field = parameters[i].field;
        memcpy(&found->value, (const char *)params + parameters[i].offset, sizeof found->value);
        if (wrong(found->value, params->dtype))
            return true;
    }
    return false;
}
