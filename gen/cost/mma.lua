-- SPDX-License-Identifier: Apache-2.0
--
-- Kernels of mma.sync. Four warps, one a scheduler, go through the same straight code for each tile, so that a tile
-- takes cycles in proportion to instructions; blocks beside it fill what a warp waits.
local count_steps = require_module("gen/cost/epilogue.lua")

-- Cycles of a warp with one other on its scheduler, which is how most kernels of the library run.
local TILE = 320 -- of a tile beside what follows: where it lies, and waiting for its first inputs
local PRODUCT = 8.1 -- of an mma; its unit takes 6.5
local INPUT = { f32 = 3.5, f16 = 6, bf16 = 6 } -- of bringing a product's inputs of 8 pixels, rounded or paired
local COPY = 30 -- of 16 bytes of x on their way to shared memory: their place, and whether they are padding
local WEIGHTS = 4 -- of bringing the weights of a product from L1, 512 bytes at 128 a cycle
local VALUE = 9.5 -- of a value of a thread: its constants, and its way to y or its statistics
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

-- What there is of each in a warp's part of a tile: mma, inputs of 8 pixels, vectors of x copied, weights from L1, and
-- values of a thread.
local function counts_of(g)
    local shape, k = g.shape, g.k
    local steps = k.chunks * k.steps
    return {
        products = steps * shape.m * shape.n * shape.products,
        inputs = steps * shape.n,
        copies = k.chunks * k.stage * shape.bytes / 16 / g.threads,
        weights = g.in_registers and 0 or steps * shape.m * shape.pieces,
        values = 4 * shape.m * shape.n,
    }
end

-- A tile's cost; `value`: cycles of a value of a thread.
local function tile_of(kernel, value)
    local g, row = kernel.geometry, kernel.row
    local shape, k, count = g.shape, g.k, counts_of(g)
    local steps = count_steps(kernel.epilogue.before)
    local cycles = TILE + PRODUCT * count.products + INPUT[row.dtype] * count.inputs + COPY * count.copies +
        WEIGHTS * count.weights + (value + CURVE * steps.curves) * count.values
    return {
        products = count.products * 16 * 8 * (32 // shape.bytes) * g.warps,
        special = steps.special * g.tile_c * g.tile_h * g.tile_w,
        shared = INPUT_BYTES * count.inputs * g.warps * spread_of(row, k.axis),
        issue = ISSUE_SHARE * cycles,
        wait = WAIT_SHARE * cycles,
        l2 = k.chunks * k.stage * shape.bytes,
    }
end

return function(kernel)
    local normalises = kernel.epilogue.normalises
    return {
        unit = units[kernel.row.dtype],
        start = START,
        statistics = normalises and tile_of(kernel, VALUE) or nil,
        apply = tile_of(kernel, normalises and VALUE + NORMALISED or VALUE),
    }
end
