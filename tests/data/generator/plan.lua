-- SPDX-License-Identifier: Apache-2.0
--
-- Stands in for gen/plan.lua in the generator's tests: the smallest plans that the rest of the generator takes. One
-- CUDA strategy for each math, two for the CPU, all from one template.
local epilogue = require_module("gen/epilogue.lua")
local keys = require_module("gen/keys.lua")
local names = require_module("gen/names.lua")

local plan = {}

plan.strategies = {
    { name = "mma", math = "tf32", device = "cuda", target = "sm80", extension = "cuh", shard_extension = "cu" },
    { name = "ffma", math = "fp32", device = "cuda", target = "sm80", extension = "cuh", shard_extension = "cu" },
    { name = "host_avx2", math = "fp32", device = "host", target = "host_avx2", extension = "h", shard_extension = "c" },
    { name = "host_base", math = "fp32", device = "host", target = "host_base", extension = "h", shard_extension = "c" },
}

plan.helpers = {
    twice = function(value)
        return 2 * value
    end,
}

local nothing = { products = 0, special = 0, shared = 0, issue = 0, wait = 0, l2 = 0 }
local cost = {
    unit = "mma_tf32", registers = 10, start = 11,
    statistics = nothing,
    apply = { products = 12, special = 0, shared = 0, issue = 0, wait = 13, l2 = 0 },
    unaligned_x = nothing,
    unaligned_y = nothing,
}

local function expand_one(row, strategy, prefix)
    local key = keys.of(row, strategy.math, epilogue.name(row.epilogue), strategy.target)
    return {
        name = names.kernel(row, strategy, key, prefix), key = key, candidate = 1,
        cost = cost,
        row = row, strategy = strategy.name, device = strategy.device, template = "templates/kernel.lua",
        extension = strategy.extension, shard_extension = strategy.shard_extension,
        info = {
            tile_c = 1, tile_h = 2, tile_w = 3, threads = 4, blocks_per_sm = 9, registers = 10, shared_bytes = 5, packed_bytes = 6,
            multiply_adds = 7, schedule = "recompute",
        },
    }
end

function plan.expand(row, prefix)
    local plans = {}
    for _, strategy in ipairs(plan.strategies) do
        for _, mode in ipairs(row.math) do
            if mode == strategy.math then
                plans[#plans + 1] = expand_one(row, strategy, prefix)
            end
        end
    end
    return plans, {}
end

return plan
