-- SPDX-License-Identifier: Apache-2.0
--
-- The record of what ptxas told of kernels: what is written is read again as it was.
local resources = require_module("gen/resources.lua")

local kernels = {
    conv_a = { text = "0123", on = { sm_89 = { registers = 255, stack = 8, spill_stores = 4, spill_loads = 12,
        shared = 1024 },
        sm_90a = { registers = 40, stack = 0, spill_stores = 0, spill_loads = 0, shared = 0 } }, reliefs = {} },
    conv_b = { on = {}, reliefs = { { name = "half_rows", because = 'a "reason"' } }, refused = "no room" },
    conv_c = { text = "4567", on = {}, reliefs = {} },
}
local text = resources.text(kernels)
local again = resources.read(text, "resources.lua")

assert(resources.text(again) == text, "the same text comes of what was read")
assert(again.conv_a.text == "0123" and again.conv_a.on.sm_89.spill_loads == 12 and again.conv_a.on.sm_90a.shared == 0)
assert(again.conv_b.reliefs[1].name == "half_rows" and again.conv_b.reliefs[1].because == 'a "reason"')
assert(again.conv_b.refused == "no room")
assert(not again.conv_c, "there is no entry that says nothing")
assert(not resources.text({}), "and no record of nothing")
assert(not next(resources.read(nil, "resources.lua")), "where there is no record, nothing is known")
return true
