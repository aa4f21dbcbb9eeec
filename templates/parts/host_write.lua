% -- What a CPU kernel does with `values`, a channel's values of a tile: their moments, or y.
% local row, g, epilogue = plan.row, plan.geometry, plan.epilogue
% local behind, slots = epilogue.behind, epilogue.before.slots
% local channels = g.blocks * g.set.channels
% local write = row.layout == "nhwc" and "cs_write_outputs_nhwc" or "cs_write_outputs"
% if epilogue.normalises then
if (args->pass == CS_PASS_STATISTICS)
    *cs_tile_moments(args, &tile, ${row.c_out}, channel) =
        cs_moments_of(${values}, tile.rows, tile.cols, ${g.tile_w});
%     if #behind.ops > 0 then
%         local constants = behind.slots > 0 and (", packed + %d + channel * %d"):format(plan.packed.constants + channels * 2 * slots, 2 * behind.slots) or ""
%         local place = behind.tensors > 0 and ", args, &tile, channel, row, col" or ""
else {
    const cs_affine norm = args->affine[tile.n * ${row.c_out} + channel];
    for (int row = 0; row < tile.rows; ++row)
        for (int col = 0; col < tile.cols; col += CS_LANES) {
            float *const at = &${values}[row * ${g.tile_w} + col];
            cs_store(at, ${plan.name}_behind(cs_load(at) * norm.a + norm.b${constants}${place}));
        }
    ${write}(args, ${plan.dtype.element}, &tile, channel, ${values}, ${g.tile_w}, (cs_affine){1.0f, 0.0f});
}
%     else
else
    ${write}(args, ${plan.dtype.element}, &tile, channel, ${values}, ${g.tile_w},
                     args->affine[tile.n * ${row.c_out} + channel]);
%     end
% else
${write}(args, ${plan.dtype.element}, &tile, channel, ${values}, ${g.tile_w}, (cs_affine){1.0f, 0.0f});
% end
