// SPDX-License-Identifier: Apache-2.0
//
// Statistics of stored values: moments of parts of a group's values, which lie together, then of the whole group. Means
// and sums of squared deviations, merged in a fixed order, as in device/moments.cuh and device/group_norm.cuh.
#pragma once

#include <device/generic_args.h>
#include <device/group_norm.cuh>
#include <device/moments.cuh>

#define CS_GENERIC_MEASURE_THREADS 256

// The sum of all threads' values, in every thread. `scratch`: a float a warp.
__device__ __forceinline__ float sum_over_block(float value, float *scratch) {
    constexpr int warps = CS_GENERIC_MEASURE_THREADS / 32;
    value = sum_over_lanes<32>(value);
    sync_threads(); // nobody reads the sums before any more
    if (thread_index() % 32 == 0)
        scratch[thread_index() / 32] = value;
    sync_threads();
    float sum = 0.0f;
#pragma unroll
    for (int warp = 0; warp < warps; ++warp)
        sum += scratch[warp];
    return sum;
}

// How many values a group has in a sample, and how many of them a part.
__device__ __forceinline__ int64_t group_values(const cs_generic_args &args) {
    return args.weight.c_out / args.conv.groups * args.pixels;
}
__device__ __forceinline__ int part_values(const cs_generic_args &args, int64_t part) {
    const int64_t rest = group_values(args) - part * CS_GENERIC_PART;
    return rest < CS_GENERIC_PART ? static_cast<int>(rest) : CS_GENERIC_PART;
}

// Moments of part `set` of all parts of all groups, in two passes over registers; beside the part's first value nothing
// is lost of nearly constant ones.
__device__ __forceinline__ void generic_measure(const cs_generic_args &args, int64_t set) {
    constexpr int own = CS_GENERIC_PART / CS_GENERIC_MEASURE_THREADS;
    float *const scratch = shared_memory<float>();
    const int64_t part = set % args.parts;
    const float *const values = args.values + set / args.parts * group_values(args) + part * CS_GENERIC_PART;
    const int count = part_values(args, part);
    const float first = load_global(values);
    float value[own], sum = 0.0f, m2 = 0.0f;
#pragma unroll
    for (int i = 0; i < own; ++i) {
        const int at = thread_index() + i * CS_GENERIC_MEASURE_THREADS;
        value[i] = at < count ? load_global(values + at) - first : 0.0f;
        sum += value[i];
    }
    const float mean = sum_over_block(sum, scratch) / static_cast<float>(count);
#pragma unroll
    for (int i = 0; i < own; ++i)
        if (thread_index() + i * CS_GENERIC_MEASURE_THREADS < count)
            m2 += (value[i] - mean) * (value[i] - mean);
    m2 = sum_over_block(m2, scratch);
    if (thread_index() == 0)
        args.conv.moments[set] = {first + mean, m2};
}

// Merges the parts of group `set` (n * groups + group) in CS_MERGE_THREADS threads, and writes the normalisation of its
// channels.
__device__ __forceinline__ void generic_merge(const cs_generic_args &args, int64_t set) {
    pivot_sums *const scratch = shared_memory<pivot_sums>();
    const int thread = thread_index();
    const cs_moments *const moments = args.conv.moments + set * args.parts;
    const double pivot = static_cast<double>(moments[0].mean);
    pivot_sums mine = {0.0, 0.0, 0.0};
    for (int64_t part = thread; part < args.parts; part += CS_MERGE_THREADS) {
        const double count = static_cast<double>(part_values(args, part));
        const double mean = static_cast<double>(moments[part].mean) - pivot;
        mine.count += count;
        mine.first += count * mean;
        mine.second += static_cast<double>(moments[part].m2) + count * mean * mean;
    }
    scratch[thread] = mine;
    sync_threads();
    for (int half = CS_MERGE_THREADS / 2; half > 0; half /= 2) {
        if (thread < half) {
            scratch[thread].count += scratch[thread + half].count;
            scratch[thread].first += scratch[thread + half].first;
            scratch[thread].second += scratch[thread + half].second;
        }
        sync_threads();
    }
    const pivot_sums group = scratch[0];
    const double mean = group.first / group.count; // less the pivot
    const double rstd = 1.0 / sqrt(group.second / group.count - mean * mean + static_cast<double>(args.conv.eps));
    const int64_t c_out = args.weight.c_out, channels = c_out / args.conv.groups;
    const int64_t n = set / args.conv.groups, begin = set % args.conv.groups * channels;
    const float *const weight = static_cast<const float *>(args.conv.packed) + args.weight.operands_at +
                                2 * c_out * args.program.ops[args.program.normalisation].pair;
    for (int64_t channel = begin + thread; channel < begin + channels; channel += CS_MERGE_THREADS) {
        const double a = rstd * static_cast<double>(weight[channel]);
        const double b = static_cast<double>(weight[c_out + channel]) - (pivot + mean) * a;
        args.conv.affine[n * c_out + channel] = {static_cast<float>(a), static_cast<float>(b)};
    }
    sync_threads(); // the scratch is another group's next
}
