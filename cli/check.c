/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith check: every kernel of the table against the fp64 reference.
 */
#define _XOPEN_SOURCE 700
#include "check_samples.h"
#include "device.h"
#include "support/kernel_check.h"

#include <fnmatch.h>
#include <stdio.h>
#include <unistd.h>

typedef struct request {
    const char *glob;
    cs_device_filter devices;
    int first_family, last_family, only_case;
    uint64_t seed;
} request;

typedef struct tally {
    int passed, failed, skipped;
} tally;

/* ---- One kernel -------------------------------------------------------------------------------------------------- */

static bool is_wanted(const request *r, const convsmith_kernel_info *info) {
    return cs_device_filter_takes(&r->devices, info) && (!r->glob || fnmatch(r->glob, info->name, 0) == 0);
}

typedef struct case_count {
    int wanted, done;
} case_count;

static int count_bits(uint32_t bits) {
    int count = 0;
    for (; bits; bits &= bits - 1)
        count++;
    return count;
}

/* The families one after the other, up to the first that fails. Skipped when none of them could run. */
static cs_verdict check_families(const request *r, const convsmith_kernel *kernel, case_count *cases,
                                 cs_message *message) {
    const convsmith_kernel_info *info = convsmith_kernel_get_info(kernel);
    cs_check check = {.kernel = kernel, .device = cs_device_of(info), .only_case = r->only_case, .seed = r->seed};
    cs_verdict verdict = CS_SKIPPED;
    for (int family = r->first_family; family <= r->last_family && verdict != CS_FAILED; family++) {
        int done = 0;
        check.family = (cs_family)family;
        const cs_verdict found = cs_check_kernel(&check, &done, message);
        if (found == CS_SKIPPED)
            continue;
        cases->wanted += count_bits(cs_check_selection(&check));
        cases->done += done;
        verdict = found;
    }
    return verdict;
}

static void print_passed(const char *name, const case_count *cases) {
    printf("passed   %s (%d case%s", name, cases->done, cases->done == 1 ? "" : "s");
    if (cases->done < cases->wanted)
        printf("; %d more it does not take", cases->wanted - cases->done);
    printf(")\n");
}

/* A generic kernel has no cases of its own. */
static cs_verdict check_generic(const request *r, const convsmith_kernel *kernel, case_count *cases,
                                cs_message *message) {
    const cs_verdict verdict =
        cs_check_generic(kernel, r->seed, r->first_family, r->last_family, &cases->done, message);
    cases->wanted = cases->done;
    return verdict;
}

static void check_kernel(const request *r, const convsmith_kernel *kernel, bool is_generic, tally *t) {
    const char *name = convsmith_kernel_get_info(kernel)->name;
    cs_message message = {""};
    case_count cases = {0, 0};
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "%s ...\r", name);
    const cs_verdict verdict =
        is_generic ? check_generic(r, kernel, &cases, &message) : check_families(r, kernel, &cases, &message);
    switch (verdict) {
    case CS_PASSED:
        print_passed(name, &cases);
        t->passed++;
        break;
    case CS_FAILED:
        printf("FAILED   %s\n         %s\n", name, message.text);
        t->failed++;
        break;
    case CS_SKIPPED:
        printf("skipped  %s: %s\n", name, message.text);
        t->skipped++;
        break;
    }
    fflush(stdout);
}

/* ---- The command ------------------------------------------------------------------------------------------------- */

