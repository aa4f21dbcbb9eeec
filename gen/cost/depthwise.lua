-- SPDX-License-Identifier: Apache-2.0
--
-- Depthwise kernels: many warps, so that what they issue is what they take.
local count_steps = require_module("gen/cost/epilogue.lua")

-- Cycles in which a warp issues: of a tap of a value, of an input from shared memory with its unpacking, of a value and
-- its way to y, and of a function of special functions.
local TAP, INPUT, VALUE, CURVE = 1, 6, 9.5, 11.5
local LOAD = 12 -- of a load of inputs straight from x
local TAP_LOAD = 24 -- of one of a tap from L1, for a row of a thread's pixels
local SINGLE = 8 -- of a value of 16 bits that is written without a neighbour
local WAIT = 0.65 -- cycles that it waits for each of these
local START = 2500

-- Cycles of what a thread reads for its pixels: inputs, of NHWC tensors a word of channels at a time, and taps that do
-- not stay in registers.
local function reading(g, row)
    local shape = g.shape
    local rows, cols = (shape.rows - 1) * row.stride_h + row.reach_h, (shape.cols - 1) * row.stride_w + row.reach_w
    local taps = g.kept and 0 or row.kh * row.kw * shape.rows
    return (row.layout == "nhwc" and LOAD or INPUT) * rows * cols + TAP_LOAD * taps
end

-- Cycles of a value.
local function finishing(kernel, curves)
    local shape = kernel.geometry.shape
    local is_single = kernel.dtype.bytes == 2 and (shape.channels or shape.cols) == 1
    return VALUE + CURVE * curves + (is_single and SINGLE or 0)
end

return function(kernel)
    local g, row = kernel.geometry, kernel.row
    local steps = count_steps(kernel.epilogue.before)
    local taps = row.kh * row.kw
    local block_values = g.tile_c * g.tile_h * g.tile_w
    local values = block_values // g.threads
    local cycles = (TAP * taps + finishing(kernel, steps.curves)) * values + reading(g, row)
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
