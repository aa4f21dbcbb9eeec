/* SPDX-License-Identifier: Apache-2.0
 *
 * Times of kernels at problem sizes, measured on one device: what a tuning record (tuning.h) and a table have of them.
 * Private, but installed, as kernel.h is.
 */
#ifndef CONVSMITH_TUNED_H
#define CONVSMITH_TUNED_H

#include <stddef.h>
#include <stdint.h>

/* A kind of device; there may be many of them. */
typedef struct cs_device_model {
    char name[128];             /* of printable characters without quotes: "NVIDIA H200" */
    int32_t compute_capability; /* 10 * major + minor; this and the number of multiprocessors are 0 of a CPU */
    int32_t multiprocessors;
} cs_device_model;

typedef struct cs_timing {
    const char *name; /* of a kernel */
    double us;        /* the median time of a run, in microseconds */
    double spread;    /* from the 10th to the 90th percentile, as a share of the median */
} cs_timing;

typedef struct cs_timings {
    const cs_timing *rows; /* the fastest first */
    size_t count;
} cs_timings;

/* Known by its kernels: of a table they have one key, but for targets and the ways to form products. */
typedef struct cs_tuned_problem {
    int64_t n, h, w; /* of x */
    int64_t groups;  /* of the normalisation; 0 where there is none */
    cs_timings kernels;
} cs_tuned_problem;

/* What a table knows of a device. */
typedef struct cs_tuned_device {
    cs_device_model model;
    const cs_tuned_problem *problems;
    size_t count;
} cs_tuned_device;

#endif
