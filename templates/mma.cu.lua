% local row, g, k, packed = plan.row, plan.geometry, plan.geometry.k, plan.packed
% local shape = g.shape
% require_that((plan.dtype.bytes == 2) == (k.axis == "pair" or k.axis == "column_pair"), "elements of 16 bits come in pairs")
% require_that(k.stages == 2, "a chunk is brought while another is read")
% require_that(k.chunks == 1 or not g.in_registers, "weights in registers are those of all chunks")
% require_that(#k.quads <= 2 * k.steps, "a step holds two quads")
% local fragments = shape.m * shape.pieces * 128
% local nhwc = row.layout == "nhwc"
% local line, apart = k.row_step * row.stride_h, row.stride_w == 1 and "" or ", " .. row.stride_w
% local mma_step
% if nhwc then
%     mma_step = ("mma_step_pixels<shape, %d, %d>"):format(line, k.col_step * row.stride_w)
% elseif k.axis == "pair" then
%     mma_step = ("mma_step_pairs<shape, %d, %d%s>"):format(line, k.plane, apart)
% elseif k.axis == "column_pair" then
%     mma_step = ("mma_step_column_pairs<shape, %d%s>"):format(line, apart)
% else
%     mma_step = ("mma_step<shape, %d, %d%s>"):format(line, k.vector, apart)
% end
% local function times(stride) return stride == 1 and "" or " * " .. stride end
% local write = nhwc and "write_pixels" or "write_outputs"
% local element = plan.dtype.c
% local side = plan.epilogue.before
% local slots = side.slots
% local channels = g.channel_blocks * g.tile_c
% local behind = #plan.epilogue.behind.ops > 0 and (", %s_behind"):format(plan.name) or ""
% local normalise = plan.epilogue.normalises
% local parameter = slots > 0 and (", const channel_constants<%d> &constants"):format(slots) or ""
% local argument = slots > 0 and ", constants" or ""
% if side.tensors > 0 then
%     parameter = ("%s, const tensor_values<%d> &first_tensors, const tensor_values<%d> &second_tensors"):format(parameter, side.tensors, side.tensors)
%     argument = argument .. ", tensors_of(n, 0), tensors_of(n, 1)"
% end
${include("templates/parts/header.lua")}
#pragma once

#include <device/group_norm.cuh>
#include <device/${nhwc and "mma_nhwc" or "mma"}.cuh>
#include <device/pointwise.cuh>

% local pointwise = #side.ops > 0
% if pointwise then
// Two values of z of one channel through the pointwise steps.
static __device__ __forceinline__ void ${plan.name}_pointwise(float &first, float &second${parameter}) {
    ${include("templates/parts/pointwise_pair.lua", { side = side })}
}
% end
${include("templates/parts/behind.lua", { from = packed.constants + channels * 2 * slots })}

extern "C" __global__ void __launch_bounds__(${g.threads}, ${g.blocks_per_sm}) ${plan.name}(const cs_conv_args args) {
    // Elements; channel tiles and rows of a warp's unit; warps, parts of the channels, units across; pieces of a number; columns between a lane's.
    using shape = mma_shape<${element}, ${shape.m}, ${shape.rows}, ${g.warps}, ${shape.parts}, ${shape.across}, ${shape.pieces}, ${k.apart}>;
    const mma_lane at;
    const mma_unit<shape> unit(at.warp);
    tile_walk<${g.tile_c}, ${g.tile_h}, ${g.tile_w}> walk(args);
    ${element} *const stages = shared_memory<${element}>();
    float *const staging = reinterpret_cast<float *>(stages + ${k.stages * k.stage});
    const float *const packed = static_cast<const float *>(args.packed);
    const float *weights = packed + (walk.channel / ${g.tile_c} * ${shape.parts} + unit.part) * ${k.chunks * k.steps * fragments} + at.lane * 4;
    const ${element} *const x = stages + unit.row * ${line} + (unit.col + mma_input_column<shape>(at.pixel()))${times(row.stride_w * k.col_step)} + at.k() * ${k.lane_stride};
% if g.in_registers then
    mma_weights<${shape.m}, ${shape.pieces}> a[${k.steps}];
#pragma unroll
    for (int step = 0; step < ${k.steps}; ++step)
        a[step] = mma_weights<${shape.m}, ${shape.pieces}>(weights + step * ${fragments});
% end

% if row.conv_groups > 1 then
    const int group_begin = walk.channel / ${row.group_c_out} * ${row.group_c_in}; // in the channels of x
% end
    const auto copy_chunk = [&](int stage, int chunk) {
        if (walk.inside(args))
            ${nhwc and "copy_pixels" or "copy_lines"}<${row.group_c_in}, ${k.channels}, ${k.rows}, ${k.pitch}, ${nhwc and k.pixel or k.plane}, shape::threads${g.window and ", " .. g.window or ""}>(
                stages + stage * ${k.stage}, args, walk.tile(args), chunk * ${k.channels}${row.conv_groups > 1 and ", group_begin" or ""});
        cp_async_commit();
    };
% local cut = (nhwc or plan.dtype.bytes == 4) and "cut, " or ""
% if cut ~= "" then
    const shape::cut cut;
% end
    copy_chunk(0, 0);
    int stage = 0;
    while (walk.inside(args)) {
        const conv_tile tile = walk.tile(args);
        shape::accumulators z = {};
        for (int chunk = 0; chunk < ${k.chunks}; ++chunk) {
            if (chunk + 1 == ${k.chunks})
                walk.advance(args);
% if not g.in_registers then
            const float *const fragments = opaque(weights)${k.chunks > 1 and " + chunk * " .. k.steps * fragments or ""};
%     if g.early_weights then
            const mma_weights<${shape.m}, ${shape.pieces}> first_weights(fragments); // under way while others wait
%     end
% end
            cp_async_wait<0>();
            sync_threads(); // the chunk is there, and nobody reads the one before it any more
            copy_chunk(stage ^ 1, (chunk + 1) % ${k.chunks});
            const ${element} *const in = x + stage * ${k.stage};
            stage ^= 1;

% for step = 0, k.steps - 1 do
%     local low, high = k.quads[2 * step + 1], k.quads[2 * step + 2] or k.nothing
%     local function valid(quad)
%         if k.axis == "column_pair" then
%             return ("pair_mask(at.k(), %d, %d)"):format(quad.first, quad.after)
%         elseif quad.cut then
%             return ("is_index(at.k() * 2%+d, %d)"):format(quad.kx, row.kw)
%         end
%         return quad.lanes == 4 and "true" or quad.lanes == 0 and "false" or "at.k() < " .. quad.lanes
%     end
%     local function offset(quad)
%         return quad.c * k.c_step + quad.ky * row.dilation_h * k.row_step + quad.kx * row.dilation_w * k.col_step + k.shift
%     end
            // ${low.label}; ${high.label}
%     local operand = ("a[%d]"):format(step)
%     if not g.in_registers then
%         operand = g.early_weights and step == 0 and "first_weights" or ("mma_weights<%d, %d>(fragments + %d)"):format(shape.m, shape.pieces, step * fragments)
%     end
            ${mma_step}(z, ${cut}${operand}, in, ${offset(low)}, ${valid(low)}, ${offset(high)}, ${valid(high)});
% end
        }

% if pointwise then
        const int rows = unit.rows(tile), cols = unit.cols(tile);
        if (rows < shape::rows || cols < 32)
            blank_outside<shape>(z, rows, cols);
#pragma unroll
        for (int c = 0; c < shape::m * 2; ++c) {
%     if slots > 0 then
            const auto constants =
                load_constants<${slots}>(packed + ${packed.constants}, tile.channel + unit.part * ${shape.m * 16} + c * 8 + at.channel());
%     end
%     if side.tensors > 0 then
            const int channel = tile.channel + unit.part * ${shape.m * 16} + c * 8 + at.channel();
            const tensor_places<${element}, 0, ${side.tensors}> tensors(args, y_place(args, tile.n, channel, tile.row + unit.row, tile.col + unit.col + mma_first_column<shape>(at.k())));
            const int real_rows = channel < ${row.c_out} ? rows : 0, real_cols = cols - mma_first_column<shape>(at.k());
            const auto tensors_of = [&](int n, int i) {
                const int below = n / 4, right = mma_column<shape>(n, i);
                return tensors.load(below * args.y_strides[2] + right * args.y_strides[3], below < real_rows && right < real_cols);
            };
%     end
#pragma unroll
            for (int n = 0; n < shape::n; ++n)
                ${plan.name}_pointwise(z[c / 2][n][c % 2 * 2], z[c / 2][n][c % 2 * 2 + 1]${argument});
        }
% end

% if normalise then
        if (args.pass == CS_PASS_STATISTICS)
            write_moments<shape, ${row.c_out}>(args, tile, z, reinterpret_cast<cs_moments *>(staging));
        else
            ${write}<shape, ${row.c_out}, true${behind}>(args, tile, z, staging);
% else
        ${write}<shape, ${row.c_out}, false>(args, tile, z, staging);
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

// Weights as a fragments: [channel block][part][chunk][step][channel tile][piece][lane][4], each ${plan.dtype.bytes == 2 and "a pair of " .. plan.dtype.name or "a tf32"}; padding is zero.
extern "C" __global__ void ${plan.name}_prepack(const cs_pack_args args) {
    float *const packed = static_cast<float *>(args.packed);
    const int first = static_cast<int>(block_index()) * block_threads() + thread_index();
    const int stride = static_cast<int>(block_count()) * block_threads();

    for (int i = first; i < ${packed.weights}; i += stride) {
        const int part = i % 4, lane = i / 4 % 32, m = i / ${shape.pieces * 128} % ${shape.m};
        const int step = i / ${fragments} % ${k.steps}, chunk = i / ${k.steps * fragments} % ${k.chunks}, block = i / ${k.chunks * k.steps * fragments};
        const int channel = block * ${shape.m * 16} + m * 16 + part % 2 * 8 + lane / 4;
        const int quad = step * 2 + part / 2;
        ${include("templates/parts/quad.lua", { chunk = "chunk" })}
        const auto weight = [&](int c, int x) {
            const bool real = quad < ${#k.quads} && channel < ${row.c_out} && c < ${row.group_c_in} && is_index(x, ${row.kw});
            return real ? load_weight(&args, channel, c, ky, x) : 0.0f;
        };
% if plan.dtype.bytes == 2 then
        const uint32_t value = pack_elements<${element}>(weight(c_in, kx), ${k.axis == "pair" and "weight(c_in + 1, kx)" or "weight(c_in, kx + 1)"});
% else
        const uint32_t value = tf32_weight(weight(c_in, kx), i / 128 % ${shape.pieces}, ${shape.pieces});
% end
        memcpy(packed + i, &value, sizeof value);
    }

% if slots > 0 or normalise then
    for (int channel = first; channel < ${channels}; channel += stride) {
        ${include("templates/parts/constants.lua", { params = "args", channels = channels })}
    }
% end
}