static cs_exit check_all(const cs_usage *usage, const request *r) {
    tally t = {0, 0, 0};
    for (size_t i = 0; i < convsmith_table_size(NULL); i++) {
        const convsmith_kernel *kernel = convsmith_table_at(NULL, i);
        if (is_wanted(r, convsmith_kernel_get_info(kernel)))
            check_kernel(r, kernel, false, &t);
    }
    for (int i = 0; r->only_case == CS_ALL_CASES && cs_generic_at(i); i++)
        if (is_wanted(r, convsmith_kernel_get_info(cs_generic_at(i))))
            check_kernel(r, cs_generic_at(i), true, &t);
    if (t.passed + t.failed + t.skipped == 0) {
        cs_complain(usage->command, "the table of this build has no such kernel; see convsmith list");
        return CS_EXIT_NO_KERNEL;
    }
    printf("%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped);
    if (t.passed + t.failed == 0)
        return cs_complain(usage->command, "nothing could be checked here; the reasons stand above");
    return t.failed ? CS_EXIT_CHECK_FAILED : CS_EXIT_DONE;
}

static bool parse_family(const cs_usage *usage, const char *text, request *r) {
    const char *names[CS_FAMILY_COUNT];
    for (int i = 0; i < CS_FAMILY_COUNT; i++)
        names[i] = cs_family_name((cs_family)i);
    if (!text)
        return true;
    if (!cs_value_word(usage, "--family", text, names, CS_FAMILY_COUNT, &r->first_family))
        return false;
    r->last_family = r->first_family;
    return true;
}

static bool parse_case(const cs_usage *usage, const char *text, const char *family, request *r) {
    int64_t value = CS_ALL_CASES;
    if (text && !family) {
        cs_complain(usage->command, "--case needs --family: cases are counted within a family");
        return false;
    }
    if (!cs_value_whole(usage, "--case", text, 0, cs_case_count((cs_family)r->first_family) - 1, &value))
        return false;
    r->only_case = (int)value;
    return true;
}

/* The option that says nothing beside --samples or --sample, or the other way round; NULL: they go together. */
static const char *misplaced(const char *family, const char *only_case, const cs_sample_options *o) {
    if (o->samples || o->sample)
        return family ? "--family" : only_case ? "--case" : NULL;
    return o->small ? "--small" : NULL;
}

cs_exit cs_command_check(int argc, char **argv) {
    const char *family = NULL, *only_case = NULL;
    cs_sample_options samples = {NULL, NULL, NULL, NULL, NULL, NULL};
    request r = {NULL, {true, true}, 0, CS_FAMILY_COUNT - 1, CS_ALL_CASES, CS_DEFAULT_SEED};
    const cs_option options[] = {
        {"--device", "cpu|cuda", "only kernels for this kind of device", &samples.device},
        {"--filter", "GLOB", "only kernels whose names match", &r.glob},
        {"--family", "NAME", "only exact, random, constant, saturated, nonfinite or repeat", &family},
        {"--case", "N", "only this case of the family", &only_case},
        {"--seed", "N", "of the random data; 1 unless given", &samples.seed},
        {"--samples", "N", "N problems drawn from all that a problem may be, in place of that", &samples.samples},
        {"--sample", "SEED:INDEX", "that one of them alone", &samples.sample},
        {"--small", NULL, "samples of a few thousand outputs at most", &samples.small},
    };
    const cs_usage usage = {
        .command = "check",
        .about =
            "Runs every kernel of the table that this machine can run, and the generic kernels, and compares them\n"
            "with the fp64 reference: exact sums, random data, near-constant groups, saturated sigmoids, NaN and\n"
            "infinities, two runs bit by bit. Ends with N passed, N failed, N skipped; exit status 1 when one\n"
            "failed. A failure is told as a command that repeats it.\n"
            "\n"
            "With --samples the problems are drawn: sizes, strides, padding, dilation, groups, dtypes, epilogues,\n"
            "views, a share of them of the table's rows. Each runs with the kernel that a plan for it has or, with\n"
            "--filter, with the generic kernel of that name, which makes all of them its dtype. They run on the GPU\n"
            "where there is one, unless --device says otherwise.",
        .example = "check --device cpu --filter '*_k3x3_*'",
        .options = options,
        .count = sizeof options / sizeof *options,
    };
    const cs_parsed parsed = cs_options_parse(&usage, argc, argv);
    if (parsed != CS_PARSED)
        return parsed == CS_PARSED_HELP ? CS_EXIT_DONE : CS_EXIT_BAD_INPUT;
    const char *wrong = misplaced(family, only_case, &samples);
    if (wrong)
        return cs_complain(usage.command, "%s goes %s --samples", wrong, wrong == samples.small ? "with" : "without");
    samples.filter = r.glob;
    if (samples.samples || samples.sample)
        return cs_check_samples(&usage, &samples);
    int64_t seed_value = CS_DEFAULT_SEED;
    if (!cs_value_device_filter(&usage, samples.device, &r.devices) || !parse_family(&usage, family, &r) ||
        !parse_case(&usage, only_case, family, &r) ||
        !cs_value_whole(&usage, "--seed", samples.seed, 0, INT64_MAX, &seed_value))
        return CS_EXIT_BAD_INPUT;
    r.seed = (uint64_t)seed_value;
    return check_all(&usage, &r);
}
