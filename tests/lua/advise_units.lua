-- SPDX-License-Identifier: Apache-2.0
--
-- Numbers and units as ncu prints them.
local units = require_module("gen/advise/units.lua")

local numbers = {
    ["64516"] = 64516, ["1,234,567"] = 1234567, ["1,234.5"] = 1234.5, ["-3"] = -3, ["33.89"] = 33.89, ["0"] = 0,
    ["1e3"] = 1000, ["9,00"] = false, ["1.234,5"] = false, ["12,34,567"] = false, ["1,2345"] = false, [""] = false,
    ["nan"] = false, ["-inf"] = false, ["0x10"] = false, ["12 %"] = false, ["1.2.3"] = false, ["."] = false,
}
for text, expected in pairs(numbers) do
    local number = units.number(text)
    assert((number or false) == expected, ("%q is read as %s"):format(text, tostring(number)))
end

local bases = {
    ["%"] = { "%", 1 }, [""] = { "", 1 }, byte = { "byte", 1 }, Kbyte = { "byte", 1e3 }, Mbyte = { "byte", 1e6 },
    ["Kbyte/block"] = { "byte", 1e3 }, ["register/thread"] = { "register", 1 }, inst = { "inst", 1 },
    ns = { "ns", 1 }, us = { "ns", 1e3 }, ms = { "ns", 1e6 }, s = { "ns", 1e9 }, second = { "ns", 1e9 },
    nsecond = { "ns", 1 }, usecond = { "ns", 1e3 }, msecond = { "ns", 1e6 },
    ["byte/second"] = { "byte/ns", 1e-9 }, ["Mbyte/second"] = { "byte/ns", 1e-3 }, ["Gbyte/s"] = { "byte/ns", 1 },
    ["Tbyte/s"] = { "byte/ns", 1e3 }, ["byte/nsecond"] = { "byte/ns", 1 }, Ghz = { "Ghz", 1 },
}
for text, expected in pairs(bases) do
    local base, scale = units.read(text)
    assert(base == expected[1] and math.abs(scale / expected[2] - 1) < 1e-12,
        ("%q is read as %s of %s"):format(text, tostring(scale), base))
end

local texts = { [33.89] = "33.89", [64516] = "64516", [1] = "1", [0.5] = "0.5", [0.004] = "0.004", [0] = "0",
    [104850.257] = "104850", [100] = "100" }
for value, expected in pairs(texts) do
    assert(units.text(value) == expected, ("%s is shown as %s"):format(expected, units.text(value)))
end

return true
