-- SPDX-License-Identifier: Apache-2.0
--
-- What is planned otherwise, where ptxas finds no room for a kernel or a profile shows what it lacks. A strategy's
-- `reliefs` are its ladder, a list of { name =, done = }: the name of what its `plan` and `refuses` do when the set
-- `reliefs` that they are given has it, and the same in words. A kernel goes up the ladder a step at a time, and keeps
-- the steps that it has taken.
local fail = require_module("gen/fail.lua")

local reliefs = {}

local function same(a, b)
    if type(a) ~= "table" or type(b) ~= "table" then
        return a == b
    end
    for key, value in pairs(a) do
        if not same(value, b[key]) then
            return false
        end
    end
    for key in pairs(b) do
        if a[key] == nil then
            return false
        end
    end
    return true
end

-- What serves where shared memory is short.
function reliefs.less_shared(after, before)
    return after.shared_bytes < before.shared_bytes
end

-- The set of the names in a list of { name = }, for strategies.
function reliefs.set(list)
    local set = {}
    for _, relief in ipairs(list) do
        set[relief.name] = true
    end
    return set
end

-- The reliefs of some lists, one behind the other, each name once.
function reliefs.joined(...)
    local joined, seen = {}, {}
    for _, list in ipairs({ ... }) do
        for _, relief in ipairs(list) do
            if not seen[relief.name] then
                joined[#joined + 1], seen[relief.name] = relief, true
            end
        end
    end
    return joined
end

-- A kernel's reliefs of the record, each with what its strategy does in words (`done`).
function reliefs.in_words(strategy, list, kernel_name)
    local words = {}
    for _, rung in ipairs(strategy.reliefs or {}) do
        words[rung.name] = rung.done
    end
    local told = {}
    for i, relief in ipairs(list) do
        local done = words[relief.name]
        if not done then
            fail(nil, "%s has a relief %q of %s, which %s knows nothing of; remove that relief", relief.path,
                relief.name, kernel_name, strategy.name)
        end
        told[i] = { name = relief.name, because = relief.because, done = done }
    end
    return told
end

-- The next step for a kernel, { name =, done = }: the first one that its strategy can take and that makes another plan
-- of it. `serves(after, before)`, if given, says whether a plan's geometry is what is wanted in the place of another;
-- `among` is the set of the names of the steps to choose from, nil: all. nil: there is none left.
function reliefs.next(kernel, serves, among)
    local strategy, row, lowered = kernel.planned_by, kernel.row, kernel.epilogue
    for _, rung in ipairs(strategy.reliefs or {}) do
        local set = reliefs.set(kernel.reliefs)
        local is_new = not set[rung.name] and (not among or among[rung.name])
        set[rung.name] = true
        if is_new and not (strategy.refuses and strategy.refuses(row, lowered, set)) then
            local geometry = strategy.plan(row, lowered, set)
            local is_wanted = not serves or serves(geometry, kernel.geometry)
            if is_wanted and not same(geometry, kernel.geometry) then
                return rung
            end
        end
    end
    return nil
end

return reliefs
