% local row, g, packed = plan.row, plan.geometry, plan.packed
% local shape, k = g.shape, g.k
% require_that(shape.n % 16 == 0 and shape.n <= 256, "a product has at most 256 columns, which come in pairs of eight")
% require_that(k.row_bytes == k.channels * shape.operand_bytes, "a pixel's channels of a chunk are a row")
% require_that(shape.input_bytes % 1024 == 0 and shape.stage_bytes % 1024 == 0, "operands are swizzled in places of 1024 bytes")
% require_that(shape.slice_bytes == 64 * 68 * 4, "as GEMM_SLICE_FLOATS in src/device/gemm_epilogue.cuh")
% local S = plan.name .. "_shape"
% local taps = row.kh * row.kw
% local side, normalise = plan.epilogue.before, plan.epilogue.normalises
% local slots, channels = side.slots, g.channel_blocks * 64
% local pixels = row.layout == "nhwc"
% local at_once, writes = plan.gemm.at_once, plan.gemm.at_once or not normalise
% -- By the copy engine, where it can.
% local stored = writes and (not pixels or shape.operand_bytes == 2)
% local behind = #plan.epilogue.behind.ops > 0 and plan.name .. "_behind" or "nothing_behind"
% local parameter, argument = "", ""
% if slots > 0 then
%     parameter, argument = (", const channel_constants<%d> &constants"):format(slots), ", constants"
% end
% if side.tensors > 0 then
%     parameter = ("%s, const tensor_values<%d> &value_tensors"):format(parameter, side.tensors)
%     argument = argument .. ", tensors.load(row * args.y_strides[2] + (col + i) * args.y_strides[3], row < tile.rows && col + i < cols)"
% end
${include("templates/parts/header.lua")}
#pragma once

#include <device/gemm_copy.cuh>
#include <device/gemm_normalise.cuh>
#include <device/gemm_overlap.cuh>
#include <device/gemm_store.cuh>
#include <device/group_norm.cuh>
#include <device/pointwise.cuh>

