/* SPDX-License-Identifier: Apache-2.0 */
#include "rates.h"

#include <stdlib.h>
#include <string.h>

#define CS_RATES(...) {__VA_ARGS__},
static const cs_rates profiles[] = {
#include "rates.inc"
};

enum { PROFILES = sizeof profiles / sizeof profiles[0] };

const cs_rates *cs_rates_named(const char *name) {
    for (int i = 0; i < PROFILES; ++i)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return NULL;
}

/* Whether `a` is nearer to the device than `b`; neither is of a newer compute capability. */
static bool is_nearer(const cs_rates *a, const cs_rates *b, const cs_device_traits *traits) {
    if (a->compute_capability != b->compute_capability)
        return a->compute_capability > b->compute_capability;
    return abs(a->sms - traits->multiprocessors) < abs(b->sms - traits->multiprocessors);
}

bool cs_rates_for(const cs_device_traits *traits, cs_rates *rates) {
    const cs_rates *nearest = NULL;
    for (int i = 0; i < PROFILES; ++i)
        if (profiles[i].compute_capability <= traits->compute_capability &&
            (nearest == NULL || is_nearer(&profiles[i], nearest, traits)))
            nearest = &profiles[i];
    if (nearest == NULL || traits->multiprocessors <= 0)
        return false;
    *rates = *nearest;
    const double share = (double)traits->multiprocessors / nearest->sms;
    rates->sms = traits->multiprocessors;
    rates->shared_per_block = traits->shared_bytes;
    for (int i = 0; i < CS_UNIT_COUNT; ++i)
        rates->products[i] *= share;
    return true;
}
