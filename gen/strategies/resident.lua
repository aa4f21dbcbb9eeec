-- SPDX-License-Identifier: Apache-2.0
--
-- The resident schedule on Hopper (src/device/resident.cuh): x is read once, y is written once, and in between the
-- values wait in shared memory for their sample's statistics. Tensor cores through wgmma: pixels are the rows of a
-- product, channels its columns; both operands come from shared memory.
local arithmetic = require_module("gen/arithmetic.lua")
local window = require_module("gen/window.lua")
local divide_up = arithmetic.divide_up

local GROUPS, COMPUTERS = 2, 8 -- computing warpgroups, and their warps
local SERVANTS = 8 -- other warps: stagers, a publisher, a merger, writers
local LOADS = 32 -- that a stager's thread has under way, a batch
local FOURS = 4 -- of values that a writer's lane has under way, at most
local WARPS = SERVANTS + COMPUTERS
-- Registers a thread, at first and of each role. Where pairs of 16 bits are padded, stagers need more; with the most
-- columns computers do, and stagers have short bands.
local REGISTERS = {
    plain = { launch = 128, stager = 112, service = 96, computer = 152 },
    pairs = { launch = 128, stager = 120, service = 104, computer = 144 },
    columns = { launch = 128, stager = 104, service = 88, computer = 160 },
}
local TILE = 64 -- pixels of a product
local MOST_LEAD = 3 -- floats of a channel's room in front of its values, so that these are aligned as in y
local ACCUMULATORS = 64 -- registers of a computing thread
local MAX_TILES = 8 -- of a computing warpgroup
local MULTIPROCESSORS = 132 -- of an H100 or H200
local MAX_COLUMNS = 64 -- of a product
local MAX_WEIGHTS = 64 * 1024 -- bytes of shared memory
local SHARED = 227 * 1024 -- all of it: as many buffers as fit
local ROW_BYTES = 16 -- of k that lie together in an operand; a step takes two such rows
-- Operands' places stay in registers from tile to tile for so many steps, of so many tiles in two pieces.
local MAX_KEPT = { steps = 9, tiles = 4 }
-- Steps whose operands' places find registers, for numbers in so many pieces; fewer where planes have lanes that are
-- not used, fewer still with padding or values that are no sigmoid's (none, in two pieces with the most columns). More
-- may or may not: a row that names the strategy is taken at its word, and the tests see what ptxas says.
local MAX_STEPS = { full = { 18, 9 }, ragged = { 16, 8 }, general = { 6, 8 }, named = { 20, 20 } }
local BARRIERS = 16 -- of 8 bytes

local ladder = {
    { name = "places_by_tile", done = "operands' places computed for each tile, not kept from tile to tile" },
    { name = "constants_from_shared", done = "channels' constants from shared memory, not in registers" },
    { name = "half_loads", done = "half as many loads of stagers and of writers under way" },
    { name = "half_tiles", done = "half as many tiles that a warpgroup's registers hold" },
}

-- Of the sums of a group's values, and of their squares: for values from 0 to 1, and for any (resident_statistics.cuh).
local WORDS = { unit = { sum = 1, squares = 1 }, any = { sum = 3, squares = 5 } }

-- An operand row of `width` values is so many channels of a tap (axis "channel") or columns of a channel's row of taps
-- (axis "column"). Each cut says what its planes hold, and has the rows that make up k: the plane, the first value's
-- channel and tap.
local cuts = {}

