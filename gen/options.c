/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "convsmith/convsmith.h"

enum { DEFAULT_SHARDS = 4, MAX_SHARDS = 100 };

static const char help_text[] =
    "convsmith-gen: generates fused convolution kernels from a manifest of shapes.\n"
    "\n"
    "  convsmith-gen --manifest FILE --out DIR [options]   write the kernels and their table to DIR\n"
    "  convsmith-gen --manifest FILE --out DIR --check     is DIR what would be written?\n"
    "  convsmith-gen --manifest FILE --explain             print how each row is planned\n"
    "\n"
    "  --manifest FILE  the shapes, as Lua data\n"
    "  --out DIR        where files go: DIR/kernels.inc, DIR/shard_*, DIR/kernels/*. A file is written only when its\n"
    "                   bytes change; generated files that the manifest no longer asks for are removed\n"
    "  --check          write nothing; name each file that differs, and exit with 1 if there is one\n"
    "  --explain        write nothing; print strategy, tile, registers, memory, occupancy and times of each kernel\n"
    "  --arch NAME      the architecture profile that --explain predicts for (default: all of them)\n"
    "  --problem N,H,W[,GROUPS]\n"
    "                   the size that --explain predicts for (default: each row's reference)\n"
    "  --json           with --explain: the predicted times alone, as JSON\n"
    "  --filter GLOB    only the kernels whose name matches; DIR then holds those alone\n"
    "  --prefix P       names of kernels begin with P_: two tables of one program need different ones\n"
    "  --shards N       files that the kernels of one strategy are compiled in, 1 to 100 (default: 4)\n"
    "  --depfile FILE   write which files the output depends on, for make or ninja\n"
    "  --feedback FILE  what nvcc -Xptxas -v said of the kernels in DIR: those with a stack, spills or too much "
    "shared\n"
    "                   memory are planned anew, one step smaller; DIR/resources.lua keeps that, and all figures\n"
    "  --home DIR       the folder of gen/ and templates/ (default: ../share/convsmith beside this program)\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done, 1 --check found a difference, 2 bad arguments, bad input or a file that cannot be written.\n";

typedef enum option_id {
    OPTION_MANIFEST = 1,
    OPTION_OUT,
    OPTION_FILTER,
    OPTION_ARCH,
    OPTION_DEPFILE,
    OPTION_PREFIX,
    OPTION_HOME,
    OPTION_FEEDBACK,
    OPTION_PROBLEM,
    OPTION_SHARDS,
    OPTION_CHECK,
    OPTION_EXPLAIN,
    OPTION_JSON,
    OPTION_HELP,
    OPTION_VERSION,
} option_id;

static const struct option long_options[] = {
    {"manifest", required_argument, NULL, OPTION_MANIFEST},
    {"out", required_argument, NULL, OPTION_OUT},
    {"filter", required_argument, NULL, OPTION_FILTER},
    {"arch", required_argument, NULL, OPTION_ARCH},
    {"depfile", required_argument, NULL, OPTION_DEPFILE},
    {"prefix", required_argument, NULL, OPTION_PREFIX},
    {"home", required_argument, NULL, OPTION_HOME},
    {"feedback", required_argument, NULL, OPTION_FEEDBACK},
    {"problem", required_argument, NULL, OPTION_PROBLEM},
    {"shards", required_argument, NULL, OPTION_SHARDS},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"explain", no_argument, NULL, OPTION_EXPLAIN},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

/* Where the value of an option that takes a string goes; NULL for any other option. */
static const char **string_slot(cs_options *options, int id) {
    const char **slots[] = {
        [OPTION_MANIFEST] = &options->manifest, [OPTION_OUT] = &options->out,
        [OPTION_FILTER] = &options->filter,     [OPTION_ARCH] = &options->arch,
        [OPTION_DEPFILE] = &options->depfile,   [OPTION_PREFIX] = &options->prefix,
        [OPTION_HOME] = &options->home,         [OPTION_FEEDBACK] = &options->feedback,
        [OPTION_PROBLEM] = &options->problem,
    };
    return id >= OPTION_MANIFEST && id <= OPTION_PROBLEM ? slots[id] : NULL;
}

/* What an option without a value sets. */
static bool *flag_slot(cs_options *options, int id) {
    return id == OPTION_CHECK ? &options->check : id == OPTION_JSON ? &options->json : &options->explain;
}

static bool refuse(const char *problem, const char *detail) {
    fprintf(stderr, "convsmith-gen: error: %s%s (see convsmith-gen --help)\n", problem, detail);
    return false;
}

static bool parse_shards(cs_options *options, const char *text) {
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > MAX_SHARDS)
        return refuse("--shards is a whole number from 1 to 100, not ", text);
    options->shards = (int)value;
    return true;
}

static bool set_option(cs_options *options, int id, const char *value) {
    const char **slot = string_slot(options, id);
    if (slot != NULL) {
        if (*value == '\0')
            return refuse("an option's value is empty: --", long_options[id - 1].name);
        *slot = value;
    } else if (id == OPTION_SHARDS) {
        return parse_shards(options, value);
    } else {
        *flag_slot(options, id) = true;
    }
    return true;
}

static bool combination_is_valid(const cs_options *options) {
    if (options->manifest == NULL)
        return refuse("--manifest is missing", "");
    if (options->explain && options->check)
        return refuse("--explain and --check exclude each other", "");
    if (options->out == NULL && !options->explain)
        return refuse("--out is missing", "");
    if (options->depfile != NULL && (options->explain || options->check))
        return refuse("--depfile goes with writing, not with --check or --explain", "");
    if (options->feedback != NULL && options->out == NULL)
        return refuse("--feedback is of the kernels in --out, which is missing", "");
    if (!options->explain && (options->arch != NULL || options->problem != NULL || options->json))
        return refuse("--arch, --problem and --json go with --explain", "");
    return true;
}

static bool print_and_leave(int *exit_code, const char *text) {
    *exit_code = fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? CS_EXIT_DONE : CS_EXIT_BAD;
    return false;
}

#define TEXT_OF(x) #x
#define VERSION_TEXT(major, minor, patch) "convsmith-gen " TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch) "\n"

bool cs_options_parse(cs_options *options, int argc, char **argv, int *exit_code) {
    *options = (cs_options){.shards = DEFAULT_SHARDS};
    *exit_code = CS_EXIT_BAD;
    opterr = 0;
    /* The colon tells a missing value from an unknown option. */
    for (int id; (id = getopt_long(argc, argv, ":", long_options, NULL)) != -1;) {
        if (id == '?')
            return refuse("unknown or ambiguous option, or a value where none goes: ", argv[optind - 1]);
        if (id == ':')
            return refuse("an option lacks its value: ", argv[optind - 1]);
        if (id == OPTION_HELP)
            return print_and_leave(exit_code, help_text);
        if (id == OPTION_VERSION)
            return print_and_leave(
                exit_code, VERSION_TEXT(CONVSMITH_VERSION_MAJOR, CONVSMITH_VERSION_MINOR, CONVSMITH_VERSION_PATCH));
        if (!set_option(options, id, optarg))
            return false;
    }
    if (optind < argc)
        return refuse("unexpected argument: ", argv[optind]);
    return combination_is_valid(options);
}
