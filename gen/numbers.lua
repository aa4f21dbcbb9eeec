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

-- A finite float with the fewest digits that read back as the same.
function numbers.text(value)
    if value == 0 then
        return "0"
    end
    local text
    for digits = 1, MOST_DIGITS do
        text = string.format("%." .. digits .. "g", value)
        if numbers.float(tonumber(text)) == value then
            break
        end
    end
    return text
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
