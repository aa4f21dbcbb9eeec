/* SPDX-License-Identifier: Apache-2.0 */
#include "tune_show.h"

#include <stdio.h>
#include <string.h>

static bool is_known(const char *name) {
    for (size_t i = 0; i < convsmith_table_size(NULL); i++)
        if (strcmp(convsmith_kernel_get_info(convsmith_table_at(NULL, i))->name, name) == 0)
            return true;
    return cs_is_generic_name(name);
}

static int count_unknown(const convsmith_tuning *tuning) {
    int count = 0;
    for (size_t i = 0; i < tuning->count; i++)
        for (size_t j = 0; j < tuning->problems[i].kernels.count; j++)
            count += !is_known(tuning->problems[i].kernels.rows[j].name);
    return count;
}

/* "" where there is none. */
static void show_word(const char *what, const char *then, const char *now) {
    if (!*then && !*now)
        return;
    printf("%-8s %s", what, *then ? then : "none");
    if (strcmp(then, now) != 0)
        printf(" (here %s)", *now ? now : "none");
    putchar('\n');
}

typedef struct runtime_words {
    char text[16];
} runtime_words;

static runtime_words describe_runtime(int32_t runtime) {
    runtime_words words = {""};
    if (runtime > 0)
        snprintf(words.text, sizeof words.text, "%d", (int)runtime);
    return words;
}

static void show(const char *path, const convsmith_tuning *tuning, const cs_identity *here) {
    const cs_identity *then = &tuning->identity;
    printf("%s: %zu problem%s on %s, %s\n", path, tuning->count, tuning->count == 1 ? "" : "s",
           cs_describe_model(&then->model).text, tuning->date);
    if (!cs_is_same_model(&then->model, &here->model))
        printf("The device here is %s, for which the record does not hold\n", cs_describe_model(&here->model).text);
    show_word("driver", then->driver, here->driver);
    show_word("runtime", describe_runtime(then->runtime).text, describe_runtime(here->runtime).text);
    show_word("version", then->version, here->version);
    const int unknown = count_unknown(tuning);
    if (unknown > 0)
        printf("%d of its times are of kernels that this program's table lacks; they are passed over\n", unknown);
}

bool cs_tune_show(const char *path, convsmith_device device, cs_message *message) {
    cs_record_file file;
    convsmith_tuning *tuning;
    if (!cs_record_find(&file, path, device, message) || !cs_record_load(&file, &tuning, message))
        return false;
    show(file.path, tuning, &file.here);
    convsmith_tuning_destroy(tuning);
    return true;
}
