-- SPDX-License-Identifier: Apache-2.0
--
-- Depthwise kernels: many warps, so that what they issue is what they take.
local count_steps = require_module("gen/cost/epilogue.lua")

local TAP = 1.65 -- instructions of a tap of a value: its multiply-add, and its share of loads and of unpacking
local VALUE, CURVE = 18.5, 11.5 -- of a value, and of a function of special functions
local WAIT = 0.65 -- cycles of a warp for each that it issues
local START = 2500

return function(kernel)
    local g, row = kernel.geometry, kernel.row
    local steps = count_steps(kernel.epilogue.before)
    local taps = row.kh * row.kw
    local block_values = g.tile_c * g.tile_h * g.tile_w
    local values = block_values // g.threads
    local cycles = (TAP * taps + VALUE + CURVE * steps.curves) * values -- four warps, one a scheduler
    local tile = {
        products = block_values * taps,
        special = steps.special * block_values,
        issue = cycles,
        wait = WAIT * cycles,
        l2 = kernel.dtype.bytes * g.tile_c * ((g.tile_h - 1) * row.stride_h + row.reach_h) *
            ((g.tile_w - 1) * row.stride_w + row.reach_w),
    }
    return { unit = "ffma", start = START, statistics = kernel.epilogue.normalises and tile or nil, apply = tile }
end
