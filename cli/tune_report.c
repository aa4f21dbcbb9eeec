/* SPDX-License-Identifier: Apache-2.0 */
#include "tune_report.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Names ------------------------------------------------------------------------------------------------------- */

/* Where the name says no longer what is computed, but how: "mma3_sm80" of "conv_f32_c8_k3x3_o32_bamsg_mma3_sm80". */
static const char *way_of(const convsmith_kernel_info *info) {
    char mark[64];
    snprintf(mark, sizeof mark, "_%s", info->strategy);
    const char *found = NULL;
    for (const char *at = strstr(info->name, mark); at; at = strstr(at + 1, mark))
        found = at + 1;
    return found ? found : info->name;
}

typedef struct row_words {
    char text[128];
} row_words;

static row_words row_of(const cs_tune_result *result) {
    row_words row;
    const convsmith_kernel_info *info = result->job->row;
    const int length = (int)(way_of(info) - info->name);
    snprintf(row.text, sizeof row.text, "%.*s", length ? length - 1 : (int)strlen(info->name), info->name);
    return row;
}

/* ---- Counting ---------------------------------------------------------------------------------------------------- */

/* What a plan gains by the record, in one math of the family; no gain where a kernel is timed no better than itself. */
typedef struct gain {
    convsmith_math math;
    const cs_tune_kernel *planned, *fastest;
    double times; /* the planned one's time in those of the fastest */
} gain;

static bool has_math(const cs_tune_result *result, convsmith_math math) {
    for (size_t i = 0; i < result->count; i++)
        if (result->kernels[i].info->key.math == math)
            return true;
    return false;
}

/* The maths of a result that have a kernel. */
static int gains_of(const cs_tune_result *result, gain gains[2]) {
    int count = 0;
    for (int math = CONVSMITH_MATH_FP32; math <= CONVSMITH_MATH_TF32; math++) {
        gain g = {(convsmith_math)math, cs_tune_planned(result, (convsmith_math)math),
                  cs_tune_fastest(result, (convsmith_math)math), 1};
        if (!g.fastest || !has_math(result, g.math))
            continue;
        g.times = g.planned->us / g.fastest->us;
        gains[count++] = g;
    }
    return count;
}

static void count_gain(cs_tune_tally *tally, const gain *g) {
    tally->problems++;
    tally->gained += g->planned != g->fastest;
    tally->doubtful += g->planned != g->fastest && g->times - 1 < fmax(g->planned->spread, g->fastest->spread);
    tally->log_gain += log(g->times);
}

/* ---- Lines ------------------------------------------------------------------------------------------------------- */

#define FORMAT "%-34s %-4s %-16s %-16s %9s  %-16s %9s %6s %5s\n"

void cs_tune_print_heading(void) {
    printf(FORMAT, "ROW", "MATH", "N, HxW, GROUPS", "PLANNED", "us", "FASTEST", "us", "SPREAD", "GAIN");
}

static void print_gain(const cs_tune_result *result, const gain *g) {
    const convsmith_problem *p = &result->job->problem;
    char size[80], planned[32], fastest[32], spread[32], times[32];
    snprintf(size, sizeof size, "%" PRId64 ", %" PRId64 "x%" PRId64 ", %" PRId64, p->n, p->h, p->w, p->groups);
    snprintf(planned, sizeof planned, "%.2f", g->planned->us);
    snprintf(fastest, sizeof fastest, "%.2f", g->fastest->us);
    snprintf(spread, sizeof spread, "%.1f %%", 100 * g->fastest->spread);
    snprintf(times, sizeof times, "%.2fx", g->times);
    printf(FORMAT, row_of(result).text, convsmith_math_name(g->math), size, way_of(g->planned->info), planned,
           way_of(g->fastest->info), fastest, spread, times);
}

static void print_wrong(const cs_tune_result *result, cs_tune_tally *tally) {
    for (size_t i = 0; i < result->count; i++) {
        const cs_tune_kernel *k = &result->kernels[i];
        if (k->outcome != CS_BENCH_WRONG)
            continue;
        printf("WRONG, not recorded: %s: %s\n", k->info->name, k->reason.text);
        tally->wrong++;
    }
}

