/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith tune: which kernel is the fastest of those that can serve a problem, on this device.
 */
#include "device.h"
#include "interrupt.h"
#include "options.h"
#include "progress.h"
#include "tune_record.h"
#include "tune_report.h"
#include "tune_show.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_SIZES = 16 };

typedef struct request {
    cs_tune_wish wish;
    cs_tune_size sizes[MOST_SIZES];
    const char *path;
    float seconds;
    int64_t repeats;
    bool as_json;
} request;

/* What the work is done with. */
typedef struct session {
    const cs_usage *usage;
    const request *request;
    const cs_tune_jobs *jobs;
    const cs_record_file *record;
    bool is_saved;  /* with a first problem */
    cJSON *results; /* NULL: lines are printed */
    cs_progress progress;
    cs_tune_tally tally;
} session;

/* ---- The work ---------------------------------------------------------------------------------------------------- */

/* The record is saved with each problem, so that whatever ends the program leaves what was done. */
static bool keep(session *s, const cs_tune_result *result, cs_message *message) {
    cs_progress_clear(&s->progress);
    if (!s->results)
        cs_tune_print(result, &s->tally);
    else if (!cs_tune_add_json(s->results, result, &s->tally))
        return cs_refuse(message, "no memory for the JSON text");
    const bool good = cs_record_extend(s->record, result, message);
    s->is_saved = s->is_saved || good;
    return good;
}

static cs_tune_outcome do_job(session *s, size_t index, cs_message *message) {
    const cs_tune_place place = {&s->progress, index, s->jobs->count};
    cs_tune_result result;
    cs_tune_outcome outcome = cs_tune_measure(&result, &s->jobs->rows[index], s->request->wish.device,
                                              (int)s->request->repeats, &place, message);
    if (outcome == CS_TUNE_DONE && !keep(s, &result, message))
        outcome = CS_TUNE_FAILED;
    cs_tune_result_free(&result);
    return outcome;
}

static bool is_time_up(session *s, size_t done) {
    return done > 0 && s->request->seconds > 0 && cs_progress_seconds(&s->progress) > (double)s->request->seconds;
}

/* Up to the last problem, or the end of the time, or Ctrl-C; what is left then is told. */
static cs_exit do_jobs(session *s) {
    cs_message message = {""};
    cs_tune_outcome outcome = CS_TUNE_DONE;
    size_t done = 0;
    while (done < s->jobs->count && outcome == CS_TUNE_DONE && !is_time_up(s, done)) {
        outcome = do_job(s, done, &message);
        done += outcome == CS_TUNE_DONE;
    }
    cs_progress_clear(&s->progress);
    if (outcome == CS_TUNE_FAILED)
        return cs_complain(s->usage->command, "%s", message.text);
    if (done < s->jobs->count)
        fprintf(stderr, "convsmith tune: %s; %zu of %zu problems are left\n",
                outcome == CS_TUNE_INTERRUPTED ? "interrupted" : "the time is up", s->jobs->count - done,
                s->jobs->count);
    if (outcome == CS_TUNE_INTERRUPTED)
        return CS_EXIT_INTERRUPTED;
    return s->tally.wrong ? CS_EXIT_CHECK_FAILED : CS_EXIT_DONE;
}

static bool print_json(const cJSON *results) {
    char *text = cJSON_Print(results);
    if (text)
        puts(text);
    cJSON_free(text);
    return text != NULL;
}

static cs_exit do_session(session *s) {
    if (!s->results)
        cs_tune_print_heading();
    cs_interrupt_hold();
    cs_progress_start(&s->progress);
    const cs_exit status = do_jobs(s);
    if (!s->results) {
        cs_tune_print_tally(&s->tally);
        if (s->is_saved)
            printf("The record is %s\n", s->record->path);
    } else if (!print_json(s->results)) {
        return cs_complain(s->usage->command, "no memory for the JSON text");
    }
    return status;
}

static cs_exit tune_jobs(const cs_usage *usage, const request *r, const cs_tune_jobs *jobs) {
    cs_record_file record;
    cs_message message = {""};
    if (!cs_record_find(&record, r->path, r->wish.device, &message) || !cs_record_check(&record, &message))
        return cs_complain(usage->command, "%s", message.text);
    session s = {.usage = usage, .request = r, .jobs = jobs, .record = &record};
    cs_exit status = CS_EXIT_BAD_INPUT;
    if (r->as_json && !(s.results = cJSON_CreateArray()))
        cs_complain(usage->command, "no memory for the JSON text");
    else
        status = do_session(&s);
    cJSON_Delete(s.results);
    return status;
}

static cs_exit complain_of_none(const cs_usage *usage, const cs_tune_wish *wish) {
    const char *device = cs_device_name(wish->device);
    if (cs_tune_matches(wish))
        cs_complain(usage->command, "--problem: the table has no such kernel for this %s; see convsmith list", device);
    else if (wish->glob)
        cs_complain(usage->command, "--filter: '%s' matches no kernel for this %s; see convsmith list", wish->glob,
                    device);
    else
        cs_complain(usage->command, "the table has no kernel for this %s; see convsmith list", device);
    return CS_EXIT_NO_KERNEL;
}

