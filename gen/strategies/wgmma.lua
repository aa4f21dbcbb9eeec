-- SPDX-License-Identifier: Apache-2.0
--
-- Products of Hopper's warpgroups, their operands brought by the copy engine: for shapes whose arithmetic takes longer
-- than their tensors' way through memory. Everything is computed once: in front of a normalisation the values stay in
-- registers, or go to the workspace where samples are too large for that.
local arithmetic = require_module("gen/arithmetic.lua")
local divide_up, round_up = arithmetic.divide_up, arithmetic.round_up

local CHANNELS = 64 -- of a tile: the rows of a product
local COLUMNS = { 64, 96, 128, 160, 192, 208, 224, 240, 256 } -- of a product, those in src/device/ptx_wgmma.cuh
-- The most columns where a tensor is added to the values: more would leave no registers.
local WITH_TENSOR = 96
local PLANE_PIXELS = 64 -- that the copy engine brings of a plane at once
local NORMALISED = 240 -- the same where a launch normalises what it convolves
-- And by reliefs.
local RELIEVED = { { name = "columns_128", most = 128 }, { name = "columns_64", most = 64 } }
local MAX_BOX = 256 -- pixels in each direction that the copy engine steps over at once
local MAX_STRIDE = 8 -- pixels of one of its steps
local SHARED = 227 * 1024
local PLACE = 1024 -- bytes in which operands are swizzled
local BARRIERS = 512 -- bytes for them, all in all
local STAGE = 8192 -- bytes of weights, of one or more taps
local STAGES, FEWEST_STAGES = 8, 3
local MAX_BUFFERS = 4
local SMS = 132
local FIXED_COST = 40 -- columns whose time a tile takes beside its own: weights come for each tile
local CUT_COST = 1.25 -- of rows of y that are written in parts, each a run of its own, beside whole ones
local MAX_SHARE = 2 -- multiply-adds with padding for one without
local REGISTERS = { launch = 168, loader = 40, computer = 232 }
local WARPS = 12
local COPIERS, UNIT = 2, 8192 -- warps that copy x, and bytes that each of them needs
local ENOUGH_STAGES, LONG = 5, 6000 -- fewer stages hold up products that take as many cycles for a tile
local SLICE = 64 * (CHANNELS + 4) * 4 -- bytes of staged pixels, 64 at a time (src/device/gemm_epilogue.cuh)
local STORED = 128 -- bytes of a pixel that the copy engine stores (src/device/gemm_store.cuh)

-- Bytes of a pixel's channels that lie together: a chunk of channels.
local ROWS = { 32, 64, 128 }
local STEP = 32 -- bytes of them that one product takes
local BOX_COST, WAIT_COST = 4, 0.5 -- of a box that is brought, and of waiting for one or for weights, in products

