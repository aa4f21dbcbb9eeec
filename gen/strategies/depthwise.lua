-- SPDX-License-Identifier: Apache-2.0
--
-- Convolutions of one input channel an output channel (conv_groups = c_in), taps in registers: of NCHW tensors a warp
-- computes a channel, of NHWC ones a lane does.
local arithmetic = require_module("gen/arithmetic.lua")
local dtypes = require_module("gen/dtypes.lua")
local window = require_module("gen/window.lua")
local divide_up, round_up = arithmetic.divide_up, arithmetic.round_up

local WARPS = 4 -- channels of a block
local STAGES = 2 -- of inputs of NCHW: one is brought while another is read
local SM_REGISTERS, SM_SHARED, SM_WARPS = 65536, 227 * 1024, 64
local MOST_ROWS, LEAST_ROWS = 8, 1 -- pixels of a thread
local MOST_KEPT = 49 -- taps in registers; beyond, they come from L1, a column at a time
local MOST_PIXEL_ROWS, PIXEL_COLUMNS = 2, 8 -- pixels of a thread, of NHWC tensors
local MAX_UNROLLED = 2048 -- multiply-adds of a thread
local MAX_SHARED = 48 * 1024 -- of a stage
local OTHER_REGISTERS = 32
local ROOMY_BLOCKS = 2 -- one would leave no thread more registers

local depthwise = {
    name = "depthwise",
    math = "fp32",
    dtypes = { f32 = true, f16 = true, bf16 = true },
    takes = { nchw = true, nhwc = true, stride = true, padding = true, dilation = true, conv_groups = true },
    device = "cuda",
    target = "sm80",
    schedule = "recompute",
    template = "templates/depthwise.cu.lua",
    extension = "cuh",
    shard_extension = "cu",
    reliefs = {
        { name = "half_blocks", done = "room for half as many blocks on an SM" },
        { name = "two_blocks", done = "room for two blocks on an SM, so that a thread has all registers that it can" },
        { name = "half_rows", done = "half as many rows of pixels a thread" },
        { name = "quarter_rows", done = "a quarter as many rows of pixels a thread" },
        { name = "taps_from_l1", done = "taps from L1, not in registers" },
    },
}

-- Taps that may stay in registers.
local function most_kept(reliefs)
    return reliefs.taps_from_l1 and 0 or MOST_KEPT
end

