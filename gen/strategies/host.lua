-- SPDX-License-Identifier: Apache-2.0
--
-- The CPU, in GCC's vector types, one strategy an instruction set. A block of outputs reads a patch of x that is
-- copied to the stack first, so that edges cost nothing in the inner loop.
local arithmetic = require_module("gen/arithmetic.lua")
local divide_up = arithmetic.divide_up

-- lanes: floats a vector; vectors, channels: the register tile, chosen so that accumulators, inputs and a weight fit
-- the vector registers (32 of AVX-512, 16 of the others).
local instruction_sets = {
    { target = "host_base", lanes = 4, vectors = 2, channels = 4 },
    { target = "host_avx2", lanes = 8, vectors = 3, channels = 4 },
    { target = "host_avx512", lanes = 16, vectors = 3, channels = 8 },
}

local TILE_W = 48 -- a multiple of every set's lanes * vectors
local MAX_TILE_H = 8
local MAX_UNROLLED = 2048 -- vector multiply-adds unrolled for one chunk of input channels, if that is more than one
local PREFERRED_PATCH = 48 * 1024 -- bytes of the patch that stay in the first two caches
local MAX_PATCH = 128 * 1024 -- bytes of the patch on a thread's stack: beyond it the patch is brought in parts

-- Bytes of a patch of `channels` input channels for tiles of this height.
local function patch_bytes(row, channels, height)
    return 4 * channels * (height + row.kh - 1) * (TILE_W + row.kw - 1)
end

-- The tallest tile whose patch stays small; one row at the least.
local function tile_height(row)
    for height = MAX_TILE_H, 2, -1 do
        if patch_bytes(row, row.c_in, height) <= PREFERRED_PATCH then
            return height
        end
    end
    return 1
end

-- C_in cut into chunks, which are unrolled, and chunks gathered to parts, which are copied at once.
local function cut(set, row, tile_h)
    local most = math.max(1, MAX_UNROLLED // (row.kh * row.kw * set.channels * set.vectors))
    local channels = divide_up(row.c_in, divide_up(row.c_in, most))
    local chunks = divide_up(row.c_in, channels)
    local chunks_in_part = math.min(chunks, math.max(1, MAX_PATCH // patch_bytes(row, channels, tile_h)))
    local parts = divide_up(chunks, chunks_in_part)
    local rows, pitch = tile_h + row.kh - 1, TILE_W + row.kw - 1
    return {
        chunks = parts * chunks_in_part, -- in all; the last ones may be padding
        channels = channels,
        parts = parts,
        chunks_in_part = chunks_in_part,
        part_channels = chunks_in_part * channels,
        rows = rows,
        pitch = pitch,
        plane = rows * pitch,
    }
end

local function plan(set, row, epilogue)
    local taps = row.kh * row.kw
    local tile_h = tile_height(row)
    local k = cut(set, row, tile_h)
    local patch = k.part_channels * k.plane
    local tile = set.channels * tile_h * TILE_W
    local blocks = divide_up(row.c_out, set.channels)
    return {
        set = set,
        k = k,
        patch = patch,
        tile = tile,
        blocks = blocks,
        threads = 1,
        tile_c = row.c_out,
        tile_h = tile_h,
        tile_w = TILE_W,
        channel_blocks = 1,
        shared_bytes = 4 * (patch + tile),
        packed = {
            weights = blocks * k.chunks * k.channels * taps * set.channels,
            constants = blocks * set.channels * 2 * epilogue.slots,
        },
        unrolled = ("%d vector multiply-adds"):format(k.channels * taps * set.channels * set.vectors),
        padded_multiply_adds = k.chunks * k.channels * taps * blocks * set.channels,
        why = ("%d channels x %d vectors of %d floats in registers"):format(set.channels, set.vectors, set.lanes),
    }
end

local strategies = {}
for i, set in ipairs(instruction_sets) do
    strategies[i] = {
        name = set.target,
        math = "fp32",
        dtypes = { f32 = true, f16 = true, bf16 = true },
        takes = { nchw = true },
        device = "host",
        target = set.target,
        schedule = "recompute",
        template = "templates/host.c.lua",
        extension = "h",
        shard_extension = "c",
        plan = function(row, epilogue)
            return plan(set, row, epilogue)
        end,
    }
end

return strategies