-- How the taps of one direction share boxes: `count` is how many of the first taps begin at pixels that no other tap's
-- lie in line with, in steps of the stride; tap t reads the box that begins at tap t % count. `reach`: steps from a
-- box's first pixel to those of the last tap in it.
local function phases_of(taps, stride, dilation)
    local count = math.min(taps, stride // arithmetic.greatest_divisor(stride, dilation))
    return { count = count, reach = (taps - 1) // count * count * dilation // stride }
end

-- The taps in the order in which they are multiplied, box by box: each with its row and column of the kernel, and how
-- far its pixels lie from the first one of its box.
local function ordered_taps(row, phases_h, phases_w)
    local taps = {}
    for phase = 0, phases_h * phases_w - 1 do
        local y, x = phase // phases_w, phase % phases_w
        for ky = y, row.kh - 1, phases_h do
            for kx = x, row.kw - 1, phases_w do
                taps[#taps + 1] = { ky = ky, kx = kx, phase = phase, row = (ky - y) * row.dilation_h // row.stride_h,
                    col = (kx - x) * row.dilation_w // row.stride_w }
            end
        end
    end
    return taps
end

-- How many boxes each stage of weights, `size` taps, is the last one to read; and how many buffers that takes: a box is
-- given back at the end of the stage behind its last one.
local function stages_of(taps, size)
    local ended, begun = {}, {}
    for i, tap in ipairs(taps) do
        local stage, before, behind = (i - 1) // size + 1, taps[i - 1], taps[i + 1]
        local first = not before or before.phase < tap.phase or (i - 1) % size == 0
        local last = not behind or behind.phase > tap.phase
        begun[stage] = (begun[stage] or 0) + (first and 1 or 0)
        ended[stage] = (ended[stage] or 0) + (last and 1 or 0)
    end
    local buffers = 0
    for stage, boxes in ipairs(begun) do
        buffers = math.max(buffers, boxes + ended[stage > 1 and stage - 1 or #ended])
    end
    return ended, buffers
end

-- Whether x is read as it lies, in planes: pixels of a channel are then an operand's columns, which 16 bits allow.
local function reads_planes(row, operand)
    local one_tap = row.kh * row.kw == 1 and row.stride_h * row.stride_w == 1 and row.pad_h + row.pad_w == 0
    return one_tap and row.layout == "nchw" and operand.bytes == 2
end

-- The reference problem's outputs; of planes an image is one row.
local function outputs_of(row, k)
    local reference = row.reference
    if k.planes then
        return 1, reference.h_out * reference.w_out
    end
    return reference.h_out, reference.w_out
end

-- One way to cut the input channels into chunks. The last chunk leaves out products of padding alone.
local function cut_channels(row, operand, row_bytes)
    local phases_h = phases_of(row.kh, row.stride_h, row.dilation_h)
    local phases_w = phases_of(row.kw, row.stride_w, row.dilation_w)
    local k = { row_bytes = row_bytes, operand_bytes = operand.bytes, channels = row_bytes // operand.bytes,
        steps = row_bytes // STEP, stages = 1,
        phases_h = phases_h, phases_w = phases_w, phases = phases_h.count * phases_w.count,
        taps = ordered_taps(row, phases_h.count, phases_w.count), planes = reads_planes(row, operand) }
    k.chunks = divide_up(row.c_in, k.channels)
    k.last_steps = divide_up((row.c_in - (k.chunks - 1) * k.channels) * operand.bytes, STEP)
    k.whole_chunks = k.chunks - (k.last_steps < k.steps and 1 or 0)
    k.all_steps = (k.chunks - 1) * k.steps + k.last_steps
    k.stage_taps = math.min(#k.taps, math.max(1, STAGE // (CHANNELS * row_bytes)))
    k.boxes_ended, k.fewest_buffers = stages_of(k.taps, k.stage_taps)
    local boxes = k.chunks * k.phases
    k.cost = k.all_steps * #k.taps + BOX_COST * boxes + WAIT_COST * (boxes + k.chunks * #k.boxes_ended)
    return k
end

-- Floats of a channel in a warp's staging: such that eight channels' places fall into different banks.
local function staged_floats(n)
    return round_up(n - 8, 32) + 8
end

-- Bytes of a computing group's outputs on their way to y: of planes 8 channels of floats a warp, or twice as many of 16
-- bits; of pixels some of them or, 16 bits that the copy engine stores, all.
local function staging_for(row, k, n, staged)
    if row.layout == "nchw" then
        return 4 * 8 * staged * 4
    end
    return round_up(math.max(SLICE, k.operand_bytes == 2 and n * STORED or 0), PLACE)
end

-- Whether a launch can normalise by itself what it has convolved. (Steps behind that would find no registers.)
local function normalises_at_once(epilogue)
    return epilogue.normalises and #epilogue.behind.ops == 0
end

-- Warps that copy x: none where the memory that they need would rather be stages of weights, `room` without them.
local function copiers_for(row, k, n, stage_bytes, room)
    local stages = (room - COPIERS * UNIT) // stage_bytes
    local held_up = stages < ENOUGH_STAGES and k.all_steps * #k.taps * n // 2 >= LONG
    return row.layout == "nchw" and not k.planes and not held_up and COPIERS or 0
end

-- Shared memory for tiles of n columns with lines of `pitch` pixels, and what it is divided into; nil without room.
local function memory_for(row, epilogue, k, n, pitch)
    local reach = k.phases_h.reach * pitch + k.phases_w.reach
    local memory = {
        n = n,
        slice_bytes = SLICE,
        staged = staged_floats(n),
        stage_bytes = k.stage_taps * CHANNELS * k.row_bytes,
        input_bytes = k.planes and round_up(n, PLANE_PIXELS) * k.row_bytes
            or round_up((n + reach) * k.row_bytes, PLACE),
    }
    local writes = not epilogue.normalises or normalises_at_once(epilogue)
    local staging = not writes and 0 or 2 * staging_for(row, k, n, memory.staged)
    local room = SHARED - BARRIERS - staging
    memory.copiers = copiers_for(row, k, n, memory.stage_bytes, room - k.fewest_buffers * memory.input_bytes)
    room = room - memory.copiers * UNIT
    memory.staging = staging
    memory.stages = math.min(STAGES, (room - k.fewest_buffers * memory.input_bytes) // memory.stage_bytes)
    if memory.stages < FEWEST_STAGES then
        return nil
    end
    memory.buffers = math.min(math.max(MAX_BUFFERS, k.fewest_buffers),
        (room - memory.stages * memory.stage_bytes) // memory.input_bytes)
    memory.shared_bytes = memory.buffers * memory.input_bytes + memory.stages * memory.stage_bytes + staging
        + memory.copiers * UNIT + BARRIERS
    return memory
end

-- Calls visit(cols, pitch) for the ways to cut rows of `width` outputs: whole, or in parts of multiples of 8.
local function for_widths(row, k, width, visit)
    for parts = 1, divide_up(width, 8) do
        local cols = parts == 1 and width or round_up(divide_up(width, parts), 8)
        local pitch = round_up(math.max(8, cols + k.phases_w.reach), 4)
        if (pitch - 1) * row.stride_w < MAX_BOX then
            visit(cols, pitch)
        end
    end
end

-- The most columns of a product that there are registers for.
local function most_columns(epilogue, reliefs)
    local most = epilogue.before.tensors > 0 and WITH_TENSOR
        or normalises_at_once(epilogue) and NORMALISED or COLUMNS[#COLUMNS]
    for _, relief in ipairs(RELIEVED) do
        most = reliefs[relief.name] and math.min(most, relief.most) or most
    end
    return most
end

-- Calls visit(shape) for the tiles of a problem's cut in chunks that there is memory for, of `most` columns; a shape's
-- cost is the columns and steps of the busiest multiprocessor.
local function for_shapes(row, epilogue, k, blocks, most, visit)
    local h_out, w_out = outputs_of(row, k)
    local most_rows = math.min(h_out, (MAX_BOX - 1) // row.stride_h + 1 - k.phases_h.reach)
    for_widths(row, k, w_out, function(cols, pitch)
        for _, n in ipairs(COLUMNS) do
            local rows = math.min(n // pitch, most_rows)
            local shape = rows > 0 and n <= most and memory_for(row, epilogue, k, n, pitch)
            if shape then
                local places = divide_up(h_out, rows) * divide_up(w_out, cols)
                local rounds = divide_up(row.reference.n * places * blocks, SMS)
                shape.rows, shape.cols, shape.pitch = rows, cols, pitch
                local cut = row.layout == "nchw" and cols < w_out and CUT_COST or 1
                local brought = k.planes and round_up(n, PLANE_PIXELS) or n
                shape.k, shape.cost = k, rounds * (brought + FIXED_COST) * k.cost * cut
                visit(shape)
            end
        end
    end)
end

-- The tile for the reference problem: what keeps the multiprocessors busy for the shortest time.
local function shape_for(row, epilogue, operand, reliefs)
    local blocks, most = divide_up(row.c_out, CHANNELS), most_columns(epilogue, reliefs)
    local best
    for _, row_bytes in ipairs(ROWS) do
        for_shapes(row, epilogue, cut_channels(row, operand, row_bytes), blocks, most, function(shape)
            if not best or shape.cost < best.cost then
                best = shape
            end
        end)
    end
    if best then
        best.blocks, best.operand, best.operand_bytes = blocks, operand.c, operand.bytes
    end
    return best
end

local function padded_multiply_adds(row, shape)
    local channels = shape.k.all_steps * STEP // shape.operand_bytes
    return channels * row.kh * row.kw * shape.blocks * CHANNELS
end

local function refuses(row, epilogue, operand, reliefs)
    if epilogue.before.tensors > 1 then
        return "there are registers for one add_tensor that no normalisation precedes"
    end
    if math.max(row.stride_h, row.stride_w) > MAX_STRIDE then
        return ("the copy engine takes every pixel to every %dth one"):format(MAX_STRIDE)
    end
    local shape = shape_for(row, epilogue, operand, reliefs)
    if not shape then
        return "the inputs of a tile do not fit shared memory twice"
    end
    local share = padded_multiply_adds(row, shape) / (row.c_in * row.kh * row.kw * row.c_out)
    if share > MAX_SHARE then
        return ("%.2f multiply-adds for one, more than %d"):format(math.ceil(share * 100) / 100, MAX_SHARE)
    end
    return nil
end

local function plan(row, epilogue, operand, reliefs)
    local shape = shape_for(row, epilogue, operand, reliefs)
    local k = shape.k
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
            staged = shape.staged, copiers = shape.copiers, at_once = normalises_at_once(epilogue), planes = k.planes },
        packed = {
            weights = shape.blocks * k.chunks * taps * CHANNELS * k.row_bytes // 4,
            constants = shape.blocks * CHANNELS * 2 * epilogue.slots,
        },
        registers = REGISTERS.launch,
        registers_of = REGISTERS,
        unrolled = ("%d wgmma"):format(taps * (k.whole_chunks > 0 and k.steps or k.last_steps)),
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

local ladder = {}
for i, relief in ipairs(RELIEVED) do
    ladder[i] = { name = relief.name, done = ("products of %d columns at most"):format(relief.most) }
end

local strategies = {}
for i, variant in ipairs(variants) do
    strategies[i] = {
        name = "wgmma",
        math = variant.math,
        dtypes = { [variant.dtypes[1]] = true },
        takes = { nchw = true, nhwc = true, stride = true, padding = true, dilation = true },
        device = "cuda",
        target = "sm90a",
        schedule = "stored",
        template = "templates/wgmma.cu.lua",
        extension = "cuh",
        shard_extension = "cu",
        reliefs = ladder,
        refuses = function(row, epilogue, reliefs)
            return refuses(row, epilogue, variant.operand, reliefs)
        end,
        plan = function(row, epilogue, reliefs)
            return plan(row, epilogue, variant.operand, reliefs)
        end,
    }
end

return strategies
