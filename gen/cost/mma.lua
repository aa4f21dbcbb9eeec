-- SPDX-License-Identifier: Apache-2.0
--
-- Kernels of mma.sync. Four warps, one a scheduler, go through the same straight code for each tile, so that a tile
-- takes cycles in proportion to instructions; blocks beside it fill what a warp waits.
local count_steps = require_module("gen/cost/epilogue.lua")

-- Cycles of a warp with one other on its scheduler, which is how most kernels of the library run.
local PRODUCT = 8.3 -- of an mma; its unit takes 6.5
local INPUT = { f32 = 3.5, f16 = 6, bf16 = 6 } -- of bringing a product's inputs of 8 pixels, rounded or paired
local COPY = 30 -- of 16 bytes of x on their way to shared memory: their place, and whether they are padding
local VALUE = 14.5 -- of a value of a thread: its constants, and its way to y or its statistics
local CURVE = 13 -- of a function of special functions
local NORMALISED = 36 -- of a value that is normalised, beside these
-- A third of a warp's cycles are its own, to issue in; what it waits in the others, the scheduler's other warps fill.
-- Shares of the above, which are cycles with one other:
local ISSUE_SHARE, WAIT_SHARE = 0.48, 1.04
local START = 3000 -- weights and first inputs
local INPUT_BYTES = 32 * 8 -- of shared memory, a warp's for the inputs of 8 pixels

local units = { f32 = "mma_tf32", f16 = "mma_f16", bf16 = "mma_f16" }

-- How often as many bytes of shared memory are read where pixels lie apart: what a vector brings between them, and the
-- banks that are left out, or, pixel by pixel, these alone. Columns along k are neighbours whatever the stride.
local function spread_of(row, axis)
    if axis == "channel" or axis == "pair" then
        return row.layout == "nhwc" and row.stride_w or row.stride_w ^ 2
    end
    return 1
end

return function(kernel)
    local g, row = kernel.geometry, kernel.row
    local shape, k = g.shape, g.k
    local steps = count_steps(kernel.epilogue.before)
    local all_steps = k.chunks * k.steps
    local products = all_steps * shape.m * shape.n * shape.products
    local values = 4 * shape.m * shape.n
    local copies = k.chunks * k.stage * shape.bytes / 16 / g.threads
    local block_values = g.tile_c * g.tile_h * g.tile_w

    local function tile(more)
        local cycles = PRODUCT * products + INPUT[row.dtype] * all_steps * shape.n + COPY * copies +
            (VALUE + CURVE * steps.curves + more) * values
        return {
            products = products * 16 * 8 * (32 // shape.bytes) * g.warps,
            special = steps.special * block_values,
            shared = INPUT_BYTES * all_steps * shape.n * g.warps * spread_of(row, k.axis),
            issue = ISSUE_SHARE * cycles,
            wait = WAIT_SHARE * cycles,
            l2 = k.chunks * k.stage * shape.bytes,
        }
    end

    local normalises = kernel.epilogue.normalises
    return {
        unit = units[row.dtype],
        start = START,
        statistics = normalises and tile(0) or nil,
        apply = tile(normalises and NORMALISED or 0),
    }
end
