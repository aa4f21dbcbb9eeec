-- SPDX-License-Identifier: Apache-2.0
--
-- JSON as it is written.
local json = require_module("gen/json.lua")

local texts = {
    { 5, "5" }, { 0.25, "0.25" }, { 64516, "64516" }, { true, "true" }, { "a", '"a"' }, { {}, "{}" },
    { json.list({}), "[]" }, { { 1, "b" }, '[\n  1,\n  "b"\n]' }, { { b = 1, a = {} }, '{\n  "a": {},\n  "b": 1\n}' },
    { 'quote " and \\', '"quote \\" and \\\\"' }, { "line\nbreak\t\r", '"line\\nbreak\\t\\r"' },
    { "\0\x1b\x7f\xff", '"\\u0000\\u001b\\u007f\\u00ff"' },
}
for _, case in ipairs(texts) do
    local value, expected = table.unpack(case)
    assert(json.text(value) == expected, ("%s is written %s"):format(expected, json.text(value)))
end

return true
