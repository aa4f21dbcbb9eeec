-- SPDX-License-Identifier: Apache-2.0
--
-- Numbers and units as ncu prints them.
local units = {}

local MAX_NUMBER = 40 -- characters

local prefixes = { n = 1e-9, u = 1e-6, m = 1e-3, K = 1e3, M = 1e6, G = 1e9, T = 1e12 }

-- The base that a word names, and what one of the word is in it: times are in ns.
local function base_of(word)
    local prefix = string.match(word, "^([num]?)s$") or string.match(word, "^([num]?)second$")
    if prefix then
        return "ns", 1e9 * (prefixes[prefix] or 1)
    end
    prefix = string.match(word, "^([KMGT]?)byte$")
    if prefix then
        return "byte", prefixes[prefix] or 1
    end
    return word, 1
end

-- The base unit of one as ncu prints it, and its scale: "Kbyte/block" is ("byte", 1000). What a thing is counted for is
-- left out, except a time.
function units.read(text)
    local counted, per = string.match(text, "^([^/]*)/?(.*)$")
    local base, scale = base_of(counted)
    local per_base, per_scale = base_of(per)
    if per_base == "ns" then
        return base .. "/ns", scale / per_scale
    end
    return base, scale
end

-- A number, which may have thousands separators; nil when it is none.
function units.number(text)
    if #text > MAX_NUMBER then
        return nil
    end
    local whole, fraction = string.match(text, "^([-+]?%d%d?%d?,[%d,]+)(.*)$")
    if whole then
        if string.find(whole .. ",", ",%d?%d?,") or string.find(whole, ",%d%d%d%d") then
            return nil
        end
        text = string.gsub(whole, ",", "") .. fraction
    end
    return string.find(text, "^[-+]?[%d.]+[eE]?[-+]?%d*$") and tonumber(text) or nil
end

-- A number for people: two decimals, none where it is large, or three digits where it is small.
function units.text(value)
    if value ~= 0 and math.abs(value) < 0.1 then
        return ("%.3g"):format(value)
    end
    if math.abs(value) >= 10000 then
        return ("%.0f"):format(value)
    end
    local text = ("%.2f"):format(value)
    return (string.gsub(string.gsub(text, "0+$", ""), "%.$", ""))
end

-- What stands in the place of a value that was not taken.
local absent = { [""] = true, ["n/a"] = true, ["N/A"] = true, ["no data"] = true, ["(!) n/a"] = true }

function units.is_absent(text)
    return absent[text] or false
end

return units