-- `rows` of pixels a thread, or fewer, but one.
local function relieved(rows, reliefs)
    rows = reliefs.half_rows and rows // 2 or rows
    return math.max(LEAST_ROWS, reliefs.quarter_rows and rows // 2 or rows)
end

-- Lanes beside each other: as few as the reference problem's lines have columns.
local function lanes_for(row)
    for lanes = 8, 16, 8 do
        if row.reference.w_out <= lanes then
            return lanes
        end
    end
    return 32
end

-- Columns of a lane: two that make a word, where lines are long enough and pairs are neighbours in x.
local function columns_for(row, reliefs)
    local pairs_up = row.stride_w == 1 and row.dilation_w == 1 and row.kh * row.kw <= most_kept(reliefs)
    return dtypes[row.dtype].bytes == 2 and pairs_up and row.reference.w_out > 32 and 2 or 1
end

-- The tile of `rows` pixels a thread and column, and what of x is staged for it.
local function cut(row, rows, reliefs)
    local vector = 16 // dtypes[row.dtype].bytes
    local lanes, cols = lanes_for(row), columns_for(row, reliefs)
    local width = lanes * cols
    local tile_h = 32 // lanes * rows
    local lead = round_up(row.pad_w, vector)
    local staged_rows = (tile_h - 1) * row.stride_h + row.reach_h
    local pitch = round_up((width - 1) * row.stride_w + row.reach_w + lead - row.pad_w, vector)
    return {
        rows = rows,
        lanes = lanes,
        cols = cols,
        width = width,
        tile_h = tile_h,
        lead = lead,
        staged_rows = staged_rows,
        pitch = pitch,
        plane = staged_rows * pitch,
        shared = WARPS * STAGES * staged_rows * pitch * dtypes[row.dtype].bytes,
    }
end

local function fits(row, shape)
    return shape.shared <= STAGES * MAX_SHARED and row.kh * row.kw * shape.rows * shape.cols <= MAX_UNROLLED
end

-- The most rows that the reference problem's images fill and that fit; nil where none do.
local function shape_for(row, reliefs)
    local rows, best = relieved(MOST_ROWS, reliefs), nil
    while rows >= LEAST_ROWS do
        local shape = cut(row, rows, reliefs)
        if fits(row, shape) and not (best and shape.tile_h < row.reference.h_out) then
            best = shape
        end
        rows = rows // 2
    end
    return best
end

-- Of NHWC tensors: channels of a lane, 32 bits of them where there are enough for all lanes and registers for their
-- taps; rows of a thread's pixels, the most that fit. Nil where none do.
local function pixels_for(row, reliefs)
    local taps, words = row.kh * row.kw, 4 // dtypes[row.dtype].bytes
    local channels = row.c_out > 32 and words * taps <= most_kept(reliefs) and words or 1
    for rows = relieved(MOST_PIXEL_ROWS, reliefs), 1, -1 do
        if taps * rows * PIXEL_COLUMNS * channels <= MAX_UNROLLED then
            return { rows = rows, cols = PIXEL_COLUMNS, channels = channels }
        end
    end
    return nil
end

function depthwise.refuses(row, _, reliefs)
    if row.group_c_in ~= 1 then
        return ("it is for groups of one input channel, not of %d"):format(row.group_c_in)
    end
    if row.conv_groups == 1 then
        return "it is for conv_groups of 2 or more"
    end
    if row.layout == "nhwc" then
        local words = ("%d pixels unroll to more than %d multiply-adds"):format(PIXEL_COLUMNS, MAX_UNROLLED)
        return not pixels_for(row, reliefs) and words or nil
    end
    if not shape_for(row, reliefs) then
        return ("%d channels of x need more than %d KiB of shared memory"):format(WARPS, MAX_SHARED // 1024)
    end
    return nil
end

local function plan_nhwc(row, epilogue, reliefs)
    local shape = pixels_for(row, reliefs)
    local taps = row.kh * row.kw
    local kept = taps <= most_kept(reliefs)
    local tile_c = 32 * shape.channels
    local channel_blocks = divide_up(row.c_out, tile_c)
    local column = (shape.cols - 1) * row.stride_w + row.reach_w
    return {
        template = "templates/depthwise_nhwc.lua",
        shape = shape,
        kept = kept,
        k = { chunks = 1, channels = 1, stages = 0 },
        warps = WARPS,
        threads = WARPS * 32,
        tile_c = tile_c,
        tile_h = WARPS * shape.rows,
        tile_w = shape.cols,
        channel_blocks = channel_blocks,
        shared_bytes = WARPS * tile_c * 8,
        window = window.of(row, row.pad_w) or "plain_window",
        border = row.pad_h + row.pad_w > 0 and "masks of loads, which x's right and lower edge need anyway" or nil,
        packed = { weights = taps * channel_blocks * tile_c, constants = channel_blocks * tile_c * 2 * epilogue.slots },
        registers = shape.channels * (shape.rows * shape.cols + column + (kept and taps or row.kw)) + OTHER_REGISTERS,
        unrolled = ("%d multiply-adds"):format(taps * shape.rows * shape.cols * shape.channels),
        padded_multiply_adds = channel_blocks * tile_c * taps,
        why = ("%d channel(s) a lane, %d x %d pixels a thread, taps from %s"):format(shape.channels, shape.rows,
            shape.cols, kept and "registers" or "L1"),
    }
end

-- Blocks that an SM has room for; they walk over the tiles.
local function blocks_for(shape, registers, reliefs)
    local of_registers = SM_REGISTERS // (WARPS * 32 * registers)
    local blocks = math.min(of_registers, SM_SHARED // (shape.shared + 1024), SM_WARPS // WARPS)
    blocks = reliefs.half_blocks and blocks // 2 or blocks
    return math.max(1, math.min(blocks, reliefs.two_blocks and ROOMY_BLOCKS or blocks))
end

function depthwise.plan(row, epilogue, reliefs)
    if row.layout == "nhwc" then
        return plan_nhwc(row, epilogue, reliefs)
    end
    local shape = shape_for(row, reliefs)
    local taps = row.kh * row.kw
    local kept = taps <= most_kept(reliefs)
    local column = (shape.rows - 1) * row.stride_h + row.reach_h
    local channel_blocks = divide_up(row.c_out, WARPS)
    local registers = shape.rows * shape.cols + math.min(column, shape.rows + row.kh) * shape.cols +
        (kept and taps or row.kh) + OTHER_REGISTERS
    return {
        shape = shape,
        kept = kept,
        column = column,
        k = { chunks = 1, channels = 1, stages = STAGES },
        warps = WARPS,
        threads = WARPS * 32,
        blocks_per_sm = blocks_for(shape, registers, reliefs),
        tile_c = WARPS,
        tile_h = shape.tile_h,
        tile_w = shape.width,
        channel_blocks = channel_blocks,
        shared_bytes = shape.shared,
        window = window.of(row, shape.lead) or "plain_window",
        border = window.border(row, shape.lead - row.pad_w),
        packed = { weights = channel_blocks * WARPS * taps, constants = channel_blocks * WARPS * 2 * epilogue.slots },
        registers = registers,
        unrolled = ("%d multiply-adds"):format((kept and taps or row.kh) * shape.rows * shape.cols),
        padded_multiply_adds = channel_blocks * WARPS * taps,
        why = ("a warp a channel, %d x %d pixels a thread, taps from %s"):format(shape.rows, shape.cols,
            kept and "registers" or "L1"),
    }
end

return { depthwise }
