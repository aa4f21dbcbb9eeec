-- SPDX-License-Identifier: Apache-2.0
--
-- An architecture profile as what kernels ask for is measured in: a cs_rates (src/cost.h).
local fail = require_module("gen/fail.lua")

local rates = {}

-- What is asked of every profile, in its own units.
local figures = {
    "compute_capability", "sms", "clock_ghz", "registers_per_sm", "shared_per_sm", "shared_per_block", "warps_per_sm",
    "blocks_per_sm", "l2_bytes", "l2_bytes_per_cycle", "stream_gbs", "shared_bytes_per_cycle", "special_per_cycle",
    "f16_tflops", "tf32_tflops", "fp32_tflops", "mma_share",
}

-- What is wrong with a profile, or nil: the figure that it lacks.
function rates.fault(profile)
    for _, name in ipairs(figures) do
        local value = profile[name]
        if type(value) ~= "number" or value <= 0 then
            return ("profile %s: %s is %s, not a number above 0"):format(profile.name, name, tostring(value))
        end
    end
    return nil
end

-- Multiply-adds a second.
local function products(tflops)
    return tflops / 2 * 1e12
end

-- Ends the run where the profile lacks a figure.
function rates.of(profile)
    local fault = rates.fault(profile)
    if fault then
        fail(nil, "%s", fault)
    end
    return {
        name = profile.name,
        compute_capability = profile.compute_capability,
        sms = profile.sms,
        registers_per_sm = profile.registers_per_sm,
        shared_per_sm = profile.shared_per_sm,
        shared_per_block = profile.shared_per_block,
        warps_per_sm = profile.warps_per_sm,
        blocks_per_sm = profile.blocks_per_sm,
        l2_bytes = profile.l2_bytes,
        clock = profile.clock_ghz * 1e9,
        dram = profile.stream_gbs * 1e9,
        l2 = profile.l2_bytes_per_cycle * profile.clock_ghz * 1e9,
        special = profile.special_per_cycle,
        shared = profile.shared_bytes_per_cycle,
        products = {
            ffma = products(profile.fp32_tflops),
            mma_tf32 = products(profile.tf32_tflops * profile.mma_share),
            mma_f16 = products(profile.f16_tflops * profile.mma_share),
            wgmma_tf32 = products(profile.tf32_tflops),
            wgmma_f16 = products(profile.f16_tflops),
        },
    }
end

return rates
