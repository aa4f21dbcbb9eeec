-- SPDX-License-Identifier: Apache-2.0
--
-- suggest(name, known): "did you mean c_in?" when a key of `known` is near, else "there are c_in, c_out, ...".
-- Capitals are as good as small letters.
local MAX_LENGTH = 32

-- The number of characters to insert, remove or replace to get from a to b.
local function distance(a, b)
    local previous = {}
    for j = 0, #b do
        previous[j] = j
    end
    for i = 1, #a do
        local current = { [0] = i }
        for j = 1, #b do
            local cost = string.sub(a, i, i) == string.sub(b, j, j) and 0 or 1
            current[j] = math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
        end
        previous = current
    end
    return previous[#b]
end

local function suggest(name, known)
    local all, nearest, least = {}, nil, math.maxinteger
    local is_comparable = type(name) == "string" and #name <= MAX_LENGTH
    for candidate in pairs(known) do
        all[#all + 1] = candidate
        local near = is_comparable and distance(string.lower(name), string.lower(candidate)) or math.maxinteger
        if near < least then
            nearest, least = candidate, near
        end
    end
    if nearest and least <= math.max(1, #name // 3) then
        return string.format("did you mean %s?", nearest)
    end
    return "there are " .. table.concat(all, ", ")
end

return suggest
