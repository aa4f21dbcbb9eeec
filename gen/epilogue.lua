-- SPDX-License-Identifier: Apache-2.0
--
-- Epilogue chains: how a manifest writes them, what makes one valid, and what it is called.
--
-- A chain is a list of entries { name, step, constants, text }: the step's name and what gen/steps.lua has of it, the
-- constants that the row fixes (nil: they are given at prepack, or there are none), and how it stands in the chain's
-- name. A step mul_input_of has `input` too: the number, from 1, of the step whose value it multiplies by.
local fail = require_module("gen/fail.lua")
local numbers = require_module("gen/numbers.lua")
local steps = require_module("gen/steps.lua")
local suggest = require_module("gen/suggest.lua")
local values = require_module("gen/values.lua")

local epilogue = {}

local MAX_STEPS, MAX_TENSORS = 16, 4 -- CS_MAX_STEPS and CS_MAX_TENSORS of src/device/args.h

-- What constants of a step must be, of those that rounded to a float.
local rules = {
    not_zero = {
        words = "it must not be 0",
        holds = function(c)
            return c[1] ~= 0
        end,
    },
    positive = {
        words = "it must be more than 0",
        holds = function(c)
            return c[1] > 0
        end,
    },
    ascending = {
        words = "the first must not be more than the second",
        holds = function(c)
            return c[1] <= c[2]
        end,
    },
}

-- ---- Reading -----------------------------------------------------------------------------------------------------

