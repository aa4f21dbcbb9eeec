-- SPDX-License-Identifier: Apache-2.0
--
-- Plain fp32 multiply-adds: any shape, the accuracy of an fp32 dot product.
local arithmetic = require_module("gen/arithmetic.lua")
local divide_up = arithmetic.divide_up
local window = require_module("gen/window.lua")

local ffma = {
    name = "ffma",
    math = "fp32",
    dtypes = { f32 = true },
    takes = { nchw = true, nhwc = true, stride = true, padding = true, dilation = true, conv_groups = true },
    device = "cuda",
    target = "sm80",
    schedule = "recompute",
    template = "templates/ffma.cu.lua",
    extension = "cuh",
    shard_extension = "cu",
    reliefs = {},
}

local WARPS = 4
local TILE_W = 32 -- a lane a column
-- Register tiles: pixels (one below the other) and channels a thread computes. The first whose taps of one input
-- channel fit the budget is taken; a relief leaves out those before its own.
local register_tiles = {
    { rows = 4, channels = 8 },
    { rows = 4, channels = 4, relief = "half_channels" },
    { rows = 2, channels = 4, relief = "half_rows" },
}
local LEAST_CHANNELS = 4 -- of a register tile; one lies within a group
local MAX_UNROLLED = 2560 -- multiply-adds of one thread unrolled for one chunk of input channels
local MAX_SHARED = 48 * 1024
local OTHER_REGISTERS = 40 -- weights in flight, addresses, tile state (default table: 72 to 128 in all)

for i = 2, #register_tiles do
    local tile = register_tiles[i]
    local done = ("a register tile of %d rows x %d channels"):format(tile.rows, tile.channels)
    ffma.reliefs[i - 1] = { name = tile.relief, done = done }
end

-- The fewest chunks of C_in that fit the budgets with this register tile, or nil.
local function cut(row, tile)
    local rows = (WARPS * tile.rows - 1) * row.stride_h + row.reach_h
    local pitch = (TILE_W - 1) * row.stride_w + row.reach_w
    for chunks = 1, row.group_c_in do
        local channels = divide_up(row.group_c_in, chunks)
        local stages = math.min(chunks, 2)
        local shared = 4 * stages * channels * rows * pitch
        local unrolled = channels * row.kh * row.kw * tile.rows * tile.channels
        if unrolled <= MAX_UNROLLED and shared <= MAX_SHARED then
            return {
                chunks = divide_up(row.group_c_in, channels),
                channels = channels,
                stages = stages,
                rows = rows,
                pitch = pitch,
                plane = rows * pitch,
                stage = channels * rows * pitch,
                shared = shared,
                unrolled = unrolled,
            }
        end
    end
    return nil
end

local function first_tile(reliefs)
    local first = 1
    for i, tile in ipairs(register_tiles) do
        first = reliefs[tile.relief] and i or first
    end
    return first
end

local function first_fit(row, reliefs)
    for i = first_tile(reliefs), #register_tiles do
        local tile = register_tiles[i]
        local whole = row.conv_groups == 1 or row.group_c_out % tile.channels == 0
        local k = whole and cut(row, tile)
        if k then
            return tile, k
        end
    end
    return nil
end

-- Why no register tile takes the row, or nil.
function ffma.refuses(row, _, reliefs)
    if first_fit(row, reliefs) then
        return nil
    end
    if row.conv_groups > 1 and row.group_c_out % LEAST_CHANNELS ~= 0 then
        return ("%d output channels of a group are no multiple of the %d that a thread computes"):format(
            row.group_c_out, LEAST_CHANNELS)
    end
    return ("a channel unrolls to more than %d multiply-adds or needs more than %d KiB of shared memory"):format(
        MAX_UNROLLED,
        MAX_SHARED // 1024
    )
end

-- The plan's own part: tile, chunks, packed layout, resources.
function ffma.plan(row, epilogue, reliefs)
    local tile, k = first_fit(row, reliefs)
    local taps = row.kh * row.kw
    local channel_blocks = divide_up(row.c_out, tile.channels)
    local padded_c_in = k.chunks * k.channels
    return {
        k = k,
        warps = WARPS,
        threads = WARPS * 32,
        rows = tile.rows,
        channels = tile.channels,
        tile_c = tile.channels,
        tile_h = WARPS * tile.rows,
        tile_w = TILE_W,
        channel_blocks = channel_blocks,
        shared_bytes = math.max(k.shared, WARPS * tile.channels * 8),
        packed = {
            weights = channel_blocks * padded_c_in * taps * tile.channels,
            constants = channel_blocks * tile.channels * 2 * epilogue.slots,
        },
        window = window.of(row, row.pad_w),
        border = window.border(row),
        registers = tile.rows * tile.channels + tile.rows + row.kh - 1 + tile.channels + OTHER_REGISTERS,
        unrolled = ("%d multiply-adds"):format(k.unrolled),
        padded_multiply_adds = padded_c_in * taps * channel_blocks * tile.channels,
        why = ("%d pixels x %d channels a thread: %d multiply-adds for %d shared-memory reads a column of taps"):format(
            tile.rows,
            tile.channels,
            row.kh * tile.rows * tile.channels,
            tile.rows + row.kh - 1
        ),
    }
end

return { ffma }
