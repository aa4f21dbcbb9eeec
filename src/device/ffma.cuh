// SPDX-License-Identifier: Apache-2.0
//
// The tile of the plain fp32 kernels: a warp's lanes are 32 neighbouring columns, a thread computes a column of ROWS
// pixels for CHANNELS channels.
#pragma once

#include <device/moments.cuh>
#include <device/tile.cuh>

template <int CHANNELS, int ROWS, int WARPS> struct ffma_shape {
    static constexpr int channels = CHANNELS, rows = ROWS, warps = WARPS;
    using accumulators = float[CHANNELS][ROWS];
};

// The COUNT inputs of one column that the taps of a thread's ROWS outputs touch.
template <int COUNT, int PITCH> struct input_column {
    float value[COUNT];
    __device__ __forceinline__ explicit input_column(const float *x) {
#pragma unroll
        for (int i = 0; i < COUNT; ++i)
            value[i] = x[i * PITCH];
    }
};

// One tap of one input channel: weights[channel] times the inputs from `x` down, STRIDE rows apart.
template <class S, int STRIDE = 1>
__device__ __forceinline__ void ffma_tap(typename S::accumulators &d, const float *weights, const float *x) {
    static_assert(S::channels % 4 == 0, "weights are read four at a time");
#pragma unroll
    for (int c = 0; c < S::channels; c += 4) {
        const float4 w = load_global_16(weights + c);
#pragma unroll
        for (int row = 0; row < S::rows; ++row) {
            d[c + 0][row] += w.x * x[row * STRIDE];
            d[c + 1][row] += w.y * x[row * STRIDE];
            d[c + 2][row] += w.z * x[row * STRIDE];
            d[c + 3][row] += w.w * x[row * STRIDE];
        }
    }
}

// The moments of the block's tile, a channel at a time: of each warp's pixels first, then over the warps in order.
// `scratch`: warps * channels entries of shared memory that nothing else uses.
template <class S, int C_OUT>
__device__ __forceinline__ void ffma_write_moments(const cs_conv_args &args, const conv_tile &tile,
                                                   const typename S::accumulators &values, cs_moments *scratch) {
    const int warp = thread_index() / 32, lane = thread_index() % 32;
    const int rows = rows_of_warp<S::rows>(tile, warp);
    const float count = static_cast<float>(rows * tile.cols);
    const float inverse = count > 0.0f ? 1.0f / count : 0.0f;
#pragma unroll
    for (int c = 0; c < S::channels; ++c) {
        float sum = 0.0f, m2 = 0.0f;
#pragma unroll
        for (int row = 0; row < S::rows; ++row)
            if (row < rows && lane < tile.cols)
                sum += values[c][row];
        const float mean = sum_over_lanes<32>(sum) * inverse;
#pragma unroll
        for (int row = 0; row < S::rows; ++row)
            if (row < rows && lane < tile.cols)
                m2 += (values[c][row] - mean) * (values[c][row] - mean);
        m2 = sum_over_lanes<32>(m2);
        if (lane == 0)
            scratch[warp * S::channels + c] = {mean, m2};
    }
    write_tile_moments<S::warps, S::rows, S::channels, C_OUT>(args, tile, scratch);
}

// Normalises (NORMALISE) the block's tile, takes it through what stands behind that, and writes the part of it that
// lies in y.
template <class S, int C_OUT, bool NORMALISE, class Behind = nothing_behind>
__device__ __forceinline__ void ffma_write_outputs(const cs_conv_args &args, const conv_tile &tile,
                                                   const typename S::accumulators &values) {
    const int warp = thread_index() / 32, lane = thread_index() % 32;
#pragma unroll
    for (int c = 0; c < S::channels; ++c) {
        const int channel = tile.channel + c;
        if (channel >= C_OUT)
            break;
        cs_affine norm = {1.0f, 0.0f};
        if (NORMALISE)
            norm = normalisation<C_OUT>(args, tile, channel);
        float *const plane = output_plane(args, tile, channel);
        const Behind behind(args, channel, plane - static_cast<const float *>(args.y));
#pragma unroll
        for (int i = 0; i < S::rows; ++i) {
            const int row = warp * S::rows + i;
            const int64_t at = row * args.y_strides[2] + lane;
            if (row < tile.rows && lane < tile.cols)
                store_global(plane + at, behind(NORMALISE ? values[c][i] * norm.a + norm.b : values[c][i], at));
        }
    }
}
