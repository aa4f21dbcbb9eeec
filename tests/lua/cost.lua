-- SPDX-License-Identifier: Apache-2.0
--
-- What kernels ask for: made-up plans, of which one thing is changed at a time.
local cost_of = require_module("gen/cost/init.lua")
local cost = require_module("gen/cost.lua")

-- A plan of mma.sync, with changes to its k axis, shape and geometry.
local function mma(changes)
    local shape = { m = 2, n = 8, pieces = 1, products = changes.products or 1, bytes = changes.bytes or 4 }
    local k = { chunks = changes.chunks or 1, steps = 4, stage = 1024, axis = changes.axis or "channel" }
    k.channels, k.rows, k.pitch = 8, changes.rows or 6, 128 -- a line is 32 vectors of f32: one a lane of a warp
    local row = { dtype = changes.bytes == 2 and "f16" or "f32", layout = changes.layout or "nchw" }
    row.stride_w, row.c_out = changes.stride_w or 1, changes.c_out or 32
    return {
        strategy = "mma", device = "cuda", row = row,
        epilogue = { normalises = changes.normalises, before = { ops = changes.ops or {} } },
        geometry = {
            shape = shape, k = k, warps = 4, threads = 128, registers = changes.registers or 100,
            blocks_per_sm = changes.blocks_per_sm or 3, in_registers = not changes.from_l1,
            tile_c = 32, tile_h = 4, tile_w = 64, channel_blocks = 1,
        },
    }
end

local function issue_more(changes, than)
    return cost_of(mma(changes)).apply.issue > cost_of(mma(than)).apply.issue
end

local function apply(changes)
    return cost_of(mma(changes)).apply
end

local plain = apply({})
assert(plain.products == 4 * 2 * 8 * 16 * 8 * 8 * 4, "four steps of m16n8k8 products of four warps")
assert(apply({ chunks = 2 }).products == 2 * plain.products, "twice the chunks")
assert(apply({ chunks = 2 }).l2 == 2 * plain.l2, "twice the chunks bring twice the inputs")
assert(apply({ products = 3 }).products == 3 * plain.products, "three products for one")
assert(apply({ products = 3 }).issue > plain.issue, "three products take longer")
assert(apply({ from_l1 = true }).issue > plain.issue, "weights from L1 are waited for at each step")
assert(issue_more({ rows = 9 }, { rows = 8 }), "the first warp brings a third line of each channel")
assert(not issue_more({ rows = 8 }, { rows = 5 }), "four warps bring eight lines as fast as five")
assert(issue_more({}, { c_out = 24 }), "channels that y does not have are not written")
assert(apply({ stride_w = 2 }).shared == 4 * plain.shared, "every other pixel of a vector, in every other bank")
assert(apply({ stride_w = 2, layout = "nhwc" }).shared == 2 * plain.shared, "a pixel's channels lie together")
assert(apply({ stride_w = 2, axis = "column" }).shared == plain.shared, "columns along k are neighbours")
assert(plain.special == 0 and apply({ ops = { { kind = "sigmoid" } } }).special == 2 * 32 * 4 * 64, "of each value two")
assert(apply({ ops = { { kind = "call", curve = true } } }).issue > plain.issue, "a curve takes instructions")
assert(apply({ ops = { { kind = "affine" } } }).special == 0, "an affine step has no special functions")
assert(apply({ normalises = true }).issue > plain.issue, "to normalise takes instructions")

local normalised = cost_of(mma({ normalises = true }))
assert(normalised.statistics.issue < normalised.apply.issue, "statistics write no y")
assert(cost_of(mma({})).unaligned_x.issue > 0, "x is copied by elements between multiples of 16 bytes")
assert(cost_of(mma({ bytes = 2 })).unaligned_y.issue > 0, "and y goes through shared memory")
assert(cost_of(mma({ layout = "nhwc" })).unaligned_y.issue == 0, "which pixels do anyway")
assert(cost_of(mma({})).statistics.issue == 0, "without a normalisation there is one pass")