#ifdef CS_HAS_SM90A
struct ${S} {
    using operand = ${shape.operand};
    using tensor = ${plan.dtype.c};
    static constexpr int c_in = ${row.c_in}, c_out = ${row.c_out}, kh = ${row.kh}, kw = ${row.kw};
    static constexpr int pad_h = ${row.pad_h}, pad_w = ${row.pad_w}, stride_h = ${row.stride_h}, stride_w = ${row.stride_w};
    static constexpr int dilation_h = ${row.dilation_h}, dilation_w = ${row.dilation_w}, phases_h = ${k.phases_h.count}, phases_w = ${k.phases_w.count};
    static constexpr int channels = ${k.channels}, chunks = ${k.chunks}, row_bytes = ${k.row_bytes};
    static constexpr int n = ${shape.n}, buffers = ${shape.buffers}, input_bytes = ${shape.input_bytes};
    static constexpr int stages = ${shape.stages}, stage_taps = ${k.stage_taps}, stage_bytes = ${shape.stage_bytes};
    static constexpr int staged = ${shape.staged}, staging = ${shape.staging // 4}, copiers = ${shape.copiers}, slots = ${slots};
    static constexpr bool planes = ${k.planes and "true" or "false"};
};

${include("templates/parts/behind.lua", { from = packed.constants + channels * 2 * slots })}

// The products of one chunk, STEPS of them a tap.
template <int STEPS>
static __device__ __forceinline__ void ${plan.name}_chunk(gemm_computer<${S}> &computer, int pitch, bool first, gemm_values<${S}> &z) {
    uint64_t inputs, weights;
% for i, tap in ipairs(k.taps) do
%     local in_stage = (i - 1) % k.stage_taps
%     if i == 1 or tap.phase > k.taps[i - 1].phase then
    inputs = computer.wait_for_inputs();
%     end
%     if in_stage == 0 then
    weights = computer.wait_for_weights();
    wgmma_fence();
%     end
    // tap (${tap.ky},${tap.kx})
    gemm_tap<${S}, STEPS>(z, wgmma_moved(weights, ${in_stage * 64 * k.row_bytes // 16}, 0), wgmma_moved(inputs, (${tap.row} * pitch + ${tap.col}) * ${k.row_bytes // 16}, 0), ${i == 1 and "!first" or "true"});
%     if in_stage == k.stage_taps - 1 or i == taps then
%         local stage = (i - 1) // k.stage_taps
    wgmma_commit();
    computer.end_stage();
%         if stage == 0 then
    if (!first)
        computer.release_inputs(${k.boxes_ended[#k.boxes_ended]});
%         elseif k.boxes_ended[stage] > 0 then
    computer.release_inputs(${k.boxes_ended[stage]});
%         end
%     end
% end
}

// The products of one tile.
static __device__ __forceinline__ void ${plan.name}_products(gemm_computer<${S}> &computer, int pitch, gemm_values<${S}> &z) {
    computer.take_turn();
% if k.whole_chunks > 0 then
    for (int chunk = 0; chunk < ${k.whole_chunks}; ++chunk)
        ${plan.name}_chunk<${k.steps}>(computer, pitch, chunk == 0, z);
% end
% if k.whole_chunks < k.chunks then
    ${plan.name}_chunk<${k.last_steps}>(computer, pitch, ${k.chunks == 1 and "true" or "false"}, z);
% end
    computer.end_tile(z, ${k.boxes_ended[#k.boxes_ended]});
}

% if #side.ops > 0 then
// One value of z through the pointwise steps.
static __device__ __forceinline__ float ${plan.name}_pointwise(float value${parameter}) {
    ${include("templates/parts/pointwise.lua", { side = side })}
}

% end
// A computing group's tiles: every other one of the block's.
static __device__ __forceinline__ void ${plan.name}_compute(const gemm_memory<${S}> &memory, const cs_conv_args &args, int group) {
    gemm_computer<${S}> computer(memory, group);
    const int step = static_cast<int>(block_count()), begin = static_cast<int>(block_index()) + group * step;
    for (int i = begin; i < gemm_tiles(args); i += 2 * step) {
        gemm_values<${S}> z;
        ${plan.name}_products(computer, args.gemm.pitch, z);
        const conv_tile tile = gemm_tile(args, i);
        [[maybe_unused]] const gemm_lane at;
% if #side.ops > 0 then
#pragma unroll
        for (int half = 0; half < 2; ++half) {
%     if slots > 0 or side.tensors > 0 then
            const int channel = tile.channel + at.channel(half);
%     end
%     if slots > 0 then
            const auto constants = load_constants<${slots}>(static_cast<const float *>(args.packed) + ${packed.constants}, channel);
%     end
%     if side.tensors > 0 then
            const tensor_places<${plan.dtype.c}, 0, ${side.tensors}> tensors(args, y_place(args, tile.n, channel, tile.row, tile.col));
            const int cols = channel < ${row.c_out} ? tile.cols : 0;
%     end
            gemm_for_pairs<${S}>(args.gemm.pitch, [&](int j, ${side.tensors > 0 and "int row, int col" or "int, int"}) {
#pragma unroll
                for (int i = 0; i < 2; ++i) {
                    float &value = z[4 * j + 2 * half + i];
                    value = ${plan.name}_pointwise(value${argument});
                }
            });
        }
% end
% if at_once or writes and not pixels then
        const gemm_pairs pairs(tile, args.gemm.pitch);
% end
% if at_once then
        if (!args.gemm.at_once) {
            gemm_keep<${S}>(args, tile, i, z);
            continue;
        }
        const float *const packed = static_cast<const float *>(args.packed);
        gemm_normalise<${S}>(args, tile, pairs, packed + ${packed.norm_weight}, packed + ${packed.norm_bias}, z);
% end
% if not writes then
        gemm_keep<${S}>(args, tile, i, z);
% elseif pixels then
        float *const staging = memory.staging + at.thread / GEMM_GROUP * ${shape.staging // 8};
%     if stored then
        if (args.gemm.width > 0) {
            gemm_store_pixels<${S}>(args, tile, z, staging);
            continue;
        }
%     end
        gemm_write_pixels<${S}, GEMM_GROUP, 2, false, nothing_behind>(args, tile, [&](int half, int j, int i) { return z[4 * j + 2 * half + i]; }, staging, [&] { sync_some_threads(1 + at.thread / GEMM_GROUP, GEMM_GROUP); });
% else
        float *const staging = memory.staging + at.thread / 32 * 8 * ${shape.staged};
        if (args.gemm.width == 0) {
#pragma unroll
            for (int half = 0; half < 2; ++half)
                gemm_write_planes<${S}, false, nothing_behind>(args, tile, tile.channel + at.warp * 16 + half * 8, [&](int j, int i) { return z[4 * j + 2 * half + i]; }, staging);
            continue;
        }
        gemm_store_planes<${S}>(args, tile, pairs, z, staging);
% end
    }
% if stored then
    bulk_wait_read<0>();
% end
}
#endif

extern "C" __global__ void __launch_bounds__(GEMM_THREADS, 1) ${plan.name}(const __grid_constant__ cs_conv_args args) {
#ifdef CS_HAS_SM90A
    const gemm_memory<${S}> memory;
    if (thread_index() == 0)
        memory.init_barriers();
    sync_threads();
    if (thread_index() >= 2 * GEMM_GROUP) {
        registers_release<${g.registers_of.loader}>();
% if shape.copiers > 0 then
        if (const int copier = warp_uniform(thread_index() / 32) - GEMM_COPIERS / 32; copier >= 0)
            gemm_copier<${S}>(args).run(memory.units + copier * GEMM_UNIT);
        else if (thread_index() == GEMM_INPUT_LOADER)
            gemm_load_inputs(memory, args, gemm_copy_awaited<${S}>(args));
% else
        if (thread_index() == GEMM_INPUT_LOADER)
            gemm_load_inputs(memory, args, [](int) {});
% end
        else if (thread_index() == GEMM_WEIGHT_LOADER)
            gemm_load_weights(memory, args);
    } else {
        registers_acquire<${g.registers_of.computer}>();
        ${plan.name}_compute(memory, args, warp_uniform(thread_index() / GEMM_GROUP));
    }
#else
    unsupported_architecture(args);
#endif
}

// x as the copy engine reads it, where it is not so already.
extern "C" __global__ void __launch_bounds__(CS_COPY_THREADS) ${plan.name}_copy(const cs_conv_args args) {
% if k.planes then
    copy_planes<${plan.dtype.c}, ${row.c_in}>(args);
% else
    ${pixels and "copy_pixels_on" or "copy_channels_last"}<${plan.dtype.c}, ${shape.operand}, ${row.c_in}>(args);
% end
}

extern "C" __global__ void __launch_bounds__(CS_MERGE_THREADS) ${plan.name}_merge(const cs_conv_args args) {
% if normalise then
    const float *const packed = static_cast<const float *>(args.packed);
    merge_group_norm<${row.c_out}>(args, args.gemm.rows, args.gemm.cols, packed + ${packed.norm_weight}, packed + ${packed.norm_bias});
% else
    (void)args;
% end
}

// Normalises the values of one tile, eight channels a warp, and writes y.
extern "C" __global__ void __launch_bounds__(CS_APPLY_THREADS) ${plan.name}_apply(const cs_conv_args args) {
% if normalise then
#ifdef CS_HAS_SM90A
    const int index = static_cast<int>(block_index()), part = thread_index() / 32;
    const conv_tile tile = gemm_tile(args, index);
%     if pixels then
    gemm_half<${S}> values;
    gemm_load_kept<${S}>(args, index, part / 2, part % 2, values);
    gemm_write_pixels<${S}, CS_APPLY_THREADS, 1, true, ${behind}>(args, tile, [&](int, int j, int i) { return values[2 * j + i]; }, shared_memory<float>(), [] { sync_threads(); });
%     else
    const int first = tile.channel + part * 8;
    if (first >= ${row.c_out})
        return;
    gemm_half<${S}> values;
    gemm_load_kept<${S}>(args, index, part / 2, part % 2, values);
    gemm_write_planes<${S}, true, ${behind}>(args, tile, first, [&](int j, int i) { return values[2 * j + i]; }, shared_memory<float>() + part * 8 * ${shape.staged});
%     end
#else
    unsupported_architecture(args);
#endif
% else
    (void)args;
% end
}

// Weights as operands: [channel block][chunk][tap][channel][${k.channels}], swizzled; padding is zero.
extern "C" __global__ void ${plan.name}_prepack(const cs_pack_args args) {
    float *const packed = static_cast<float *>(args.packed);
    const int first = static_cast<int>(block_index()) * block_threads() + thread_index();
    const int stride = static_cast<int>(block_count()) * block_threads();

% local words = k.row_bytes // 4
    for (int i = first; i < ${packed.weights}; i += stride) {
        const int part = i % ${64 * words} * 4, place = i / ${64 * words};
        const int byte = part ^ ((part / 128 & ${k.row_bytes // 16 - 1}) << 4); // unswizzled
        const int at = place % ${taps}, chunk = place / ${taps} % ${k.chunks}, block = place / ${taps * k.chunks};
        const int channel = block * 64 + byte / ${k.row_bytes}, c_in = chunk * ${k.channels} + byte % ${k.row_bytes} / ${shape.operand_bytes};
% if k.phases == 1 then
        const int ky = at / ${row.kw}, kx = at % ${row.kw};
% else
%     local order = {}
%     for i, tap in ipairs(k.taps) do
%         order[i] = tap.ky * row.kw + tap.kx
%     end
        constexpr int order[] = {${table.concat(order, ", ")}};
        const int ky = order[at] / ${row.kw}, kx = order[at] % ${row.kw};
% end
        const auto weight = [&](int c) {
            const bool real = channel < ${row.c_out} && c < ${row.c_in};
            return real ? load_weight(&args, channel, c, ky, kx) : 0.0f;
        };
% if shape.operand_bytes == 2 then
        const uint32_t value = pack_elements<${shape.operand}>(weight(c_in), weight(c_in + 1));
% else
        const uint32_t value = tf32_round(weight(c_in));
% end
        memcpy(packed + i, &value, sizeof value);
    }

% if plan.epilogue.slots > 0 or normalise then
    for (int channel = first; channel < ${channels}; channel += stride) {
        ${include("templates/parts/constants.lua", { params = "args", channels = channels })}
    }
% end
}
