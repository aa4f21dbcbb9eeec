/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convsmith/convsmith.h"
#include "usage/usage.h"

enum { DEFAULT_SHARDS = 4, MAX_SHARDS = 100 };

static const cs_program program = {
    .name = "convsmith-gen",
    .summary = "generates fused convolution kernels from a manifest of shapes",
    .synopsis = "--manifest FILE --out DIR [options]",
    .status = "0 done, 1 --check found a difference, 2 bad arguments, bad input or a file that cannot be written.",
    .see_also = "convsmith",
};

static const char about[] =
    "Generates fused convolution kernels from a manifest of shapes.\n"
    "    convsmith-gen --manifest FILE --out DIR             write the kernels and their table to DIR\n"
    "    convsmith-gen --manifest FILE --out DIR --check     is DIR what would be written?\n"
    "    convsmith-gen --manifest FILE --explain             print how each row is planned\n"
    "Files go to DIR/kernels.inc, DIR/shard_* and DIR/kernels/*. One is written only when its bytes change;\n"
    "generated files that the manifest no longer asks for are removed. On any error nothing is written.\n"
    "With --feedback kernels that have a stack, spills or too much shared memory are planned one step smaller;\n"
    "DIR/resources.lua keeps that, and all figures.";

static bool refuse(const char *problem, const char *detail) {
    fprintf(stderr, "convsmith-gen: error: %s%s (see convsmith-gen --help)\n", problem, detail);
    return false;
}

static bool parse_shards(cs_options *options, const char *text) {
    if (text == NULL)
        return true;
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > MAX_SHARDS)
        return refuse("--shards is a whole number from 1 to 100, not ", text);
    options->shards = (int)value;
    return true;
}

static bool combination_is_valid(const cs_options *options) {
    if (options->manifest == NULL)
        return refuse("--manifest is missing", "");
    if (options->explain && options->check)
        return refuse("--explain and --check exclude each other", "");
    if (!options->explain && (options->arch != NULL || options->problem != NULL || options->json))
        return refuse("--arch, --problem and --json go with --explain", "");
    if (options->out == NULL && !options->explain)
        return refuse("--out is missing", "");
    if (options->depfile != NULL && (options->explain || options->check))
        return refuse("--depfile goes with writing, not with --check or --explain", "");
    if (options->feedback != NULL && options->out == NULL)
        return refuse("--feedback is of the kernels in --out, which is missing", "");
    return true;
}

/* ---- Arguments --------------------------------------------------------------------------------------------------- */

enum { MOST_OPTIONS = 16, ID_HELP = MOST_OPTIONS + 1, ID_VERSION }; /* ids of others: their places, from 1 */

/* The table as getopt_long wants it. */
static void list_options(const cs_usage *usage, struct option list[MOST_OPTIONS + 3]) {
    for (int i = 0; i < usage->count; i++)
        list[i] = (struct option){usage->options[i].name + strlen("--"),
                                  usage->options[i].value ? required_argument : no_argument, NULL, i + 1};
    list[usage->count] = (struct option){"help", optional_argument, NULL, ID_HELP};
    list[usage->count + 1] = (struct option){"version", no_argument, NULL, ID_VERSION};
    list[usage->count + 2] = (struct option){NULL, 0, NULL, 0};
}

static bool leave(int *exit_code) {
    *exit_code = fflush(stdout) == 0 && !ferror(stdout) ? CS_EXIT_DONE : CS_EXIT_BAD;
    return false;
}

static bool print_help(const cs_usage *usage, const char *argument, int *exit_code) {
    cs_help_form form = CS_HELP_TEXT;
    if (optarg != NULL && !cs_help_is_wanted(argument, &form))
        return refuse("--help takes no value but man and bash, not ", optarg);
    cs_help_begin(&program, form);
    cs_help_print(&program, usage, form);
    if (form == CS_HELP_TEXT)
        printf("\n--version tells the version.\nExit status: %s\n", program.status);
    cs_help_end(&program, form);
    return leave(exit_code);
}

static bool print_version(int *exit_code) {
    printf("convsmith-gen %d.%d.%d\n", CONVSMITH_VERSION_MAJOR, CONVSMITH_VERSION_MINOR, CONVSMITH_VERSION_PATCH);
    return leave(exit_code);
}

static bool set_option(const cs_option *option, const char *value) {
    if (value != NULL && *value == '\0')
        return refuse("an option's value is empty: ", option->name);
    *option->text = value != NULL ? value : option->name;
    return true;
}

static bool read_arguments(const cs_usage *usage, int argc, char **argv, int *exit_code) {
    struct option list[MOST_OPTIONS + 3];
    list_options(usage, list);
    opterr = 0;
    /* The colon tells a missing value from an unknown option. */
    for (int id; (id = getopt_long(argc, argv, ":h", list, NULL)) != -1;) {
        if (id == '?')
            return refuse("unknown or ambiguous option, or a value where none goes: ", argv[optind - 1]);
        if (id == ':')
            return refuse("an option lacks its value: ", argv[optind - 1]);
        if (id == ID_HELP || id == 'h')
            return print_help(usage, argv[optind - 1], exit_code);
        if (id == ID_VERSION)
            return print_version(exit_code);
        if (!set_option(&usage->options[id - 1], optarg))
            return false;
    }
    return optind == argc || refuse("unexpected argument: ", argv[optind]);
}

bool cs_options_parse(cs_options *options, int argc, char **argv, int *exit_code) {
    const char *check = NULL, *explain = NULL, *json = NULL, *shards = NULL;
    const cs_option rows[] = {
        {"--manifest", "FILE", "the shapes, as Lua data", &options->manifest},
        {"--out", "DIR", "where the files go", &options->out},
        {"--check", NULL, "write nothing; name each file that differs, and exit with 1 if there is one", &check},
        {"--explain", NULL, "write nothing; print strategy, tile, registers, memory, occupancy, times of each kernel",
         &explain},
        {"--arch", "NAME", "the architecture profile that --explain predicts for; all of them unless given",
         &options->arch},
        {"--problem", "N,H,W[,GROUPS]", "the size that --explain predicts for; each row's reference unless given",
         &options->problem},
        {"--json", NULL, "with --explain: the predicted times alone, as JSON", &json},
        {"--filter", "GLOB", "only the kernels whose name matches; DIR then holds those alone", &options->filter},
        {"--prefix", "P", "names of kernels begin with P_: two tables of one program need different ones",
         &options->prefix},
        {"--shards", "N", "files that the kernels of one strategy are compiled in, 1 to 100; 4 unless given", &shards},
        {"--depfile", "FILE", "write which files the output depends on, for make or ninja", &options->depfile},
        {"--feedback", "FILE", "plan kernels anew by what nvcc -Xptxas -v said of those in DIR", &options->feedback},
        {"--home", "DIR", "the folder of gen/ and templates/; ../share/convsmith beside this program unless given",
         &options->home},
    };
    _Static_assert(sizeof rows / sizeof *rows <= MOST_OPTIONS, "getopt's list has room for them");
    const cs_usage usage = {
        .about = about,
        .example = "--manifest shapes.lua --explain --arch h200",
        .options = rows,
        .count = sizeof rows / sizeof *rows,
    };
    *options = (cs_options){.shards = DEFAULT_SHARDS};
    *exit_code = CS_EXIT_BAD;
    if (!read_arguments(&usage, argc, argv, exit_code) || !parse_shards(options, shards))
        return false;
    options->check = check != NULL;
    options->explain = explain != NULL;
    options->json = json != NULL;
    return combination_is_valid(options);
}
