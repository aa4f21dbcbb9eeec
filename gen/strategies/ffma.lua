-- SPDX-License-Identifier: Apache-2.0
--
-- Plain fp32 multiply-adds: any shape, the accuracy of an fp32 dot product.
local arithmetic = require_module("gen/arithmetic.lua")
local divide_up = arithmetic.divide_up

local ffma = {
    name = "ffma",
    math = "fp32",
    dtypes = { f32 = true },
    device = "cuda",
    target = "sm80",
    template = "templates/ffma.cu.lua",
    extension = "cuh",
    shard_extension = "cu",
}

local WARPS = 4
local TILE_W = 32 -- a lane a column
local ROWS = 4 -- pixels a thread computes, one below the other
local CHANNELS = 8 -- channels a thread computes
local MAX_UNROLLED = 2560 -- multiply-adds of one thread unrolled for one chunk of input channels
local MAX_SHARED = 48 * 1024
local OTHER_REGISTERS = 40 -- weights in flight, addresses, tile state (default table: 72 to 128 in all)

-- The fewest chunks of C_in that fit the budgets, or nil.
local function cut(row)
    local rows = WARPS * ROWS + row.kh - 1
    local pitch = TILE_W + row.kw - 1
    for chunks = 1, row.c_in do
        local channels = divide_up(row.c_in, chunks)
        local stages = math.min(chunks, 2)
        local shared = 4 * stages * channels * rows * pitch
        local unrolled = channels * row.kh * row.kw * ROWS * CHANNELS
        if unrolled <= MAX_UNROLLED and shared <= MAX_SHARED then
            return {
                chunks = divide_up(row.c_in, channels),
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

-- The plan's own part: tile, chunks, packed layout, resources. `problem` reports an error of the row.
function ffma.plan(row, epilogue, problem)
    local k = cut(row)
    if not k then
        problem("one input channel of %dx%d unrolls to more than %d multiply-adds", row.kh, row.kw, MAX_UNROLLED)
    end
    local taps = row.kh * row.kw
    local channel_blocks = divide_up(row.c_out, CHANNELS)
    local padded_c_in = k.chunks * k.channels
    return {
        k = k,
        warps = WARPS,
        threads = WARPS * 32,
        rows = ROWS,
        channels = CHANNELS,
        tile_c = CHANNELS,
        tile_h = WARPS * ROWS,
        tile_w = TILE_W,
        channel_blocks = channel_blocks,
        shared_bytes = math.max(k.shared, WARPS * CHANNELS * 8),
        packed = {
            weights = channel_blocks * padded_c_in * taps * CHANNELS,
            constants = channel_blocks * CHANNELS * 2 * epilogue.slots,
        },
        registers = ROWS * CHANNELS + ROWS + row.kh - 1 + CHANNELS + OTHER_REGISTERS,
        unrolled = ("%d multiply-adds"):format(k.unrolled),
        padded_multiply_adds = padded_c_in * taps * channel_blocks * CHANNELS,
        why = ("%d pixels x %d channels a thread: %d multiply-adds for %d shared-memory reads a column of taps"):format(
            ROWS,
            CHANNELS,
            row.kh * ROWS * CHANNELS,
            ROWS + row.kh - 1
        ),
    }
end

return ffma
