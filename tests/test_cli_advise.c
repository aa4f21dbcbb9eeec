/* SPDX-License-Identifier: Apache-2.0
 *
 * convsmith advise: the forms of its input, what it says of the first profile and of this library's kernels on an H200,
 * and what it says of files that are no metrics. tests/lua/advise_rules.lua is about each rule.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "program.h"

#include "convsmith/convsmith.h"

#include <cjson/cJSON.h>

#define DATA TEST_SOURCE_DIR "/tests/data/advise/"
#define SEED "'" DATA "seed.json'"
#define H200 "'" DATA "h200.csv' --arch h200"

/* ---- JSON that it prints ----------------------------------------------------------------------------------------- */

/* Runs `advise ... --json`; the caller's to delete. */
static cJSON *advised(scratch *s, const char *arguments) {
    char command[1024];
    snprintf(command, sizeof command, "advise %s --json", arguments);
    outcome o = run(s, command);
    cJSON *document = cJSON_Parse(o.out);
    if (o.status != DONE || !cJSON_IsArray(document))
        fail_msg("convsmith %s: exit status %d: %s%s", command, o.status, o.out, o.err);
    drop(&o);
    return document;
}

static const cJSON *field(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        fail_msg("there should be \"%s\"", name);
    return item;
}

static const cJSON *advice_of(const cJSON *kernel, const char *rule) {
    const cJSON *advice;
    cJSON_ArrayForEach(advice, field(kernel, "advice")) {
        if (strcmp(field(advice, "rule")->valuestring, rule) == 0)
            return advice;
    }
    return NULL;
}

static int has_word(const cJSON *list, const char *word) {
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        if (strcmp(item->valuestring, word) == 0)
            return 1;
    }
    return 0;
}

/* ---- The first profile ------------------------------------------------------------------------------------------- */

static double cited(const cJSON *advice, const char *counter) {
    return field(field(field(advice, "counters"), counter), "value")->valuedouble;
}

static void the_seeds_profile_is_of_latency_not_bandwidth(void **state) {
    cJSON *document = advised(*state, SEED);
    const cJSON *kernel = cJSON_GetArrayItem(document, 0), *bounds = field(kernel, "bound_by");
    assert_true(has_word(bounds, "index arithmetic") && has_word(bounds, "latency"));
    assert_true(has_word(bounds, "low occupancy") && has_word(bounds, "registers"));
    assert_false(has_word(bounds, "DRAM") || has_word(bounds, "L2") || has_word(bounds, "shared memory and L1"));
    const cJSON *indices = advice_of(kernel, "index_arithmetic"), *occupancy = advice_of(kernel, "occupancy");
    assert_true(cited(indices, "sm__throughput.avg.pct_of_peak_sustained_elapsed") == 33.89);
    assert_true(cited(indices, "dram__throughput.avg.pct_of_peak_sustained_elapsed") == 27.55);
    assert_true(cited(indices, "lts__t_sector_hit_rate.pct") == 86.49);
    assert_true(cited(indices, "launch__grid_size") == 64516);
    assert_true(cited(occupancy, "sm__warps_active.avg.pct_of_peak_sustained_active") == 16.64);
    assert_true(cited(advice_of(kernel, "registers"), "launch__registers_per_thread") == 255);
    cJSON_Delete(document);
}

static void counters_that_are_missing_are_named(void **state) {
    expect(*state, "advise " SEED, DONE,
           "ComputeWorkloadAnalysis: sm__inst_executed_pipe_alu.avg.pct_of_peak_sustained");
    expect(*state, "advise " SEED, DONE, "take      ncu --section SpeedOfLight");
    cJSON *document = advised(*state, SEED);
    const cJSON *kernel = cJSON_GetArrayItem(document, 0), *section;
    int named = 0;
    cJSON_ArrayForEach(section, field(kernel, "missing")) {
        named += has_word(field(section, "counters"), "l1tex__throughput.avg.pct_of_peak_sustained_active") &&
                 has_word(field(section, "untold"), "shared memory and L1");
        named -= has_word(field(section, "counters"), "launch__grid_size");
    }
    assert_int_equal(named, 1);
    cJSON_Delete(document);
}

/* ---- Kernels of this library on an H200 -------------------------------------------------------------------------- */

