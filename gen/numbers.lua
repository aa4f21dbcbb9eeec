-- SPDX-License-Identifier: Apache-2.0
--
-- Numbers of single precision, and how they are written.
local numbers = {}

local MOST_DIGITS = 9 -- enough for any float

-- The nearest float; an infinity beyond the greatest.
function numbers.float(value)
    return (string.unpack("<f", string.pack("<f", value)))
end

function numbers.is_finite(value)
    return value == value and math.abs(value) < math.huge
end

-- Whether a float has all of its digits: it is neither beyond the greatest nor closer to 0 than 2^-126.
function numbers.is_whole(value)
    return numbers.is_finite(value) and (value == 0 or math.abs(value) >= 0x1p-126)
end

-- The shortest text of a finite float that reads back as the same: 10, not 1e+01.
function numbers.text(value)
    if value == 0 then
        return "0"
    end
    local shortest
    for digits = 1, MOST_DIGITS do
        local text = string.format("%." .. digits .. "g", value)
        if numbers.float(tonumber(text)) == value and not (shortest and #shortest < #text) then
            shortest = text
        end
    end
    return shortest
end

-- A finite float as a C literal.
function numbers.literal(value)
    local text = numbers.text(value)
    return text .. (string.find(text, "[.e]") and "f" or ".0f")
end

-- A number's text as part of an identifier.
function numbers.code(text)
    local names = { ["-"] = "m", ["."] = "p", ["+"] = "" }
    return (string.gsub(text, "[-.+]", names))
end

return numbers
