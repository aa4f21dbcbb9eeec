-- SPDX-License-Identifier: Apache-2.0
--
-- What steps are for: plans' geometries, of which one thing is changed at a time.
local aims = require_module("gen/advise/steps.lua").aims
local arch = require_module("gen/arch.lua")

-- Four blocks an SM by its registers.
local function geometry(changes)
    local made = { tile_c = 16, tile_h = 8, tile_w = 32, threads = 128, registers = 128, shared_bytes = 8192 }
    for name, value in pairs(changes) do
        made[name] = value
    end
    return made
end

local before, walking = geometry({}), geometry({ blocks_per_sm = 3 })
local all = { profiles = arch.profiles, v = {} }
assert(aims.more_blocks(geometry({ registers = 96 }), before, all), "fewer registers leave room")
assert(not aims.more_blocks(geometry({ registers = 127 }), before, all), "those do not")
assert(not aims.more_blocks(geometry({ registers = 96, blocks_per_sm = 4 }), before, all), "no more are asked for")
assert(aims.more_blocks(geometry({ blocks_per_sm = 4 }), walking, all), "more are asked for")

local much = geometry({ shared_bytes = 50 * 1024 })
local function on(name)
    return { profiles = arch.chosen(name), v = {} }
end
assert(aims.more_blocks(before, much, on("rtx4090")), "there shared memory has room for one block")
assert(not aims.more_blocks(before, much, on("h200")), "and there for four")

assert(aims.smaller_tile(geometry({ tile_c = 8 }), before), "half the channels")
assert(not aims.smaller_tile(geometry({ tile_c = 8, tile_w = 64 }), before), "the same number of values")

local function launched(grid)
    return { profiles = arch.profiles, v = { grid = grid, sms = 132 } }
end
local smaller, more = geometry({ tile_h = 4, blocks_per_sm = 3 }), geometry({ blocks_per_sm = 4 })
assert(aims.larger_grid(geometry({ tile_h = 4 }), before, launched(9000)), "a block a tile: more tiles, more blocks")
assert(aims.larger_grid(smaller, walking, launched(300)), "there were fewer tiles than room for blocks")
assert(not aims.larger_grid(smaller, walking, launched(3 * 132)), "there is no room for more blocks")
assert(aims.larger_grid(more, walking, launched(3 * 132)), "now there is")
return true
