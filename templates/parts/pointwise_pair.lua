% -- The epilogue's pointwise steps on `first` and `second`, two values of one channel of one sample, `constants` being
% -- the channel's. A normalisation makes both NaN if one of them is, which two sigmoids at once do too.
% local together = plan.epilogue.normalises
% for _, op in ipairs(plan.epilogue.ops) do
%     if op.kind == "affine" then
first = first * constants[${2 * op.slot}] + constants[${2 * op.slot + 1}];
second = second * constants[${2 * op.slot}] + constants[${2 * op.slot + 1}];
%     elseif op.kind == "sigmoid" and together then
sigmoid_exp2_pair(first, second);
%     elseif op.kind == "sigmoid" then
first = sigmoid_exp2(first);
second = sigmoid_exp2(second);
%     end
% end
