-- SPDX-License-Identifier: Apache-2.0
--
-- How an epilogue chain is lowered to what the templates emit.
--
-- Neighbouring affine steps fold into one operation, value * a + b, whose a and b are computed at prepack, for each
-- channel: a slot. What all of their operands are fixed for is computed here, and needs none. A step that wants its
-- value multiplied already (a sigmoid, 1 / (1 + 2^(-log2(e) * value))) has the factor folded too. Affine steps behind
-- the normalisation fold into its weight and bias, up to the first step there that is none.
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

-- The pair (a, b) of folds that need nothing at prepack, as floats, or nil.
local function known_pair(folds)
    local a, b = 1.0, 0.0
    for _, fold in ipairs(folds) do
        local fixed = fold.values == 0 and fold.constants
        local operand = fold.factor and tonumber(fold.factor) or fixed and fixed[1]
        if not operand then
            return nil
        end
        a, b = known[fold.kind](a, b, operand)
    end
    a, b = numbers.float(a), numbers.float(b)
    if numbers.is_finite(a) and numbers.is_finite(b) then
        return a, b
    end
    return nil
end

-- What is left to compute on one side of the normalisation: its ops, each with its slot (from 0), its literals or its
-- tensor (from 0; `first_tensor` of a run's are the other side's).
local function settle(ops, first_tensor)
    local side = { ops = {}, slots = 0, tensors = 0, first_tensor = first_tensor }
    for _, op in ipairs(ops) do
        local runtime = op.kind == "call" and op.constants > 0 and not op.literals
        if op.kind == "affine" then
            local a, b = known_pair(op.folds)
            runtime = a == nil
            op.identity = a == 1 and b == 0
            op.a = a and a ~= 1 and numbers.literal(a) or nil
            op.b = a and b ~= 0 and numbers.literal(b) or nil
        end
        if op.kind == "tensor" then
            op.tensor = side.tensors
            side.tensors = side.tensors + 1
        end
        if runtime then
            op.slot = side.slots
            side.slots = side.slots + 1
        end
        if not op.identity then
            side.ops[#side.ops + 1] = op
        end
    end
    return side
end

-- Lowers a chain to { before, norm, behind, slots, normalises, name, code }: before and behind the normalisation, a
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

    -- What affine steps fold into: the normalisation, as long as nothing else is behind it, or an op.
    local function affine()
        if norm and #ops == 0 then
            return norm
        end
        if #ops == 0 or ops[#ops].kind ~= "affine" then
            ops[#ops + 1] = { kind = "affine", folds = {} }
        end
        return ops[#ops]
    end

    local function fold(more)
        local folds = affine().folds
        folds[#folds + 1] = more
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
                kind = "call", name = step.pointwise, text = entry.text, index = index,
                constants = #(step.constants or {}), literals = entry.constants and literals(entry.constants),
            }
        end
    end
    local first = settle(before, 0)
    local second = settle(behind, first.tensors)
    return {
        before = first, norm = norm, behind = second, slots = first.slots + second.slots, normalises = norm ~= nil,
        name = epilogue.name(chain), code = epilogue.code(chain),
    }
end

return lower
