-- SPDX-License-Identifier: Apache-2.0
--
-- Depthwise kernels: many warps, so that what they issue is what they take.
local count_steps = require_module("gen/cost/epilogue.lua")

-- Cycles in which a warp issues: of a tap of a value, of an input with its unpacking, of a value and its way to y, and
-- of a function of special functions.
local TAP, INPUT, VALUE, CURVE = 1, 6, 9.5, 11.5
local WAIT = 0.65 -- cycles that it waits for each of these
local START = 2500

-- Inputs that a thread reads for its pixels.
local function inputs_of(g, row)
    local shape = g.shape
    local rows, cols = (shape.rows - 1) * row.stride_h + row.reach_h, (shape.cols - 1) * row.stride_w + row.reach_w
    return rows * cols * (shape.channels or 1)
end

return function(kernel)
    local g, row = kernel.geometry, kernel.row
    local steps = count_steps(kernel.epilogue.before)
    local taps = row.kh * row.kw
    local block_values = g.tile_c * g.tile_h * g.tile_w
    local values = block_values // g.threads
    local cycles = (TAP * taps + VALUE + CURVE * steps.curves) * values + INPUT * inputs_of(g, row)
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
