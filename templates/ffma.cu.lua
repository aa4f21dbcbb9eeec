% local row, g, k, packed = plan.row, plan.geometry, plan.geometry.k, plan.packed
% require_that(plan.strategy == "ffma" and plan.dtype.name == "f32", "ffma.cu.lua emits ffma with f32 tensors")
% require_that(k.stages == math.min(k.chunks, 2), "two stages when there is more than one chunk")
% require_that(g.tile_w == 32, "a lane a column")
% local nhwc = row.layout == "nhwc"
% local write = nhwc and "ffma_write_pixels" or "ffma_write_outputs"
% local taps = row.kh * row.kw
% local function times(stride) return stride == 1 and "" or " * " .. stride end
% local ffma_tap = row.stride_h == 1 and "ffma_tap<shape>" or ("ffma_tap<shape, %d>"):format(row.stride_h)
% local chunk_weights = k.channels * taps * g.channels
% local side = plan.epilogue.before
% local slots = side.slots
% local channels = g.channel_blocks * g.tile_c
% local behind = #plan.epilogue.behind.ops > 0 and (", %s_behind"):format(plan.name) or ""
% local normalise = plan.epilogue.normalises
% local parameter = slots > 0 and (", const channel_constants<%d> &constants"):format(slots) or ""
% local argument = slots > 0 and ", constants" or ""
% if side.tensors > 0 then
%     parameter = ("%s, const tensor_values<%d> &value_tensors"):format(parameter, side.tensors)
%     argument = argument .. ", tensors.load(i * args.y_strides[2], i < real_rows)"
% end
${include("templates/parts/header.lua")}
#pragma once

#include <device/${nhwc and "ffma_nhwc" or "ffma"}.cuh>
#include <device/group_norm.cuh>
#include <device/pointwise.cuh>

// One value of z through the pointwise steps.
static __device__ __forceinline__ float ${plan.name}_pointwise(float value${parameter}) {
    ${include("templates/parts/pointwise.lua", { side = side })}
}
${include("templates/parts/behind.lua", { from = packed.constants + channels * 2 * slots })}

extern "C" __global__ void __launch_bounds__(${g.threads}) ${plan.name}(const cs_conv_args args) {
    using shape = ffma_shape<${g.channels}, ${g.rows}, ${g.warps}>; // channels and pixels a thread; warps
    using column = input_column<${(g.rows - 1) * row.stride_h + row.reach_h}, ${k.pitch}>;
    const conv_tile tile = locate_tile<${g.tile_c}, ${g.tile_h}, ${g.tile_w}>(args);
    const int warp = thread_index() / 32, lane = thread_index() % 32;
    float *const stages = shared_memory<float>();
    const float *const packed = static_cast<const float *>(args.packed);
    const float *weights = packed + tile.channel / ${g.tile_c} * ${k.chunks * chunk_weights};
    shape::accumulators z = {};

% if row.conv_groups > 1 then
    const int group_begin = tile.channel / ${row.group_c_out} * ${row.group_c_in}; // in the channels of x
% end
    const auto copy_chunk = [&](int chunk) {
        ${nhwc and "copy_inputs_nhwc" or "copy_inputs"}<${row.group_c_in}, ${k.channels}, ${k.rows}, ${k.pitch}, ${k.pitch}, ${k.plane}, ${g.threads}${g.window and ", " .. g.window or ""}>(
            stages + chunk % ${k.stages} * ${k.stage}, args, tile, chunk * ${k.channels}${row.conv_groups > 1 and ", group_begin" or ""});
        cp_async_commit();
    };
    copy_chunk(0);
% if k.chunks > 1 then
    for (int chunk = 0; chunk < ${k.chunks}; ++chunk, weights += ${chunk_weights}) {
        if (chunk + 1 < ${k.chunks}) {
            copy_chunk(chunk + 1);
            cp_async_wait<1>();
        } else {
            cp_async_wait<0>();
        }
        sync_threads();
        const float *const x = stages + chunk % ${k.stages} * ${k.stage} + warp * shape::rows * ${k.pitch * row.stride_h} + lane${times(row.stride_w)};
% else
    cp_async_wait<0>();
    sync_threads();
    {
        const float *const x = stages + warp * shape::rows * ${k.pitch * row.stride_h} + lane${times(row.stride_w)};
% end
% local weight = 0
% for c = 0, k.channels - 1 do
%     for kx = 0, row.kw - 1 do
        { // channel ${c}, taps (0,${kx}) to (${row.kh - 1},${kx})
            const column in(x + ${c * k.plane + kx * row.dilation_w});
%         for ky = 0, row.kh - 1 do
            ${ffma_tap}(z, weights + ${weight}, in.value + ${ky * row.dilation_h});
%             weight = weight + g.channels
%         end
        }
%     end
% end
        sync_threads();
    }

#pragma unroll
    for (int c = 0; c < shape::channels; ++c) {
% if slots > 0 then
        const auto constants = load_constants<${slots}>(packed + ${packed.constants}, tile.channel + c);
% end
% if side.tensors > 0 then
        const tensor_places<float, 0, ${side.tensors}> tensors(args, y_place(args, tile.n, tile.channel + c, tile.row + warp * shape::rows, tile.col + lane));
        const int real_rows = tile.channel + c < ${row.c_out} && lane < tile.cols ? tile.rows - warp * shape::rows : 0;
% end
#pragma unroll
        for (int i = 0; i < shape::rows; ++i)
            z[c][i] = ${plan.name}_pointwise(z[c][i]${argument});
    }

% if normalise then
    if (args.pass == CS_PASS_STATISTICS)
        ffma_write_moments<shape, ${row.c_out}>(args, tile, z, shared_memory<cs_moments>());
    else
        ${write}<shape, ${row.c_out}, true${behind}>(args, tile, z);
% else
    ${write}<shape, ${row.c_out}, false>(args, tile, z);
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

// Weights in the order of use: [channel block][input channel][kx][ky][channel]; padding is zero.
extern "C" __global__ void ${plan.name}_prepack(const cs_pack_args args) {
    float *const packed = static_cast<float *>(args.packed);
    const int first = static_cast<int>(block_index()) * block_threads() + thread_index();
    const int stride = static_cast<int>(block_count()) * block_threads();

    for (int i = first; i < ${packed.weights}; i += stride) {
        const int ky = i / ${g.channels} % ${row.kh}, kx = i / ${g.channels * row.kh} % ${row.kw};
        const int c_in = i / ${g.channels * taps} % ${k.chunks * k.channels};
        const int channel = i / ${k.chunks * chunk_weights} * ${g.channels} + i % ${g.channels};
        const bool real = channel < ${row.c_out} && c_in < ${row.group_c_in};
        packed[i] = real ? load_weight(&args, channel, c_in, ky, kx) : 0.0f;
    }

% if slots > 0 or normalise then
    for (int channel = first; channel < ${channels}; channel += stride) {
        ${include("templates/parts/constants.lua", { params = "args", channels = channels })}
    }
% end
}
