-- SPDX-License-Identifier: Apache-2.0
--
-- Products of Hopper's warpgroups, their operands brought by the copy engine: for shapes whose arithmetic takes longer
-- than their tensors' way through memory. Everything is computed once: in front of a normalisation the values go to
-- the workspace.
local arithmetic = require_module("gen/arithmetic.lua")
local divide_up, round_up = arithmetic.divide_up, arithmetic.round_up

local CHANNELS = 64 -- of a tile: the rows of a product
local COLUMNS = { 64, 96, 128, 160, 192, 208, 224, 240, 256 } -- of a product, those in src/device/ptx_wgmma.cuh
local WITH_TENSOR = 160 -- the most where a tensor is added to the values: more would not leave the registers
local MAX_BOX = 256 -- pixels in each direction that the copy engine brings at once
local SHARED = 227 * 1024
local PLACE = 1024 -- bytes in which operands are swizzled
local BARRIERS = 512 -- bytes for them, all in all
local STAGE = 8192 -- bytes of weights, of one or more taps
local STAGES, FEWEST_STAGES = 8, 3
local MAX_BUFFERS = 4
local SMS = 132
local FIXED_COST = 40 -- columns whose time a tile takes beside its own: weights come for each tile
local MAX_SHARE = 2 -- multiply-adds with padding for one without
local REGISTERS = { launch = 168, loader = 40, computer = 232 }
local WARPS = 12
local SLICE = 64 * (CHANNELS + 4) * 4 -- bytes of staged pixels, 64 at a time (src/device/gemm_epilogue.cuh)
local STORED = 128 -- bytes of a pixel that the copy engine stores (src/device/gemm_store.cuh)

-- A pixel's channels that lie together, and what that costs: short rows are slow to bring.
local ROWS = { { bytes = 128, cost = 1.0 }, { bytes = 64, cost = 1.05 }, { bytes = 32, cost = 1.15 } }

local function cut_channels(row, operand)
    local best, best_cost = nil, math.huge
    for _, kind in ipairs(ROWS) do
        local channels = kind.bytes // operand.bytes
        local chunks = divide_up(row.c_in, channels)
        local cost = chunks * channels * kind.cost
        if cost < best_cost then
            best, best_cost = { channels = channels, chunks = chunks, row_bytes = kind.bytes, stages = 1 }, cost
        end
    end
    return best
end

-- Floats of a channel in a warp's staging: such that eight channels' places fall into different banks.
local function staged_floats(n)
    return round_up(n - 8, 32) + 8
end

-- Bytes of a computing group's outputs on their way to y: of planes 8 channels of floats a warp, or twice as many of 16
-- bits; of pixels some of them or, 16 bits that the copy engine stores, all.
local function staging_for(row, operand, n, staged)
    if row.layout == "nchw" then
        return 4 * 8 * staged * 4
    end
    return round_up(math.max(SLICE, operand.bytes == 2 and n * STORED or 0), PLACE)
end

-- Whether a launch can normalise by itself what it has convolved.
local function normalises_at_once(row, epilogue)
    return row.layout == "nchw" and epilogue.normalises and #epilogue.behind.ops == 0
end