/* By bench/NOTES.md: what binds them. */
static const struct {
    const char *kernel, *bound, *rule, *field;
} known[] = {
    {"conv_f32_c1_k5x5_p2x2_o16_b_leaky_relu_0p1_mma3_sm80", "latency", "unfilled", "blocks_per_sm"},
    {"conv_f32_c1_k5x5_o16_bsg_mma_sm80_merge", "latency", "few_blocks", "schedule"},
    {"conv_f32_c8_k3x3_o32_bamsg_resident3_sm90a", "shared memory and L1", "l1", "tile"},
    {"conv_f32_c8_k3x3_o32_bamsg_resident_sm90a", "shared memory and L1", "latency", "warps"},
    {"conv_f16_c128_k3x3_p1x1_g128_o128_b_silu_depthwise_sm80", "issue slots", "issue", "tile"},
    {"conv_f16_c64_k3x3_p1x1_o64_bsg_wgmma_sm90a_copy", "L2", "copy", "layout"},
    {"conv_f16_c256_k3x3_p1x1_o256_batch_norm_1em05_relu_wgmma_sm90a", "launch size", "few_blocks", "tile"},
    {"conv_f16_c256_k3x3_p1x1_o256_bsg_wgmma_sm90a", "tensor cores", "latency", "warps"},
};

static void kernels_are_bound_by_what_is_known(void **state) {
    cJSON *document = advised(*state, H200);
    assert_int_equal(cJSON_GetArraySize(document), sizeof known / sizeof *known);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const cJSON *kernel = cJSON_GetArrayItem(document, (int)i);
        assert_string_equal(field(kernel, "kernel")->valuestring, known[i].kernel);
        const char *bound = cJSON_GetArrayItem(field(kernel, "bound_by"), 0)->valuestring;
        const cJSON *advice = advice_of(kernel, known[i].rule);
        if (strcmp(bound, known[i].bound) != 0 || !advice)
            fail_msg("%s is bound by %s, should be %s and have advice of %s", known[i].kernel, bound, known[i].bound,
                     known[i].rule);
        assert_string_equal(field(cJSON_GetArrayItem(field(advice, "changes"), 0), "field")->valuestring,
                            known[i].field);
    }
    cJSON_Delete(document);
}

static void a_glob_chooses_kernels(void **state) {
    cJSON *document = advised(*state, H200 " --kernel '*_merge'");
    assert_int_equal(cJSON_GetArraySize(document), 1);
    cJSON_Delete(document);
    expect(*state, "advise " H200 " --kernel 'gemm*'", BAD_INPUT, "no kernel's name matches --kernel \"gemm*\"");
}

/* ---- The plan of the table's kernels ----------------------------------------------------------------------------- */

static void write_text(scratch *s, const char *name, const char *text) { scratch_write(s, name, text, strlen(text)); }

static void a_kernel_of_the_table_has_its_plan_beside_the_advice(void **state) {
    const convsmith_kernel_info *info = convsmith_kernel_get_info(convsmith_table_at(NULL, 0));
    char text[512];
    snprintf(text, sizeof text, "{\"%s\": {\"launch__grid_size\": 9, \"launch__block_size\": %d}}", info->name,
             info->threads);
    write_text(*state, "plan.json", text);
    cJSON *document = advised(*state, "plan.json");
    const cJSON *plan = field(cJSON_GetArrayItem(document, 0), "plan");
    assert_string_equal(field(plan, "strategy")->valuestring, info->strategy);
    assert_int_equal(field(plan, "tile_c")->valueint, info->tile_c);
    assert_int_equal(field(plan, "tile_w")->valueint, info->tile_w);
    assert_int_equal(field(plan, "threads")->valueint, info->threads);
    assert_int_equal(field(plan, "shared_bytes")->valueint, info->shared_bytes);
    cJSON_Delete(document);
    snprintf(text, sizeof text, "strategy %s, schedule recompute", info->strategy);
    expect(*state, "advise plan.json", DONE, text);
}

static void counters_of_another_build_are_known_by_their_threads(void **state) {
    const convsmith_kernel_info *info = convsmith_kernel_get_info(convsmith_table_at(NULL, 0));
    char text[512];
    snprintf(text, sizeof text, "{\"%s\": {\"launch__block_size\": %d}}", info->name, info->threads + 32);
    write_text(*state, "other.json", text);
    cJSON *document = advised(*state, "other.json");
    const cJSON *plan = field(cJSON_GetArrayItem(document, 0), "plan");
    assert_int_equal(field(plan, "counted_threads")->valueint, info->threads + 32);
    cJSON_Delete(document);
    expect(*state, "advise other.json", DONE, "build");
}

