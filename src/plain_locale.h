/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers in text are the same whatever the program's locale is: what reads or writes them does so between these two.
 */
#ifndef CONVSMITH_PLAIN_LOCALE_H
#define CONVSMITH_PLAIN_LOCALE_H

#include <locale.h>

/* The thread's locale, for cs_leave_plain_locale; the file that includes this defines _POSIX_C_SOURCE 200809L. */
static inline locale_t cs_enter_plain_locale(locale_t *plain) {
    *plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return uselocale(*plain);
}

static inline void cs_leave_plain_locale(locale_t before, locale_t plain) {
    uselocale(before);
    if (plain != (locale_t)0)
        freelocale(plain);
}

#endif
