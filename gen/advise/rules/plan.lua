-- SPDX-License-Identifier: Apache-2.0
--
-- What a plan costs by itself, whatever its counters are.
local kinds = require_module("gen/advise/kinds.lua")
local steps = require_module("gen/advise/steps.lua")

return {
    {
        name = "copy", bound = "the copy of x", reads = {}, also = {},
        takes = function(plan)
            return plan and plan.part == "copy"
        end,
        holds = function()
            return true
        end,
        reason = "this launch brings the channels of a pixel together, as the copy engine needs them",
        gain = function()
            return 1, "all of this launch"
        end,
        change = {
            { "layout", "nhwc: an x of 16 bits that begins at and steps over multiples of 16 bytes is not copied" },
        },
    },
    {
        name = "recompute", bound = "computing everything twice", reads = {}, also = {},
        takes = function(plan)
            return plan and plan.normalises and plan.schedule == "recompute" and not plan.part and plan.device ~= "cpu"
        end,
        holds = function()
            return true
        end,
        reason = "one launch convolves for the statistics, another one for y",
        gain = function()
            return 0.5, "one of two launches"
        end,
        change = {
            { "schedule", "resident or stored, where the device and the row allow it (--explain says why not)" },
        },
    },
    {
        name = "spills", bound = "registers that are spilled", reads = { "spills", "registers" },
        also = { "spill_share" },
        holds = function(k)
            return k.v.spills > 0
        end,
        reason = "with ${registers} a thread, ${spills} requests are for registers in local memory",
        gain = function(k)
            local share = k.v.spill_share or 0
            return math.min(1, share / 100), ("%.0f %% of the requests to L1, as far as is known"):format(share)
        end,
        change = {
            { "tile", "half of it: half the accumulators", steps = steps.smaller_tile, aim = "smaller_tile" },
            { "stages", "one less: fewer addresses", kinds.mma },
        },
    },
}
