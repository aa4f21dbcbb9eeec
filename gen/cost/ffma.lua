-- SPDX-License-Identifier: Apache-2.0
--
-- Kernels of plain multiply-adds: a thread's are unrolled, its inputs come from shared memory, its weights from L1.
local count_steps = require_module("gen/cost/epilogue.lua")

-- Cycles of a warp: of a multiply-add with its share of loads, by the one kernel that was measured; of a value as
-- mma.sync has it, its part of a tile included.
local MULTIPLY_ADD, VALUE, CURVE = 3, 14.5, 13
local ISSUE_SHARE, WAIT_SHARE = 0.6, 1.2 -- of them; with three blocks of a multiprocessor they are all of them
local START = 3000

return function(kernel)
    local g = kernel.geometry
    local steps = count_steps(kernel.epilogue.before)
    local values = g.rows * g.channels
    local block_values = g.tile_c * g.tile_h * g.tile_w
    local multiply_adds = g.k.chunks * g.k.unrolled
    local cycles = MULTIPLY_ADD * multiply_adds + (VALUE + CURVE * steps.curves) * values
    local tile = {
        products = multiply_adds * g.threads,
        special = steps.special * block_values,
        issue = ISSUE_SHARE * cycles,
        wait = WAIT_SHARE * cycles,
        l2 = 4 * g.k.chunks * g.k.stage,
    }
    return { unit = "ffma", start = START, statistics = kernel.epilogue.normalises and tile or nil, apply = tile }
end
