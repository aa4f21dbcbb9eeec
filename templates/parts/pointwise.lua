% -- The operations of `side` of the epilogue on `value`, a float or a vector of floats; `constants` are its channel's.
% for _, op in ipairs(side.ops) do
${include("templates/parts/operation.lua", { op = op, value = "value" })}
% end
return value;
