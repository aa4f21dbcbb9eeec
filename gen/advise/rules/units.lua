-- SPDX-License-Identifier: Apache-2.0
--
-- Units that are busy. Once one has less to do, the kernel takes as long as the unit that is busiest next.
local kinds = require_module("gen/advise/kinds.lua")

-- key of the counter, what the kernel is bound by, counters that are told beside it, the reason, the changes
local rows = {
    { "dram", "DRAM", { "dram_rate" },
        "memory is busy ${dram} of its peak${stream}", {
            { "layout", "nhwc: x is not copied first", kinds.copy },
            { "schedule", "resident: x is read once and y written once", kinds.recomputed },
            { "schedule", "resident: values wait on the chip, not in the workspace", kinds.stored },
            { "dtype", "f16 or bf16: half the bytes", kinds.f32 },
            { "schedule", "the one of the least bytes already: x read once, y written once", kinds.resident },
        } },
    { "l2", "L2", { "l2_hits" },
        "L2 is busy ${l2} of its peak", {
            { "layout", "nhwc: x is not copied first", kinds.copy },
            { "schedule", "resident: values wait on the chip, not in the workspace", kinds.stored },
            { "tile", "larger, and whole rows of y: less of x is read by two blocks, stores are long", kinds.threads },
            { "tile", "whole rows of y: stores are long", kinds.roles },
            { "tile", "larger, with inputs in shared memory, and 16 bytes a load and store", kinds.unknown },
        } },
    { "l1", "shared memory and L1", {},
        "L1 and shared memory, which are one unit${shared_rate}, are busy ${l1} of their peak", {
            { "tile", "more columns a product: each operand that is read serves more outputs", kinds.roles },
            { "tile", "more channels and pixels a warp: each operand that is read serves more products", kinds.mma },
            { "math", "tf32: one product in place of three", kinds.pieces },
            { "strategy", "a k axis of fewer steps: fewer padded products, fewer operands", kinds.mma },
            { "tile", "neighbours in different banks, 16 bytes a load", kinds.unknown },
        } },
    { "tensor", "tensor cores", {},
        "the tensor cores are busy ${tensor} of their peak", {
            { "math", "tf32: one product in place of three", kinds.pieces },
            { "schedule", "resident or stored: products of warpgroups have twice the rate, on Hopper", kinds.mma },
            { "tile", "fewer padded channels and columns (--explain says how many products are useful)" },
            { "dtype", "f16 or bf16: twice the rate of tf32", kinds.f32 },
        } },
    { "fma", "FMA", {},
        "the pipe of fp32 multiply-adds is busy ${fma} of its peak", {
            { "strategy", "mma3, or math tf32: products of tensor cores", kinds.plain },
            { "tile", "fewer padded channels and columns" },
        } },
    { "xu", "special functions", {},
        "the unit of special functions and conversions${special_rate} is busy ${xu} of its peak", {
            { "epilogue", "steps of fewer special functions: hardswish, hardsigmoid and relu have none" },
            { "schedule", "resident or stored: each value is finished once, not twice", kinds.recomputed },
        } },
    { "alu", "integer arithmetic", { "fma" },
        "addresses, masks, conversions and pieces of numbers keep the integer pipe busy ${alu} of its peak", {
            { "layout", "nhwc: x is not copied first", kinds.copy },
            { "math", "tf32: numbers are not cut into pieces", kinds.pieces },
            { "tile", "more pixels of a row a thread: fewer addresses and masks for each", kinds.threads },
            { "warps", "fewer that wait in a loop", kinds.roles },
            { "strategy", "sizes known at compile time: no division and no mask for each tap", kinds.unknown },
        } },
    { "issue", "issue slots", { "alu", "fma" },
        "an instruction is issued in ${issue} of the cycles", {
            { "layout", "nhwc: x is not copied first", kinds.copy },
            { "tile", "more outputs a thread: fewer loads and addresses for each multiply-add", kinds.threads },
            { "strategy", "products of tensor cores: fewer instructions", kinds.plain },
            { "warps", "fewer that wait in a loop", kinds.roles },
            { "tile", "more outputs a thread, wider loads", kinds.unknown },
        } },
}

local rules = {}

for i, row in ipairs(rows) do
    local key, bound, also, reason, change = table.unpack(row)
    rules[i] = {
        name = key,
        bound = bound,
        is_unit = true,
        reads = { key },
        also = also,
        holds = function(k)
            return k.binds(key)
        end,
        reason = reason,
        gain = function(k)
            local share, next_share, next_bound = k.share(key), k.busiest_but(key)
            return math.max(0, 1 - next_share / share),
                ("1 - %.1f/%.1f; then %s binds"):format(next_share, share, next_bound)
        end,
        change = change,
    }
end

return rules
