% local row, g, k, packed = plan.row, plan.geometry, plan.geometry.k, plan.packed
% require_that(plan.device == "host", "host.c.lua emits CPU kernels")
% require_that(g.tile_w % (g.set.vectors * g.set.lanes) == 0, "register tiles fill a tile's rows")
% local taps = row.kh * row.kw
% local chunk_weights = k.channels * taps * g.set.channels
% local block_weights = k.chunks * chunk_weights
% local side = plan.epilogue.before
% local slots = side.slots
% local channels = g.blocks * g.set.channels
% local normalise = plan.epilogue.normalises
% local step = g.set.vectors * g.set.lanes
% local window = ("(cs_window){%d, %d, %d, %d}"):format(row.stride_h, row.stride_w, row.pad_h, row.pad_w)
% local grouped = row.conv_groups > 1
% local group, last = grouped and ("group * %d"):format(row.group_c_in), grouped and "last" or row.c_out
% local function copy_patch(part)
%     local first = part and ("part * %d"):format(k.part_channels) or "0"
%     local finish = row.c_in
%     if grouped then
%         first, finish = part and group .. " + " .. first or group, ("(group + 1) * %d"):format(row.group_c_in)
%     end
%     return ("%s(patch, args, %s, &tile, %s, %s, %s, %d, %d, %d);"):format(row.layout == "nhwc" and "cs_copy_patch_nhwc" or "cs_copy_patch", plan.dtype.element, window, first, finish, k.part_channels, k.rows, k.pitch)
% end
% local function place(c, ky, kx)
%     local col = kx * row.dilation_w
%     return c * k.plane + ky * row.dilation_h * k.pitch + col % row.stride_w * (k.pitch // row.stride_w) + col // row.stride_w
% end
% local function pointwise(value)
%     local constants = slots > 0 and (", packed + %d + (first + c) * %d"):format(packed.constants, 2 * slots) or ""
%     local place = side.tensors > 0 and ", args, &tile, first + c, row, col + v * CS_LANES" or ""
%     return ("%s_pointwise(%s%s%s)"):format(plan.name, value, constants, place)
% end
${include("templates/parts/header.lua")}
#define CS_LANES ${g.set.lanes}
#define CS_VECTORS ${g.set.vectors}
#define CS_CHANNELS ${g.set.channels}
#include <device/host_tile.h>
${include("templates/parts/host_pointwise.lua", { channels = channels })}

/* z of CS_CHANNELS channels for CS_VECTORS vectors of pixels: weights of their block, x at their corner of the patch. */
CS_INLINE void ${plan.name}_convolve(cs_vec z[CS_CHANNELS][CS_VECTORS], const float *weights, const float *x) {
% if k.chunks_in_part > 1 then
    for (int chunk = 0; chunk < ${k.chunks_in_part}; ++chunk, weights += ${chunk_weights}, x += ${k.channels * k.plane}) {
% else
    {
% end
% local weight = 0
% for c = 0, k.channels - 1 do
%     for ky = 0, row.kh - 1 do
        /* channel ${c}, taps (${ky},0) to (${ky},${row.kw - 1}) */
%         for kx = 0, row.kw - 1 do
        cs_fma_tap(z, weights + ${weight}, x + ${place(c, ky, kx)});
%             weight = weight + g.set.channels
%         end
%     end
% end
    }
}

void ${plan.name}(const cs_conv_args *args, int64_t block) {
    const cs_tile tile = cs_locate_tile(args, block, ${g.tile_h}, ${g.tile_w});
    const float *const packed = args->packed;
    float patch[${g.patch}];
    float values[CS_CHANNELS][${g.tile_h * g.tile_w}];
% if k.parts == 1 and not grouped then
    ${copy_patch()}
% end

% if grouped then
    for (int number = 0; number < ${g.blocks}; ++number) { /* blocks of channels, each of one group */
        const int group = number / ${g.group_blocks}, first = group * ${row.group_c_out} + number % ${g.group_blocks} * CS_CHANNELS;
        const int last = cs_min(first + CS_CHANNELS, (group + 1) * ${row.group_c_out});
        const float *const weights = packed + number * ${block_weights};
%     if k.parts == 1 then
        if (number % ${g.group_blocks} == 0)
            ${copy_patch()}
%     end
% else
    for (int first = 0; first < ${row.c_out}; first += CS_CHANNELS) {
        const float *const weights = packed + first / CS_CHANNELS * ${block_weights};
% end
% if k.parts == 1 then
        for (int row = 0; row < tile.rows; ++row)
            for (int col = 0; col < tile.cols; col += ${step}) {
                cs_vec z[CS_CHANNELS][CS_VECTORS] = {0};
                ${plan.name}_convolve(z, weights, patch + row * ${row.stride_h * k.pitch} + col);
                for (int c = 0; c < CS_CHANNELS; ++c)
                    for (int v = 0; v < CS_VECTORS; ++v)
                        cs_store(&values[c][row * ${g.tile_w} + col + v * CS_LANES],
                                 ${pointwise("z[c][v]")});
            }
% else
        /* The patch is brought in parts; sums wait in `values` between them. */
        for (int part = 0; part < ${k.parts}; ++part) {
            ${copy_patch(true)}
            for (int row = 0; row < tile.rows; ++row)
                for (int col = 0; col < tile.cols; col += ${step}) {
                    cs_vec z[CS_CHANNELS][CS_VECTORS] = {0};
                    for (int c = 0; c < CS_CHANNELS && part > 0; ++c)
                        for (int v = 0; v < CS_VECTORS; ++v)
                            z[c][v] = cs_load(&values[c][row * ${g.tile_w} + col + v * CS_LANES]);
                    ${plan.name}_convolve(z, weights + part * ${k.chunks_in_part * chunk_weights}, patch + row * ${row.stride_h * k.pitch} + col);
                    for (int c = 0; c < CS_CHANNELS; ++c)
                        for (int v = 0; v < CS_VECTORS; ++v)
                            cs_store(&values[c][row * ${g.tile_w} + col + v * CS_LANES],
                                     part == ${k.parts - 1} ? ${pointwise("z[c][v]")} : z[c][v]);
                }
        }
% end
        for (int c = 0; c < CS_CHANNELS && first + c < ${last}; ++c) {
            const int channel = first + c;
            ${include("templates/parts/host_write.lua", { values = "values[c]" })}
        }
    }
}

void ${plan.name}_merge(const cs_conv_args *args, int64_t block) {
% if normalise then
    const float *const packed = args->packed;
    cs_merge_group_norm(args, block, ${row.c_out}, ${g.tile_h}, ${g.tile_w}, packed + ${packed.norm_weight}, packed + ${packed.norm_bias});
% else
    (void)args;
    (void)block;
% end
}

% local rounded = plan.dtype.name == "f32" and "" or (", rounded to %s"):format(plan.dtype.name)
/* Weights in the order of use: [channel block][input channel][ky][kx][channel]${rounded}; padding is zero. */
void ${plan.name}_prepack(const cs_pack_args *args) {
    float *const packed = args->packed;
    for (int i = 0; i < ${packed.weights}; ++i) {
        const int tap = i / CS_CHANNELS % ${taps}, c_in = i / ${g.set.channels * taps} % ${k.chunks * k.channels};
% if grouped then
        const int number = i / ${block_weights}, place = number % ${g.group_blocks} * CS_CHANNELS + i % CS_CHANNELS;
        const int channel = number / ${g.group_blocks} * ${row.group_c_out} + place;
        const bool real = place < ${row.group_c_out} && c_in < ${row.group_c_in};
% else
        const int channel = i / ${block_weights} * CS_CHANNELS + i % CS_CHANNELS;
        const bool real = channel < ${row.c_out} && c_in < ${row.c_in};
% end
        packed[i] = real ? round_to_element(${plan.dtype.element}, load_weight(args, channel, c_in, tap / ${row.kw}, tap % ${row.kw})) : 0.0f;
    }
% if slots > 0 or normalise then
    for (int channel = 0; channel < ${channels}; ++channel) {
        ${include("templates/parts/constants.lua", { params = "(*args)", channels = channels })}
    }
% end
}
