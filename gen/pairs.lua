-- SPDX-License-Identifier: Apache-2.0
--
-- pairs() with a fixed order: numbers, then strings, each ascending. Lua's own order differs from run to run.
local rank = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
    local rank_a, rank_b = rank[type(a)], rank[type(b)]
    if rank_a ~= rank_b then
        return rank_a < rank_b
    end
    if type(a) == "boolean" then
        return not a and b
    end
    return a < b
end

local function ordered_pairs(t)
    if type(t) ~= "table" then
        error("pairs takes a table, not a " .. type(t), 2)
    end
    local keys = {}
    for key in next, t do
        if not rank[type(key)] then
            error("pairs has no order for a key that is a " .. type(key), 2)
        end
        keys[#keys + 1] = key
    end
    table.sort(keys, before)
    local i = 0
    return function()
        repeat
            i = i + 1
        until keys[i] == nil or rawget(t, keys[i]) ~= nil
        local key = keys[i]
        if key ~= nil then
            return key, rawget(t, key)
        end
        return nil
    end
end

return ordered_pairs