function cuts.channel(row, width)
    local planes = divide_up(row.c_in, width)
    local rows = {}
    for ky = 0, row.kh - 1 do
        for kx = 0, row.kw - 1 do
            for plane = 0, planes - 1 do
                local first = plane * width
                local last = math.min(first + width, row.c_in) - 1
                local label = ("tap (%d,%d) channels %d-%d"):format(ky, kx, first, last)
                rows[#rows + 1] = { plane = plane, c = first, ky = ky, kx = kx, label = label }
            end
        end
    end
    local lanes = math.min(width, row.c_in)
    return { axis = "channel", planes = planes, lanes = lanes, width = width, rows = rows }
end

-- A channel is a plane. Where a row of taps is longer than `width` columns, but no multiple of them, its last row of k
-- begins earlier, and what that has in common with the one before is `shared`: each has half of such a tap's weight
-- (src/device/split.cuh). For a zero in its place, x's infinities would be NaN.
function cuts.column(row, width)
    local overlaps = row.kw > width and row.kw % width > 0
    local rows = {}
    for c = 0, row.c_in - 1 do
        for ky = 0, row.kh - 1 do
            for kx = 0, row.kw - 1, width do
                local first = math.max(0, math.min(kx, row.kw - width))
                local last = math.min(first + width, row.kw) - 1
                local label = ("channel %d taps (%d,%d)-(%d,%d)"):format(c, ky, first, ky, last)
                rows[#rows + 1] = { plane = c, c = c, ky = ky, kx = first, label = label }
            end
        end
    end
    return {
        axis = "column",
        planes = row.c_in,
        lanes = math.min(row.kw, width),
        width = width,
        rows = rows,
        shared = overlaps and { first = row.kw - width, after = row.kw // width * width } or nil,
    }
end

-- Whether the second row of every step lies behind the first, as the operands' descriptors ask.
local function in_order(rows)
    for i = 2, #rows, 2 do
        local low, high = rows[i - 1], rows[i]
        if high.plane < low.plane or (high.plane == low.plane and (high.ky < low.ky or
            (high.ky == low.ky and high.kx < low.kx))) then
            return false
        end
    end
    return true
end

-- Plane by plane the rows are always in order.
local function sort_rows(rows)
    table.sort(rows, function(a, b)
        if a.plane ~= b.plane then
            return a.plane < b.plane
        end
        return a.ky < b.ky or (a.ky == b.ky and a.kx < b.kx)
    end)
end

local function cut_for(row, width)
    local channel, column = cuts.channel(row, width), cuts.column(row, width)
    local cut = #column.rows < #channel.rows and column or channel
    if not in_order(cut.rows) then
        sort_rows(cut.rows)
    end
    cut.steps = divide_up(#cut.rows, 2)
    cut.zeros = #cut.rows % 2 * TILE
    return cut
end

-- Products of tensor cores for one of numbers in so many pieces.
local function products(pieces)
    return pieces * (pieces + 1) // 2
end

local function words_for(epilogue)
    local last = epilogue.before.ops[#epilogue.before.ops]
    return last and last.kind == "sigmoid" and WORDS.unit or WORDS.any
end

-- Tiles of a computing warpgroup, all of which it computes for each sample, whether its band is as long or not: those
-- that let the reference problem's samples take the least time; nil where its bands are more than the device has
-- multiprocessors. `most`: what registers hold.
local function tiles_for(row, most)
    local reference = row.reference
    local places = (reference.h_out - 1) * (reference.w + row.pad_w) + reference.w_out
    local best, least = nil, math.huge
    for tiles = most, 1, -1 do
        local lanes = MULTIPROCESSORS // divide_up(places, tiles * GROUPS * TILE)
        local time = lanes > 0 and divide_up(reference.n, lanes) * (tiles + 1) or math.huge -- one more for all the rest
        if time < least then
            best, least = tiles, time
        end
    end
    return best
end

-- How the reference problem's bands are cut: tiles of a computing warpgroup, places, and, where bands of what registers
-- hold are too many, parts of whole rows.
local function bands_for(row, most)
    local reference = row.reference
    local width = reference.w + row.pad_w
    local tiles = tiles_for(row, most)
    if tiles or width > most * GROUPS * TILE then
        tiles = tiles or most
        return { tiles = tiles, places = tiles * GROUPS * TILE, in_parts = false }
    end
    tiles = divide_up(width, GROUPS * TILE)
    local rows = tiles * GROUPS * TILE // width
    local parts = divide_up(divide_up(reference.h_out, rows), MULTIPROCESSORS)
    return { tiles = tiles, places = parts * rows * width, in_parts = true }
end

-- What the warps beside the computers have to do for a band of the reference problem, of so many places at most, says
-- how many they are and how much they have under way.
local function servants_for(row, cut, most_places, element_bytes)
    local reference = row.reference
    local width = reference.w + row.pad_w
    local places = math.min(most_places, (reference.h_out - 1) * width + reference.w_out)
    local dropped = math.max(0, (places - 1) % width + 1 - reference.w_out) -- behind the last place of y
    local inputs = places - dropped + (row.kh - 1) * width + row.kw - 1
    local values = places // width * reference.w_out + math.min(places % width, reference.w_out)
    local loads = inputs * cut.planes * cut.lanes
    local stagers = loads * 4 <= values * row.c_out and 3 or 4
    local writers = SERVANTS - 2 - stagers
    return {
        stagers = stagers,
        writers = writers,
        rounds = math.min(LOADS // cut.lanes, divide_up(inputs, stagers * 32 * 4 // element_bytes)),
        fours = math.min(FOURS, divide_up(values, 128)),
    }
end

-- The least size from `floats` on that is 4 or 12 modulo 16: then a warp's stores, eight pixels of four pairs of
-- channels, fall into different banks; and each channel's room begins at a multiple of 16 bytes.
local function pitch_for(floats)
    return divide_up(floats - 4, 8) * 8 + 4
end

local function places_kept_for(cut, pieces, tiles, reliefs)
    local few = cut.steps <= MAX_KEPT.steps and (pieces == 1 or tiles <= MAX_KEPT.tiles)
    return few and not reliefs.places_by_tile and "sample" or "tile"
end

-- The most tiles of n columns that the registers of a computing warpgroup hold.
local function most_tiles(n, reliefs)
    local most = math.min(MAX_TILES, ACCUMULATORS // (n // 2))
    return reliefs.half_tiles and math.max(1, most // 2) or most
end

local function shape_for(row, epilogue, operand, pieces, reliefs)
    local n = 8
    while n < row.c_out do
        n = 2 * n
    end
    local cut = cut_for(row, ROW_BYTES // operand.bytes)
    local weights = pieces * cut.steps * 2 * n * ROW_BYTES
    local bands = bands_for(row, most_tiles(n, reliefs))
    local tiles = bands.tiles
    local moments, sums, group, affine, count = 8, 16, 16, 8, 4 -- bytes
    local servants = servants_for(row, cut, bands.places, operand.bytes)
    local loads_share = reliefs.half_loads and 2 or 1
    return {
        stagers = servants.stagers,
        writers = servants.writers,
        rounds = math.max(1, servants.rounds // loads_share),
        fours = math.max(1, servants.fours // loads_share),
        n = n,
        tiles = tiles,
        in_parts = bands.in_parts,
        pitch = pitch_for(tiles * GROUPS * TILE + MOST_LEAD),
        pieces = pieces,
        operand = operand.c,
        cut = cut,
        weights = weights,
        operands_of = places_kept_for(cut, pieces, tiles, reliefs),
        -- The tile from which on finished ones go to a buffer at once. Behind all tiles, the sample's moments are
        -- published before its buffer is waited for; with operands of 16 bits there is room for a third buffer, and
        -- stores beneath the next tile's special functions gain more (bench/NOTES.md).
        keeps_from = operand.bytes == 2 and math.min(1, tiles - 1) or tiles,
        words = words_for(epilogue),
        -- In registers; those of 64 columns would not fit.
        keeps_constants = n < MAX_COLUMNS and not reliefs.constants_from_shared,
        fixed_bytes = weights + pieces * cut.zeros * ROW_BYTES + COMPUTERS * (n * moments + count) +
            n * (sums + group + (3 + epilogue.slots) * affine) + BARRIERS * 8,
    }
end

-- What the tensor cores take for tensors of a dtype.
local operands = {
    f32 = { c = "tf32", bytes = 4 },
    f16 = { c = "f16", bytes = 2 },
    bf16 = { c = "bf16", bytes = 2 },
}

local function most_steps(row, shape, variant)
    for _, name in ipairs(row.strategy or {}) do
        if name == variant.name then
            return MAX_STEPS.named[variant.pieces]
        end
    end
    local cut = shape.cut
    if row.pad_h + row.pad_w > 0 or shape.words == WORDS.any then
        local many = variant.pieces > 1 or (cut.axis == "column" and row.kw > cut.width)
        return shape.n == MAX_COLUMNS and many and 0 or MAX_STEPS.general[variant.pieces]
    end
    local full = cut.axis == "channel" and row.c_in % cut.width == 0
    return MAX_STEPS[full and "full" or "ragged"][variant.pieces]
end

local function refuses(row, epilogue, variant, reliefs)
    if epilogue.before.tensors > 0 or epilogue.behind.tensors > 0 then
        return "it reads no tensor but x: no add_tensor"
    end
    if not epilogue.normalises then
        return "it is for the sake of a normalisation's statistics: group_norm or instance_norm"
    end
    if row.pad_w >= row.kw then
        return ("%d columns of padding are no fewer than the %d of its kernel"):format(row.pad_w, row.kw)
    end
    if #epilogue.behind.ops > 0 then
        return "its writers normalise and do no more: nothing but affine steps right behind the normalisation"
    end
    if row.c_out > MAX_COLUMNS then
        return ("%d channels are more than the %d columns of its products"):format(row.c_out, MAX_COLUMNS)
    end
    local shape = shape_for(row, epilogue, operands[row.dtype], variant.pieces, reliefs)
    local most = most_steps(row, shape, variant)
    if shape.cut.steps > most then
        return ("%d steps are more than the %d that it has registers for"):format(shape.cut.steps, most)
    end
    if shape.weights > MAX_WEIGHTS then
        return ("weights of %d bytes leave too little shared memory for values"):format(shape.weights)
    end
    return nil
end

local function registers_for(row, shape, operand)
    if shape.n == MAX_COLUMNS then
        return REGISTERS.columns
    end
    return operand.bytes == 2 and row.pad_h + row.pad_w > 0 and REGISTERS.pairs or REGISTERS.plain
end

local function plan(row, epilogue, operand, pieces, reliefs)
    local shape = shape_for(row, epilogue, operand, pieces, reliefs)
    local cut = shape.cut
    local registers = registers_for(row, shape, operand)
    return {
        shape = shape,
        k = { channels = row.c_in, chunks = 1, stages = 1 },
        warps = WARPS,
        threads = WARPS * 32,
        tile_c = row.c_out,
        tile_h = 1,
        tile_w = GROUPS * shape.tiles * TILE,
        channel_blocks = 1,
        shared_bytes = SHARED,
        resident = {
            planes = pieces * cut.planes,
            fixed_bytes = shape.fixed_bytes,
            words = shape.words.sum + shape.words.squares,
            pitch = shape.pitch,
            in_parts = shape.in_parts,
        },
        border = window.border(row),
        packed = { weights = shape.weights // 4, constants = shape.n * 2 * epilogue.slots },
        registers = registers.launch,
        registers_of = registers,
        unrolled = ("%d wgmma"):format(products(shape.pieces) * cut.steps * shape.tiles),
        tensor_products = products(shape.pieces),
        padded_multiply_adds = products(shape.pieces) * cut.steps * 2 * cut.width * shape.n,
        why = ("x read once, y written once; %d steps along the %s axis for %d products"):format(
            cut.steps,
            cut.axis,
            row.c_in * row.kh * row.kw
        ),
    }
end

-- pieces: of a number (src/device/split.cuh), each an operand of its own.
local variants = {
    { name = "resident", math = "tf32", dtypes = { f32 = true }, pieces = 1 },
    { name = "resident", math = "fp32", dtypes = { f16 = true, bf16 = true }, pieces = 1 },
    { name = "resident3", math = "fp32", dtypes = { f32 = true }, pieces = 2 },
}

local strategies = {}
for i, variant in ipairs(variants) do
    strategies[i] = {
        name = variant.name,
        shards = "resident",
        math = variant.math,
        dtypes = variant.dtypes,
        takes = { nchw = true, padding = true },
        device = "cuda",
        target = "sm90a",
        schedule = "resident",
        template = "templates/resident.cu.lua",
        extension = "cuh",
        shard_extension = "cu",
        reliefs = ladder,
        refuses = function(row, epilogue, reliefs)
            return refuses(row, epilogue, variant, reliefs)
        end,
        plan = function(row, epilogue, reliefs)
            return plan(row, epilogue, operands[row.dtype], variant.pieces, reliefs)
        end,
    }
end

return strategies
