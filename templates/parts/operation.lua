% -- One operation `op` of the epilogue (gen/lower.lua) on the variable `value`, a float or a vector of floats;
% -- `constants` are its channel's, `<value>_tensors` what the side's tensors have for it.
% local function constant(i)
%     return op.literals and op.literals[i + 1] or ("constants[%d]"):format(2 * op.slot + i)
% end
% if op.kind == "affine" and op.slot then
${value} = ${value} * ${constant(0)} + ${constant(1)};
% elseif op.kind == "affine" then
${value} = ${value}${op.a and " * " .. op.a or ""}${op.b and " + " .. op.b or ""};
% elseif op.kind == "keep" then
const cs_value ${value}_input${op.number} = ${value};
% elseif op.kind == "mul_input" then
${value} = ${value} * ${value}_input${op.number};
% elseif op.kind == "tensor" then
${value} = ${value} + ${value}_tensors[${op.tensor}];
% elseif op.kind == "sigmoid" then
${value} = sigmoid_exp2(${value});
% else
%     local arguments = { value }
%     for i = 0, op.constants - 1 do
%         arguments[#arguments + 1] = constant(i)
%     end
${value} = ${op.name}(${table.concat(arguments, ", ")});
% end
