% -- The prepack's share that does not depend on the strategy: `channels` (padded) channels' affine constants and the
% -- normalisation's parameters. Runs inside a loop over `channel`; `params` is the cs_pack_args expression.
% local slots = plan.epilogue.slots
% local function param(name)
%     return ("load_element(%s.parameter_dtype, %s.%s, channel)"):format(params, params, name)
% end
% local reads = plan.epilogue.normalises
% for _, op in ipairs(plan.epilogue.ops) do
%     for _, fold in ipairs(op.folds or {}) do
%         reads = reads or fold.add or fold.mul
%     end
% end
% if reads then
const bool real = channel < ${plan.row.c_out};
% end
% for _, op in ipairs(plan.epilogue.ops) do
%     if op.kind == "affine" then
float a${op.slot} = 1.0f, b${op.slot} = 0.0f;
%         for _, fold in ipairs(op.folds) do
%             if fold.add then
b${op.slot} += real ? ${param(fold.add)} : 0.0f; // ${fold.add}
%             else
%                 local factor = fold.factor or ("(real ? %s : 0.0f)"):format(param(fold.mul))
%                 local label = fold.mul or "the sigmoid's -log2(e)"
a${op.slot} *= ${factor}; // ${label}
b${op.slot} *= ${factor};
%             end
%         end
packed[${plan.packed.constants} + channel * ${2 * slots} + ${2 * op.slot}] = a${op.slot};
packed[${plan.packed.constants} + channel * ${2 * slots} + ${2 * op.slot + 1}] = b${op.slot};
%     end
% end
% if plan.epilogue.normalises then
if (real) {
    packed[${plan.packed.norm_weight} + channel] = ${param("group_norm_weight")};
    packed[${plan.packed.norm_bias} + channel] = ${param("group_norm_bias")};
}
% end