-- Shared memory for tiles of n columns with lines of `pitch` pixels, and what it is divided into; nil without room.
local function memory_for(row, epilogue, operand, k, n, pitch)
    local tap = CHANNELS * k.row_bytes
    local taps = row.kh * row.kw
    local stage_taps = math.min(taps, math.max(1, STAGE // tap))
    local reach = (row.reach_h - 1) * pitch + row.reach_w - 1
    local memory = {
        n = n,
        slice_bytes = SLICE,
        staged = staged_floats(n),
        stage_taps = stage_taps,
        stage_bytes = stage_taps * tap,
        input_bytes = round_up((n + reach) * k.row_bytes, PLACE),
    }
    local writes = not epilogue.normalises or normalises_at_once(row, epilogue)
    local staging = not writes and 0 or 2 * staging_for(row, operand, n, memory.staged)
    local room = SHARED - BARRIERS - staging
    memory.staging = staging
    memory.stages = math.min(STAGES, (room - 2 * memory.input_bytes) // memory.stage_bytes)
    if memory.stages < FEWEST_STAGES then
        return nil
    end
    memory.buffers = math.min(MAX_BUFFERS, (room - memory.stages * memory.stage_bytes) // memory.input_bytes)
    memory.shared_bytes = memory.buffers * memory.input_bytes + memory.stages * memory.stage_bytes + staging + BARRIERS
    return memory
end

-- Calls visit(cols, pitch) for the ways to cut rows of `width` outputs: whole, or in parts of multiples of 8.
local function for_widths(row, width, visit)
    for parts = 1, divide_up(width, 8) do
        local cols = parts == 1 and width or round_up(divide_up(width, parts), 8)
        local pitch = round_up(math.max(8, cols + row.reach_w - 1), 4)
        if pitch <= MAX_BOX then
            visit(cols, pitch)
        end
    end
end

-- The tile for the reference problem: what keeps the multiprocessors busy for the fewest columns.
local function shape_for(row, epilogue, operand)
    local k = cut_channels(row, operand)
    local reference = row.reference
    local blocks = divide_up(row.c_out, CHANNELS)
    local most = epilogue.before.tensors > 0 and WITH_TENSOR or COLUMNS[#COLUMNS]
    local best, best_cost = nil, math.huge
    for_widths(row, reference.w_out, function(cols, pitch)
        for _, n in ipairs(COLUMNS) do
            local rows = math.min(n // pitch, reference.h_out, MAX_BOX - row.reach_h + 1)
            local memory = rows > 0 and n <= most and memory_for(row, epilogue, operand, k, n, pitch)
            if memory then
                local places = divide_up(reference.h_out, rows) * divide_up(reference.w_out, cols)
                local rounds = divide_up(reference.n * places * blocks, SMS)
                local cost = rounds * (n + FIXED_COST)
                if cost < best_cost then
                    best, best_cost = memory, cost
                    best.rows, best.cols, best.pitch = rows, cols, pitch
                end
            end
        end
    end)
    if best then
        best.k, best.blocks, best.operand, best.operand_bytes = k, blocks, operand.c, operand.bytes
    end
    return best
end

local function padded_multiply_adds(row, shape)
    return shape.k.chunks * shape.k.channels * row.kh * row.kw * shape.blocks * CHANNELS
end

local function refuses(row, epilogue, operand)
    if epilogue.before.tensors > 1 then
        return "there are registers for one add_tensor that no normalisation precedes"
    end
    local shape = shape_for(row, epilogue, operand)
    if not shape then
        return "the inputs of a tile do not fit shared memory twice"
    end
    local share = padded_multiply_adds(row, shape) / (row.c_in * row.kh * row.kw * row.c_out)
    if share > MAX_SHARE then
        return ("%.1f multiply-adds for one, more than %d"):format(share, MAX_SHARE)
    end
    return nil
end

local function plan(row, epilogue, operand)
    local shape = shape_for(row, epilogue, operand)
    local k = shape.k
    local steps = k.row_bytes // 32
    local taps = row.kh * row.kw
    return {
        shape = shape,
        k = k,
        warps = WARPS,
        threads = WARPS * 32,
        tile_c = CHANNELS,
        tile_h = shape.rows,
        tile_w = shape.cols,
        channel_blocks = shape.blocks,
        blocks_per_sm = 1,
        shared_bytes = shape.shared_bytes,
        gemm = { columns = shape.n, input_bytes = shape.input_bytes, row_bytes = k.row_bytes,
            operand_bytes = operand.bytes, apply_bytes = row.layout == "nhwc" and SLICE or 8 * 8 * shape.staged * 4,
            staged = shape.staged, at_once = normalises_at_once(row, epilogue) },
        packed = {
            weights = shape.blocks * k.chunks * taps * CHANNELS * k.row_bytes // 4,
            constants = shape.blocks * CHANNELS * 2 * epilogue.slots,
        },
        registers = REGISTERS.launch,
        registers_of = REGISTERS,
        unrolled = ("%d wgmma"):format(taps * steps),
        tensor_products = 1,
        padded_multiply_adds = padded_multiply_adds(row, shape),
        why = ("inputs read where they lie, a tap some pixels further on; %d of %d columns are outputs"):format(
            shape.rows * shape.cols, shape.n),
    }
end

local variants = {
    { math = "tf32", dtypes = { "f32" }, operand = { c = "tf32", bytes = 4 } },
    { math = "fp32", dtypes = { "f16" }, operand = { c = "f16", bytes = 2 } },
    { math = "fp32", dtypes = { "bf16" }, operand = { c = "bf16", bytes = 2 } },
}

local strategies = {}
for i, variant in ipairs(variants) do
    strategies[i] = {
        name = "wgmma",
        math = variant.math,
        dtypes = { [variant.dtypes[1]] = true },
        takes = { nchw = true, nhwc = true, padding = true, dilation = true },
        device = "cuda",
        target = "sm90a",
        schedule = "stored",
        template = "templates/wgmma.cu.lua",
        extension = "cuh",
        shard_extension = "cu",
        refuses = function(row, epilogue)
            return refuses(row, epilogue, variant.operand)
        end,
        plan = function(row, epilogue)
            return plan(row, epilogue, variant.operand)
        end,
    }
end

return strategies
