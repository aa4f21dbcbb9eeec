-- SPDX-License-Identifier: Apache-2.0
--
-- A chain's name says what a manifest had.
local epilogue = require_module("gen/epilogue.lua")

local names = { "", "bias", "bias+add_channel+mul_channel+sigmoid+group_norm", "batch_norm(1e-05)+relu",
    "bias+clamp(-6,1e+10)+add_tensor+mul_input_of(2)" }
for _, name in ipairs(names) do
    local again = epilogue.name(epilogue.read(epilogue.given(name)))
    assert(again == name, ("%q is read as %q"):format(name, again))
end
return true
