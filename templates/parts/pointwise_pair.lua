% -- The epilogue's operations on `first` and `second`, two values of one channel of one sample, `constants` being the
% -- channel's. A normalisation makes both NaN if one of them is, which two sigmoids at once do too.
% local together = plan.epilogue.normalises
% for _, op in ipairs(plan.epilogue.ops) do
%     if op.kind == "sigmoid" and together then
sigmoid_exp2_pair(first, second);
%     else
${include("templates/parts/operation.lua", { op = op, value = "first" })}
${include("templates/parts/operation.lua", { op = op, value = "second" })}
%     end
% end
