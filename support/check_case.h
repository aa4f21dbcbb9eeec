/* SPDX-License-Identifier: Apache-2.0
 *
 * The cases that a kernel is checked with: problem sizes at the edges of its tiles or bands, and data by which a
 * certain kind of mistake shows.
 */
#ifndef CS_SUPPORT_CHECK_CASE_H
#define CS_SUPPORT_CHECK_CASE_H

#include "chain.h"

/* One kind of data. */
typedef enum cs_family {
    CS_FAMILY_EXACT = 0, /* small whole numbers: exact in every dtype, and the convolution in fp32 and in tf32 */
    CS_FAMILY_RANDOM,    /* pre-activations of about unit variance */
    CS_FAMILY_CONSTANT,  /* groups that are constant, or nearly so */
    CS_FAMILY_SATURATED, /* sigmoids of 0 and 1 and the like, and exponentials that overflow */
    CS_FAMILY_NONFINITE, /* NaN and infinities in x and in the parameters */
    CS_FAMILY_REPEAT,    /* two runs over differently poisoned memory */
    CS_FAMILY_COUNT,
} cs_family;

const char *cs_family_name(cs_family family);

/* Whether the epilogue has a step such as the family is about. */
bool cs_family_applies(cs_family family, const char *epilogue);

/* The number of cases of a family. */
int cs_case_count(cs_family family);

/* The cases (bit i is case i) to run where arithmetic is dear: those at every edge of a tile, every kind of data, and
 * as many others as take no more than `budget` multiply-adds together. */
uint32_t cs_case_selection(cs_family family, const convsmith_kernel_info *info, int64_t budget);

/* The tensors of a case as a kernel is given them. */
typedef struct cs_case_elements {
    void *x;                                /* of the problem's dtype, the others of params_dtype */
    void *weight, *channels[CS_MAX_VALUES]; /* NULL for a value that is left out, as it may be */
    void *tensors[CS_MAX_TENSORS];          /* of the problem's dtype, each as y */
} cs_case_elements;

/* What a case is of: a problem, its epilogue in one form, and where and of what dtype its parameters are. */
typedef struct cs_subject {
    convsmith_problem problem; /* in full (view.h) */
    int64_t weight_strides[4];
    convsmith_dtype params_dtype;
} cs_subject;

/* One case. The data are in host memory and the case's. Where elements have 16 bits, the parameters have them too in
 * half of a kernel's cases. */
typedef struct cs_case {
    convsmith_problem problem; /* in full */
    int64_t weight_strides[4];
    convsmith_dtype params_dtype;
    cs_chain chain;
    int64_t x_count, weight_count, y_count;      /* elements, however they lie */
    double spread;                               /* of the convolution's sums, of random data (cs_reference.spread) */
    float *x, *weight, *channels[CS_MAX_VALUES]; /* the values as they were made; by chain.values, each [C_out] */
    float *tensors[CS_MAX_TENSORS];              /* those of add_tensor steps, each [N, C_out, H_out, W_out] */
    float constants[CS_MAX_STEPS][CS_STEP_CONSTANTS]; /* of each step, also where the chain fixes them */
    cs_case_elements elements;                        /* the same, rounded to their dtypes, where they lie; CS_POISON
                                                         (buffer.h) between them */
    convsmith_step steps[CS_MAX_STEPS];
} cs_case;

/* Makes case `index` of a family for a kernel, or with data such as that for any problem; the same seed gives the same
 * case. The problem's text is not copied. */
bool cs_case_create(cs_case *c, cs_family family, const convsmith_kernel_info *info, int index, uint64_t seed,
                    cs_message *message);
bool cs_case_create_of(cs_case *c, cs_family family, const cs_subject *subject, int index, uint64_t seed,
                       cs_message *message);
void cs_case_destroy(cs_case *c);

/* The case's data as parameters, which point into the case. */
convsmith_params cs_case_params(const cs_case *c);

#endif
