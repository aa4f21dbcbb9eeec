-- SPDX-License-Identifier: Apache-2.0
--
-- What is known of a kernel by its name: of(name) -> plan or nil. A kernel of the table has all of its row's plan, one
-- of another table what its name says: strategy, schedule, dtype, target, and whether it normalises. `part` is the
-- launch of a plan that it is, if it is not the one that convolves.
local steps = require_module("gen/steps.lua")
local strategies = require_module("gen/plan.lua").strategies

local plan = {}

local MAX_NAME = 300 -- of this library's kernels, a prefix included (gen/names.lua)

local parts = { "merge", "copy", "apply", "prepack" }

local schedules = {}
for _, strategy in ipairs(strategies) do
    schedules[strategy.name] = strategy.schedule
end

-- The function's name alone, as it is declared in C++ or as ncu shortens it.
local function base_name(name)
    return string.match(string.gsub(name, "^void%s+", ""), "^[%w_]*")
end

-- Of steps' letters, which run together in names: all, and those of normalisations.
local all_letters, norm_letters, norm_words = "", "", {}
for name, step in pairs(steps) do
    all_letters = all_letters .. (step.letter or "")
    if step.normalises and step.letter then
        norm_letters = norm_letters .. step.letter
    elseif step.normalises then
        norm_words[#norm_words + 1] = "_" .. (step.word or name) .. "_"
    end
end

-- Whether an epilogue's part of a name has a normalisation.
local function code_normalises(code)
    for _, word in ipairs(norm_words) do
        if string.find("_" .. code .. "_", word, 1, true) then
            return true
        end
    end
    for word in string.gmatch(code, "[^_]+") do
        if string.find(word, "^[" .. all_letters .. "]+$") and string.find(word, "[" .. norm_letters .. "]") then
            return true
        end
    end
    return false
end

local function from_name(name)
    if #name > MAX_NAME then
        return nil
    end
    local dtype, words, target = string.match(name, "conv_(b?f%d+)_c%d+_k%d+x%d+.-_o%d+_(.*)_(sm%d+a?)$")
    local code, strategy = string.match(string.gsub(words or "", "_small$", ""), "^(.*)_([%l%d]+)$")
    return schedules[strategy] and { strategy = strategy, schedule = schedules[strategy], dtype = dtype,
        device = "cuda", target = target, normalises = code_normalises(code) } or nil
end

-- The plan of the kernel of exactly that name.
local function whole_plan(name)
    local row = host.kernel(name)
    if not row then
        return from_name(name)
    end
    row.normalises = string.find(row.epilogue, "group_norm") ~= nil or string.find(row.epilogue, "instance_norm") ~= nil
    return row
end

function plan.of(name)
    local base = base_name(name)
    local found = whole_plan(base)
    for _, part in ipairs(parts) do
        local whole = not found and string.match(base, "^(.*)_" .. part .. "$")
        found = found or whole and whole_plan(whole)
        if found and whole then
            found.part = part
        end
    end
    return found
end

return plan
