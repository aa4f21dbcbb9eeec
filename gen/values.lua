-- SPDX-License-Identifier: Apache-2.0
--
-- What a manifest gives, whatever it is: how to show it, and whether it is a list.
local values = {}

local MAX_SHOWN = 40

-- A value in an error message.
function values.shown(value)
    if type(value) == "string" then
        local short = #value > MAX_SHOWN and string.sub(value, 1, MAX_SHOWN) .. "..." or value
        return '"' .. string.gsub(short, "%c", "?") .. '"'
    elseif type(value) == "number" or type(value) == "boolean" then
        return tostring(value)
    end
    return value == nil and "missing" or "a " .. type(value)
end

-- Whether a table has the keys 1 to #value and no others.
function values.is_list(value)
    local count = 0
    for _ in next, value do
        count = count + 1
    end
    for i = 1, count do
        if rawget(value, i) == nil then
            return false
        end
    end
    return true
end

return values
