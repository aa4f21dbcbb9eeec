/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "check_samples.h"

#include "device.h"
#include "progress.h"
#include "results.h"
#include "src/generic/generic.h"
#include "verdict.h"

#include <cjson/cJSON.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Samples first..first + count - 1. */
typedef struct request {
    cs_sampling sampling;
    int64_t first, count;
} request;

typedef struct tally {
    int64_t passed, failed, skipped;
    int64_t specialised, generic; /* of what ran */
    cs_progress progress;
    cs_results results;
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

/* All that is told of a sample but its number. */
typedef struct finding {
    cs_verdict verdict;
    const convsmith_kernel *kernel; /* NULL: there was none */
    cs_message message;
} finding;

static void begin_line(tally *t, const finding *f) {
    cs_progress_clear(&t->progress);
    cs_print_verdict(f->verdict);
}

/* Of many samples those that failed, and the first that was skipped; of one what it is. */
static void print_sample(const request *r, int64_t index, tally *t, const finding *f) {
    if (f->verdict == CS_FAILED) {
        begin_line(t, f);
        printf(" %s\n", f->message.text);
    } else if (r->count == 1) {
        cs_sample sample;
        cs_sample_draw(&sample, &r->sampling, index);
        begin_line(t, f);
        printf(" %s: %s\n", cs_sample_describe(&sample).text,
               f->kernel ? convsmith_kernel_get_info(f->kernel)->name : f->message.text);
    } else if (f->verdict == CS_SKIPPED && t->skipped == 1) {
        begin_line(t, f);
        printf(" sample %" PRIu64 ":%" PRId64 ", the first of those: %s\n", r->sampling.seed, index, f->message.text);
    }
    fflush(stdout);
}

static bool add_result(cs_results *results, const request *r, int64_t index, finding *f) {
    char number[48];
    if (!results->rows)
        return true;
    snprintf(number, sizeof number, "%" PRIu64 ":%" PRId64, r->sampling.seed, index);
    cJSON *row = cs_verdict_json("sample", number, f->verdict, &f->message);
    const char *kernel = f->kernel ? convsmith_kernel_get_info(f->kernel)->name : NULL;
    if (row && kernel && !cJSON_AddStringToObject(row, "kernel", kernel)) {
        cJSON_Delete(row);
        row = NULL;
    }
    return cs_results_add(results, row, &f->message);
}

static bool check_sample(const request *r, int64_t index, tally *t, cs_message *message) {
    int64_t *const counts[] = {[CS_PASSED] = &t->passed, [CS_FAILED] = &t->failed, [CS_SKIPPED] = &t->skipped};
    finding f = {.message = {""}};
    cs_progress_show(&t->progress, (double)(index - r->first) / (double)r->count, "samples");
    f.verdict = cs_sample_check(&r->sampling, index, &f.kernel, &f.message);
    ++*counts[f.verdict];
    count_kernel(t, f.kernel);
    print_sample(r, index, t, &f);
    if (add_result(&t->results, r, index, &f))
        return true;
    *message = f.message;
    return false;
}

static bool check_all(const request *r, tally *t, cs_message *message) {
    bool good = true;
    cs_progress_start(&t->progress);
    for (int64_t i = r->first; good && i < r->first + r->count; i++)
        good = check_sample(r, i, t, message);
    cs_progress_clear(&t->progress);
    return good;
}

cs_exit cs_check_samples(const cs_usage *usage, const cs_sample_options *options) {
    request r = {0};
    tally t = {0};
    cs_message message = {""};
    if (!parse(usage, options, &r))
        return CS_EXIT_BAD_INPUT;
    if (!cs_results_open(&t.results, options->json_path, &message))
        return cs_complain(usage->command, "%s", message.text);
    if (!check_all(&r, &t, &message)) {
        cs_results_discard(&t.results);
        return cs_complain(usage->command, "%s", message.text);
    }
    printf("%" PRId64 " ran on kernels of the table, %" PRId64 " on generic ones\n", t.specialised, t.generic);
    printf("%" PRId64 " passed, %" PRId64 " failed, %" PRId64 " skipped\n", t.passed, t.failed, t.skipped);
    if (!cs_results_save(&t.results, &message))
        return cs_complain(usage->command, "%s", message.text);
    if (t.passed + t.failed == 0)
        return cs_complain(usage->command, "nothing could be checked here; the reason stands above");
    return t.failed ? CS_EXIT_CHECK_FAILED : CS_EXIT_DONE;
}
