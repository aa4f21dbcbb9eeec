% -- The prepack's share that does not depend on the strategy: a channel's slots, and the normalisation's parameters.
% -- Runs inside a loop over `channel`, of padded channels too, `channels` of them; `params` is the cs_pack_args
% -- expression. The slots of what stands behind the normalisation come after those of what stands before.
% local epilogue = plan.epilogue
% local norm = epilogue.norm
% local sides = {
%     { side = epilogue.before, from = plan.packed.constants, prefix = "" },
%     { side = epilogue.behind, from = plan.packed.constants + channels * 2 * epilogue.before.slots, prefix = "behind_" },
% }
const bool real = channel < ${plan.row.c_out};
% for _, part in ipairs(sides) do
%     local function slot(op, i)
%         return ("packed[%d + channel * %d + %d]"):format(part.from, 2 * part.side.slots, 2 * op.slot + i)
%     end
%     for _, op in ipairs(part.side.ops) do
%         if op.kind == "affine" and op.slot then
%             local a, b = part.prefix .. "a" .. op.slot, part.prefix .. "b" .. op.slot
double ${a} = 1.0, ${b} = 0.0;
if (real) {
    ${include("templates/parts/folds.lua", { folds = op.folds, a = a, b = b, from_zero = true, params = params })}
}
${slot(op, 0)} = nearest_finite(${a});
${slot(op, 1)} = nearest_finite(${b});
%         elseif op.slot then
%             for i = 0, 1 do
${slot(op, i)} = real ? ${params}.steps[${op.index}].constants[${i}] : 0.0f; // ${op.text}
%             end
%         end
%     end
% end
% if norm then
if (real) {
%     for i, name in ipairs({ "weight", "bias" }) do
%         local given = ("%s.steps[%d].values[%d]"):format(params, norm.index, i - 1)
%         local load = ("load_element(%s.parameter_dtype, %s, channel)"):format(params, given)
%         if norm.kind == "instance" then
%             load = ("%s ? %s : %s"):format(given, load, name == "weight" and "1.0f" or "0.0f")
%         end
    double ${name} = ${load};
%     end
    ${include("templates/parts/folds.lua", { folds = norm.folds, a = "weight", b = "bias", from_zero = false, params = params })}
    packed[${plan.packed.norm_weight} + channel] = nearest_finite(weight);
    packed[${plan.packed.norm_bias} + channel] = nearest_finite(bias);
}
% end
