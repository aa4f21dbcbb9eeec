-- SPDX-License-Identifier: Apache-2.0
--
-- json(value) -> its text, indented: lists are tables with [1], or made by json.list; names of objects are in order.
local numbers = require_module("gen/numbers.lua")

local list_mark = {}

local json = {}

-- A list, which may be empty.
function json.list(items)
    return setmetatable(items, list_mark)
end

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r" }

local function quoted(text)
    return '"' .. string.gsub(text, '[%c"\\\x7F-\xFF]', function(character)
        return escapes[character] or ("\\u%04x"):format(string.byte(character))
    end) .. '"'
end

local encode

local function encode_items(value, indent, is_list)
    local lines = {}
    if is_list then
        for i, item in ipairs(value) do
            lines[i] = indent .. encode(item, indent)
        end
    else
        for name, item in pairs(value) do
            lines[#lines + 1] = indent .. quoted(name) .. ": " .. encode(item, indent)
        end
    end
    return table.concat(lines, ",\n")
end

function encode(value, indent)
    if type(value) == "string" then
        return quoted(value)
    elseif type(value) ~= "table" then
        assert(type(value) ~= "number" or numbers.is_finite(value), "JSON has no number for this")
        return type(value) == "number" and ("%.10g"):format(value) or tostring(value)
    end
    local is_list = getmetatable(value) == list_mark or value[1] ~= nil
    local opening, closing = "{", "}"
    if is_list then
        opening, closing = "[", "]"
    end
    if not next(value) then
        return opening .. closing
    end
    return opening .. "\n" .. encode_items(value, indent .. "  ", is_list) .. "\n" .. indent .. closing
end

function json.text(value)
    return encode(value, "")
end

return json
