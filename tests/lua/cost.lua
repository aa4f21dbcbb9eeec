-- SPDX-License-Identifier: Apache-2.0
--
-- What kernels ask for: made-up plans, of which one thing is changed at a time.
local cost_of = require_module("gen/cost/init.lua")
local cost = require_module("gen/cost.lua")

-- A plan of mma.sync, with changes to its k axis, shape and geometry.
local function mma(changes)
    local shape = { m = 2, n = 8, pieces = 1, products = changes.products or 1, bytes = changes.bytes or 4 }
    local k = { chunks = changes.chunks or 1, steps = 4, stage = 1024, axis = changes.axis or "channel" }
    local row = { dtype = changes.bytes == 2 and "f16" or "f32", layout = changes.layout or "nchw" }
    row.stride_w = changes.stride_w or 1
    return {
        strategy = "mma", device = "cuda", row = row,
        epilogue = { normalises = changes.normalises, before = { ops = changes.ops or {} } },
        geometry = {
            shape = shape, k = k, warps = 4, threads = 128, registers = changes.registers or 100,
            blocks_per_sm = changes.blocks_per_sm or 3, in_registers = not changes.from_l1,
            tile_c = 32, tile_h = 4, tile_w = 64,
        },
    }
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
assert(apply({ from_l1 = true }).issue > plain.issue, "weights from L1 are brought for each step")
assert(apply({ stride_w = 2 }).shared == 4 * plain.shared, "every other pixel of a vector, in every other bank")
assert(apply({ stride_w = 2, layout = "nhwc" }).shared == 2 * plain.shared, "a pixel's channels lie together")
assert(apply({ stride_w = 2, axis = "column" }).shared == plain.shared, "columns along k are neighbours")
assert(plain.special == 0 and apply({ ops = { { kind = "sigmoid" } } }).special == 2 * 32 * 4 * 64, "of each value two")
assert(apply({ ops = { { kind = "call", curve = true } } }).issue > plain.issue, "a curve takes instructions")
assert(apply({ ops = { { kind = "affine" } } }).special == 0, "an affine step has no special functions")
assert(apply({ normalises = true }).issue > plain.issue, "to normalise takes instructions")

local normalised = cost_of(mma({ normalises = true }))
assert(normalised.statistics.issue < normalised.apply.issue, "statistics write no y")
assert(cost_of(mma({})).statistics.issue == 0, "without a normalisation there is one pass")

assert(cost_of(mma({ registers = 100 })).registers == 100, "what is predicted")
assert(cost_of(mma({ registers = 250 })).registers == 168, "three blocks of 128 threads have 170 each, in eights")
assert(cost_of(mma({ registers = 250, blocks_per_sm = 2 })).registers == 250, "two have 256")
assert(cost_of(mma({})).unit == "mma_tf32" and cost_of(mma({ bytes = 2 })).unit == "mma_f16", "the unit is the dtype's")

local host_kernel = mma({})
host_kernel.device, host_kernel.strategy = "host", "host_avx2"
assert(cost_of(host_kernel) == nil, "the CPU's are not counted")

local text = cost.initialiser({
    unit = "ffma", registers = 10, start = 20,
    statistics = { products = 0, special = 0, shared = 0, issue = 0, wait = 0, l2 = 0 },
    apply = { products = 1, special = 0, shared = 2, issue = 0, wait = 3, l2 = 0 },
})
assert(text == ".unit = CS_UNIT_FFMA, .registers = 10, .start = 20, "
    .. ".apply = {.products = 1, .shared = 2, .wait = 3}", text)

return true
