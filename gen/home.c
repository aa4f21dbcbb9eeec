/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "home.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

static bool is_home(const char *folder, cs_error *error) {
    char *path = cs_path_join(folder, "gen/init.lua", error);
    if (path == NULL)
        return false;
    bool found = access(path, R_OK) == 0 ||
                 cs_error_set(error, "there is no gen/init.lua in %s; name its folder with --home", folder);
    free(path);
    return found;
}

/* The folder if it is a home; else it is freed. */
static char *if_home(char *folder, cs_error *error) {
    if (folder != NULL && is_home(folder, error))
        return folder;
    free(folder);
    return NULL;
}

/* Where an installed program finds it, from its own place; NULL when there is none. */
static char *installed_home(void) {
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        return NULL;
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL)
        return NULL;
    *slash = '\0';
    cs_error error;
    return if_home(cs_path_join(program, "../share/convsmith", &error), &error);
}

char *cs_home_find(const char *given, cs_error *error) {
    char *home = given == NULL ? installed_home() : NULL;
    if (home != NULL)
        return home;
    return if_home(cs_path_join(NULL, given == NULL ? CONVSMITH_GEN_HOME : given, error), error);
}
