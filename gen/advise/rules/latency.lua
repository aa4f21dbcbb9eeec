-- SPDX-License-Identifier: Apache-2.0
--
-- Nothing is busy: warps wait, and there are too few of them.
local kinds = require_module("gen/advise/kinds.lua")
local steps = require_module("gen/advise/steps.lua")

local FEW_WARPS = 30 -- percent of those that a multiprocessor can hold
local SOME_WARPS = 60
local CACHED = 75 -- percent of sectors that L2 has
local GRANULE = 8 -- registers are given to a thread in units of this
local SM_REGISTERS = 65536 -- of each profile
local LIMITS = { "limit_registers", "limit_shared", "limit_warps", "limit_blocks" }

local function headroom(k)
    return k.headroom(), k.headroom_words()
end

-- Whether few warps are there because a resource lets no more blocks fit, and none lets fewer.
local function limits(k, key)
    for _, other in ipairs(LIMITS) do
        if k.v[other] and k.v[other] < k.v[key] then
            return false
        end
    end
    return k.is_idle() and k.v.warps < SOME_WARPS
end

local function block_gain(k, key)
    local more = k.v[key] + 1
    return math.min(k.headroom(), 1 / more),
        ("1/%.0f, by one block more, as far as %s"):format(more, k.headroom_words())
end

return {
    {
        name = "index_arithmetic", bound = "index arithmetic", reads = { "sm", "dram", "l2_hits" },
        also = { "grid", "alu", "fma" },
        takes = function(plan)
            return not plan
        end,
        holds = function(k)
            local counts_products = k.v.alu and k.v.fma and k.v.alu < k.v.fma
            return k.is_idle() and k.v.l2_hits >= CACHED and not counts_products
        end,
        reason = "L2 has ${l2_hits} of the sectors that it is asked for, while memory is busy ${dram} and the " ..
            "multiprocessors ${sm}: the same inputs are fetched again for tap after tap, each with divisions, masks " ..
            "and an address of its own",
        gain = headroom,
        change = {
            { "strategy", "a kernel of this shape alone, a row of shapes.lua: sizes and taps are known when it is " ..
                "compiled" },
            { "tile", "inputs staged in shared memory, once a tile: a tap is then an offset" },
        },
    },
    {
        name = "latency", bound = "latency", reads = { "sm", "dram" }, also = { "l2", "l1", "tensor", "issue" },
        holds = function(k)
            return k.is_idle()
        end,
        reason = function(k)
            local others = {}
            for _, key in ipairs({ "l2", "l1", "tensor", "issue" }) do
                others[#others + 1] = k.v[key] and ("%s ${%s}"):format(k.bound_of(key), key) or nil
            end
            local also = #others > 0 and (" (%s)"):format(table.concat(others, ", ")) or ""
            return "neither the multiprocessors' units, busy ${sm}, nor memory, ${dram}, set the time" .. also ..
                ": warps wait for results"
        end,
        gain = headroom,
        change = {
            { "schedule", "resident: one launch, no merge", kinds.behind },
            { "stages", "one more: inputs are asked for earlier", kinds.mma },
            { "tile", "more outputs a warp that do not depend on each other", kinds.threads },
            { "warps", "the next tile's products in flight while this one is finished", kinds.roles },
            { "stages", "inputs asked for before they are needed", kinds.unknown },
        },
    },
    {
        name = "occupancy", bound = "low occupancy", reads = { "warps", "sm", "dram" }, also = { "most_warps" },
        holds = function(k)
            return k.is_idle() and k.v.warps < FEW_WARPS
        end,
        reason = "${warps} of the warps that a multiprocessor can hold are there: too few to issue while others wait",
        gain = function(k)
            return math.min(k.headroom(), 0.5), ("half, by twice the warps, as far as %s"):format(k.headroom_words())
        end,
        change = {
            { "tile", "half of it: fewer registers, less shared memory, more blocks", kinds.threads,
                steps = steps.half_tile, aim = "more_blocks" },
            { "warps", "more that compute, as far as registers go", kinds.roles },
            { "tile", "half of it: fewer registers, less shared memory, more blocks", kinds.unknown },
            { "warps", "more a block", kinds.unknown },
        },
    },
    {
        name = "registers", bound = "registers",
        reads = { "registers", "limit_registers", "warps", "sm", "dram" },
        also = { "threads", "limit_shared", "limit_warps", "limit_blocks" },
        holds = function(k)
            return limits(k, "limit_registers")
        end,
        reason = function(k)
            local words = "a thread takes ${registers} registers: there is room for ${limit_registers} block(s)"
            if k.v.threads and k.v.threads > 0 then
                local fewer = SM_REGISTERS // (k.v.threads * (k.v.limit_registers + 1)) // GRANULE * GRANULE
                words = words .. (", %.0f or fewer would leave room for one more"):format(fewer)
            end
            return words
        end,
        gain = function(k)
            return block_gain(k, "limit_registers")
        end,
        change = {
            { "tile", "half of it: half the accumulators", kinds.threads, steps = steps.half_tile,
                aim = "more_blocks" },
            { "stages", "weights from L1, not in registers", kinds.mma, steps = steps.weights, aim = "more_blocks" },
            { "warps", "other shares of the registers for the roles", kinds.roles },
            { "tile", "half of it: half the accumulators", kinds.unknown },
        },
    },
    {
        name = "shared_memory", bound = "shared memory a block", reads = { "limit_shared", "warps", "sm", "dram" },
        also = { "shared", "limit_registers", "limit_warps", "limit_blocks" },
        takes = function(plan)
            return not (plan and kinds.roles[plan.strategy]) -- of which one block is all that a multiprocessor has
        end,
        holds = function(k)
            return limits(k, "limit_shared")
        end,
        reason = function(k)
            local taken = k.v.shared and "a block takes ${shared} of shared memory: " or "of shared memory "
            return taken .. "there is room for ${limit_shared} block(s) on a multiprocessor"
        end,
        gain = function(k)
            return block_gain(k, "limit_shared")
        end,
        change = {
            { "stages", "one less, or chunks of fewer input channels", kinds.threads },
            { "tile", "half of it: fewer inputs staged", kinds.threads, steps = steps.half_tile,
                aim = "more_blocks" },
            { "tile", "half of it: fewer inputs staged", kinds.unknown },
        },
    },
}
