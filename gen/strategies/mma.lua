-- SPDX-License-Identifier: Apache-2.0
--
-- Tensor cores through mma.sync m16n8k8, tf32: weights are the 16 rows, 8 pixels the columns.
--
-- Persistent blocks of four warps walk over tiles; a warp computes a unit of up to 32 channels x 64 pixels. Where all
-- weights of a warp fit into registers they stay there; elsewhere they come from L1 at every step.
--
-- The k axis is cut along channels or columns (gen/k_axis.lua); the plan takes the cut with fewer steps.
local arithmetic = require_module("gen/arithmetic.lua")
local divide_up = arithmetic.divide_up
local round_up = arithmetic.round_up
local axes = require_module("gen/k_axis.lua")

local mma = {
    name = "mma",
    math = "tf32",
    dtypes = { f32 = true },
    device = "cuda",
    target = "sm80",
    schedule = "recompute",
    template = "templates/mma.cu.lua",
    extension = "cuh",
    shard_extension = "cu",
}

local WARPS = 4
local UNIT_W = 32 -- columns of a warp's unit: four for each of the eight pixels of a product
local ACCUMULATORS = 64 -- registers: 2 x 8 or 1 x 16 tiles of four
local MAX_M = 2 -- channel tiles of 16 a warp computes
local MAX_PARTS = 2 -- warps beside each other in channels
local MAX_WEIGHTS = 80 -- registers that weights may stay in
local MAX_UNROLLED = 512 -- mma instructions unrolled for one chunk of input channels
local MAX_SHARED = 99 * 1024 -- what a block of sm_89 can have
local BLOCKS_PER_SM = 2 -- leaves up to 255 registers a thread: fewer warps with more of them were faster
-- Beside accumulators and weights that stay: inputs in flight, addresses, tile state; weights in flight from L1. As
-- ptxas has it, the default table needs 166 to 218 in all, and 176 to 250 with weights from L1.
local OTHER_REGISTERS = 80
local OTHER_REGISTERS_L1 = 176

-- A plane of shared memory, in floats, such that the four k of a quad fall into different banks, loads being of four
-- floats: 8 or 24 modulo 32.
local function plane_floats(rows, pitch)
    return round_up(rows * pitch - 8, 16) + 8
end

-- Channels and pixels of a block and its warps. A block's units lie beside each other before they lie below, as far as
-- the reference problem's rows go: long runs of y are cheaper to write than short ones.
local function shape_for(row)
    local tiles = divide_up(row.c_out, 16)
    local m = math.min(MAX_M, tiles)
    local parts = math.min(MAX_PARTS, divide_up(tiles, m))
    local pixel_warps = WARPS // parts
    local across = 1
    while across < pixel_warps and across * UNIT_W < row.reference.w - row.kw + 1 do
        across = across * 2
    end
    local rows = ACCUMULATORS // (16 * m)
    return {
        m = m,
        rows = rows,
        n = rows * UNIT_W // 8,
        parts = parts,
        across = across,
        pixel_warps = pixel_warps,
        tile_c = parts * m * 16,
        tile_h = pixel_warps // across * rows,
        tile_w = across * UNIT_W,
    }
end

-- The k axis cut along `axis_name` into `chunks` chunks at most.
local function cut_into(chunks, axis_name, row, shape)
    local axis = axes[axis_name]
    local channels = round_up(divide_up(row.c_in, chunks), axis.granule)
    local quads = axis.quads(row, channels)
    local pitch = round_up(shape.tile_w + row.kw - 1, 4)
    local rows = shape.tile_h + row.kh - 1
    local plane = plane_floats(rows, pitch)
    local stages = channels >= row.c_in and 1 or 2
    return {
        axis = axis_name,
        chunks = divide_up(row.c_in, channels),
        channels = channels,
        quads = quads,
        nothing = axes.nothing,
        steps = divide_up(#quads, 2),
        stages = stages,
        rows = rows,
        pitch = pitch,
        plane = plane,
        stage = channels * plane,
        lane_stride = axis_name == "channel" and plane or 1,
    }
end

local function shared_bytes(k, shape)
    return 4 * (k.stages * k.stage + shape.tile_c * shape.tile_h * shape.tile_w)
end

local function fits(k, shape)
    return k.steps * shape.m * shape.n <= MAX_UNROLLED and shared_bytes(k, shape) <= MAX_SHARED
end

local function better(a, b)
    if not (a and b) then
        return a or b
    end
    return b.steps * b.chunks < a.steps * a.chunks and b or a
end

-- The cut with the fewest steps, then the fewest chunks, then along channels; or nil.
local function cut(row, shape)
    local best = nil
    for _, axis_name in ipairs({ "channel", "column" }) do
        for chunks = 1, divide_up(row.c_in, axes[axis_name].granule) do
            local k = cut_into(chunks, axis_name, row, shape)
            if fits(k, shape) then
                best = better(best, k)
            end
        end
    end
    return best
end

-- The plan's own part: tile, chunks, packed layout, resources. `problem` reports an error of the row.
function mma.plan(row, epilogue, problem)
    local shape = shape_for(row)
    local k = cut(row, shape)
    if not k then
        problem("the mma strategy has no cut of C_in x K that unrolls to %d mma or fewer", MAX_UNROLLED)
    end
    local weight_registers = k.steps * shape.m * 4
    local in_registers = k.chunks == 1 and weight_registers <= MAX_WEIGHTS
    local channel_blocks = divide_up(row.c_out, shape.tile_c)
    return {
        shape = shape,
        k = k,
        in_registers = in_registers,
        warps = WARPS,
        threads = WARPS * 32,
        blocks_per_sm = BLOCKS_PER_SM,
        tile_c = shape.tile_c,
        tile_h = shape.tile_h,
        tile_w = shape.tile_w,
        channel_blocks = channel_blocks,
        shared_bytes = shared_bytes(k, shape),
        packed = {
            weights = channel_blocks * k.chunks * k.steps * shape.parts * shape.m * 128,
            constants = channel_blocks * shape.tile_c * 2 * epilogue.slots,
        },
        registers = ACCUMULATORS + (in_registers and weight_registers + OTHER_REGISTERS or OTHER_REGISTERS_L1),
        unrolled = ("%d mma"):format(k.steps * shape.m * shape.n),
        padded_multiply_adds = k.chunks * k.steps * 8 * channel_blocks * shape.tile_c,
        why = ("k along the %s axis: %d steps of 8 for %d products; weights from %s"):format(
            k.axis,
            k.chunks * k.steps,
            row.c_in * row.kh * row.kw,
            in_registers and "registers" or "L1"
        ),
    }
end

return mma
