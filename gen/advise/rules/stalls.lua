-- SPDX-License-Identifier: Apache-2.0
--
-- What warps wait for, where nothing is busy.
local kinds = require_module("gen/advise/kinds.lua")
local steps = require_module("gen/advise/steps.lua")

local LEAST_SHARE = 0.25 -- of the time of warps

local look = { "warps", "look at those that compute alone: roles that wait for others count here, too", kinds.roles }
local no_copy = { "layout", "nhwc: x is not copied first", kinds.copy }

-- the reason's name in the counter, what the kernel is bound by, the reason in words, the changes
local rows = {
    { "long_scoreboard", "latency of memory", "loads from L2 and memory", {
        no_copy, look,
        { "stages", "one more: inputs are asked for earlier", kinds.threads },
        { "tile", "smaller: another block has something to do meanwhile", kinds.threads, steps = steps.half_tile,
            aim = "more_blocks" },
        { "stages", "inputs asked for two tiles ahead", kinds.unknown },
    } },
    { "short_scoreboard", "latency of shared memory", "shared memory and special functions", {
        look,
        { "tile", "the next product's operands loaded before this one", kinds.mma },
        { "epilogue", "steps of fewer special functions", kinds.threads },
    } },
    { "wait", "latency of arithmetic", "the instruction before", {
        look,
        { "tile", "more accumulators a warp: products that do not depend on each other", kinds.threads },
        { "warps", "more, where registers allow", kinds.threads },
        { "tile", "more outputs a thread that do not depend on each other", kinds.unknown },
    } },
    { "barrier", "barriers", "barriers", {
        no_copy, look,
        { "warps", "fewer a block, and more blocks", kinds.threads },
        { "stages", "one more: a barrier is then for older inputs", kinds.threads },
        { "warps", "fewer a block, and more blocks", kinds.unknown },
    } },
    { "gmma", "latency of wgmma", "products of warpgroups", {
        { "tile", "more columns a product", kinds.roles },
        { "warps", "groups in turn: one multiplies while the other finishes", kinds.roles },
    } },
    { "math_pipe_throttle", "queues of arithmetic", "a pipe of arithmetic that is taken", {
        no_copy,
        { "tile", "work of other pipes between the products", kinds.cut },
    } },
    { "mio_throttle", "queues of shared memory", "the queue of shared memory and special functions", {
        look,
        { "tile", "16 bytes an access: fewer instructions for the same bytes", kinds.cut },
    } },
    { "lg_throttle", "queues of memory", "the queue of loads and stores", {
        { "tile", "whole rows of y: longer stores, fewer of them", kinds.cut },
        { "dtype", "f16 or bf16: more values in 16 bytes", kinds.f32 },
    } },
    { "no_instruction", "fetching instructions", "instructions to be fetched", {
        { "schedule", "resident: one launch, no merge", kinds.behind },
        { "stages", "chunks of fewer input channels: less unrolled code", kinds.cut },
        { "tile", "half of it: less unrolled code", kinds.cut, steps = steps.half_tile, aim = "smaller_tile" },
    } },
    { "branch_resolving", "branches", "branches", {
        { "tile", "whole rows of y in a tile: fewer borders", kinds.cut },
    } },
    { "membar", "fences", "memory fences", {
        { "tile", "larger: fewer fences", kinds.cut },
    } },
    { "sleeping", "polling", "the end of a nap between polls", {
        look,
        { "stages", "more buffers, so that nobody has to be waited for" },
    } },
}

local rules = {}

for i, row in ipairs(rows) do
    local name, bound, words, change = table.unpack(row)
    local key = "stall_" .. name
    local function share(k)
        return k.v.warp_latency > 0 and k.v[key] / k.v.warp_latency or 0
    end
    rules[i] = {
        name = name,
        bound = bound,
        untold = "what warps wait for",
        reads = { "sm", "dram", key, "warp_latency" },
        also = {},
        holds = function(k)
            return k.is_idle() and share(k) >= LEAST_SHARE
        end,
        reason = function(k)
            return ("warps wait for %s %.0f %% of their time"):format(words, 100 * share(k))
        end,
        gain = function(k)
            local percent = 100 * share(k)
            return math.min(k.headroom(), share(k)), ("%.0f %%, as far as %s"):format(percent, k.headroom_words())
        end,
        change = change,
    }
end

return rules
