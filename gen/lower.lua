-- SPDX-License-Identifier: Apache-2.0
--
-- How an epilogue chain is lowered to what the templates emit.
--
-- Neighbouring affine steps fold into one operation, value * a + b, whose a and b are computed at prepack, for each
-- channel: a slot. What all of their operands are fixed for is computed here, and needs none; it stays apart where a
-- fold would leave the range of floats, and what prepack folds is kept within it (nearest_finite of
-- src/device/element.h). A step that wants its value multiplied already (a sigmoid, 1 / (1 + 2^(-log2(e) * value))) has
-- the factor folded too. Affine steps right behind the normalisation fold into its weight and bias.
local epilogue = require_module("gen/epilogue.lua")
local numbers = require_module("gen/numbers.lua")

-- Folds with operands that are known now. Each changes the pair (a, b), from (1, 0).
local known = {
    add = function(a, b, c)
        return a, b + c
    end,
    sub = function(a, b, c)
        return a, b - c
    end,
    mul = function(a, b, c)
        return a * c, b * c
    end,
    div = function(a, b, c)
        return a / c, b / c
    end,
}

local function literals(constants)
    local texts = {}
    for i, value in ipairs(constants) do
        texts[i] = numbers.literal(value)
    end
    return texts
end

-- A fold is { kind, index, text, values, constants, literals } of step `index` (from 0), or a factor, { kind = "mul",
-- text, factor }: a value for each channel, if it has any, else its constant (nil: given at prepack), or the factor, is
-- the operand.
local function fold_of(entry, index)
    return {
        kind = entry.step.affine, index = index, text = entry.text, values = #(entry.step.values or {}),
        constants = entry.constants, literals = entry.constants and literals(entry.constants),
    }
end

local function factor_of(entry)
    return { kind = "mul", text = "the factor of " .. entry.name, factor = entry.step.factor }
end

-- What a fold's operand is known to be, or nil.
local function operand_of(fold)
    if fold.factor then
        return tonumber(fold.factor)
    end
    return fold.values == 0 and fold.constants and fold.constants[1] or nil
end

-- The pair (a, b) of folds `first` to `last`, whose operands are known, as floats; nil where one would be no float with
-- all of its digits: folded, what is finite would become infinities, and 0 of them no number.
local function known_pair(folds, first, last)
    local a, b, has_zero = 1.0, 0.0, false
    for i = first, last do
        local operand = operand_of(folds[i])
        a, b = known[folds[i].kind](a, b, operand)
        has_zero = has_zero or folds[i].kind == "mul" and operand == 0
    end
    a, b = numbers.float(a), numbers.float(b)
    if numbers.is_whole(a) and numbers.is_whole(b) and (a ~= 0 or has_zero) then
        return a, b
    end
    return nil
end

-- The pairs that a single fold is: one, but for a divisor whose inverse is no such float. That is two factors then.
local function single_pairs(fold)
    local c = operand_of(fold)
    if fold.kind ~= "div" then
        local a, b = known[fold.kind](1.0, 0.0, c)
        return { { numbers.float(a), numbers.float(b) } }
    elseif numbers.is_whole(numbers.float(1 / c)) then
        return { { numbers.float(1 / c), 0.0 } }
    end
    local power = math.abs(c) < 1 and 0x1p64 or 0x1p-64
    return { { power, 0.0 }, { numbers.float(1 / c / power), 0.0 } }
end

local function known_op(folds, first, last, a, b)
    return {
        kind = "affine", folds = table.move(folds, first, last, 1, {}), identity = a == 1 and b == 0,
        a = a ~= 1 and numbers.literal(a) or nil, b = b ~= 0 and numbers.literal(b) or nil,
    }
end

