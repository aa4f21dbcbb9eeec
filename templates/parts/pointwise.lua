% -- The epilogue's pointwise steps on `value`, a float or a vector of floats; `constants` are its channel's.
% for _, op in ipairs(plan.epilogue.ops) do
%     if op.kind == "affine" then
value = value * constants[${2 * op.slot}] + constants[${2 * op.slot + 1}];
%     elseif op.kind == "sigmoid" then
value = sigmoid_exp2(value);
%     end
% end
return value;
