-- SPDX-License-Identifier: Apache-2.0
--
-- Epilogue chains: the steps there are, and how a chain is lowered to what the templates emit.
--
-- Neighbouring per-channel steps fold into one affine operation, value * a + b, whose a and b are computed at prepack;
-- a sigmoid, 1 / (1 + 2^(-log2(e) * value)), has its factor folded into the affine operation before it.
local fail = require_module("gen/fail.lua")

local epilogue = {}

-- code: the step's letter in kernel names. add, mul: the parameter (a field of cs_pack_args) it adds or multiplies by.
epilogue.steps = {
    bias = { code = "b", add = "conv_bias" },
    add_channel = { code = "a", add = "bias" },
    mul_channel = { code = "m", mul = "scale" },
    sigmoid = { code = "s", pointwise = "sigmoid" },
    group_norm = { code = "g", normalises = true },
}

local NEGATIVE_LOG2_E = "-1.44269504088896341f"

local function known_steps()
    local names = {}
    for name in pairs(epilogue.steps) do
        names[#names + 1] = name
    end
    table.sort(names)
    return table.concat(names, ", ")
end

-- Raises an error at `where` unless `chain` is a list of known steps, none twice, a normalisation only at the end.
function epilogue.check(chain, where)
    local seen = {}
    for i, name in ipairs(chain) do
        local step = epilogue.steps[name]
        if not step then
            fail(where, "epilogue step %q is unknown; the steps are %s", tostring(name), known_steps())
        end
        if seen[name] then
            fail(where, "epilogue step %q stands twice; a step may stand once in a chain", name)
        end
        if step.normalises and i < #chain then
            fail(where, "epilogue step %q must be the last of its chain", name)
        end
        seen[name] = true
    end
end

-- The chain as the runtime knows it: the names of its steps joined by '+'.
function epilogue.name(chain)
    return table.concat(chain, "+")
end

-- The chain's part of a kernel's name, a letter a step; "z" for the bare convolution.
function epilogue.code(chain)
    local letters = {}
    for i, name in ipairs(chain) do
        letters[i] = epilogue.steps[name].code
    end
    return #letters > 0 and table.concat(letters) or "z"
end

-- Lowers a checked chain to { ops, slots, normalises, name, code }.
-- An op is { kind = "affine", slot, folds } or { kind = "sigmoid" }; a fold is { add = param }, { mul = param } or
-- { factor = constant }, applied in order to (a, b) = (1, 0). Slot s of a channel is its pair (a, b).
function epilogue.lower(chain)
    local ops, slots = {}, 0

    local function affine()
        local last = ops[#ops]
        if not last or last.kind ~= "affine" then
            last = { kind = "affine", slot = slots, folds = {} }
            slots = slots + 1
            ops[#ops + 1] = last
        end
        return last
    end

    for _, name in ipairs(chain) do
        local step = epilogue.steps[name]
        if step.add or step.mul then
            local folds = affine().folds
            folds[#folds + 1] = { add = step.add, mul = step.mul }
        elseif step.pointwise == "sigmoid" then
            local folds = affine().folds
            folds[#folds + 1] = { factor = NEGATIVE_LOG2_E }
            ops[#ops + 1] = { kind = "sigmoid" }
        end
    end
    local last = epilogue.steps[chain[#chain]]
    return {
        ops = ops,
        slots = slots,
        normalises = last ~= nil and last.normalises == true,
        name = epilogue.name(chain),
        code = epilogue.code(chain),
    }
end

return epilogue
