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
local MAX_UNROLLED = 2048 -- vector multiply-adds unrolled for one chunk of input channels
local MAX_PATCH = 48 * 1024 -- preferred bytes of the patch: it should stay in the first two caches
local MAX_STACK = 256 * 1024 -- bytes of patch and tile a thread's stack must hold

-- The tallest tile whose patch stays small; one row at the least.
local function tile_height(row)
    for height = MAX_TILE_H, 2, -1 do
        if 4 * row.c_in * (height + row.kh - 1) * (TILE_W + row.kw - 1) <= MAX_PATCH then
            return height
        end
    end
    return 1
end

local function plan(set, row, epilogue, problem)
    local taps = row.kh * row.kw
    local most = MAX_UNROLLED // (taps * set.channels * set.vectors)
    if most < 1 then
        problem("one input channel of %dx%d unrolls to more than %d vector multiply-adds", row.kh, row.kw, MAX_UNROLLED)
    end
    local chunks = divide_up(row.c_in, most)
    local channels = divide_up(row.c_in, chunks)
    chunks = divide_up(row.c_in, channels)
    local tile_h = tile_height(row)
    local rows, pitch = tile_h + row.kh - 1, TILE_W + row.kw - 1
    local patch = chunks * channels * rows * pitch
    local tile = set.channels * tile_h * TILE_W
    if 4 * (patch + tile) > MAX_STACK then
        problem(
            "%d input channels of %dx%d need %d bytes of stack, more than %d",
            row.c_in,
            row.kh,
            row.kw,
            4 * (patch + tile),
            MAX_STACK
        )
    end
    local blocks = divide_up(row.c_out, set.channels)
    return {
        set = set,
        k = { chunks = chunks, channels = channels, rows = rows, pitch = pitch, plane = rows * pitch },
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
            weights = blocks * chunks * channels * taps * set.channels,
            constants = blocks * set.channels * 2 * epilogue.slots,
        },
        unrolled = ("%d vector multiply-adds"):format(channels * taps * set.channels * set.vectors),
        padded_multiply_adds = chunks * channels * taps * blocks * set.channels,
        why = ("%d channels x %d vectors of %d floats in registers"):format(set.channels, set.vectors, set.lanes),
    }
end

local strategies = {}
for i, set in ipairs(instruction_sets) do
    strategies[i] = {
        name = set.target,
        math = "fp32",
        dtypes = { f32 = true },
        device = "host",
        target = set.target,
        template = "templates/host.c.lua",
        extension = "h",
        shard_extension = "c",
        plan = function(row, epilogue, problem)
            return plan(set, row, epilogue, problem)
        end,
    }
end

return strategies
