/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "check_samples.h"

#include "device.h"
#include "src/generic/generic.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Samples first..first + count - 1. */
typedef struct request {
    cs_sampling sampling;
    int64_t first, count;
} request;

typedef struct tally {
    int64_t passed, failed, skipped;
    int64_t specialised, generic; /* of what ran */
} tally;

/* ---- Generic kernels --------------------------------------------------------------------------------------------- */

enum { GENERIC_SAMPLES = 60, DTYPES = CONVSMITH_BF16 + 1, TARGETS = CONVSMITH_TARGET_SM90A + 1 };

const convsmith_kernel *cs_generic_at(int index) {
    for (int i = 0; i < DTYPES * TARGETS; i++) {
        const cs_generic_kernel *found =
            cs_generic_find((convsmith_dtype)(i / TARGETS), (convsmith_target)(i % TARGETS));
        if (found && index-- == 0)
            return &found->kernel;
    }
    return NULL;
}

/* The first whose name matches. */
static const convsmith_kernel *find_generic(const char *glob) {
    for (int i = 0; cs_generic_at(i); i++)
        if (fnmatch(glob, convsmith_kernel_get_info(cs_generic_at(i))->name, 0) == 0)
            return cs_generic_at(i);
    return NULL;
}

cs_verdict cs_check_generic(const convsmith_kernel *kernel, uint64_t seed, int first_family, int last_family,
                            int *cases, cs_message *message) {
    const convsmith_kernel_info *info = convsmith_kernel_get_info(kernel);
    const cs_sampling sampling = {.seed = seed, .device = cs_device_of(info), .kernel = kernel};
    if (convsmith_target_supported(info->key.target, sampling.device) != CONVSMITH_OK) {
        cs_refuse(message, "%s", convsmith_detail());
        return CS_SKIPPED;
    }
    for (int i = 0; i < GENERIC_SAMPLES; i++) {
        cs_sample sample;
        cs_sample_draw(&sample, &sampling, i);
        if ((int)sample.family < first_family || (int)sample.family > last_family)
            continue;
        ++*cases;
        if (cs_sample_check(&sampling, i, NULL, message) == CS_FAILED)
            return CS_FAILED;
    }
    return CS_PASSED;
}

/* ---- Samples ----------------------------------------------------------------------------------------------------- */

/* "1:17" */
static bool parse_sample(const cs_usage *usage, const char *text, int64_t *seed, int64_t *index) {
    char digits[24] = "";
    const size_t length = strcspn(text, ":");
    if (length < sizeof digits && text[length] == ':') {
        memcpy(digits, text, length);
        return cs_value_whole(usage, "--sample", digits, 0, INT64_MAX, seed) &&
               cs_value_whole(usage, "--sample", text + length + 1, 0, INT64_MAX, index);
    }
    cs_complain(usage->command, "--sample: '%s' is not a seed and a number such as 1:17", text);
    return false;
}

static bool parse(const cs_usage *usage, const cs_sample_options *o, request *r) {
    int64_t seed = CS_DEFAULT_SEED;
    r->sampling.is_small = o->small != NULL;
    if (o->sample && (o->samples || o->seed)) {
        cs_complain(usage->command, "--sample names one sample, seed and all: it goes without %s",
                    o->samples ? "--samples" : "--seed");
        return false;
    }
    if (o->sample) {
        r->count = 1;
        if (!parse_sample(usage, o->sample, &seed, &r->first))
            return false;
    }
    if (!cs_value_whole(usage, "--samples", o->samples, 1, INT32_MAX, &r->count) ||
        !cs_value_whole(usage, "--seed", o->seed, 0, INT64_MAX, &seed) ||
        !cs_value_device(usage, o->device, &r->sampling.device))
        return false;
    r->sampling.seed = (uint64_t)seed;
    r->sampling.kernel = o->filter ? find_generic(o->filter) : NULL;
    if (o->filter && !r->sampling.kernel) {
        cs_complain(usage->command, "--filter: '%s' is no generic kernel, which alone take any sample", o->filter);
        return false;
    }
    return true;
}

static void count_kernel(tally *t, const convsmith_kernel *kernel) {
    if (!kernel)
        return;
    const bool is_generic = strcmp(convsmith_kernel_get_info(kernel)->strategy, "generic") == 0;
    t->generic += is_generic;
    t->specialised += !is_generic;
}

static void check_sample(const request *r, int64_t index, tally *t) {
    const convsmith_kernel *kernel;
    cs_message message = {""};
    const cs_verdict verdict = cs_sample_check(&r->sampling, index, &kernel, &message);
    count_kernel(t, kernel);
    t->passed += verdict == CS_PASSED;
    t->failed += verdict == CS_FAILED;
    t->skipped += verdict == CS_SKIPPED;
    if (verdict == CS_FAILED)
        printf("FAILED   %s\n", message.text);
    if (r->count > 1 && verdict == CS_SKIPPED && t->skipped == 1)
        printf("skipped  sample %" PRIu64 ":%" PRId64 ", the first of those: %s\n", r->sampling.seed, index,
               message.text);
    if (r->count == 1 && verdict != CS_FAILED) {
        cs_sample sample;
        cs_sample_draw(&sample, &r->sampling, index);
        printf("%s  %s: %s\n", verdict == CS_PASSED ? "passed " : "skipped", cs_sample_describe(&sample).text,
               kernel ? convsmith_kernel_get_info(kernel)->name : message.text);
    }
    fflush(stdout);
}

cs_exit cs_check_samples(const cs_usage *usage, const cs_sample_options *options) {
    request r = {0};
    tally t = {0};
    if (!parse(usage, options, &r))
        return CS_EXIT_BAD_INPUT;
    for (int64_t i = r.first; i < r.first + r.count; i++) {
        if (isatty(STDERR_FILENO))
            fprintf(stderr, "sample %" PRId64 " ...\r", i);
        check_sample(&r, i, &t);
    }
    printf("%" PRId64 " ran on kernels of the table, %" PRId64 " on generic ones\n", t.specialised, t.generic);
    printf("%" PRId64 " passed, %" PRId64 " failed, %" PRId64 " skipped\n", t.passed, t.failed, t.skipped);
    if (t.passed + t.failed == 0)
        return cs_complain(usage->command, "nothing could be checked here; the reason stands above");
    return t.failed ? CS_EXIT_CHECK_FAILED : CS_EXIT_DONE;
}
