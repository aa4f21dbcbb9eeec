-- SPDX-License-Identifier: Apache-2.0
--
-- Kernels of plain multiply-adds: a thread's are unrolled, its inputs come from shared memory, its weights from L1.
local count_steps = require_module("gen/cost/epilogue.lua")

-- Cycles of a warp, of three blocks of a multiprocessor.
local MULTIPLY_ADD = 1.75 -- with its share of inputs and weights
local COPY = 74 -- of an element of x on its way to shared memory: its place in x and in the tile is divided for
local CHUNK = 380 -- of a chunk of channels: its inputs are waited for, and the other warps
local VALUE, CURVE = 13.5, 4 -- of a value on its way to y or its moments; of a function of special functions
local ISSUE_SHARE, WAIT_SHARE = 0.6, 1.2 -- of them; with three blocks of a multiprocessor they are all of them
local START = 2600

return function(kernel)
    local g = kernel.geometry
    local k, steps = g.k, count_steps(kernel.epilogue.before)
    local values = g.rows * g.channels
    local block_values = g.tile_c * g.tile_h * g.tile_w
    local multiply_adds = k.chunks * k.unrolled
    local cycles = MULTIPLY_ADD * multiply_adds + (CHUNK + COPY * k.stage / g.threads) * k.chunks +
        (VALUE + CURVE * steps.curves) * values
    local tile = {
        products = multiply_adds * g.threads,
        special = steps.special * block_values,
        issue = ISSUE_SHARE * cycles,
        wait = WAIT_SHARE * cycles,
        l2 = 4 * k.chunks * k.stage,
    }
    return { unit = "ffma", start = START, statistics = kernel.epilogue.normalises and tile or nil, apply = tile }
end