assert(cost_of(mma({ registers = 100 })).registers == 100, "what is predicted")
assert(cost_of(mma({ registers = 250 })).registers == 168, "three blocks of 128 threads have 170 each, in eights")
assert(cost_of(mma({ registers = 250, blocks_per_sm = 2 })).registers == 250, "two have 256")
assert(cost_of(mma({})).unit == "mma_tf32" and cost_of(mma({ bytes = 2 })).unit == "mma_f16", "the unit is the dtype's")

local host_kernel = mma({})
host_kernel.device, host_kernel.strategy = "host", "host_avx2"
assert(cost_of(host_kernel) == nil, "the CPU's are not counted")

-- A plan of plain multiply-adds; a chunk has so many of a thread's, and `stage` elements of x.
local function ffma(chunks, unrolled, stage)
    return cost_of({
        strategy = "ffma", device = "cuda", epilogue = { before = { ops = {} } },
        geometry = {
            k = { chunks = chunks, unrolled = unrolled, stage = stage }, rows = 4, channels = 8, threads = 128,
            registers = 80, tile_c = 8, tile_h = 16, tile_w = 32,
        },
    }).apply
end

assert(ffma(2, 288, 512).products == 2 * 288 * 128, "each thread has the multiply-adds of both chunks")
assert(ffma(1, 288, 1024).issue > ffma(1, 288, 512).issue, "elements of x take time to copy")
assert(ffma(2, 288, 512).issue > ffma(1, 576, 1024).issue, "the same in two chunks is waited for twice")

-- A depthwise plan on pixels, of so many channels a lane; `kept`: its taps stay in registers.
local function depthwise(channels, bytes, kept)
    return cost_of({
        strategy = "depthwise", device = "cuda", dtype = { bytes = bytes }, epilogue = { before = { ops = {} } },
        row = { kh = 3, kw = 3, stride_h = 1, stride_w = 1, reach_h = 3, reach_w = 3, layout = "nhwc" },
        geometry = {
            shape = { rows = 2, cols = 8, channels = channels }, kept = kept, threads = 128, registers = 80,
            tile_c = 32 * channels, tile_h = 8, tile_w = 8,
        },
    }).apply
end

assert(depthwise(1, 4, false).issue > depthwise(1, 4, true).issue, "taps from L1 are loaded")
assert(depthwise(1, 2, true).issue > depthwise(1, 4, true).issue, "half a word is written as a whole one is not")
assert(2 * depthwise(1, 4, true).issue > depthwise(2, 4, true).issue, "a word has two channels")

-- A plan of warpgroups' products, `steps` of a tap of 128 columns.
local function wgmma(steps, layout)
    return cost_of({
        strategy = "wgmma", device = "cuda", dtype = { bytes = 4 }, epilogue = { before = { ops = {} } },
        row = { kh = 1, kw = 1, dtype = "f32", layout = layout },
        geometry = {
            k = { chunks = 1, phases = 1, all_steps = steps }, gemm = {}, threads = 384, registers = 168,
            shape = { n = 128, operand_bytes = 4, input_bytes = 4096 },
        },
    })
end

assert(wgmma(4, "nchw").unaligned_y.wait > 0, "lines of y that are cut take longer to write")
assert(wgmma(1000, "nchw").unaligned_y.wait == 0, "but not where products take longer than that")
assert(wgmma(4, "nhwc").unaligned_y.wait == 0, "pixels are not cut")

local nothing = { products = 0, special = 0, shared = 0, issue = 0, wait = 0, l2 = 0 }
local text = cost.initialiser({
    unit = "ffma", registers = 10, start = 20, statistics = nothing,
    apply = { products = 1, special = 0, shared = 2, issue = 0, wait = 3, l2 = 0 },
    unaligned_x = nothing, unaligned_y = { products = 0, special = 0, shared = 0, issue = 4, wait = 0, l2 = 0 },
})
assert(text == ".unit = CS_UNIT_FFMA, .registers = 10, .start = 20, "
    .. ".apply = {.products = 1, .shared = 2, .wait = 3}, .unaligned_y = {.issue = 4}", text)

return true