static void other_kernels_have_general_advice(void **state) {
    expect(*state, "advise " SEED, DONE, "none of this program's kernels: general advice");
    write_text(*state, "named.json", "{\"mine_conv_f16_c9_k3x3_o64_bsg_wgmma_sm90a\": {\"launch__grid_size\": 9}}");
    expect(*state, "advise named.json", DONE, "strategy wgmma, schedule stored, dtype f16, by its name");
}

/* ---- Forms of the same metrics ----------------------------------------------------------------------------------- */

static const char *const forms[][2] = {
    {"object.json", "{\"fused\": {\"sm__throughput.avg.pct_of_peak_sustained_elapsed\": 33.89, \"launch__grid_size\":"
                    " 64516, \"dram__throughput.avg.pct_of_peak_sustained_elapsed\": 27.55,\n"
                    " \"gpu__time_duration.sum\": 3080000, \"l1tex__throughput.avg.pct_of_peak_sustained_active\":"
                    " null}}"},
    {"list.json", "[{\"fused\": {\"sm__throughput.avg.pct_of_peak_sustained_elapsed\": 33.89, \"launch__grid_size\":"
                  " 64516, \"dram__throughput.avg.pct_of_peak_sustained_elapsed\": 27.55,\n"
                  " \"gpu__time_duration.sum\": 3.08e6, \"unknown__metric\": 5}}]"},
    {"wide.csv", "==PROF== Connected to process 479\n"
                 "what the program prints, 1, 2\n"
                 "\"ID\",\"Kernel Name\",\"sm__throughput.avg.pct_of_peak_sustained_elapsed\",\"launch__grid_size\","
                 "\"gpu__time_duration.sum\",\"dram__throughput.avg.pct_of_peak_sustained_elapsed\","
                 "\"l1tex__throughput.avg.pct_of_peak_sustained_active\"\r\n"
                 "\"\",\"\",\"%\",\"\",\"us\",\"%\",\"%\"\r\n"
                 "\"0\",\"fused\",\"33.89\",\"64,516\",\"3,080\",\"27.55\",\"no data\"\r\n\n"},
    {"long.csv", "\"ID\",\"Kernel Name\",\"Section Name\",\"Metric Name\",\"Metric Unit\",\"Metric Value\"\n"
                 "\"0\",\"fused\",\"GPU Speed Of Light Throughput\",\"Compute (SM) Throughput\",\"%\",\"33.89\"\n"
                 "\"0\",\"fused\",\"GPU Speed Of Light Throughput\",\"DRAM Throughput\",\"%\",\"27.55\"\n"
                 "\"0\",\"fused\",\"GPU Speed Of Light Throughput\",\"Duration\",\"msecond\",\"3.08\"\n"
                 "\"0\",\"fused\",\"GPU Speed Of Light Throughput\",\"L1/TEX Cache Throughput\",\"%\",\"n/a\"\n"
                 "\"0\",\"fused\",\"Launch Statistics\",\"Grid Size\",\"\",\"64,516\"\n"
                 "\"0\",\"fused\",\"\",\"\",\"\",\"\"\n"},
    {"raw.txt", "==PROF== Connected to process 479\n[479] python3.12@127.0.0.1\n"
                "  fused (64516, 1, 1)x(128, 1, 1), Context 1, Stream 7, Device 0, CC 8.9\n"
                "    Section: Command line profiler metrics\n"
                "    ------------------------------------------------- ----------- ------------\n"
                "    Metric Name                                       Metric Unit Metric Value\n"
                "    ------------------------------------------------- ----------- ------------\n"
                "    dram__throughput.avg.pct_of_peak_sustained_elapsed           %        27.55\n"
                "    gpu__time_duration.sum                                 msecond         3.08\n"
                "    l1tex__throughput.avg.pct_of_peak_sustained_active           %    (!) n/a\n"
                "    launch__grid_size                                                    64,516\n"
                "    sm__throughput.avg.pct_of_peak_sustained_elapsed             %        33.89\n"
                "    ------------------------------------------------- ----------- ------------\n"},
    {"details.txt", "  fused, 2022-Nov-07 12:00:00, Context 1, Stream 7\n"
                    "    Section: GPU Speed Of Light Throughput\n"
                    "    DRAM Throughput                         %        27.55\n"
                    "    Duration                          msecond         3.08\n"
                    "    Compute (SM) Throughput                 %        33.89\n"
                    "    OPT   This workload exhibits low compute throughput and memory bandwidth utilization.\n\n"
                    "    Section: Launch Statistics\n"
                    "    Grid Size                                         64,516\n"},
};

