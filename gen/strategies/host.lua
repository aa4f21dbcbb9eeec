-- SPDX-License-Identifier: Apache-2.0
--
-- The CPU, in GCC's vector types, one strategy an instruction set. A block of outputs reads a patch of x that is
-- copied to the stack first, so that edges cost nothing in the inner loop.
local arithmetic = require_module("gen/arithmetic.lua")
local divide_up = arithmetic.divide_up

-- lanes: floats a vector; vectors, channels: the register tile, chosen so that accumulators, inputs and a weight fit
-- the vector registers (32 of AVX-512, 16 of the others). Depthwise there is one channel, and `depthwise_vectors`.
local instruction_sets = {
    { target = "host_base", lanes = 4, vectors = 2, channels = 4, depthwise_vectors = 4 },
    { target = "host_avx2", lanes = 8, vectors = 3, channels = 4, depthwise_vectors = 6 },
    { target = "host_avx512", lanes = 16, vectors = 3, channels = 8, depthwise_vectors = 3 },
}

local TILE_W = 48 -- a multiple of every set's lanes * vectors
local MAX_TILE_H = 8
local MAX_UNROLLED = 2048 -- vector multiply-adds unrolled for one chunk of input channels, if that is more than one
local PREFERRED_PATCH = 48 * 1024 -- bytes of the patch that stay in the first two caches
local LARGEST_PATCH = 512 * 1024 -- bytes of a patch that cannot be brought in smaller parts
local MAX_PATCH = 128 * 1024 -- bytes of the patch on a thread's stack: beyond it the patch is brought in parts

-- Rows and columns of a patch for tiles of this height. A row has the columns of each phase of the stride in turn.
local function patch_sides(row, height)
    local run = divide_up((TILE_W - 1) * row.stride_w + row.reach_w, row.stride_w)
    return (height - 1) * row.stride_h + row.reach_h, row.stride_w * run
end

-- Bytes of a patch of `channels` input channels for tiles of this height.
local function patch_bytes(row, channels, height)
    local rows, pitch = patch_sides(row, height)
    return 4 * channels * rows * pitch
end

-- The tallest tile whose patch stays small; one row at the least.
local function tile_height(row)
    for height = MAX_TILE_H, 2, -1 do
        if patch_bytes(row, row.group_c_in, height) <= PREFERRED_PATCH then
            return height
        end
    end
    return 1
end

-- C_in cut into chunks, which are unrolled, and chunks gathered to parts, which are copied at once.
local function cut(set, row, tile_h)
    local unrolled = MAX_UNROLLED // (row.kh * row.kw * set.channels * set.vectors)
    local most = math.max(1, math.min(unrolled, MAX_PATCH // patch_bytes(row, 1, tile_h)))
    local channels = divide_up(row.group_c_in, divide_up(row.group_c_in, most))
    local chunks = divide_up(row.group_c_in, channels)
    local chunks_in_part = math.min(chunks, math.max(1, MAX_PATCH // patch_bytes(row, channels, tile_h)))
    local parts = divide_up(chunks, chunks_in_part)
    local rows, pitch = patch_sides(row, tile_h)
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

-- Why there is no patch that a thread's stack takes, or nil.
local function refuses(row)
    local least = patch_bytes(row, 1, 1)
    if least <= LARGEST_PATCH then
        return nil
    end
    return ("a row of outputs needs %d KiB of one channel of x on the stack, more than %d"):format(least // 1024,
        LARGEST_PATCH // 1024)
end

local function is_depthwise(row)
    return row.conv_groups > 1 and row.group_c_in == 1
end

local function plan(instructions, row, epilogue)
    local set = instructions
    if is_depthwise(row) then
        set = { lanes = set.lanes, vectors = set.depthwise_vectors, channels = 1 }
    end
    local taps = row.kh * row.kw
    local tile_h = tile_height(row)
    local k = cut(set, row, tile_h)
    local patch = k.part_channels * k.plane
    local tile = set.channels * tile_h * TILE_W
    local group_blocks = divide_up(row.group_c_out, set.channels)
    local blocks = row.conv_groups * group_blocks
    return {
        template = is_depthwise(row) and "templates/host_depthwise.c.lua" or nil,
        set = set,
        k = k,
        patch = patch,
        tile = tile,
        blocks = blocks,
        group_blocks = group_blocks,
        border = row.pad_h + row.pad_w > 0 and "zeros are copied to the patch; nothing in the products" or nil,
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
        takes = { nchw = true, nhwc = true, stride = true, padding = true, dilation = true, conv_groups = true },
        device = "host",
        target = set.target,
        schedule = "recompute",
        template = "templates/host.c.lua",
        extension = "h",
        shard_extension = "c",
        refuses = refuses,
        plan = function(row, epilogue)
            return plan(set, row, epilogue)
        end,
    }
end

return strategies
