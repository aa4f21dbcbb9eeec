-- SPDX-License-Identifier: Apache-2.0
--
-- The architecture profiles: each has every field, and figures that fit each other.
local arch = require_module("gen/arch.lua")

local KIB = 1024

-- Of each field the least and the most that a GPU of these years has.
local ranges = {
    compute_capability = { 80, 130 }, sms = { 40, 200 }, clock_ghz = { 1, 3 },
    registers_per_sm = { 65536, 65536 }, registers_per_thread = { 255, 255 }, threads_per_block = { 1024, 1024 },
    threads_per_sm = { 1536, 2048 }, warps_per_sm = { 48, 64 }, blocks_per_sm = { 16, 32 },
    shared_per_sm = { 100 * KIB, 228 * KIB }, shared_per_block = { 99 * KIB, 227 * KIB },
    shared_bytes_per_cycle = { 128, 128 }, special_per_cycle = { 16, 16 },
    l2_bytes = { 4 * KIB * KIB, 256 * KIB * KIB }, dram_gbs = { 500, 10000 }, stream_gbs = { 500, 10000 },
    l2_bytes_per_cycle = { 2048, 16384 }, f16_tflops = { 50, 3000 }, tf32_tflops = { 30, 1500 },
    fp32_tflops = { 15, 150 }, mma_share = { 0.3, 1 },
}

local function expect(condition, profile, words)
    assert(condition, profile.name .. ": " .. words)
end

local function expect_in_range(profile, field, range)
    local value = profile[field]
    expect(type(value) == "number" and value >= range[1] and value <= range[2], profile,
        ("%s is %s, and should be from %s to %s"):format(field, tostring(value), range[1], range[2]))
end

local function expect_fields(profile)
    for field, range in pairs(ranges) do
        expect_in_range(profile, field, range)
    end
    for field in pairs(profile) do
        if field ~= "name" and field ~= "title" then
            expect(ranges[field], profile, field .. " is a field that no other profile has")
        end
    end
end

local function is_near(a, b, share)
    return math.abs(a / b - 1) <= share
end

local function expect_consistency(profile)
    local p = profile
    expect(string.find(p.title, ("sm_%d)"):format(p.compute_capability), 1, true), p, "the title has another target")
    expect(p.threads_per_sm == 32 * p.warps_per_sm, p, "threads are not those of the warps")
    expect(p.shared_per_block == p.shared_per_sm - KIB, p, "a block has all shared memory but the 1 KiB reserved")
    expect(p.stream_gbs <= p.dram_gbs, p, "a stream is faster than memory")
    expect(is_near(p.f16_tflops, 2 * p.tf32_tflops, 0.025), p, "16 bits are not twice as fast as tf32")
    local lanes = p.compute_capability == 80 and 64 or 128
    expect(is_near(p.fp32_tflops, 2 * lanes * p.sms * p.clock_ghz / 1000, 0.02), p, "fp32 is not lanes times clock")
    expect(arch.find(p.name) == p, p, "is not found by its name")
    expect(arch.occupancy(p, 128, 128, 0).blocks == 4, p, "128 threads of 128 registers are not four blocks")
end

local names = {}
for _, profile in ipairs(arch.profiles) do
    names[#names + 1] = profile.name
    expect_fields(profile)
    expect_consistency(profile)
end
assert(table.concat(names, " ") == "a100 rtx3090 rtx4090 l40s h100 h200 b200 rtx5090", table.concat(names, " "))

-- Those of the operator's first GPU.
local first = { sms = 128, dram_gbs = 1008, tf32_tflops = 82.6, f16_tflops = 165.2, registers_per_thread = 255,
    threads_per_block = 1024, threads_per_sm = 1536, warps_per_sm = 48, shared_per_sm = 100 * KIB,
    shared_per_block = 99 * KIB, l2_bytes = 72 * KIB * KIB, compute_capability = 89 }
for field, value in pairs(first) do
    expect(arch.find("rtx4090")[field] == value, arch.find("rtx4090"), field .. " is not " .. value)
end

return true