-- What a text like "clamp(0, 6)" would be in a manifest: { "clamp", 0, 6 }.
local function as_list(name, inside)
    local items = { '"' .. name .. '"' }
    for item in string.gmatch(inside, "[^,%s]+") do
        items[#items + 1] = tonumber(item) and item or "0.5"
    end
    return #items == 1 and items[1] or "{ " .. table.concat(items, ", ") .. " }"
end

local function known_step(name, where)
    if steps[name] then
        return steps[name]
    end
    local bare, inside = string.match(name, "^%s*([%a_]+)%s*%((.*)%)%s*$")
    if bare and steps[bare] then
        fail(where, "epilogue step %s is unknown; %s: %s", values.shown(name), string.find(inside, "%S")
            and "a step's constants stand behind its name" or "without constants a step is its name alone",
            as_list(bare, inside))
    end
    fail(where, "epilogue step %s is unknown; %s", values.shown(name), suggest(name, steps))
end

local function read_constant(name, what, value, where)
    if type(value) ~= "number" then
        fail(where, "%s of epilogue step %q is %s; it is a number", what, name, values.shown(value))
    end
    local float = numbers.float(value)
    if not numbers.is_finite(float) then
        fail(where, "%s of epilogue step %q is %s; it is a finite number of single precision", what, name,
            values.shown(value))
    end
    return float
end

-- The constants that stand behind a step's name, all of them or none.
local function read_constants(name, step, given, where)
    local wanted = step.constants or {}
    local count = #given - 1
    if count == 0 and not step.fixed then
        return nil
    end
    if count == 0 then
        fail(where, 'epilogue step %q lacks its %s; it stands behind its name: { "%s", 1 }', name,
            table.concat(wanted, " and "), name)
    end
    if #wanted == 0 then
        fail(where, "epilogue step %q has no constants, but %d stand behind its name", name, count)
    end
    if count ~= #wanted then
        fail(where, "epilogue step %q has %d constant(s) behind its name; it takes %s, all of them or none", name,
            count, table.concat(wanted, " and "))
    end
    local constants = {}
    for i, what in ipairs(wanted) do
        constants[i] = read_constant(name, what, given[i + 1], where)
    end
    local rule = rules[step.rule]
    if rule and not rule.holds(constants) then
        fail(where, "epilogue step %s: %s", epilogue.text(name, constants), rule.words)
    end
    return constants
end

-- How a step stands in a chain's name.
function epilogue.text(name, constants)
    if not constants then
        return name
    end
    local texts = {}
    for i, value in ipairs(constants) do
        texts[i] = numbers.text(value)
    end
    return name .. "(" .. table.concat(texts, ",") .. ")"
end

local function read_entry(i, given, where)
    local list = type(given) == "string" and { given } or given
    if type(list) ~= "table" or not values.is_list(list) or type(list[1]) ~= "string" then
        fail(where, 'epilogue[%d] is %s; a step is a name, "bias", or a name and its constants, { "clamp", 0, 6 }', i,
            type(list) == "table" and "a table without a name at its begin or with other keys" or values.shown(given))
    end
    local name = list[1]
    local step = known_step(name, where)
    local constants = read_constants(name, step, list, where)
    return { name = name, step = step, constants = constants, text = epilogue.text(name, constants) }
end

-- ---- Checking ----------------------------------------------------------------------------------------------------

-- The chain's step that normalises, or nil.
function epilogue.normalisation(chain)
    for _, entry in ipairs(chain) do
        if entry.step.normalises then
            return entry
        end
    end
    return nil
end

-- Sets the `input` of a step mul_input_of, the i-th; `first` is the number of the first step on its side of the
-- normalisation.
local function check_input(entry, i, first, where)
    local k = math.tointeger(entry.constants[1])
    if i == first then
        fail(where, "epilogue step %d, %q, has no step before it%s; it multiplies by what an earlier one received", i,
            entry.name, first > 1 and " on its side of the normalisation" or "")
    elseif not k or k < first or k >= i then
        fail(where, "epilogue step %d, %s: k is the number of an earlier step%s, from %d to %d", i, entry.text,
            first > 1 and " on its side of the normalisation" or "", first, i - 1)
    end
    entry.input = k
end

local function check(chain, where)
    if #chain > MAX_STEPS then
        fail(where, "the epilogue has %d steps; a chain has at most %d", #chain, MAX_STEPS)
    end
    local norm, first, tensors = nil, 1, 0
    for i, entry in ipairs(chain) do
        if norm and entry.step.normalises then
            fail(where, "epilogue step %d, %q, normalises a second time, behind %q; a chain normalises at most once", i,
                entry.name, norm.name)
        end
        if entry.step.normalises then
            norm, first = entry, i + 1
        elseif entry.step.input_of then
            check_input(entry, i, first, where)
        elseif entry.step.tensor then
            tensors = tensors + 1
        end
    end
    if tensors > MAX_TENSORS then
        fail(where, "the epilogue has %d steps add_tensor; a chain has at most %d", tensors, MAX_TENSORS)
    end
end

-- Reads a chain as a manifest writes it: a list of names, and of lists of a name and numbers.
function epilogue.read(given, where)
    if type(given) ~= "table" or not values.is_list(given) then
        fail(where, 'epilogue is %s; it is a list of steps, like { "bias", { "clamp", 0, 6 } }',
            type(given) == "table" and "a table with names or holes" or values.shown(given))
    end
    local chain = {}
    for i, entry in ipairs(given) do
        chain[i] = read_entry(i, entry, where)
    end
    check(chain, where)
    return chain
end

-- ---- Names -------------------------------------------------------------------------------------------------------

-- The chain as the runtime knows it: its steps joined by '+', constants that the row fixes in parentheses.
function epilogue.name(chain)
    local texts = {}
    for i, entry in ipairs(chain) do
        texts[i] = entry.text
    end
    return table.concat(texts, "+")
end

-- What a manifest would have for a chain of that name.
function epilogue.given(name)
    local list, at = {}, 1
    while at <= #name do
        local step, behind = string.match(name, "^([%w_]+)()", at)
        local inside, after = string.match(name, "^%((.-)%)()", behind)
        local entry = { step }
        for constant in string.gmatch(inside or "", "[^,]+") do
            entry[#entry + 1] = tonumber(constant)
        end
        list[#list + 1] = entry
        at = (after or behind) + 1
    end
    return list
end

local function word(entry)
    local parts = { entry.step.word or entry.name }
    for _, value in ipairs(entry.constants or {}) do
        parts[#parts + 1] = numbers.code(numbers.text(value))
    end
    return table.concat(parts, "_")
end

-- A code that is too long for its room ends in a hash of all of it.
local function shortened(code, room)
    local hash = "_h" .. string.sub(host.hash(code), 9)
    local kept = string.sub(code, 1, room - #hash)
    return (string.match(kept, "^(.*)_") or kept) .. hash
end

-- The chain's part of a kernel's name, of `room` characters at most: letters run together, words set off by '_'; "z"
-- for the bare convolution.
function epilogue.code(chain, room)
    local parts, in_letters = {}, false
    for _, entry in ipairs(chain) do
        local letter = entry.step.letter
        if letter and in_letters then
            parts[#parts] = parts[#parts] .. letter
        else
            parts[#parts + 1] = letter or word(entry)
        end
        in_letters = letter ~= nil
    end
    local code = #parts > 0 and table.concat(parts, "_") or "z"
    return #code > room and shortened(code, room) or code
end

return epilogue
