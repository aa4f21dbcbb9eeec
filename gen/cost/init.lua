-- SPDX-License-Identifier: Apache-2.0
--
-- What a CUDA kernel asks of a GPU, counted by the file of its strategy. Their constants are few, a mechanism each, and
-- were fitted to what was measured on an H200 (bench/predict.py compares).
local cost = require_module("gen/cost.lua")
local numbers = require_module("gen/numbers.lua")

local files = { mma3 = "mma", mma16 = "mma", resident3 = "resident" } -- of strategies that share one

local SM_REGISTERS = 65536 -- what a launch bound of so many blocks a multiprocessor divides, on all GPUs

-- Registers a thread: those predicted, or no more than leave room for the blocks that a kernel is bound to.
local function registers_of(geometry)
    local blocks = geometry.blocks_per_sm or 0
    local most = blocks > 0 and SM_REGISTERS // (geometry.threads * blocks) // 8 * 8 or math.huge
    return math.min(geometry.registers, most)
end

local function whole(tile)
    local rounded = {}
    for _, field in ipairs(cost.tile_fields) do
        local value = tile and tile[field] or 0
        assert(numbers.is_finite(value) and value >= 0, "the cost of " .. field .. " is no number")
        rounded[field] = math.ceil(value)
    end
    return rounded
end

-- The cost of a plan as gen/cost.lua has it; nil for the CPU.
return function(kernel)
    if kernel.device ~= "cuda" then
        return nil
    end
    local count = require_module(("gen/cost/%s.lua"):format(files[kernel.strategy] or kernel.strategy))
    local counted = count(kernel)
    local rounded = {
        unit = counted.unit,
        registers = registers_of(kernel.geometry),
        start = math.ceil(counted.start),
    }
    for _, tile in ipairs(cost.tiles) do
        rounded[tile] = whole(counted[tile])
    end
    return rounded
end
