-- SPDX-License-Identifier: Apache-2.0
--
-- Steps of the strategies' ladders (gen/reliefs.lua), as sets of names, by what they do to a plan; a step that a
-- strategy does not have is none of its kernels'. And `aims`, by name: whether a plan's geometry is what a change is
-- for, in the place of another; `seen` has v, the values of the launch's counters, and the architecture profiles that
-- it may have run on.
local arch = require_module("gen/arch.lua")

local function set(...)
    local names = {}
    for _, name in ipairs({ ... }) do
        names[name] = true
    end
    return names
end

local steps = {
    half_tile = set("narrow_unit", "half_values", "least_values", "half_channels", "half_rows", "quarter_rows"),
    smaller_tile = set("narrow_unit", "half_values", "least_values", "half_channels", "half_rows", "quarter_rows",
        "half_tiles", "columns_128", "columns_64"),
    weights = set("weights_from_l1"),
}

local function blocks(profile, geometry)
    local held = arch.occupancy(profile, geometry.threads, geometry.registers, geometry.shared_bytes).blocks
    return math.min(held, geometry.blocks_per_sm or held)
end

local function tile(geometry)
    return geometry.tile_c * geometry.tile_h * geometry.tile_w
end

steps.aims = {
    -- An SM holds more of them.
    more_blocks = function(after, before, seen)
        for _, profile in ipairs(seen.profiles) do
            if blocks(profile, after) > blocks(profile, before) then
                return true
            end
        end
        return false
    end,
    smaller_tile = function(after, before)
        return tile(after) < tile(before)
    end,
    -- More blocks are launched than the counters grid and sms tell of: of those that walk over the tiles, where there
    -- were tiles for all, only as an SM has room.
    larger_grid = function(after, before, seen)
        if before.blocks_per_sm and seen.v.grid >= before.blocks_per_sm * seen.v.sms then
            return after.blocks_per_sm > before.blocks_per_sm
        end
        return tile(after) < tile(before)
    end,
}

return steps