void cs_tune_print(const cs_tune_result *result, cs_tune_tally *tally) {
    gain gains[2];
    const int count = gains_of(result, gains);
    for (int i = 0; i < count; i++) {
        count_gain(tally, &gains[i]);
        print_gain(result, &gains[i]);
    }
    print_wrong(result, tally);
    fflush(stdout);
}

void cs_tune_print_tally(const cs_tune_tally *t) {
    if (t->problems > 0)
        printf("%d problem%s: the planner's choice is the fastest of %d; %.3fx as fast in the geometric mean by the "
               "record\n",
               t->problems, t->problems == 1 ? "" : "s", t->problems - t->gained, exp(t->log_gain / t->problems));
    if (t->doubtful > 0)
        printf("%d of the gains %s no larger than the spread of the times; a quieter machine tells better\n",
               t->doubtful, t->doubtful == 1 ? "is" : "are");
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static bool add_kernel(cJSON *kernels, const cs_tune_kernel *k) {
    static const char *const outcomes[] = {
        [CS_BENCH_TIMED] = "timed", [CS_BENCH_WRONG] = "wrong", [CS_BENCH_REFUSED] = "refused"};
    cJSON *row = cJSON_CreateObject();
    if (!row || !cJSON_AddItemToArray(kernels, row)) {
        cJSON_Delete(row);
        return false;
    }
    const bool is_timed = k->outcome == CS_BENCH_TIMED;
    return cJSON_AddStringToObject(row, "name", k->info->name) &&
           cJSON_AddStringToObject(row, "outcome", outcomes[k->outcome]) &&
           (is_timed || cJSON_AddStringToObject(row, "reason", k->reason.text)) &&
           (!is_timed ||
            (cJSON_AddNumberToObject(row, "us", k->us) && cJSON_AddNumberToObject(row, "spread", k->spread) &&
             cJSON_AddNumberToObject(row, "max_error", k->worst_error)));
}

static bool add_gain(cJSON *choices, const gain *g) {
    cJSON *row = cJSON_CreateObject();
    if (!row || !cJSON_AddItemToArray(choices, row)) {
        cJSON_Delete(row);
        return false;
    }
    return cJSON_AddStringToObject(row, "math", convsmith_math_name(g->math)) &&
           cJSON_AddStringToObject(row, "planned", g->planned->info->name) &&
           cJSON_AddStringToObject(row, "fastest", g->fastest->info->name) &&
           cJSON_AddNumberToObject(row, "gain", g->times);
}

static bool fill_json(cJSON *row, const cs_tune_result *result, cs_tune_tally *tally) {
    const convsmith_problem *p = &result->job->problem;
    gain gains[2];
    const int count = gains_of(result, gains);
    bool good = cJSON_AddStringToObject(row, "row", row_of(result).text) &&
                cJSON_AddNumberToObject(row, "n", (double)p->n) && cJSON_AddNumberToObject(row, "h", (double)p->h) &&
                cJSON_AddNumberToObject(row, "w", (double)p->w) &&
                cJSON_AddNumberToObject(row, "groups", (double)p->groups);
    cJSON *kernels = cJSON_AddArrayToObject(row, "kernels"), *choices = cJSON_AddArrayToObject(row, "choices");
    for (size_t i = 0; i < result->count; i++) {
        good = good && add_kernel(kernels, &result->kernels[i]);
        tally->wrong += result->kernels[i].outcome == CS_BENCH_WRONG;
    }
    for (int i = 0; i < count; i++) {
        count_gain(tally, &gains[i]);
        good = good && add_gain(choices, &gains[i]);
    }
    return good;
}

bool cs_tune_add_json(cJSON *results, const cs_tune_result *result, cs_tune_tally *tally) {
    cJSON *row = cJSON_CreateObject();
    if (row && cJSON_AddItemToArray(results, row))
        return fill_json(row, result, tally);
    cJSON_Delete(row);
    return false;
}
