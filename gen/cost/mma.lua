-- SPDX-License-Identifier: Apache-2.0
--
-- Kernels of mma.sync. Four warps, one a scheduler, go through the same straight code for each tile, so that a tile
-- takes cycles in proportion to what that does; blocks beside it fill what a warp waits.
local arithmetic = require_module("gen/arithmetic.lua")
local count_steps = require_module("gen/cost/epilogue.lua")
local divide_up = arithmetic.divide_up

-- Cycles of a warp with one other on its scheduler, which is how most kernels of the library run.
local CHUNK = 285 -- of a chunk of channels: its inputs are waited for, and the other warps
local PRODUCT = 6.7 -- of an mma; its unit takes 6.5
local INPUT = 0.8 -- of bringing a product's inputs of 8 pixels, rounded or paired, beside the products
local CONFLICT = 5 -- of bringing them once more, where pixels lie apart
local COPY = 9 -- of 16 bytes of x on their way to shared memory
local STEP = 18 -- of waiting for a step's weights from L1
local STATISTICS = 3 -- of a value on its way to its channel's moments
local CURVE = 6 -- of a function of special functions
local VALUE = 16 -- of a value on its way to y
local PIXELS = 11 -- of one that is written beside its pixel's other channels
local NORMALISED = 26 -- of one that is normalised
-- Of one that goes through shared memory, where rows of y do not begin at multiples of 16 bytes.
local STAGED = 35
-- Of a thread's part of a line of x that is copied by elements, where rows do not begin at multiples of 16 bytes. Those
-- of 16 bits go through registers, a line after the other.
local LINE = { f32 = 48, f16 = 160, bf16 = 160 }
-- Half of a warp's cycles are its own, to issue in; what it waits in the others, the scheduler's other warps fill.
local ISSUE_SHARE, WAIT_SHARE = 0.5, 1
local START = 2800 -- weights and first inputs
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

-- What the thread with the most to copy has of a chunk of x: lines, and vectors of 16 bytes in all. (As copy_lines of
-- src/device/tile.cuh shares them out; pixels are shared evenly.)
local function copies_of(g, layout)
    local k, vector = g.k, 16 // g.shape.bytes
    if layout == "nhwc" then
        return 0, k.stage / vector / g.threads
    end
    local vectors = k.pitch // vector
    local lanes = vectors >= 32 and 32 or vectors >= 16 and 16 or 8
    local lines = k.channels * divide_up(k.rows, g.threads // lanes)
    return lines, lines * divide_up(vectors, lanes)
end

-- What there is of each in a warp's part of a tile: mma, inputs of 8 pixels, lines and vectors of x copied, steps whose
-- weights come from L1, and values of a thread: all, and those of channels that y has.
local function counts_of(kernel)
    local g, row = kernel.geometry, kernel.row
    local shape, k = g.shape, g.k
    local steps = k.chunks * k.steps
    local lines, copies = copies_of(g, row.layout)
    local values = 4 * shape.m * shape.n
    return {
        products = steps * shape.m * shape.n * shape.products,
        inputs = steps * shape.n,
        lines = k.chunks * lines,
        copies = k.chunks * copies,
        weights = g.in_registers and 0 or steps,
        values = values,
        written = values * row.c_out / (g.channel_blocks * g.tile_c),
    }
end

local function waiting(cycles)
    return { issue = ISSUE_SHARE * cycles, wait = WAIT_SHARE * cycles }
end

-- A tile's cost but for what becomes of its values, `finishing` cycles.
local function tile_of(kernel, count, finishing)
    local g, row = kernel.geometry, kernel.row
    local shape, k = g.shape, g.k
    local steps, spread = count_steps(kernel.epilogue.before), spread_of(row, k.axis)
    local tile = waiting(CHUNK * k.chunks + PRODUCT * count.products + COPY * count.copies + STEP * count.weights +
        (INPUT + CONFLICT * (spread - 1)) * count.inputs + CURVE * steps.curves * count.values + finishing)
    tile.products = count.products * 16 * 8 * (32 // shape.bytes) * g.warps
    tile.special = steps.special * g.tile_c * g.tile_h * g.tile_w
    tile.shared = INPUT_BYTES * count.inputs * g.warps * spread
    tile.l2 = k.chunks * k.stage * shape.bytes
    return tile
end

return function(kernel)
    local row, count, normalises = kernel.row, counts_of(kernel), kernel.epilogue.normalises
    local value = VALUE + (normalises and NORMALISED or 0) + (row.layout == "nhwc" and PIXELS or 0)
    return {
        unit = units[row.dtype],
        start = START,
        statistics = normalises and tile_of(kernel, count, STATISTICS * count.values) or nil,
        apply = tile_of(kernel, count, value * count.written),
        unaligned_x = waiting(LINE[row.dtype] * count.lines),
        unaligned_y = row.layout == "nchw" and waiting(STAGED * count.written) or nil,
    }
end
