/* SPDX-License-Identifier: Apache-2.0
 *
 * Problems drawn from the product of all that a problem may be: sizes, strides, padding, dilations, groups, dtypes,
 * epilogues, views. Sample `index` of a seed is the same on every machine, given the same table.
 */
#ifndef CS_SUPPORT_SAMPLE_H
#define CS_SUPPORT_SAMPLE_H

#include "check_case.h"
#include "kernel_check.h"

typedef struct cs_sampling {
    uint64_t seed;
    convsmith_device device;        /* of whose kernels' shapes a share of the samples is */
    bool is_small;                  /* of some thousands of outputs at most, for an emulated GPU */
    const convsmith_kernel *kernel; /* a generic one, that is to run them, all of its dtype; NULL: what a plan takes */
} cs_sampling;

/* One sample. Not to be copied: the problem's epilogue points at `name`. */
typedef struct cs_sample {
    cs_subject subject;
    cs_chain_text name;
    cs_family family;
    int variant; /* of the family's data: a case of it */
    uint64_t seed;
    size_t alignment; /* of all tensors, at least */
} cs_sample;

void cs_sample_draw(cs_sample *sample, const cs_sampling *from, int64_t index);

/* Room for what cs_sample_describe writes. */
typedef struct cs_sample_words {
    char text[640];
} cs_sample_words;

/* All that the sample is, for people. */
cs_sample_words cs_sample_describe(const cs_sample *sample);

/* Runs the kernel that is asked for, or whichever a plan for the sample has. Failed: the message is one line, a command
 * that repeats the sample and what it found. Skipped: there is no kernel, or no such device. `kernel` (may be NULL)
 * becomes the one that ran, NULL where none did. */
cs_verdict cs_sample_check(const cs_sampling *from, int64_t index, const convsmith_kernel **kernel,
                           cs_message *message);

#endif
