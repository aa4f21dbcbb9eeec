-- SPDX-License-Identifier: Apache-2.0
--
-- Resident kernels: a multiprocessor's block computes a part of a band at a time. Of its warps those that compute are
-- the limit, products and epilogue one after the other, or those that bring x, one batch of loads after the other.
local arithmetic = require_module("gen/arithmetic.lua")
local count_steps = require_module("gen/cost/epilogue.lua")
local divide_up = arithmetic.divide_up

local GROUPS, TILE = 2, 64 -- computing warpgroups; pixels of a product
-- Cycles of shared memory for a product of n columns: 2 KiB of pixels, and a step's weights, at 128 bytes a cycle.
local PIXEL_BYTES, COLUMN_BYTES = 2048, 32
local PART = 900 -- of a part's beginning: its inputs, its sums
local VALUE = 62 -- of a value of a computing thread: its sigmoid, its sums, its way to a buffer
local OTHER_VALUE = 1.35 -- of one that is no sigmoid's, beside it
local SIXTEEN_BITS = 0.71 -- of one that goes to its buffer beneath the next ones' special functions, beside it
local PIECES = 1.2 -- of one whose operands are two pieces, beside it
local WAIT, BATCH = 750, 750 -- of waiting for batches of loads from memory under way, and of each of them
local START = 7000 -- the first sample's way in and the last one's way out

local units = { f32 = "wgmma_tf32", f16 = "wgmma_f16", bf16 = "wgmma_f16" }

-- Cycles of a stager for the longest band that the plan has: it waits for some batches of loads, then for the next.
local function staging_of(kernel, shape, operand_bytes)
    local row = kernel.row
    local width = row.reference.w + row.pad_w
    local inputs = kernel.geometry.tile_w + (row.kh - 1) * width + row.kw - 1
    local pixels = 4 // operand_bytes -- of a load
    local at_once = 2 // pixels -- batches under way
    local batches = divide_up(inputs, shape.rounds * shape.stagers * 32 * pixels) * shape.cut.planes
    return divide_up(batches, at_once) * WAIT + batches * BATCH
end

return function(kernel)
    local g, row = kernel.geometry, kernel.row
    local shape = g.shape
    local steps = count_steps(kernel.epilogue.before)
    local bytes = kernel.dtype.bytes
    local tiles = GROUPS * shape.tiles
    local products = tiles * shape.cut.steps * g.tensor_products
    local value = VALUE * (g.resident.words > 2 and OTHER_VALUE or 1) * (bytes == 2 and SIXTEEN_BITS or 1) *
        (shape.pieces > 1 and PIECES or 1)
    local shared = products * (PIXEL_BYTES + COLUMN_BYTES * shape.n)
    local computing = PART + shared / 128 + value * shape.tiles * row.c_out / 2
    local staging = staging_of(kernel, shape, bytes)
    return {
        unit = units[row.dtype],
        start = START,
        apply = {
            products = products * TILE * shape.n * 2 * shape.cut.width,
            special = steps.special * tiles * TILE * row.c_out,
            shared = shared,
            wait = math.max(computing, staging),
            l2 = 2 * bytes * row.c_in * g.tile_w,
        },
    }
end
