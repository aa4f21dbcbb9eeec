-- SPDX-License-Identifier: Apache-2.0
--
-- Asks the rules about a kernel: advise(k) -> { advice, missing }. `advice` is what they say, the greatest gain first;
-- `missing` the counters that are not there, by section: { section, names, untold }, sets of them and of what cannot be
-- told without them.
local counters = require_module("gen/advise/counters.lua")
local rules = require_module("gen/advise/rules.lua")

-- What kinds a kernel is of: the part of a plan or its strategy, that with " normalises", its dtype; or unknown.
local function kinds_of(plan)
    if not plan then
        return { "unknown" }
    end
    local kind = plan.part or plan.strategy
    return { kind, plan.dtype, plan.normalises and kind .. " normalises" or nil }
end

-- Whether a change is for a kernel: for one of its kinds.
local function is_for(k, only)
    for _, kind in ipairs(kinds_of(k.plan)) do
        if not only or only[kind] then
            return true
        end
    end
    return false
end

local function changes_for(k, rule)
    local changes = {}
    for _, change in ipairs(rule.change) do
        local field, how, only = table.unpack(change)
        if is_for(k, only) then
            changes[#changes + 1] = { field = field, how = how, steps = change.steps, aim = change.aim }
        end
    end
    return changes
end

local function counters_for(k, rule)
    local cited = {}
    for _, list in ipairs({ rule.reads, rule.also }) do
        for _, key in ipairs(list) do
            cited[#cited + 1] = k.cited[key]
        end
    end
    return cited
end

-- What a rule says; nil when it has no change for such a kernel.
local function advice_of(k, rule, order)
    local changes = changes_for(k, rule)
    if #changes == 0 then
        return nil
    end
    local gain, arithmetic = rule.gain(k)
    local reason = type(rule.reason) == "function" and rule.reason(k) or rule.reason
    return { rule = rule.name, bound = rule.bound, gain = gain, arithmetic = arithmetic, reason = k.filled(reason),
        counters = counters_for(k, rule), changes = changes, order = order, is_unit = rule.is_unit }
end

-- Notes which of the keys are not there, and what cannot be told without them; whether all are.
local function note_missing(k, keys, untold, missing)
    local complete = true
    for _, key in ipairs(keys) do
        if not k.cited[key] then
            missing[key] = missing[key] or {}
            missing[key][#missing[key] + 1] = untold
            complete = false
        end
    end
    return complete
end

-- By section, in the order of the counters.
local function by_section(missing)
    local sections, index = {}, {}
    for _, key in ipairs(counters.in_order) do
        local counter = counters.by_key[key]
        if missing[key] then
            local section = index[counter.section]
            if not section then
                section = { section = counter.section, names = {}, untold = {} }
                sections[#sections + 1], index[counter.section] = section, section
            end
            section.names[counter.family or counter.names[1]] = true
            for _, untold in ipairs(missing[key]) do
                section.untold[untold] = true
            end
        end
    end
    return sections
end

local function advise(k)
    local advice, missing = {}, {}
    for order, rule in ipairs(rules) do
        local is_asked = not rule.takes or rule.takes(k.plan)
        if is_asked and note_missing(k, rule.reads, rule.untold or rule.bound, missing) and rule.holds(k) then
            note_missing(k, rule.also, nil, missing)
            advice[#advice + 1] = advice_of(k, rule, order)
        end
    end
    table.sort(advice, function(a, b)
        return a.gain > b.gain or a.gain == b.gain and a.order < b.order
    end)
    return { advice = advice, missing = by_section(missing) }
end

return advise