/* What is said of a launch without the counters, which stand as the file has them. */
static char *essence(scratch *s, const char *name) {
    cJSON *document = advised(s, name);
    assert_int_equal(cJSON_GetArraySize(document), 1);
    cJSON *kernel = cJSON_GetArrayItem(document, 0), *advice;
    cJSON_ArrayForEach(advice, field(kernel, "advice")) {
        cJSON_DeleteItemFromObject(advice, "counters");
        cJSON_DeleteItemFromObject(advice, "reason");
    }
    char *text = cJSON_Print(kernel);
    cJSON_Delete(document);
    return text;
}

static void every_form_says_the_same(void **state) {
    char *first = NULL;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        write_text(*state, forms[i][0], forms[i][1]);
        char *text = essence(*state, forms[i][0]);
        if (first && strcmp(first, text) != 0)
            fail_msg("%s: advice is %s\nof %s it is %s", forms[i][0], text, forms[0][0], first);
        if (first)
            free(text);
        else
            first = text;
    }
    assert_non_null(strstr(first, "\"rule\":\t\"latency\""));
    free(first);
}

static void kernels_of_the_same_name_are_launches(void **state) {
    write_text(*state, "two.csv",
               "\"ID\",\"Kernel Name\",\"Metric Name\",\"Metric Unit\",\"Metric Value\"\n"
               "\"0\",\"k\",\"launch__grid_size\",\"\",\"9\"\n"
               "\"1\",\"k\",\"launch__grid_size\",\"\",\"10\"\n");
    cJSON *document = advised(*state, "two.csv");
    assert_int_equal(cJSON_GetArraySize(document), 2);
    cJSON_Delete(document);
}

static void names_are_shown_without_control_characters(void **state) {
    write_text(*state, "name.json", "{\"k\\u001b[31m\\n\": {\"launch__grid_size\": 9}}");
    expect(*state, "advise name.json", DONE, "k\\x1b[31m\\x0a\n");
}

/* ---- What is no metrics ------------------------------------------------------------------------------------------ */

#define SM "sm__throughput.avg.pct_of_peak_sustained_elapsed"
#define HEAD "\"ID\",\"Kernel Name\",\"" SM "\",\"gpu__time_duration.sum\"\n\"\",\"\",\"%\",\"us\"\n"