static cs_exit tune(const cs_usage *usage, const request *r) {
    cs_tune_jobs jobs;
    cs_message message = {""};
    if (!cs_tune_jobs_find(&jobs, &r->wish, &message))
        return cs_complain(usage->command, "%s", message.text);
    const cs_exit status = jobs.count > 0 ? tune_jobs(usage, r, &jobs) : complain_of_none(usage, &r->wish);
    cs_tune_jobs_free(&jobs);
    return status;
}

/* ---- The command ------------------------------------------------------------------------------------------------- */

/* "N,C,H,W" or "N,C,H,W,GROUPS". */
static bool parse_size(const cs_usage *usage, const char *text, cs_tune_size *size) {
    int64_t *const fields[] = {&size->n, &size->c_in, &size->h, &size->w, &size->groups};
    const char *at = text;
    int count = 0;
    *size = (cs_tune_size){0};
    while (count < 5 && *at >= '0' && *at <= '9') {
        char *end;
        errno = 0;
        const long long value = strtoll(at, &end, 10);
        if (errno || value < 1 || value > INT32_MAX)
            break;
        *fields[count++] = value;
        at = end;
        if (*at != ',')
            break;
        at++;
    }
    if (count >= 4 && *at == '\0' && at[-1] != ',')
        return true;
    cs_complain(usage->command, "--problem: '%s' is not N,C,H,W or N,C,H,W,GROUPS such as 16,64,56,56", text);
    return false;
}

static bool parse_sizes(const cs_usage *usage, request *r) {
    for (int i = 0; i < usage->repeated->count; i++)
        if (!parse_size(usage, usage->repeated->texts[i], &r->sizes[i]))
            return false;
    r->wish.sizes = r->sizes;
    r->wish.size_count = usage->repeated->count;
    return true;
}

static cs_exit show(const cs_usage *usage, const request *r) {
    cs_message message = {""};
    return cs_tune_show(r->path, r->wish.device, &message) ? CS_EXIT_DONE
                                                           : cs_complain(usage->command, "%s", message.text);
}

static bool check_options(const cs_usage *usage, const request *r, bool is_shown) {
    if (r->path && !*r->path)
        cs_complain(usage->command, "--out: the name is empty");
    else if (is_shown && r->as_json)
        cs_complain(usage->command, "--show: there is no JSON of it; leave --json out");
    else
        return true;
    return false;
}

cs_exit cs_command_tune(int argc, char **argv) {
    const char *device = NULL, *seconds = NULL, *repeats = NULL, *json = NULL, *shown = NULL;
    const char *problems[MOST_SIZES];
    request r = {.repeats = 0};
    const cs_option options[] = {
        {"--filter", "GLOB", "only problems with a kernel whose name matches", &r.wish.glob},
        {"--device", "auto|cpu|cuda", "where; auto, the default, is the GPU if there is one", &device},
        {"--seconds", "S", "begin no further problem after S seconds", &seconds},
        {"--repeats", "N", "timed runs of a kernel; unless given, 5 to 100 in 50 ms", &repeats},
        {"--out", "FILE", "the record; tuning/<device>.lua unless given", &r.path},
        {"--json", NULL, "all times as a JSON array in place of the table", &json},
        {"--show", NULL, "only tell what the record is of, and how that differs from here", &shown},
    };
    cs_repeated problem = {.name = "--problem",
                           .value = "N,C,H,W[,G]",
                           .help = "this x, and groups, for rows of C input channels; repeatable",
                           .texts = problems,
                           .most = MOST_SIZES};
    const cs_usage usage = {
        .command = "tune",
        .about =
            "Times all kernels that can serve a problem, on this device, and writes the times into a record by which\n"
            "plans choose (convsmith_tuning_load, `convsmith run --tuning`, or `tuning` in the table's manifest). The\n"
            "problems are those that the table's rows are planned at, with fewer samples on a CPU, or the given ones.\n"
            "Each kernel is first compared with the fp64 reference: one that is wrong is told and not recorded. An\n"
            "existing record of this device is extended; a problem that is measured anew replaces what it had. "
            "Several\n"
            "processes may extend one record, but those that time at once disturb each other.\n"
            "\n"
            "The record is saved with each problem. Ctrl-C ends the work behind the kernel at hand and keeps the\n"
            "problems that are done, with exit status 130. PLANNED is the kernel that a plan would have if nothing\n"
            "had been measured: without a record, loaded or of the table. SPREAD is the way from the 10th to the 90th\n"
            "percentile of the fastest one's times, as a share of their median.",
        .example = "tune --filter 'conv_f16_c64_*' --problem 16,64,56,56",
        .options = options,
        .count = sizeof options / sizeof *options,
        .repeated = &problem,
    };
    const cs_parsed parsed = cs_options_parse(&usage, argc, argv);
    if (parsed != CS_PARSED)
        return parsed == CS_PARSED_HELP ? CS_EXIT_DONE : CS_EXIT_BAD_INPUT;
    if (!cs_value_device(&usage, device, &r.wish.device) || !parse_sizes(&usage, &r) ||
        !cs_value_positive(&usage, "--seconds", seconds, "600", &r.seconds) ||
        !cs_value_whole(&usage, "--repeats", repeats, 1, 10000, &r.repeats))
        return CS_EXIT_BAD_INPUT;
    r.as_json = json != NULL;
    if (!check_options(&usage, &r, shown != NULL))
        return CS_EXIT_BAD_INPUT;
    return shown ? show(&usage, &r) : tune(&usage, &r);
}
