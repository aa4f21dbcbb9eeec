/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE
#include "tune_record.h"

#include "support/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
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

static bool identify(convsmith_device device, cs_identity *here, cs_message *message) {
    cs_device_traits traits;
    return (cs_device_probe(device, &traits) == CONVSMITH_OK && cs_identify(&traits, here) == CONVSMITH_OK) ||
           cs_refuse(message, "%s", convsmith_detail());
}

bool cs_record_find(cs_record_file *file, const char *path, convsmith_device device, cs_message *message) {
    *file = (cs_record_file){.is_in_default_folder = path == NULL};
    if (!identify(device, &file->here, message))
        return false;
    if (!path)
        name_file(file->path, sizeof file->path, file->here.model.name);
    else if (strlen(path) >= sizeof file->path)
        return cs_refuse(message, "%.60s...: the path is too long", path);
    else
        strcpy(file->path, path);
    return true;
}

/* The default folder is made where it is missing; one that is asked for must be there. */
static bool make_folder(const cs_record_file *file, cs_message *message) {
    return !file->is_in_default_folder || mkdir(FOLDER, 0777) == 0 || errno == EEXIST ||
           cs_refuse(message, FOLDER ": the folder cannot be made: %s", strerror(errno));
}

/* ---- What it holds ----------------------------------------------------------------------------------------------- */

bool cs_record_load(const cs_record_file *file, convsmith_tuning **tuning, cs_message *message) {
    return convsmith_tuning_load(tuning, file->path) == CONVSMITH_OK || cs_refuse(message, "%s", convsmith_detail());
}

static bool is_of_here(const cs_record_file *file, const convsmith_tuning *tuning, cs_message *message) {
    const cs_device_model *then = &tuning->identity.model, *now = &file->here.model;
    return cs_is_same_model(then, now) ||
           cs_refuse(message, "%s is a record of %s, but the device is %s; name another file by --out", file->path,
                     cs_describe_model(then).text, cs_describe_model(now).text);
}

/* What there is, to be extended, or a new one; the caller's to destroy. */
static bool load_or_create(const cs_record_file *file, convsmith_tuning **tuning, cs_message *message) {
    if (access(file->path, F_OK) != 0)
        return cs_tuning_create(tuning, &file->here) == CONVSMITH_OK || cs_refuse(message, "%s", convsmith_detail());
    if (!cs_record_load(file, tuning, message))
        return false;
    if (is_of_here(file, *tuning, message))
        return true;
    convsmith_tuning_destroy(*tuning);
    return false;
}

/* ---- Before the work --------------------------------------------------------------------------------------------- */

typedef struct software_words {
    char text[160];
} software_words;

/* As --show names it; a CPU has but this library's version. */
static software_words describe_software(const cs_identity *id) {
    software_words words;
    int used = 0;
    if (*id->driver)
        used = snprintf(words.text, sizeof words.text, "driver %s, runtime %d, ", id->driver, (int)id->runtime);
    snprintf(words.text + used, sizeof words.text - (size_t)used, "version %s", id->version);
    return words;
}

/* The one stamp of a record is that of its last times. */
static void tell_older(const cs_record_file *file, const convsmith_tuning *tuning) {
    const software_words then = describe_software(&tuning->identity), now = describe_software(&file->here);
    if (tuning->count > 0 && strcmp(then.text, now.text) != 0)
        fprintf(stderr,
                "convsmith tune: %zu problem%s of %s: timed with %s; here it is %s, which the record will say of all; "
                "time the old ones again, or keep them apart by another --out\n",
                tuning->count, tuning->count == 1 ? "" : "s", file->path, then.text, now.text);
}

/* Nobody waits for what cannot be written. */
static bool check_writable(const cs_record_file *file, cs_message *message) {
    const bool has_no_folder = file->is_in_default_folder && access(FOLDER, F_OK) != 0;
    cs_new_file trial;
    if (!cs_new_file_open(&trial, has_no_folder ? FOLDER : file->path, message))
        return false;
    cs_new_file_discard(&trial);
    return true;
}

bool cs_record_check(const cs_record_file *file, cs_message *message) {
    convsmith_tuning *tuning;
    if (!load_or_create(file, &tuning, message))
        return false;
    tell_older(file, tuning);
    convsmith_tuning_destroy(tuning);
    return check_writable(file, message);
}

/* ---- Extending it ------------------------------------------------------------------------------------------------ */

/* Waits for other processes that extend a record of the folder; the descriptor is closed to unlock. Without a lock,
 * where the file system has none, the file is whole anyway. */
static int lock_folder_of(const cs_record_file *file) {
    char path[sizeof file->path];
    strcpy(path, file->path);
    const int folder = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (folder >= 0 && flock(folder, LOCK_EX) != 0 && errno == EINTR)
        ;
    return folder;
}

static bool save(const cs_record_file *file, const convsmith_tuning *tuning, cs_message *message) {
    cs_new_file target;
    if (!cs_new_file_open(&target, file->path, message))
        return false;
    cs_tuning_write(tuning, target.stream);
    return cs_new_file_commit(&target, message);
}

static bool extend(const cs_record_file *file, const cs_tune_result *result, cs_message *message) {
    convsmith_tuning *tuning;
    if (!load_or_create(file, &tuning, message))
        return false;
    tuning->identity = file->here;
    cs_tuning_set_date(tuning);
    const bool good = cs_tune_record(tuning, result) == CONVSMITH_OK || cs_refuse(message, "%s", convsmith_detail());
    const bool saved = good && save(file, tuning, message);
    convsmith_tuning_destroy(tuning);
    return saved;
}

bool cs_record_extend(const cs_record_file *file, const cs_tune_result *result, cs_message *message) {
    if (!make_folder(file, message))
        return false;
    const int lock = lock_folder_of(file);
    const bool good = extend(file, result, message);
    if (lock >= 0)
        close(lock);
    return good;
}
