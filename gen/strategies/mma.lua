-- SPDX-License-Identifier: Apache-2.0
--
-- Tensor cores through mma.sync m16n8k8, tf32: weights are the 16 rows, 8 neighbouring pixels the columns.
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
local TILE_W = 32
local MAX_M = 4 -- channel tiles of 16 a block computes
local MAX_N = 8 -- pixel tiles of 8 a warp computes
local MAX_ACCUMULATOR_TILES = 16 -- four registers each
local MAX_UNROLLED = 512 -- mma instructions unrolled for one chunk of input channels
local MAX_SHARED = 48 * 1024 -- what a block may have without asking
local OTHER_REGISTERS = 32 -- addresses, loop and tile state

-- A plane of shared memory, in floats, such that the four k of a quad fall into different banks: 8 modulo 32.
local function plane_floats(rows, pitch)
    return round_up(rows * pitch - 8, 32) + 8
end

-- The k axis cut along `axis` into the fewest chunks that fit the budgets, or nil.
local function cut(axis_name, row, shape)
    local axis = axes[axis_name]
    local pitch = TILE_W + row.kw - 1
    local rows = shape.tile_h + row.kh - 1
    local plane = plane_floats(rows, pitch)
    for chunks = 1, divide_up(row.c_in, axis.granule) do
        local channels = round_up(divide_up(row.c_in, chunks), axis.granule)
        local quads = axis.quads(row, channels)
        local steps = divide_up(#quads, 2)
        local stages = math.min(chunks, 2)
        local shared = 4 * stages * channels * plane
        if steps * shape.m * shape.n <= MAX_UNROLLED and shared <= MAX_SHARED then
            return {
                axis = axis_name,
                chunks = divide_up(row.c_in, channels),
                channels = channels,
                quads = quads,
                nothing = axes.nothing,
                steps = steps,
                stages = stages,
                rows = rows,
                pitch = pitch,
                plane = plane,
                stage = channels * plane,
                lane_stride = axis_name == "channel" and plane or 1,
                shared = shared,
            }
        end
    end
    return nil
end

local function better(a, b)
    if not (a and b) then
        return a or b
    end
    return b.steps * b.chunks < a.steps * a.chunks and b or a
end

-- Channels and pixels a block and its warps compute.
local function shape_for(row)
    local m = math.min(MAX_M, divide_up(row.c_out, 16))
    local n = math.min(MAX_N, MAX_ACCUMULATOR_TILES // m // 4 * 4)
    return { m = m, n = n, tile_c = 16 * m, tile_h = WARPS * n // (TILE_W // 8) }
end

-- The plan's own part: tile, chunks, packed layout, resources. `problem` reports an error of the row.
function mma.plan(row, epilogue, problem)
    local shape = shape_for(row)
    local k = better(cut("channel", row, shape), cut("column", row, shape))
    if not k then
        problem("the mma strategy has no cut of C_in x K that unrolls to %d mma or fewer", MAX_UNROLLED)
    end
    local channel_blocks = divide_up(row.c_out, shape.tile_c)
    local weights = channel_blocks * k.chunks * k.steps * shape.m * 128
    local constants = channel_blocks * shape.tile_c * 2 * epilogue.slots
    local moments_scratch = WARPS * shape.tile_c * 8
    return {
        shape = shape,
        k = k,
        warps = WARPS,
        threads = WARPS * 32,
        tile_c = shape.tile_c,
        tile_h = shape.tile_h,
        tile_w = TILE_W,
        channel_blocks = channel_blocks,
        shared_bytes = math.max(k.shared, moments_scratch),
        packed = { weights = weights, constants = constants },
        -- Beside the accumulators ptxas keeps about as many registers of fragments in flight (default table: 80 to
        -- 184 where this says 96 and 160).
        registers = 2 * 4 * shape.m * shape.n + OTHER_REGISTERS,
        unrolled = ("%d mma"):format(k.steps * shape.m * shape.n),
        padded_multiply_adds = k.chunks * k.steps * 8 * channel_blocks * shape.tile_c,
        why = ("k along the %s axis: %d steps of 8 for %d products"):format(
            k.axis,
            k.chunks * k.steps,
            row.c_in * row.kh * row.kw
        ),
    }
end

return mma
