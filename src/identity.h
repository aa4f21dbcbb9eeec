/* SPDX-License-Identifier: Apache-2.0
 *
 * Which device this is, and what runs it: what a tuning record says of where its times were taken.
 */
#ifndef CONVSMITH_IDENTITY_H
#define CONVSMITH_IDENTITY_H

#include "target.h"

typedef struct cs_identity {
    char device[128];           /* its name, of printable characters without quotes */
    int32_t compute_capability; /* 10 * major + minor; this and the number of multiprocessors are 0 of a CPU */
    int32_t multiprocessors;
    char driver[64];  /* of the GPU's: "580.65.06", or "CUDA 13.0" where the system does not tell; "" of a CPU */
    int32_t runtime;  /* CUDA's version, 13000; 0 of a CPU */
    char version[32]; /* of this library: "0.1.0" */
} cs_identity;

/* CONVSMITH_CUDA_ERROR where the CUDA runtime does not answer. */
convsmith_status cs_identify(const cs_device_traits *traits, cs_identity *identity);

/* Whether it is the same kind of device, whatever runs it. */
bool cs_is_same_device(const cs_identity *a, const cs_identity *b);

/* "NVIDIA H200 (compute capability 9.0, 132 multiprocessors)". */
typedef struct cs_device_words {
    char text[256];
} cs_device_words;

cs_device_words cs_describe_device(const cs_identity *identity);

#endif
