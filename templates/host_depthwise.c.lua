% local row, g, k, packed = plan.row, plan.geometry, plan.geometry.k, plan.packed
% require_that(plan.device == "host" and row.group_c_in == 1, "host_depthwise.c.lua emits depthwise CPU kernels")
% require_that(g.tile_w % (g.set.vectors * g.set.lanes) == 0, "register tiles fill a tile's rows")
% local taps = row.kh * row.kw
% local side = plan.epilogue.before
% local channels = row.c_out
% local normalise = plan.epilogue.normalises
% local step = g.set.vectors * g.set.lanes
% local constants = side.slots > 0 and (", packed + %d + channel * %d"):format(packed.constants, 2 * side.slots) or ""
% local place = side.tensors > 0 and ", args, &tile, channel, row, col + v * CS_LANES" or ""
% local of_x = row.group_c_out == 1 and "channel" or "channel / " .. row.group_c_out
% local copy = row.layout == "nhwc" and "cs_copy_patch_nhwc" or "cs_copy_patch"
${include("templates/parts/header.lua")}
#define CS_LANES ${g.set.lanes}
#include <device/host_depthwise.h>
${include("templates/parts/host_pointwise.lua", { channels = channels })}

/* z for ${g.set.vectors} vectors of pixels, x at their corner of the patch. */
CS_INLINE void ${plan.name}_convolve(cs_vec z[${g.set.vectors}], const float *weights, const float *x) {
    for (int ky = 0; ky < ${row.kh}; ++ky, weights += ${row.kw}, x += ${row.dilation_h * k.pitch}) {
% for kx = 0, row.kw - 1 do
%     local col = kx * row.dilation_w
        cs_fma_row(z, ${g.set.vectors}, weights[${kx}], x + ${col % row.stride_w * (k.pitch // row.stride_w) + col // row.stride_w});
% end
    }
}

void ${plan.name}(const cs_conv_args *args, int64_t block) {
    const cs_tile tile = cs_locate_tile(args, block, ${g.tile_h}, ${g.tile_w});
    const float *const packed = args->packed;
    float patch[${g.patch}];
    float values[${g.tile_h * g.tile_w}];

    for (int channel = 0; channel < ${row.c_out}; ++channel) {
% if row.group_c_out > 1 then
        if (channel % ${row.group_c_out} == 0)
% end
        ${copy}(patch, args, ${plan.dtype.element}, &tile, (cs_window){${row.stride_h}, ${row.stride_w}, ${row.pad_h}, ${row.pad_w}}, ${of_x}, ${row.c_in}, 1, ${k.rows}, ${k.pitch});
        for (int row = 0; row < tile.rows; ++row)
            for (int col = 0; col < tile.cols; col += ${step}) {
                cs_vec z[${g.set.vectors}] = {0};
                ${plan.name}_convolve(z, packed + channel * ${taps}, patch + row * ${row.stride_h * k.pitch} + col);
                for (int v = 0; v < ${g.set.vectors}; ++v)
                    cs_store(&values[row * ${g.tile_w} + col + v * CS_LANES], ${plan.name}_pointwise(z[v]${constants}${place}));
            }
        ${include("templates/parts/host_write.lua", { values = "values" })}
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
/* Weights in the order of use: [channel][ky][kx]${rounded}. */
void ${plan.name}_prepack(const cs_pack_args *args) {
    float *const packed = args->packed;
    for (int i = 0; i < ${packed.weights}; ++i)
        packed[i] = round_to_element(${plan.dtype.element}, load_weight(args, i / ${taps}, 0, i / ${row.kw} % ${row.kh}, i % ${row.kw}));
% if plan.epilogue.slots > 0 or normalise then
    for (int channel = 0; channel < ${channels}; ++channel) {
        ${include("templates/parts/constants.lua", { params = "(*args)", channels = channels })}
    }
% end
}
