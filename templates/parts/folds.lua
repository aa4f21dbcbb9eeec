% -- Folds affine steps (gen/lower.lua) into the doubles `a` and `b`: value * a + b. b is 0 so far where `from_zero`: it
% -- is not multiplied then, since 0 times an infinite factor would be no number. `params` is the cs_pack_args
% -- expression.
% local function value(fold, i)
%     return ("load_element(%s.parameter_dtype, %s.steps[%d].values[%d], channel)"):format(params, params, fold.index, i)
% end
% local function operand(fold)
%     if fold.factor then
%         return fold.factor
%     elseif fold.values > 0 then
%         return value(fold, 0)
%     end
%     return fold.literals and fold.literals[1] or ("%s.steps[%d].constants[0]"):format(params, fold.index)
% end
% local zero = from_zero
% for _, fold in ipairs(folds) do
// ${fold.text}
%     if fold.kind == "add" or fold.kind == "sub" then
${b} ${fold.kind == "add" and "+=" or "-="} ${operand(fold)};
%         zero = false
%     elseif fold.kind == "batch_norm" then
%         local eps = fold.literals and fold.literals[1] or ("%s.steps[%d].constants[0]"):format(params, fold.index)
%         local scale = ("scale%d"):format(fold.index)
const double ${scale} = ${value(fold, 0)} / sqrt((double)${value(fold, 3)} + ${eps});
${a} *= ${scale};
${b} = (${b} - ${value(fold, 2)}) * ${scale} + ${value(fold, 1)};
%         zero = false
%     elseif zero then
${a} ${fold.kind == "mul" and "*=" or "/="} ${operand(fold)};
%     else
%         local name = fold.factor or ("operand%d"):format(fold.index)
%         if not fold.factor then
const double ${name} = ${operand(fold)};
%         end
${a} ${fold.kind == "mul" and "*=" or "/="} ${name};
${b} ${fold.kind == "mul" and "*=" or "/="} ${name};
%     end
% end
