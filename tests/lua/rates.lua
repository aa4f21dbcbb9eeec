-- SPDX-License-Identifier: Apache-2.0
--
-- Rates: a profile's figures in the units of what kernels ask for; a figure that is missing is named.
local arch = require_module("gen/arch.lua")
local rates = require_module("gen/rates.lua")

-- A copy of a profile without one of its figures, or with another value there.
local function changed(profile, name, value)
    local copy = {}
    for field, figure in pairs(profile) do
        copy[field] = figure
    end
    copy[name] = value
    return copy
end

local h200 = arch.find("h200")
local of = rates.of(h200)
assert(of.sms == 132 and of.clock == 1.98e9 and of.dram == 3910e9, "the H200's own figures")
assert(of.products.wgmma_f16 == 989e12 / 2, "a multiply-add is two operations")
assert(math.abs(of.products.mma_f16 / of.products.wgmma_f16 - h200.mma_share) < 1e-12, "mma.sync's share")
assert(of.products.mma_f16 / of.products.mma_tf32 == 989 / 495, "16 bits beside tf32")

for _, profile in ipairs(arch.profiles) do
    assert(not rates.fault(profile), rates.fault(profile))
end

local function expect_fault(name, value)
    local fault = rates.fault(changed(h200, name, value))
    assert(fault == ("profile h200: %s is %s, not a number above 0"):format(name, tostring(value)), tostring(fault))
end

for _, name in ipairs({ "sms", "clock_ghz", "stream_gbs", "l2_bytes_per_cycle", "special_per_cycle", "f16_tflops",
    "mma_share", "registers_per_sm", "shared_per_block" }) do
    expect_fault(name, nil)
    expect_fault(name, 0)
    expect_fault(name, -1)
    expect_fault(name, "many")
end

return true
