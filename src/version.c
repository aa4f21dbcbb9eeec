/* SPDX-License-Identifier: Apache-2.0 */
#include "convsmith/convsmith.h"

#define TEXT_OF(X) #X
#define VERSION_TEXT(MAJOR, MINOR, PATCH) TEXT_OF(MAJOR) "." TEXT_OF(MINOR) "." TEXT_OF(PATCH)

const char *convsmith_version(void) {
    return VERSION_TEXT(CONVSMITH_VERSION_MAJOR, CONVSMITH_VERSION_MINOR, CONVSMITH_VERSION_PATCH);
}
