% local row, g, packed = plan.row, plan.geometry, plan.packed
% require_that(row.group_c_in == 1 and row.layout == "nhwc", "depthwise_nhwc.lua emits depthwise kernels for NHWC")
% local taps = row.kh * row.kw
% local side = plan.epilogue.before
% local slots = side.slots
% local channels = g.channel_blocks * g.tile_c
% local behind = #plan.epilogue.behind.ops > 0 and (", %s_behind"):format(plan.name) or ""
% local normalise = plan.epilogue.normalises
% local parameter = slots > 0 and (", const channel_constants<%d> &constants"):format(slots) or ""
% local argument = slots > 0 and ", constants" or ""
% if side.tensors > 0 then
%     parameter = ("%s, const tensor_values<%d> &value_tensors"):format(parameter, side.tensors)
%     argument = argument .. ", tensors.load(i * args.y_strides[2] + j * args.y_strides[3], channel + c < " .. row.c_out .. " && first_row + i < tile.rows && j < tile.cols)"
% end
% local lanes = g.shape.channels
% local element = plan.dtype.c
${include("templates/parts/header.lua")}
#pragma once

#include <device/depthwise_nhwc.cuh>
#include <device/group_norm.cuh>
#include <device/pointwise.cuh>

// One value of z through the pointwise steps.
static __device__ __forceinline__ float ${plan.name}_pointwise(float value${parameter}) {
    ${include("templates/parts/pointwise.lua", { side = side })}
}
${include("templates/parts/behind.lua", { from = packed.constants + channels * 2 * slots })}

extern "C" __global__ void __launch_bounds__(${g.threads}) ${plan.name}(const cs_conv_args args) {
    // Elements; channels a lane; channels of y, and to one of x; rows and columns a thread; warps; kernel; dilation; the
    // window's place.
    using shape = depthwise_pixels<${element}, ${lanes}, ${row.c_out}, ${row.group_c_out}, ${g.shape.rows}, ${g.shape.cols}, ${g.warps}, ${row.kh}, ${row.kw}, ${row.dilation_h}, ${row.dilation_w}, ${g.window}>;
    const conv_tile tile = locate_tile<${g.tile_c}, ${g.tile_h}, ${g.tile_w}>(args);
    const int first_row = thread_index() / 32 * shape::rows, channel = tile.channel + thread_index() % 32${lanes > 1 and " * " .. lanes or ""};
    const float *const packed = static_cast<const float *>(args.packed);
    const float *const weights = packed + channel;
% if g.kept then
    float taps[${lanes}][${taps}];
#pragma unroll
    for (int i = 0; i < ${lanes * taps}; ++i)
        taps[i % ${lanes}][i / ${lanes}] = load_global(weights + i / ${lanes} * ${channels} + i % ${lanes});
    const auto tap = [&](int c, int ky, int kx) { return taps[c][ky * ${row.kw} + kx]; };
% else
    const auto tap = [&](int c, int ky, int kx) { return load_global(weights + (ky * ${row.kw} + kx) * ${channels} + c); };
% end
    shape::accumulators z = {};
    convolve_pixels<shape>(z, args, tile, first_row, channel, tap);

#pragma unroll
    for (int c = 0; c < shape::channels; ++c) {
% if slots > 0 then
        const auto constants = load_constants<${slots}>(packed + ${packed.constants}, channel + c);
% end
% if side.tensors > 0 then
        const tensor_places<${element}, 0, ${side.tensors}> tensors(args, y_place(args, tile.n, channel + c, tile.row + first_row, tile.col));
% end
#pragma unroll
        for (int i = 0; i < shape::rows; ++i)
#pragma unroll
            for (int j = 0; j < shape::cols; ++j)
                z[c][i][j] = ${plan.name}_pointwise(z[c][i][j]${argument});
    }

% if normalise then
    if (args.pass == CS_PASS_STATISTICS)
        write_moments_of_pixels<shape>(args, tile, z, shared_memory<cs_moments>());
    else
        write_single_pixels<shape, true${behind}>(args, tile, first_row, channel, z);
% else
    write_single_pixels<shape, false>(args, tile, first_row, channel, z);
% end
}

extern "C" __global__ void __launch_bounds__(CS_MERGE_THREADS) ${plan.name}_merge(const cs_conv_args args) {
% if normalise then
    const float *const packed = static_cast<const float *>(args.packed);
    merge_group_norm<${row.c_out}>(args, ${g.tile_h}, ${g.tile_w}, packed + ${packed.norm_weight}, packed + ${packed.norm_bias});
% else
    (void)args;
% end
}

% local rounded = plan.dtype.name == "f32" and "" or (", rounded to %s"):format(plan.dtype.name)
// Weights in the order of use: [ky][kx][channel]${rounded}; padding is zero.
extern "C" __global__ void ${plan.name}_prepack(const cs_pack_args args) {
    float *const packed = static_cast<float *>(args.packed);
    const int first = static_cast<int>(block_index()) * block_threads() + thread_index();
    const int stride = static_cast<int>(block_count()) * block_threads();

    for (int i = first; i < ${packed.weights}; i += stride) {
        const int channel = i % ${channels}, tap = i / ${channels};
        packed[i] = channel < ${row.c_out} ? round_to_element(${plan.dtype.element}, load_weight(&args, channel, 0, tap / ${row.kw}, tap % ${row.kw})) : 0.0f;
    }

% if plan.epilogue.slots > 0 or normalise then
    for (int channel = first; channel < ${channels}; channel += stride) {
        ${include("templates/parts/constants.lua", { params = "args", channels = channels })}
    }
% end
}
