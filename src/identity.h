/* SPDX-License-Identifier: Apache-2.0
 *
 * Which device this is, and what runs it: what a tuning record says of where its times were taken.
 */
#ifndef CONVSMITH_IDENTITY_H
#define CONVSMITH_IDENTITY_H

#include "target.h"
#include "tuned.h"

typedef struct cs_identity {
    cs_device_model model;
    char driver[64];  /* of the GPU's: "580.65.06", or "CUDA 13.0" where the system does not tell; "" of a CPU */
    int32_t runtime;  /* CUDA's version, 13000; 0 of a CPU */
    char version[32]; /* of this library: "0.1.0" */
} cs_identity;

/* CONVSMITH_CUDA_ERROR where the CUDA runtime does not answer. */
convsmith_status cs_identify(const cs_device_traits *traits, cs_identity *identity);

/* The same of the device alone, which costs less: no file is read. */
convsmith_status cs_identify_model(const cs_device_traits *traits, cs_device_model *model);

/* Whether it is the same kind of device. */
bool cs_is_same_model(const cs_device_model *a, const cs_device_model *b);

/* "NVIDIA H200 (compute capability 9.0, 132 multiprocessors)". */
typedef struct cs_device_words {
    char text[256];
} cs_device_words;

cs_device_words cs_describe_model(const cs_device_model *model);

#endif
