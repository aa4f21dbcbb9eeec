% local row, g, k, packed = plan.row, plan.geometry, plan.geometry.k, plan.packed
% require_that(plan.strategy == "mma" and plan.dtype.name == "f32", "mma.cu.lua emits mma with f32 tensors")
% require_that(k.stages == math.min(k.chunks, 2), "two stages when there is more than one chunk")
% require_that(#k.quads <= 2 * k.steps, "a step holds two quads")
% local fragments = g.shape.m * 128
% local slots = plan.epilogue.slots
% local normalise = plan.epilogue.normalises
% local parameter = slots > 0 and (", const channel_constants<%d> &constants"):format(slots) or ""
% local argument = slots > 0 and ", constants" or ""
${include("templates/parts/header.lua")}
#pragma once

#include <device/group_norm.cuh>
#include <device/mma.cuh>
#include <device/pointwise.cuh>

// One value of z through the pointwise steps.
static __device__ __forceinline__ float ${plan.name}_pointwise(float value${parameter}) {
    ${include("templates/parts/pointwise.lua")}
}

extern "C" __global__ void __launch_bounds__(${g.threads}) ${plan.name}(const cs_conv_args args) {
    using shape = mma_shape<${g.shape.m}, ${g.shape.n}, ${g.warps}, ${g.tile_w}>; // channel tiles; pixel tiles a warp; warps; columns
    const conv_tile tile = locate_tile<${g.tile_c}, ${g.tile_h}, ${g.tile_w}>(args);
    const mma_lane at;
    float *const stages = shared_memory<float>();
    const float *const packed = static_cast<const float *>(args.packed);
    const float *weights = packed + tile.channel / ${g.tile_c} * ${k.chunks * k.steps * fragments} + at.lane * 4;
    shape::accumulators z = {};

    const auto copy_chunk = [&](int chunk) {
        copy_inputs<${row.c_in}, ${k.channels}, ${k.rows}, ${k.pitch}, ${k.pitch}, ${k.plane}, ${g.threads}>(
            stages + chunk % ${k.stages} * ${k.stage}, args, tile, chunk * ${k.channels});
        cp_async_commit();
    };
    copy_chunk(0);
% if k.chunks > 1 then
    for (int chunk = 0; chunk < ${k.chunks}; ++chunk, weights += ${k.steps * fragments}) {
        if (chunk + 1 < ${k.chunks}) {
            copy_chunk(chunk + 1);
            cp_async_wait<1>();
        } else {
            cp_async_wait<0>();
        }
        sync_threads();
        const float *const x = stages + chunk % ${k.stages} * ${k.stage} + at.warp * shape::warp_rows * ${k.pitch} + at.pixel() + at.k() * ${k.lane_stride};
% else
    cp_async_wait<0>();
    sync_threads();
    {
        const float *const x = stages + at.warp * shape::warp_rows * ${k.pitch} + at.pixel() + at.k() * ${k.lane_stride};
% end

% for step = 0, k.steps - 1 do
%     local low, high = k.quads[2 * step + 1], k.quads[2 * step + 2] or k.nothing
%     local function valid(quad)
%         return quad.lanes == 4 and "true" or quad.lanes == 0 and "false" or "at.k() < " .. quad.lanes
%     end
%     local function offset(quad)
%         return quad.c * k.plane + quad.ky * k.pitch + quad.kx
%     end
        // ${low.label}; ${high.label}
        mma_step<shape, ${k.pitch}>(z, weights + ${step * fragments}, x + ${offset(low)}, ${valid(low)}, x + ${offset(high)}, ${valid(high)});
% end
        sync_threads();
    }

#pragma unroll
    for (int m = 0; m < shape::m; ++m)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
% if slots > 0 then
            const auto constants =
                load_constants<${slots}>(packed + ${packed.constants}, tile.channel + m * 16 + half * 8 + at.channel());
% end
#pragma unroll
            for (int i = 0; i < shape::n * 2; ++i)
                z[m][i / 2][half * 2 + i % 2] = ${plan.name}_pointwise(z[m][i / 2][half * 2 + i % 2]${argument});
        }

% if normalise then
    if (args.pass == CS_PASS_STATISTICS)
        mma_write_moments<shape, ${row.c_out}>(args, tile, z, shared_memory<cs_moments>());
    else
        mma_write_outputs<shape, ${row.c_out}, true>(args, tile, z);
% else
    mma_write_outputs<shape, ${row.c_out}, false>(args, tile, z);
% end
}

extern "C" __global__ void __launch_bounds__(CS_MERGE_THREADS) ${plan.name}_merge(const cs_conv_args args) {
% if normalise then
    const float *const packed = static_cast<const float *>(args.packed);
    merge_group_norm<${row.c_out}, ${g.tile_h}, ${g.tile_w}>(args, packed + ${packed.norm_weight}, packed + ${packed.norm_bias});
% else
    (void)args;
% end
}

// Weights as a fragments: [channel block][chunk][step][channel tile][lane][4], rounded to tf32; padding is zero.
extern "C" __global__ void ${plan.name}_prepack(const cs_pack_args args) {
    float *const packed = static_cast<float *>(args.packed);
    const int first = static_cast<int>(block_index()) * block_threads() + thread_index();
    const int stride = static_cast<int>(block_count()) * block_threads();

    for (int i = first; i < ${packed.weights}; i += stride) {
        const int part = i % 4, lane = i / 4 % 32, m = i / 128 % ${g.shape.m};
        const int step = i / ${fragments} % ${k.steps}, chunk = i / ${k.steps * fragments} % ${k.chunks}, block = i / ${k.chunks * k.steps * fragments};
        const int channel = block * ${g.tile_c} + m * 16 + part % 2 * 8 + lane / 4;
        const int quad = step * 2 + part / 2;
        ${include("templates/parts/quad.lua", { chunk = "chunk" })}
        const bool real = quad < ${#k.quads} && channel < ${row.c_out} && c_in < ${row.c_in} && kx < ${row.kw};
        const uint32_t value = real ? tf32_round(load_element(args.parameter_dtype, args.weight, ((channel * ${row.c_in} + c_in) * ${row.kh} + ky) * ${row.kw} + kx)) : 0u;
        memcpy(packed + i, &value, sizeof value);
    }

% if slots > 0 or normalise then
    for (int channel = first; channel < ${g.channel_blocks * g.tile_c}; channel += stride) {
        ${include("templates/parts/constants.lua", { params = "args" })}
    }
% end
}
