-- SPDX-License-Identifier: Apache-2.0
--
-- The size of a launch.
local kinds = require_module("gen/advise/kinds.lua")
local steps = require_module("gen/advise/steps.lua")

local LAUNCH_NS = 3000 -- of a launch, measured on an H200 (bench/NOTES.md)
local SHORT_NS = 10000
local LEAST_GAIN = 0.05

local reference = { "reference", "the size that the row is used at: tiles are chosen for it" }

local function fills_device(k)
    return k.v.grid >= kinds.NEARLY * k.v.sms
end

return {
    {
        name = "few_blocks", bound = "launch size", reads = { "grid", "sms" }, also = {},
        holds = function(k)
            return not fills_device(k)
        end,
        reason = "${grid} blocks for ${sms} multiprocessors leave some without work",
        gain = function(k)
            return 1 - k.v.grid / k.v.sms, ("1 - %.0f/%.0f"):format(k.v.grid, k.v.sms)
        end,
        change = {
            { "layout", "nhwc: x is not copied first", kinds.copy },
            { "schedule", "resident: one launch, no merge", kinds.behind },
            { "tile", "shorter bands, so that there are more of them", kinds.resident, steps = steps.smaller_tile,
                aim = "smaller_tile" },
            { "tile", "smaller, so that there are more of them", kinds.cut, steps = steps.smaller_tile,
                aim = "smaller_tile" },
            reference,
        },
    },
    {
        name = "tail", bound = "launch size", reads = { "waves" }, also = { "grid", "sms" },
        holds = function(k)
            return k.v.waves > 1 and 1 - k.v.waves / math.ceil(k.v.waves) >= LEAST_GAIN
        end,
        reason = "${waves} waves of blocks: in the last one multiprocessors have nothing to do",
        gain = function(k)
            local whole = math.ceil(k.v.waves)
            return 1 - k.v.waves / whole, ("1 - %.2f/%.0f waves"):format(k.v.waves, whole)
        end,
        change = {
            { "layout", "nhwc: x is not copied first", kinds.copy },
            { "tile", "such that the blocks are just as many as whole waves hold, or a few less", kinds.cut },
        },
    },
    {
        name = "unfilled", bound = "launch size", reads = { "waves", "grid", "sms", "sm", "dram" }, also = {},
        holds = function(k)
            return k.v.waves < kinds.NEARLY and fills_device(k) and k.is_idle()
        end,
        reason = "${grid} blocks are ${waves} of what the multiprocessors could hold at once",
        gain = function(k)
            return math.min(k.headroom(), 1 - k.v.waves),
                ("1 - %.2f waves, as far as %s"):format(k.v.waves, k.headroom_words())
        end,
        change = {
            { "layout", "nhwc: x is not copied first", kinds.copy },
            { "blocks_per_sm", "one more, for which registers and shared memory have room", kinds.mma },
            { "tile", "smaller, so that there are more blocks", kinds.cut, steps = steps.smaller_tile,
                aim = "larger_grid" },
        },
    },
    {
        name = "uneven", bound = "uneven tiles", reads = { "cycles", "most_cycles", "grid", "sms" }, also = {},
        holds = function(k)
            return fills_device(k) and 1 - k.v.cycles / k.v.most_cycles >= LEAST_GAIN
        end,
        reason = "multiprocessors work ${cycles} cycles on average, but one of them ${most_cycles}",
        gain = function(k)
            return 1 - k.v.cycles / k.v.most_cycles, ("1 - %.0f/%.0f cycles"):format(k.v.cycles, k.v.most_cycles)
        end,
        change = {
            { "layout", "nhwc: x is not copied first", kinds.copy },
            { "tile", "such that each multiprocessor has as many", kinds.cut },
            { "tile", "bands of equal length", kinds.resident },
            reference,
        },
    },
    {
        name = "short", bound = "launch time", reads = { "time" }, also = { "grid" },
        holds = function(k)
            return k.v.time < SHORT_NS
        end,
        reason = "the kernel takes ${time}; a launch alone takes some 3 us",
        gain = function(k)
            return math.min(1, LAUNCH_NS / k.v.time), ("%d of %.0f ns"):format(LAUNCH_NS, k.v.time)
        end,
        change = {
            { "layout", "nhwc: x is not copied first", kinds.copy },
            { "schedule", "resident: one launch, no merge", kinds.behind },
            { "reference", "more samples a call, where there are some" },
        },
    },
}