-- The ops of folds whose operands are known: one, or as many as the pairs need to be floats.
local function known_ops(folds)
    local ops, first = {}, 1
    while first <= #folds do
        local last = #folds
        while last > first and not known_pair(folds, first, last) do
            last = last - 1
        end
        local pairs_of = last > first and { { known_pair(folds, first, last) } } or single_pairs(folds[first])
        for _, pair in ipairs(pairs_of) do
            ops[#ops + 1] = known_op(folds, first, last, pair[1], pair[2])
        end
        first = last + 1
    end
    return ops
end

-- Fixed operands beyond this, or closer to 0 than its inverse, are not folded with what prepack is given: a product
-- might leave the range of floats.
local USUAL = 0x1p64

local function is_extreme(fold)
    local c = math.abs(operand_of(fold) or 1)
    return c > USUAL or (c ~= 0 and c < 1 / USUAL and (fold.kind == "mul" or fold.kind == "div"))
end

-- Folds in lists of which none has extreme operands beside those of prepack.
local function separated(folds)
    local lists, has_extreme, has_given = {}, false, false
    for _, fold in ipairs(folds) do
        local extreme, given = is_extreme(fold), not operand_of(fold)
        if #lists == 0 or (extreme and has_given) or (given and has_extreme) then
            lists[#lists + 1] = {}
            has_extreme, has_given = false, false
        end
        table.insert(lists[#lists], fold)
        has_extreme, has_given = has_extreme or extreme, has_given or given
    end
    return lists
end

-- The ops that an op becomes: what it is, or for affine steps folded together as many as they need.
local function parts_of(op)
    if op.kind ~= "affine" then
        return { op }
    end
    local parts = {}
    for _, folds in ipairs(separated(op.folds)) do
        local is_known = true
        for _, fold in ipairs(folds) do
            is_known = is_known and operand_of(fold) ~= nil
        end
        local ops = is_known and known_ops(folds) or { { kind = "affine", folds = folds, at_prepack = true } }
        table.move(ops, 1, #ops, #parts + 1, parts)
    end
    return parts
end

-- What is left to compute on one side of the normalisation: its ops, each with its slot (from 0), its literals or its
-- tensor (from 0; `first_tensor` of a run's are the other side's).
local function settle(ops, first_tensor)
    local side = { ops = {}, slots = 0, tensors = 0, first_tensor = first_tensor }
    local function add(op)
        if op.kind == "tensor" then
            op.tensor = side.tensors
            side.tensors = side.tensors + 1
        elseif op.at_prepack or (op.kind == "call" and op.constants > 0 and not op.literals) then
            op.slot = side.slots
            side.slots = side.slots + 1
        end
        if not op.identity then
            side.ops[#side.ops + 1] = op
        end
    end
    for _, op in ipairs(ops) do
        for _, part in ipairs(parts_of(op)) do
            add(part)
        end
    end
    return side
end

-- Lowers a chain to { before, norm, behind, slots, normalises, name }: before and behind the normalisation, a
-- side { ops, slots, tensors, first_tensor } each, `behind` empty without one; slots of both. Slot s of a channel is a
-- pair of floats. An op is
--   { kind = "affine", folds, slot }      value * a + b, the slot's pair
--   { kind = "affine", folds, a, b }      the same of literals, which a factor 1 and a summand 0 have none of
--   { kind = "sigmoid" }                  sigmoid_exp2
--   { kind = "call", name, constants, index, slot or literals }    a function and its number of constants
--   { kind = "keep", number }             the value that step `number` receives, from 1, for what comes later
--   { kind = "mul_input", number }        value times that one
--   { kind = "tensor", tensor }           value and that tensor's
-- each with its steps' `text`; norm is { kind, index, text, folds } or nil.
local function lower(chain)
    local before, behind, norm = {}, {}, nil
    local ops = before -- of the side that the step stands on

    -- Affine steps fold into the normalisation, as long as nothing else is behind it, or into an op.
    local function fold(more)
        local into = ops[#ops]
        if norm and not into and not is_extreme(more) then
            into = norm
        elseif not into or into.kind ~= "affine" then
            into = { kind = "affine", folds = {} }
            ops[#ops + 1] = into
        end
        into.folds[#into.folds + 1] = more
    end

    local is_kept = {}
    for _, entry in ipairs(chain) do
        is_kept[entry.input or 0] = true
    end

    for i, entry in ipairs(chain) do
        local step, index = entry.step, i - 1
        if is_kept[i] then -- affine steps before it do not fold with those behind it
            local text = ("the value that %s receives, kept"):format(entry.text)
            ops[#ops + 1] = { kind = "keep", number = i, text = text }
        end
        if step.affine then
            fold(fold_of(entry, index))
        elseif step.normalises then
            norm = { kind = step.normalises, index = index, text = entry.text, folds = {} }
            ops = behind
        elseif step.factor then
            fold(factor_of(entry))
            ops[#ops + 1] = { kind = "sigmoid", text = entry.text }
        elseif step.tensor then
            ops[#ops + 1] = { kind = "tensor", text = entry.text }
        elseif step.input_of then
            ops[#ops + 1] = { kind = "mul_input", number = entry.input, text = entry.text }
        else
            ops[#ops + 1] = {
                kind = "call", name = step.pointwise, curve = step.curve, text = entry.text, index = index,
                constants = #(step.constants or {}), literals = entry.constants and literals(entry.constants),
            }
        end
    end
    local first = settle(before, 0)
    local second = settle(behind, first.tensors)
    return {
        before = first, norm = norm, behind = second, slots = first.slots + second.slots, normalises = norm ~= nil,
        name = epilogue.name(chain),
    }
end

return lower
