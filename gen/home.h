/* SPDX-License-Identifier: Apache-2.0
 *
 * The home folder: where gen/, templates/ and report/ are.
 */
#ifndef CONVSMITH_GEN_HOME_H
#define CONVSMITH_GEN_HOME_H

#include "error.h"

/* `given` if it is not NULL; else ../share/convsmith beside the running program, where it is installed; else the folder
 * of the sources. The caller's to free; NULL, with *error, when there is no gen/init.lua in it. */
char *cs_home_find(const char *given, cs_error *error);

#endif
