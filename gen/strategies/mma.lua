-- SPDX-License-Identifier: Apache-2.0
--
-- Tensor cores through mma.sync: weights are the 16 rows, 8 pixels the columns. Three strategies: "mma" for math tf32;
-- "mma3" for math fp32, where a number is a sum of two pieces and a product is three of tf32; "mma16" for f16 and bf16.
--
-- Persistent blocks of four warps walk over tiles; a warp computes a unit of up to 64 channels x 64 pixels. Where all
-- weights of a warp fit into registers they stay there; elsewhere they come from L1 at every step, and a warp has more
-- channels, so that it brings inputs for more products at a time (`wide`).
--
-- The k axis is cut along channels or columns (gen/k_axis.lua); the plan takes the cut with fewer steps.
local arithmetic = require_module("gen/arithmetic.lua")
local divide_up = arithmetic.divide_up
local round_up = arithmetic.round_up
local axes = require_module("gen/k_axis.lua")
local window = require_module("gen/window.lua")

local WARPS = 4
local STAGES = 2 -- of inputs: one is brought while another is read
local UNIT_W = 32 -- columns of a warp's unit: four for each of the eight pixels of a product
local MAX_PARTS = 2 -- warps beside each other in channels
local MAX_WEIGHTS = 80 -- registers that weights may stay in
local MAX_UNROLLED = 512 -- mma instructions unrolled for one chunk of input channels
-- Multiply-adds of tf32 that take as long as one of fp32. By the H200's datasheet it is 7; plain fp32 kernels are
-- further from their peak than these.
local MAX_SHARE = 8
local MAX_SHARED = 99 * 1024 -- what a block of sm_89 can have
local NO_CUT = ("no cut of C_in x K unrolls to %d mma or fewer and needs %d KiB of shared memory or less"):format(
    MAX_UNROLLED,
    MAX_SHARED // 1024
)
local SM_REGISTERS = 65536
local MAX_BLOCKS = 3 -- of an SM; two leave up to 255 registers a thread: fewer warps with more of them were faster
local ROOMY_BLOCKS = 2 -- one would leave no thread more registers
-- Beside accumulators and weights that stay: inputs in flight, addresses, tile state; weights in flight from L1. As
-- ptxas has it, the default table needs 144 to 248 in all, and 140 to 255 with weights from L1.
local OTHER_REGISTERS = { channel = 65, column = 62, two_columns = 62, pair = 60, column_pair = 60 }
local OTHER_REGISTERS_L1 = { channel = 176, column = 176, two_columns = 104, pair = 176, column_pair = 104 }
local PIXEL_REGISTERS = 28 -- inputs that come one by one
local CURVE_REGISTERS = 16 -- a function of special functions, of two values at once

local ladder = {
    { name = "two_blocks", done = "room for two blocks on an SM, so that a thread has all registers that it can" },
    { name = "weights_from_l1", done = "weights from L1, not in registers" },
    { name = "late_weights", done = "a chunk's first weights brought when its inputs are there, not before" },
    { name = "narrow_unit", done = "a warp's unit is the narrow one" },
    { name = "half_values", done = "half of the narrow unit's values a thread" },
    { name = "least_values", done = "16 channels and a row of values a thread" },
}

-- Channels and pixels of a block and its warps. A block's units lie beside each other before they lie below, as far as
-- the reference problem's rows go: long runs of y are cheaper to write than short ones.
local function shape_for(row, kind, unit)
    local tiles = divide_up(row.group_c_out, 16)
    local m = math.min(unit.tiles, tiles)
    local parts = math.min(MAX_PARTS, divide_up(tiles, m))
    if row.conv_groups > 1 then -- a block's channels are those of one group
        m = tiles % m == 0 and m or 1
        parts = tiles // m % parts == 0 and parts or 1
    end
    local pixel_warps = WARPS // parts
    local across = 1
    while across < pixel_warps and across * UNIT_W < row.reference.w_out do
        across = across * 2
    end
    local rows = unit.values // (16 * m)
    return {
        m = m,
        rows = rows,
        n = rows * UNIT_W // 8,
        parts = parts,
        across = across,
        values = unit.values,
        pieces = kind.pieces,
        axes = unit.axes,
        bytes = kind.bytes,
        products = kind.pieces == 1 and 1 or 3,
        tile_c = parts * m * 16,
        tile_h = pixel_warps // across * rows,
        tile_w = across * UNIT_W,
    }
end

-- From a lane's inputs to those of the next one of four.
local lane_strides = {
    channel = function(k)
        return k.c_step
    end,
    pair = function(k)
        return 2 * k.c_step
    end,
    column = function(k, row)
        return row.dilation_w * k.col_step
    end,
    two_columns = function()
        return 2
    end,
    column_pair = function()
        return 2
    end,
}

-- How x is staged: `stage` elements; `c_step`, `row_step` and `col_step` from one channel, row and column to the next;
-- `shift`, the columns before the first tap's; `apart`, those between a lane's.
local stagings = {}

