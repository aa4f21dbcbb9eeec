-- SPDX-License-Identifier: Apache-2.0
--
-- The resident schedule on Hopper (src/device/resident.cuh): x is read once, y is written once, and in between the
-- values wait in shared memory for their sample's statistics. Tensor cores through mma.sync m16n8k8, tf32, with the
-- weights' fragments in registers for the whole launch.
local arithmetic = require_module("gen/arithmetic.lua")
local divide_up, round_up = arithmetic.divide_up, arithmetic.round_up
local axes = require_module("gen/k_axis.lua")

local resident = {
    name = "resident",
    math = "tf32",
    dtypes = { f32 = true },
    device = "cuda",
    target = "sm90a",
    schedule = "resident",
    template = "templates/resident.cu.lua",
    extension = "cuh",
    shard_extension = "cu",
}

local COMPUTERS = 8 -- warps, two on each of an SM's four schedulers
local THREADS = 512
local N = 8 -- pixel tiles of 8 a warp computes: 64 columns of a row
local MAX_M = 2 -- channel tiles of 16 a warp computes
local MAX_WEIGHT_REGISTERS = 80 -- beside 64 accumulators and a few addresses in the 192 that a computer has
local SHARED = 227 * 1024 -- all of it: as many buffers as fit

local function cut(axis_name, row)
    local axis = axes[axis_name]
    local planes = round_up(row.c_in, axis.granule)
    local quads = axis.quads(row, planes)
    return {
        axis = axis_name,
        chunks = 1,
        channels = planes,
        stages = 1,
        quads = quads,
        nothing = axes.nothing,
        steps = divide_up(#quads, 2),
    }
end

local function shape_for(row)
    local tiles = divide_up(row.c_out, 16)
    local m = math.min(MAX_M, tiles)
    local parts = 1
    while parts * m < tiles do
        parts = parts * 2
    end
    return { m = m, n = N, parts = parts, pixel_warps = COMPUTERS // parts }
end

local function cut_for(row)
    local channel, column = cut("channel", row), cut("column", row)
    return column.steps < channel.steps and column or channel
end

-- Why the strategy does not serve the row, or nil when it does.
function resident.refuses(row, epilogue)
    local last = epilogue.ops[#epilogue.ops]
    if not (epilogue.normalises and last and last.kind == "sigmoid") then
        return "its sums are in fixed point, for values from 0 to 1: group_norm right after sigmoid"
    end
    local shape = shape_for(row)
    if shape.parts > COMPUTERS then
        return ("%d channels are more than a block's %d computing warps hold"):format(row.c_out, COMPUTERS)
    end
    local weights = cut_for(row).steps * shape.m * 4
    if weights > MAX_WEIGHT_REGISTERS then
        return ("weights need %d registers a thread, more than %d"):format(weights, MAX_WEIGHT_REGISTERS)
    end
    return nil
end

-- The plan's own part: tile, packed layout, resources.
function resident.plan(row, epilogue)
    local shape, k = shape_for(row), cut_for(row)
    local padded = shape.parts * shape.m * 16
    return {
        shape = shape,
        k = k,
        warps = THREADS // 32,
        threads = THREADS,
        padded = padded,
        tile_c = row.c_out,
        tile_h = shape.pixel_warps,
        tile_w = 8 * N,
        channel_blocks = 1,
        shared_bytes = SHARED,
        packed = { weights = shape.parts * k.steps * shape.m * 128, constants = padded * 2 * epilogue.slots },
        registers = 128,
        unrolled = ("%d mma"):format(k.steps * shape.m * shape.n),
        padded_multiply_adds = k.steps * 8 * padded,
        why = ("x read once, y written once; weights in %d registers; k along the %s axis"):format(
            k.steps * shape.m * 4,
            k.axis
        ),
    }
end

return resident
