/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith-gen: all that reads the manifest and makes text runs in Lua, in one protected call (host.c); only when it
 * has succeeded is the output folder looked at or written (output.c).
 */
#include <stdio.h>
#include <stdlib.h>

#include "home.h"
#include "host.h"

static int check(const cs_output *output, const cs_options *options) {
    size_t differences = cs_output_print_differences(output);
    if (differences == 0)
        return CS_EXIT_DONE;
    fprintf(stderr,
            "convsmith-gen: %s is not what %s generates (%zu differences); run this without --check to write it\n",
            options->out, options->manifest, differences);
    return CS_EXIT_DRIFT;
}

static bool write_depfile(const cs_host *host, cs_error *error) {
    const cs_options *options = host->options;
    if (options->depfile == NULL)
        return true;
    char *target = cs_path_join(options->out, "kernels.inc", error);
    bool written = target != NULL && cs_sources_write_depfile(&host->policy.sources, options->depfile, target, error);
    free(target);
    return written;
}

/* Everything after the arguments; CS_EXIT_BAD comes with *error set. */
static int generate(cs_host *host, cs_error *error) {
    const cs_options *options = host->options;
    if (!cs_host_generate(host, error))
        return CS_EXIT_BAD;
    host->context[0] = '\0';
    if (options->explain)
        return CS_EXIT_DONE;
    if (!cs_output_compare(&host->output, options->out, error))
        return CS_EXIT_BAD;
    if (options->check)
        return check(&host->output, options);
    if (!cs_output_write(&host->output, options->out, error) || !write_depfile(host, error))
        return CS_EXIT_BAD;
    return CS_EXIT_DONE;
}

static int run(const cs_options *options, const char *home) {
    cs_error error;
    cs_host host = {.options = options};
    int exit_code = CS_EXIT_BAD;
    if (cs_policy_open(&host.policy, home, &cs_host_limits, &error))
        exit_code = generate(&host, &error);
    if (fflush(stdout) != 0 && exit_code != CS_EXIT_BAD) {
        exit_code = CS_EXIT_BAD;
        cs_error_set(&error, "cannot write to the standard output");
    }
    if (exit_code == CS_EXIT_BAD)
        cs_sources_print_error(&host.policy.sources, error.text, host.context, stderr);
    cs_policy_close(&host.policy);
    cs_output_free(&host.output);
    return exit_code;
}

int main(int argc, char **argv) {
    cs_options options;
    int exit_code = CS_EXIT_BAD;
    if (!cs_options_parse(&options, argc, argv, &exit_code))
        return exit_code;
    cs_error error;
    char *home = cs_home_find(options.home, &error);
    if (home != NULL)
        exit_code = run(&options, home);
    else
        fprintf(stderr, "convsmith-gen: error: %s\n", error.text);
    free(home);
    return exit_code;
}
