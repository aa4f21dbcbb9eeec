-- SPDX-License-Identifier: Apache-2.0
--
-- Kernels of warpgroups' products: two groups take turns, one multiplies while the other has its values go through the
-- epilogue. So a tile takes as long as its products, or as half of both, whichever is more.
local count_steps = require_module("gen/cost/epilogue.lua")

local CHANNELS = 64 -- of a tile
local STEP = 32 -- bytes of a pixel's channels that a product takes; of n columns it takes n / 2 cycles
local REACHED = 0.8 -- share of the tensor cores' rate, by the clock that they leave the GPU
local BOX = 1200 -- cycles of waiting for each box of inputs but a tile's first, which comes beside another tile
local FIRST = 1300 -- cycles until a launch's first box is there
-- Cycles of the epilogue: of a tile, and of a value of a thread.
local EPILOGUE, VALUE, CURVE = 1500, 40, 35
local FLOATS = 30 -- of a value that is written as four bytes, beside it
local EXCHANGE = 5100 -- of a tile that is normalised while it stays in registers
local PIXELS = 0.3 -- share of VALUE where y is written pixel by pixel, channels beside each other
local CUT = 95 -- of a value where rows of y do not begin at multiples of 16 bytes, by the one kernel that was measured

local units = { f32 = "wgmma_tf32", f16 = "wgmma_f16", bf16 = "wgmma_f16" }

-- Cycles from one tile to the next, its products and its epilogue taking so many.
local function tile_cycles(multiplying, finishing)
    return math.max(multiplying, (multiplying + finishing) / 2)
end

return function(kernel)
    local g, row = kernel.geometry, kernel.row
    local k, shape = g.k, g.shape
    local steps = count_steps(kernel.epilogue.before)
    local n, taps = shape.n, row.kh * row.kw
    local boxes = k.chunks * k.phases
    local products = k.all_steps * taps
    local values = n * CHANNELS / 128
    local multiplying = products * n / 2 / REACHED + BOX * (boxes - 1)
    local value = VALUE * (row.layout == "nhwc" and PIXELS or 1) + CURVE * steps.curves +
        (kernel.dtype.bytes == 4 and FLOATS or 0)
    local finishing = EPILOGUE + value * values + (g.gemm.at_once and EXCHANGE or 0)
    local cut = row.layout == "nchw" and CUT * values or 0
    return {
        unit = units[row.dtype],
        start = finishing + FIRST,
        apply = {
            products = products * n * CHANNELS * STEP / shape.operand_bytes / REACHED,
            special = steps.special * n * CHANNELS,
            wait = tile_cycles(multiplying, finishing),
            l2 = boxes * shape.input_bytes + products * CHANNELS * STEP,
        },
        unaligned_y = { wait = tile_cycles(multiplying, finishing + cut) - tile_cycles(multiplying, finishing) },
    }
end
