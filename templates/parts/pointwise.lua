% -- The epilogue's operations on `value`, a float or a vector of floats; `constants` are its channel's.
% for _, op in ipairs(plan.epilogue.ops) do
${include("templates/parts/operation.lua", { op = op, value = "value" })}
% end
return value;
