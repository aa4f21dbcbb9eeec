/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "tune_record.h"

#include "support/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "tuning"

/* ---- Its place --------------------------------------------------------------------------------------------------- */

static bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/* Words that all names of a maker's devices have. */
static bool is_maker(const char *word, size_t length) {
    static const char *const makers[] = {"nvidia", "geforce", "r", "tm", "cpu"};
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        if (strlen(makers[i]) == length && strncasecmp(makers[i], word, length) == 0)
            return true;
    return false;
}

/* "NVIDIA GeForce RTX 4090" is tuning/rtx-4090.lua. */
static void name_file(char *path, size_t room, const char *device) {
    size_t used = (size_t)snprintf(path, room, FOLDER "/");
    const size_t start = used;
    while (*device && used + strlen(device) + sizeof ".lua" < room) {
        char word[128];
        size_t length = 0;
        for (; *device; device++) {
            const char c = *device >= 'A' && *device <= 'Z' ? (char)(*device - 'A' + 'a') : *device;
            if (!is_plain(c))
                break;
            word[length++] = c;
        }
        device += *device != '\0';
        if (length > 0 && !is_maker(word, length))
            used += (size_t)snprintf(path + used, room - used, "%s%.*s", used > start ? "-" : "", (int)length, word);
    }
    snprintf(path + used, room - used, "%s.lua", used > start ? "" : "device");
}

/* The default folder is made where it is missing; one that is asked for must be there. */
static bool find_place(cs_record_file *file, const char *path, const cs_identity *here, cs_message *message) {
    if (!path)
        name_file(file->path, sizeof file->path, here->model.name);
    else if (strlen(path) >= sizeof file->path)
        return cs_refuse(message, "%.60s...: the path is too long", path);
    else
        strcpy(file->path, path);
    return true;
}

static bool make_folder(const char *path, cs_message *message) {
    return path || mkdir(FOLDER, 0777) == 0 || errno == EEXIST ||
           cs_refuse(message, FOLDER ": the folder cannot be made: %s", strerror(errno));
}

/* ---- What it holds ----------------------------------------------------------------------------------------------- */

static bool identify(convsmith_device device, cs_identity *here, cs_message *message) {
    cs_device_traits traits;
    return (cs_device_probe(device, &traits) == CONVSMITH_OK && cs_identify(&traits, here) == CONVSMITH_OK) ||
           cs_refuse(message, "%s", convsmith_detail());
}

static bool load(cs_record_file *file, cs_message *message) {
    return convsmith_tuning_load(&file->tuning, file->path) == CONVSMITH_OK ||
           cs_refuse(message, "%s", convsmith_detail());
}

static bool is_of(const cs_record_file *file, const cs_identity *here, cs_message *message) {
    return cs_is_same_model(&file->tuning->identity.model, &here->model) ||
           cs_refuse(message, "%s is a record of %s, but the device is %s; name another file by --out", file->path,
                     cs_describe_model(&file->tuning->identity.model).text, cs_describe_model(&here->model).text);
}

static bool load_or_create(cs_record_file *file, const cs_identity *here, cs_message *message) {
    if (access(file->path, F_OK) != 0)
        return cs_tuning_create(&file->tuning, here) == CONVSMITH_OK || cs_refuse(message, "%s", convsmith_detail());
    return load(file, message) && is_of(file, here, message);
}

/* Nobody waits for what cannot be written. */
static bool check_writable(const cs_record_file *file, cs_message *message) {
    cs_new_file trial;
    if (!cs_new_file_open(&trial, file->path, message))
        return false;
    cs_new_file_discard(&trial);
    return true;
}

bool cs_record_open(cs_record_file *file, const char *path, convsmith_device device, cs_message *message) {
    cs_identity here;
    *file = (cs_record_file){{0}, NULL};
    if (!identify(device, &here, message) || !find_place(file, path, &here, message) || !make_folder(path, message))
        return false;
    if (!load_or_create(file, &here, message) || !check_writable(file, message)) {
        cs_record_close(file);
        return false;
    }
    file->tuning->identity = here;
    cs_tuning_set_date(file->tuning);
    return true;
}

bool cs_record_save(const cs_record_file *file, cs_message *message) {
    cs_new_file target;
    if (!cs_new_file_open(&target, file->path, message))
        return false;
    cs_tuning_write(file->tuning, target.stream);
    return cs_new_file_commit(&target, message);
}

void cs_record_close(cs_record_file *file) {
    convsmith_tuning_destroy(file->tuning);
    file->tuning = NULL;
}

/* ---- Showing it -------------------------------------------------------------------------------------------------- */

static bool is_known(const char *name) {
    for (size_t i = 0; i < convsmith_table_size(NULL); i++)
        if (strcmp(convsmith_kernel_get_info(convsmith_table_at(NULL, i))->name, name) == 0)
            return true;
    return strncmp(name, "generic_", strlen("generic_")) == 0;
}

static int count_unknown(const convsmith_tuning *tuning) {
    int count = 0;
    for (size_t i = 0; i < tuning->count; i++)
        for (size_t j = 0; j < tuning->problems[i].kernels.count; j++)
            count += !is_known(tuning->problems[i].kernels.rows[j].name);
    return count;
}

static void show_word(const char *what, const char *then, const char *now) {
    if (*then || *now)
        printf("%-8s %s%s%s%s\n", what, then, strcmp(then, now) ? " (here " : "", strcmp(then, now) ? now : "",
               strcmp(then, now) ? ")" : "");
}

static void show(const cs_record_file *file, const cs_identity *here) {
    const cs_identity *then = &file->tuning->identity;
    char runtime[2][32];
    snprintf(runtime[0], sizeof runtime[0], "%d", (int)then->runtime);
    snprintf(runtime[1], sizeof runtime[1], "%d", (int)here->runtime);
    printf("%s: %zu problem%s on %s, %s\n", file->path, file->tuning->count, file->tuning->count == 1 ? "" : "s",
           cs_describe_model(&then->model).text, file->tuning->date);
    show_word("driver", then->driver, here->driver);
    show_word("runtime", runtime[0], runtime[1]);
    show_word("version", then->version, here->version);
    const int unknown = count_unknown(file->tuning);
    if (unknown > 0)
        printf("%d of its times are of kernels that this program's table lacks; they are passed over\n", unknown);
}

bool cs_record_show(const char *path, convsmith_device device, cs_message *message) {
    cs_identity here;
    cs_record_file file = {{0}, NULL};
    if (!identify(device, &here, message) || !find_place(&file, path, &here, message) || !load(&file, message))
        return false;
    const bool good = is_of(&file, &here, message);
    if (good)
        show(&file, &here);
    cs_record_close(&file);
    return good;
}