static const char *const faults[][2] = {
    {"", "the file is empty"},
    {" \n\n", "the file is empty"},
    {"hello\n", "there are no metrics of a kernel here"},
    {"\x7f\x45\x4c\x46\x01", "there are no metrics of a kernel here"},
    {"NVR", "there are no metrics of a kernel here"},
    {"[]", "there are no metrics of a kernel here"},
    {"{}", "there are no metrics of a kernel here"},
    {"{\"k\": {\"" SM "\": 33.", "fault:1: this is no JSON; is the file truncated?"},
    {"{\"k\":\n\n}", "fault:3: this is no JSON"},
    {"{\"k\": {\"" SM "\": 33}} x", "this is no JSON"},
    {"{\"k\": 5}", "\"k\" is 5, not an object of a kernel's metrics"},
    {"{\"k\": {}}", "there is no counter of \"k\" here that a rule reads"},
    {"{\"k\": {\"sm__cycles\": 5}}", "there is no counter of \"k\" here that a rule reads"},
    {"{\"k\": {\"" SM "\": \"33\"}}", "is \"33\", not a number"},
    {"{\"k\": {\"" SM "\": true}}", "is true, not a number"},
    {"{\"k\": {\"" SM "\": [1]}}", "are no object of numbers by name"},
    {"{\"k\": {\"" SM "\": 1e999}}", "that is no number"},
    {"{\"k\": {\"" SM "\": -1}}", "it cannot be negative"},
    {"{\"k\": {\"" SM "\": 103}}", "is 103: more than all cannot be"},
    {"{\"k\": {\"launch__grid_size\": 0}}", "is 0: it is a whole number of at least 1"},
    {"{\"k\": {\"launch__grid_size\": 1.5}}", "is 1.5: it is a whole number of at least 1"},
    {"{\"k\": {\"launch__block_size\": 1025}}", "is 1025: it is a whole number from 1 to 1024"},
    {"{\"k\": {\"launch__registers_per_thread\": 256}}", "is 256: it is a whole number from 1 to 255"},
    {"{\"k\": {\"launch__sm_count\": 0}}", "is 0: it is a whole number of at least 1"},
    {"{\"k\": {\"" SM "\": 33, \"" SM "\": 34}}", "error: fault: \"" SM "\" stands twice in an object"},
    {"{\"k\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": 1}}}}}}", "fault: the JSON is nested too deeply"},
    {"[5]", "there are no metrics of a kernel here"},
    {"[{\"k\": {\"" SM "\": 33}}, 5]", "the list holds 5"},
    {"{\"k\": {\"sm__warps_active.avg.pct_of_peak_sustained_active\": 50, \"sm__maximum_warps_per_active_cycle_pct\":"
     " 12.5}}",
     "contradict each other"},
    {"{\"k\": {\"sm__cycles_active.avg\": 900, \"sm__cycles_active.max\": 800}}", "contradict each other"},
    {HEAD "\"0\",\"k\",\"33\"\n", "fault:3: there are 3 cells under a heading of 4; is the file truncated?"},
    {HEAD "\"0\",\"k\",\"33\",\"12", "fault:3: a quoted cell does not end; is the file truncated?"},
    {HEAD, "there are no metrics of a kernel here"},
    {HEAD "\"0\",\"k\",\"9,00\",\"1\"\n", "is \"9,00 %\": that is no number (ncu prints 1,234.5 with LC_ALL=C)"},
    {HEAD "\"0\",\"k\",\"nan\",\"1\"\n", "is \"nan %\": that is no number"},
    {"\"ID\",\"Kernel Name\",\"gpu__time_duration.sum\"\n\"0\",\"k\",\"33\"\n",
     "fault:2: the row of units, under the "},
    {"\"ID\",\"Kernel Name\",\"" SM "\"\n\"\",\"\",\"us\"\n\"0\",\"k\",\"33\"\n", "is \"33 us\": it is counted in %"},
    {"\"Kernel Name\",\"Metric Name\",\"Metric Unit\",\"Metric Value\"\n\"k\",\"" SM "\",\"%\",\"3\"\n"
     "\"k\",\"" SM "\",\"%\",\"4\"\n",
     "is \"4\", and \"3\" before: they contradict each other"},
    {"  k (9, 1, 1)x(128, 1, 1), Context 1, Stream 7\n    " SM "\n", "fault:2: " SM " has no value"},
    {"  k (9, 1, 1)x(128, 1, 1), Context 1, Stream 7\n", "there is no counter of \"k\" here"},
};

static void what_is_no_metrics_is_told(void **state) {
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        write_text(*state, "fault", faults[i][0]);
        outcome o = run(*state, "advise fault");
        if (o.status != BAD_INPUT || !strstr(o.err, faults[i][1]) || *o.out ||
            strncmp(o.err, "convsmith advise: error: ", 25) != 0 || strchr(o.err, '\n') != strrchr(o.err, '\n'))
            fail_msg("'%s': exit status %d; it should say '%s', it said: %s%s", faults[i][0], o.status, faults[i][1],
                     o.err, o.out);
        drop(&o);
    }
}

static void a_report_of_ncu_is_known_as_one(void **state) {
    scratch_write(*state, "report.ncu-rep", "NVR\0\2\0", 6);
    expect(*state, "advise report.ncu-rep", BAD_INPUT, "this is a report of ncu: ncu -i FILE --csv --page raw");
}

static void files_that_cannot_be_read_are_told(void **state) {
    expect(*state, "advise absent.json", BAD_INPUT, "cannot read absent.json: No such file");
    expect(*state, "advise .", BAD_INPUT, "not a regular file");
    FILE *stream = fopen(scratch_path(*state, "huge.json"), "wb");
    assert_int_equal(ftruncate(fileno(stream), (off_t)17 << 20), 0);
    fclose(stream);
    expect(*state, "advise huge.json", BAD_INPUT, "huge.json is larger than 16 MB: profile fewer");
}

