-- SPDX-License-Identifier: Apache-2.0
--
-- Kernels that rules speak of differently, as sets of kinds (gen/advise/engine.lua). And the figures that rules share.
return {
    copy = { copy = true },
    behind = { merge = true, apply = true },
    mma = { mma = true, mma3 = true, mma16 = true },
    pieces = { mma3 = true, resident3 = true }, -- three products for one
    plain = { ffma = true, unknown = true },
    threads = { mma = true, mma3 = true, mma16 = true, ffma = true, depthwise = true }, -- all warps do the same
    roles = { resident = true, resident3 = true, wgmma = true }, -- warps have tasks of their own
    resident = { resident = true, resident3 = true },
    cut = { mma = true, mma3 = true, mma16 = true, ffma = true, depthwise = true, wgmma = true, -- y into tiles
        unknown = true },
    recomputed = { ["mma normalises"] = true, ["mma3 normalises"] = true, ["mma16 normalises"] = true,
        ["ffma normalises"] = true, ["depthwise normalises"] = true },
    stored = { ["wgmma normalises"] = true, apply = true }, -- values lie in memory meanwhile
    f32 = { f32 = true, unknown = true },
    f16 = { f16 = true, bf16 = true },
    unknown = { unknown = true }, -- no more than the counters is known

    BUSY = 60, -- percent of its peak from which a unit binds, as in Nsight Compute's own rules
    NEARLY = 0.9, -- of another one: so much is as good as all
    HAD = 90, -- percent of a unit's peak that is to be had
    LEAST_HEADROOM = 0.1, -- of the time, for latency to be worth a word
}
