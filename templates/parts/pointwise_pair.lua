% -- The operations of `side` of the epilogue on `first` and `second`, two values of one channel of one sample,
% -- `constants` being the channel's. A normalisation makes both NaN if one of them is, which two sigmoids at once do too;
% -- what these leave of a sigmoid near 0 is only right for what is not multiplied before it is normalised.
% for i, op in ipairs(side.ops) do
%     if op.kind == "sigmoid" and i == #side.ops and plan.epilogue.normalises then
sigmoid_exp2_pair(first, second);
%     else
${include("templates/parts/operation.lua", { op = op, value = "first" })}
${include("templates/parts/operation.lua", { op = op, value = "second" })}
%     end
% end