static void the_seeds_kernel_is_none_that_could_be_planned_anew(void **state) {
    expect(*state, "advise " SEED " --apply record.lua", BAD_INPUT,
           "seed.json can be applied: fused_conv2d_kernel: it is no kernel of this program's table");
}

/* Of another table's kernel its name says it. */
static void counters_of_a_kernel_that_the_profile_does_not_run_are_an_error(void **state) {
    write_text(*state, "hopper.json", "{\"mine_conv_f32_c8_k3x3_o32_b_wgmma_sm90a\": {\"" SM "\": 33}}");
    expect(*state, "advise hopper.json --arch h200", DONE, "wgmma");
    expect(*state, "advise hopper.json --arch rtx4090", BAD_INPUT,
           "is for sm90a, which rtx4090 does not run: the counters are of another GPU");
}

#define DEVICE "device__attribute_display_name"

/* An H100 and an H200 have as many multiprocessors. */
static void counters_of_a_gpu_of_another_name_are_an_error(void **state) {
    static const char *const forms[] = {
        "{\"k\": {\"" SM "\": 33, \"" DEVICE "\": \"NVIDIA H200\"}}",
        "\"Kernel Name\",\"" SM "\",\"" DEVICE "\"\n\"\",\"%\",\"\"\n\"k\",\"33\",\"NVIDIA H200\"\n",
        "\"Kernel Name\",\"Metric Name\",\"Metric Unit\",\"Metric Value\"\n\"k\",\"" SM "\",\"%\",\"33\"\n"
        "\"k\",\"" DEVICE "\",\"\",\"NVIDIA H200\"\n",
        "  k (9, 1, 1)x(128, 1, 1), Context 1, Stream 7\n    " SM " % 33\n    " DEVICE "   NVIDIA H200\n",
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        write_text(*state, "named", forms[i]);
        expect(*state, "advise named --arch h200", DONE, "k\n");
        expect(*state, "advise named --arch h100", BAD_INPUT,
               "ran on \"NVIDIA H200\", not on h100: the counters are of another GPU");
    }
}

static void a_gpu_without_a_profile_has_any(void **state) {
    write_text(*state, "named", "{\"k\": {\"" SM "\": 33, \"" DEVICE "\": \"NVIDIA H800\"}}");
    expect(*state, "advise named --arch h100", DONE, "k\n");
}

static void arguments_are_checked(void **state) {
    expect(*state, "advise", BAD_INPUT, "METRICS is missing");
    expect(*state, "advise " SEED " --arch h300", BAD_INPUT, "--arch \"h300\" is unknown; the profiles are a100,");
    expect(*state, "advise '" DATA "h200.csv' --arch rtx4090", BAD_INPUT, "the counters are of another GPU");
    expect(*state, "advise " SEED " --home absent", BAD_INPUT, "there is no gen/init.lua in absent");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seeds_profile_is_of_latency_not_bandwidth),
        cmocka_unit_test(counters_that_are_missing_are_named),
        cmocka_unit_test(kernels_are_bound_by_what_is_known),
        cmocka_unit_test(a_glob_chooses_kernels),
        cmocka_unit_test(a_kernel_of_the_table_has_its_plan_beside_the_advice),
        cmocka_unit_test(counters_of_another_build_are_known_by_their_threads),
        cmocka_unit_test(other_kernels_have_general_advice),
        cmocka_unit_test(every_form_says_the_same),
        cmocka_unit_test(kernels_of_the_same_name_are_launches),
        cmocka_unit_test(names_are_shown_without_control_characters),
        cmocka_unit_test(what_is_no_metrics_is_told),
        cmocka_unit_test(a_report_of_ncu_is_known_as_one),
        cmocka_unit_test(files_that_cannot_be_read_are_told),
        cmocka_unit_test(the_seeds_kernel_is_none_that_could_be_planned_anew),
        cmocka_unit_test(counters_of_a_kernel_that_the_profile_does_not_run_are_an_error),
        cmocka_unit_test(counters_of_a_gpu_of_another_name_are_an_error),
        cmocka_unit_test(a_gpu_without_a_profile_has_any),
        cmocka_unit_test(arguments_are_checked),
    };
    return cmocka_run_group_tests(tests, scratch_create, scratch_destroy);
}
