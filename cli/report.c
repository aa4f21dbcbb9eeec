/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith report: the atlas of the table's kernels, one page that is complete in itself.
 */
#include "gen/files.h"
#include "gen/home.h"
#include "occupancy.h"
#include "options.h"
#include "report_kernels.h"
#include "report_page.h"
#include "report_plans.h"
#include "report_results.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE "index.html"

/* Folders that are read. */
typedef struct places {
    char *home, *generated, *results, *tuning;
} places;

/* ---- The data -----------------------------------------------------------------------------------------------------*/

/* Takes `item` into `data`, or deletes it. */
static bool put(cJSON *data, const char *name, cJSON *item) {
    if (item && cJSON_AddItemToObject(data, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool put_kernels(cJSON *data, const cJSON *resources, const places *p, cs_error *error) {
    int missing;
    cJSON *plans = cs_report_plans(p->home, p->generated, error);
    const cs_report_known known = {.resources = resources, .plans = plans, .generated = p->generated};
    cJSON *kernels = plans ? cs_report_kernels(&known, &missing, error) : NULL;
    cJSON_Delete(plans);
    if (!kernels)
        return false;
    if (missing > 0)
        fprintf(stderr, "convsmith report: warning: %d of %d kernels have no source in %s\n", missing,
                cJSON_GetArraySize(kernels), p->generated);
    return put(data, "kernels", kernels) || cs_error_set(error, "no memory for the report");
}

static bool put_results(cJSON *data, const cJSON *profiles, const places *p, cs_error *error) {
    cs_report_results results;
    if (!cs_report_results_read(&results, profiles, p->results, p->tuning, error)) {
        cs_report_results_free(&results);
        return false;
    }
    if (results.files == 0)
        fprintf(stderr,
                "convsmith report: warning: no kernel has a measured time: there is no <GPU>-table.json or "
                "<GPU>-sweep.json in %s, and no <GPU>.lua in %s (GPU: a profile, such as h200)\n",
                p->results, p->tuning);
    const bool measured = put(data, "measured", results.measured), sweeps = put(data, "sweeps", results.sweeps);
    return (measured && sweeps) || cs_error_set(error, "no memory for the report");
}

/* As report/data.js reads it. */
static bool fill(cJSON *data, cJSON *resources, const places *p, cs_error *error) {
    const cJSON *profiles = cJSON_GetObjectItem(resources, "profiles");
    return put_kernels(data, resources, p, error) && put_results(data, profiles, p, error) &&
           (put(data, "profiles", cJSON_DetachItemFromObject(resources, "profiles")) ||
            cs_error_set(error, "no memory for the report"));
}

/* The data as a text, which is the caller's to free with cJSON_free. */
static char *gather(const places *p, cs_error *error) {
    char *text = NULL;
    cJSON *data = cJSON_CreateObject(), *resources = cs_resources(p->home, p->generated, error);
    if (resources && fill(data, resources, p, error)) {
        text = cJSON_PrintUnformatted(data);
        if (!text)
            cs_error_set(error, "no memory for the report");
    }
    cJSON_Delete(resources);
    cJSON_Delete(data);
    return text;
}

/* ---- The command --------------------------------------------------------------------------------------------------*/

static bool write_page(const char *folder, const cs_bytes *page, cs_error *error) {
    char *path = cs_path_join(folder, PAGE, error);
    const bool written =
        path && cs_folder_create(folder, error) && cs_file_replace(path, page->bytes, page->size, error);
    free(path);
    return written;
}

static bool report(const places *p, const char *out, cs_error *error) {
    cs_bytes page = {NULL, 0};
    char *data = gather(p, error);
    const bool written = data && cs_report_page(p->home, data, &page, error) && write_page(out, &page, error);
    cJSON_free(data);
    free(page.bytes);
    return written;
}

/* A folder that an option names, or else one of the home folder; NULL with *error. */
static char *place(const char *given, const char *home, const char *name, cs_error *error) {
    return given ? cs_path_join(NULL, given, error) : cs_path_join(home, name, error);
}

static void free_places(places *p) {
    free(p->home);
    free(p->generated);
    free(p->results);
    free(p->tuning);
}

cs_exit cs_command_report(int argc, char **argv) {
    const char *out = NULL, *home = NULL, *generated = NULL, *results = NULL, *tuning = NULL;
    const cs_option options[] = {
        {"--out", "DIR", "the folder of the page, " PAGE "; made where it is missing", &out},
        {"--results", "DIR", "<GPU>-table.json, <GPU>-sweep.json (default: bench/results of --home)", &results},
        {"--tuning", "DIR", "<GPU>.lua, by `convsmith tune` (default: tuning/ of --home)", &tuning},
        {"--generated", "DIR", "the kernels' sources, resources.lua (default: generated/ of --home)", &generated},
        {"--home", "DIR", "the folder of gen/ (default: ../share/convsmith beside this program)", &home},
    };
    const cs_usage usage = {
        .command = "report",
        .about =
            "Writes the atlas of the dispatch table built into this program: one page that needs nothing else and no\n"
            "network. It has a table of all kernels that can be sorted and filtered, with registers, shared memory\n"
            "and occupancy, predicted and measured times and what these are of a GPU's roof; a roofline for each\n"
            "GPU profile; recorded times beside those of other libraries; and a part for each kernel, with its plan\n"
            "and its source. Times are read of GPUs by their profiles' names, such as h200-table.json (what\n"
            "`convsmith bench --json` writes), h200-sweep.json (bench/bench.py --sweep) and h200.lua; where a GPU has\n"
            "none, its times are predicted ones, and the page says so.",
        .example = "report --out atlas",
        .options = options,
        .count = sizeof options / sizeof *options,
    };
    const cs_parsed parsed = cs_options_parse(&usage, argc, argv);
    if (parsed != CS_PARSED)
        return parsed == CS_PARSED_HELP ? CS_EXIT_DONE : CS_EXIT_BAD_INPUT;
    if (!out)
        return cs_complain(usage.command, "--out DIR is missing: the folder of the page");
    cs_error error;
    places p = {.home = cs_home_find(home, &error)};
    const bool done = p.home && (p.generated = place(generated, p.home, "generated", &error)) != NULL &&
                      (p.results = place(results, p.home, "bench/results", &error)) != NULL &&
                      (p.tuning = place(tuning, p.home, "tuning", &error)) != NULL && report(&p, out, &error);
    free_places(&p);
    return done ? CS_EXIT_DONE : cs_complain(usage.command, "%s", error.text);
}