-- Planes, their lines beginning early enough for copies of 16 bytes.
function stagings.nchw(row, shape, axis, channels, rows)
    local vector = 16 // shape.bytes
    local lead = round_up(row.pad_w, vector)
    local reach = (shape.tile_w - 1) * row.stride_w + row.reach_w + (axis.overhang or 0) * row.dilation_w
    local pitch = round_up(reach + lead - row.pad_w, vector)
    local plane = round_up(rows * pitch - axis.skew, 16) + axis.skew
    return {
        pitch = pitch,
        plane = plane,
        apart = axis.apart,
        lead = lead,
        shift = lead - row.pad_w,
        stage = channels * plane,
        c_step = plane,
        row_step = pitch,
        col_step = 1,
    }
end

-- Pixels, an odd number of 16 bytes each, so that neighbours fall into different banks.
function stagings.nhwc(row, shape, _, channels, rows)
    local vector = 16 // shape.bytes
    local pitch = (shape.tile_w - 1) * row.stride_w + row.reach_w
    local pixel = vector * (divide_up(channels, vector) // 2 * 2 + 1)
    return {
        pitch = pitch,
        pixel = pixel,
        apart = 1,
        lead = row.pad_w,
        shift = 0,
        stage = rows * pitch * pixel,
        c_step = 1,
        row_step = pitch * pixel,
        col_step = pixel,
    }
end

-- The k axis cut along `axis_name` into `chunks` chunks at most.
local function cut_into(chunks, axis_name, row, shape)
    local axis = axes[axis_name]
    local channels = round_up(divide_up(row.group_c_in, chunks), axis.granule)
    local rows = (shape.tile_h - 1) * row.stride_h + row.reach_h
    local k = stagings[row.layout](row, shape, axis, channels, rows)
    k.axis = axis_name
    k.chunks = divide_up(row.group_c_in, channels)
    k.channels = channels
    k.steps = divide_up(axis.count(row, channels, k.shift), 2)
    k.stages = STAGES
    k.vector = axis.vector
    k.rows = rows
    k.lane_stride = lane_strides[axis_name](k, row)
    return k
end

-- Stages of inputs, and the values of y on their way out (staged_pixel in src/device/mma_nhwc.cuh).
local function shared_bytes(k, shape)
    local values = (shape.tile_c + (k.pixel and 4 or 0)) * shape.tile_h * shape.tile_w
    return shape.bytes * STAGES * k.stage + 4 * values
end

local function fits(k, shape)
    return k.steps * shape.m * shape.n * shape.products <= MAX_UNROLLED and shared_bytes(k, shape) <= MAX_SHARED
end

local function better(a, b)
    if not (a and b) then
        return a or b
    end
    return b.steps * b.chunks < a.steps * a.chunks and b or a
end

-- The cut with the fewest steps, then the fewest chunks, then along the first axis; or nil.
local function cut(row, shape)
    local best = nil
    for _, axis_name in ipairs(shape.axes) do
        local axis = axes[axis_name]
        local most = (not axis.takes or axis.takes(row)) and divide_up(row.group_c_in, axis.granule) or 0
        for chunks = 1, most do
            local k = cut_into(chunks, axis_name, row, shape)
            if fits(k, shape) then
                best = better(best, k)
            end
        end
    end
    if best then
        best.quads = axes[best.axis].quads(row, best.channels, best.shift)
        best.nothing = axes.nothing
    end
    return best
end

local function weight_registers(shape, k)
    return k.steps * shape.m * shape.pieces * 4
end

local function stay_in_registers(shape, k, reliefs)
    return k.chunks == 1 and weight_registers(shape, k) <= MAX_WEIGHTS and not reliefs.weights_from_l1
end

-- The narrow unit, with fewer values where it has to be relieved of them.
local function narrow_unit(kind, reliefs)
    local unit = kind.narrow
    if reliefs.least_values then
        return { tiles = 1, values = 16, axes = unit.axes }
    end
    return { tiles = unit.tiles, values = reliefs.half_values and unit.values // 2 or unit.values, axes = unit.axes }
end

-- A warp's unit and the cut for it; without a cut where there is none.
local function choose(row, kind, reliefs)
    local shape = shape_for(row, kind, narrow_unit(kind, reliefs))
    local k = cut(row, shape)
    if not (k and kind.wide) or reliefs.narrow_unit or reliefs.half_values or reliefs.least_values then
        return shape, k
    end
    local wide = shape_for(row, kind, kind.wide)
    local other = wide.m == kind.wide.tiles and cut(row, wide)
    local fewer = other and other.steps * other.chunks <= k.steps * k.chunks
    if fewer and (stay_in_registers(wide, other, reliefs) or not stay_in_registers(shape, k, reliefs)) then
        return wide, other
    end
    return shape, k
end

local function has_curve(side)
    for _, op in ipairs(side.ops) do
        if op.curve then
            return true
        end
    end
    return false
end

-- The plan's own part: tile, chunks, packed layout, resources.
local function layout(row, epilogue, shape, k, reliefs)
    local in_registers = stay_in_registers(shape, k, reliefs)
    local channel_blocks = divide_up(row.c_out, shape.tile_c)
    local k_of_step = 32 // shape.bytes
    local others = OTHER_REGISTERS_L1[k.axis]
    if in_registers then
        others = weight_registers(shape, k) + OTHER_REGISTERS[k.axis] + k.channels // 2
            + (k.pixel and PIXEL_REGISTERS or 0)
    end
    local registers = shape.values + others + (has_curve(epilogue.before) and CURVE_REGISTERS or 0)
    local blocks = math.min(MAX_BLOCKS, SM_REGISTERS // (WARPS * 32 * registers))
    return {
        shape = shape,
        k = k,
        in_registers = in_registers,
        warps = WARPS,
        threads = WARPS * 32,
        blocks_per_sm = math.min(blocks, reliefs.two_blocks and ROOMY_BLOCKS or MAX_BLOCKS),
        -- Where there are registers for those of a chunk's first step.
        early_weights = blocks < MAX_BLOCKS and not in_registers and not reliefs.late_weights,
        tile_c = shape.tile_c,
        tile_h = shape.tile_h,
        tile_w = shape.tile_w,
        channel_blocks = channel_blocks,
        shared_bytes = shared_bytes(k, shape),
        packed = {
            weights = channel_blocks * k.chunks * k.steps * shape.parts * shape.m * shape.pieces * 128,
            constants = channel_blocks * shape.tile_c * 2 * epilogue.slots,
        },
        window = window.of(row, k.lead),
        border = window.border(row, k.shift),
        registers = registers,
        unrolled = ("%d mma"):format(k.steps * shape.m * shape.n * shape.products),
        tensor_products = shape.products,
        padded_multiply_adds = shape.products * k.chunks * k.steps * k_of_step * channel_blocks * shape.tile_c,
        why = ("k along the %s axis: %d steps of %d for %d products%s; weights from %s"):format(
            k.axis,
            k.chunks * k.steps,
            k_of_step,
            row.group_c_in * row.kh * row.kw,
            shape.products == 1 and "" or (", %d mma for one"):format(shape.products),
            in_registers and "registers" or "L1"
        ),
    }
end

-- kind: pieces of a number, bytes of an element; the most multiply-adds that one may take where plain fp32 kernels
-- could serve; a warp's unit where weights stay in registers, and where not: channel tiles of 16 at most, values of a
-- thread, axes that k may be cut along.
local function strategy(name, math_name, dtypes, kind)
    local self = {
        name = name,
        math = math_name,
        dtypes = dtypes,
        takes = { nchw = true, nhwc = true, stride = true, padding = true, dilation = true, conv_groups = true },
        device = "cuda",
        target = "sm80",
        schedule = "recompute",
        template = ("templates/%s.cu.lua"):format(name),
        extension = "cuh",
        shard_extension = "cu",
        reliefs = ladder,
    }

    -- Why another strategy serves the row better, or nil.
    function self.refuses(row, epilogue, reliefs)
        if row.conv_groups > 1 and row.group_c_out % 16 ~= 0 then
            return ("%d output channels of a group are no multiple of the 16 of a product"):format(row.group_c_out)
        end
        local shape, k = choose(row, kind, reliefs)
        if not k then
            return NO_CUT
        end
        local most = kind.max_share or math.huge
        local share = layout(row, epilogue, shape, k, reliefs).padded_multiply_adds
            / (row.group_c_in * row.kh * row.kw * row.c_out)
        return share > most and ("%.1f multiply-adds of tf32 for one of fp32, more than %d"):format(share, most) or nil
    end

    function self.plan(row, epilogue, reliefs)
        local shape, k = choose(row, kind, reliefs)
        return layout(row, epilogue, shape, k, reliefs)
    end

    return self
end

return {
    strategy("mma", "tf32", { f32 = true }, {
        pieces = 1,
        bytes = 4,
        narrow = { tiles = 2, values = 64, axes = { "channel", "two_columns", "column" } },
        wide = { tiles = 4, values = 128, axes = { "two_columns" } },
    }),
    strategy("mma3", "fp32", { f32 = true }, {
        pieces = 2,
        bytes = 4,
        max_share = MAX_SHARE,
        narrow = { tiles = 1, values = 64, axes = { "channel", "two_columns", "column" } },
        wide = { tiles = 2, values = 64, axes = { "channel" } },
    }),
    strategy("mma16", "fp32", { f16 = true, bf16 = true }, {
        pieces = 1,
        bytes = 2,
        narrow = { tiles = 2, values = 64, axes = { "column_pair", "pair" } },
    }),
}
