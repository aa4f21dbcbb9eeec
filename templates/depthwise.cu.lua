% local row, g, packed = plan.row, plan.geometry, plan.packed
% local shape = g.shape
% require_that(row.group_c_in == 1, "depthwise.cu.lua emits kernels of one input channel an output channel")
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
%     argument = argument .. ", tensors.load(i * args.y_strides[2] + j, at.has(tile, i, j))"
% end
% local element = plan.dtype.c
${include("templates/parts/header.lua")}
#pragma once

#include <device/depthwise.cuh>
#include <device/group_norm.cuh>
#include <device/pointwise.cuh>

// One value of z through the pointwise steps.
static __device__ __forceinline__ float ${plan.name}_pointwise(float value${parameter}) {
    ${include("templates/parts/pointwise.lua", { side = side })}
}
${include("templates/parts/behind.lua", { from = packed.constants + channels * 2 * slots })}

extern "C" __global__ void __launch_bounds__(${g.threads}, ${g.blocks_per_sm}) ${plan.name}(const cs_conv_args args) {
    // Elements; lanes across, columns and rows a thread, warps; rows, pitch and elements of what is staged for a warp; its place.
    using shape = depthwise_shape<${element}, ${shape.lanes}, ${shape.cols}, ${shape.rows}, ${g.warps}, ${shape.staged_rows}, ${shape.pitch}, ${shape.plane}, ${g.window}>;
    tile_walk<${g.tile_c}, ${g.tile_h}, ${g.tile_w}> walk(args);
    const int warp = warp_uniform(thread_index() / 32), channel = walk.channel + warp;
    if (channel >= ${row.c_out})
        return; // no other warp waits
    ${element} *const stages = shared_memory<${element}>() + warp * ${g.k.stages} * shape::plane;
    const auto copy = [&](int stage) {
        if (walk.inside(args))
            copy_plane<shape>(stages + stage * shape::plane, args, walk.tile(args), ${row.group_c_out == 1 and "channel" or "channel / " .. row.group_c_out});
        cp_async_commit();
    };
    copy(0);
    const float *const packed = static_cast<const float *>(args.packed);
    const float *const weights = packed + channel * ${taps};
% if g.kept then
    float taps[${taps}];
#pragma unroll
    for (int i = 0; i < ${taps}; ++i)
        taps[i] = load_global(weights + i);
% end
% if slots > 0 then
    const auto constants = load_constants<${slots}>(packed + ${packed.constants}, channel);
% end
    const depthwise_lane<shape> at;
    int stage = 0;
    while (walk.inside(args)) {
        const conv_tile tile = walk.tile(args);
        walk.advance(args);
        cp_async_wait<0>();
        sync_warp(); // the tile is there, and no lane reads the one before it any more
        copy(stage ^ 1);

% local shift = shape.lead - row.pad_w
% local early = shape.cols == 2 and shift % 2 or 0
        const ${element} *const x = stages + stage * shape::plane + at.row * ${row.stride_h * shape.pitch} + at.col * ${row.stride_w} + ${shift - early};
        stage ^= 1;
        shape::accumulators z = {};
% if shape.cols == 2 then
        depthwise_taps_of_words<shape, ${g.column}, ${row.kh}, ${row.kw}, ${row.dilation_h}, ${early}>(z, x, [&](int kx, int ky) { return taps[kx * ${row.kh} + ky]; });
% else
#pragma unroll${g.kept and "" or " 1"}
        for (int kx = 0; kx < ${row.kw}; ++kx) {
            const depthwise_column<shape, ${g.column}> in(x + kx * ${row.dilation_w});
#pragma unroll
            for (int ky = 0; ky < ${row.kh}; ++ky)
                depthwise_tap<shape>(z[0], ${g.kept and ("taps[kx * %d + ky]"):format(row.kh) or ("load_global(weights + kx * %d + ky)"):format(row.kh)}, in.value + ky * ${row.dilation_h});
        }
% end

% if side.tensors > 0 then
        const tensor_places<${element}, 0, ${side.tensors}> tensors(args, y_place(args, tile.n, channel, tile.row + at.row, tile.col + at.col));
% end
#pragma unroll
        for (int j = 0; j < shape::cols; ++j)
#pragma unroll
            for (int i = 0; i < shape::rows; ++i)
                z[j][i] = ${plan.name}_pointwise(z[j][i]${argument});

% if normalise then
        if (args.pass == CS_PASS_STATISTICS)
            depthwise_write_moments<shape, ${row.c_out}>(args, tile, channel, z);
        else
            depthwise_write_outputs<shape, ${row.c_out}, true${behind}>(args, tile, channel, z);
% else
        depthwise_write_outputs<shape, ${row.c_out}, false>(args, tile, channel, z);
% end
    }
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
// Weights in the order of use: [channel][kx][ky]${rounded}; padding is zero.
extern "C" __global__ void ${plan.name}_prepack(const cs_pack_args args) {
    float *const packed = static_cast<float *>(args.packed);
    const int first = static_cast<int>(block_index()) * block_threads() + thread_index();
    const int stride = static_cast<int>(block_count()) * block_threads();

    for (int i = first; i < ${packed.weights}; i += stride) {
        const int ky = i % ${row.kh}, kx = i / ${row.kh} % ${row.kw}, channel = i / ${taps};
        packed[i] = channel < ${row.c_out} ? round_to_element(${plan.dtype.element}, load_weight(&args, channel, 0, ky, kx)) : 0.0f;
    }

% if plan.epilogue.slots > 0 or normalise then
    for (int channel = first; channel < ${channels}; channel += stride) {
        ${include("templates/parts/constants.lua", { params = "args", channels = channels })}
    }
% end
}
