-- SPDX-License-Identifier: Apache-2.0
--
-- What kernels take of a multiprocessor, and how many of their blocks one of each architecture profile holds. Registers
-- are those that nvcc gave them when they were last compiled, else those that they were planned with.
local arch = require_module("gen/arch.lua")

-- The figures of most registers.
local function most_of(on)
    local most = nil
    for _, figures in pairs(on) do
        most = (not most or figures.registers > most.registers) and figures or most
    end
    return most
end

-- The figures of the code that runs on a profile: the newest for its capability; where there is none, of the most
-- registers.
local function figures_for(profile, on)
    local newest, best = -1, nil
    for name, figures in pairs(on) do
        local capability, exactly = string.match(name, "^sm_(%d+)(%l?)$")
        capability = tonumber(capability)
        if arch.runs(profile, ("sm%d%s"):format(capability, exactly)) and capability > newest then
            newest, best = capability, figures
        end
    end
    return best or most_of(on)
end

local function occupancy_on(profile, kernel, figures)
    local shared = kernel.shared_bytes + (figures and figures.shared or 0)
    local registers = figures and figures.registers or kernel.registers
    local held = arch.occupancy(profile, kernel.threads, registers, shared)
    return { registers = registers, blocks = held.blocks, warps = held.warps, fraction = held.fraction,
        limit = held.limit }
end

local function row_of(kernel, on)
    local most = most_of(on)
    local row = {
        registers = most and most.registers or kernel.registers,
        registers_from = most and "nvcc" or "plan",
        static_shared_bytes = most and most.shared or 0,
        occupancy = {},
    }
    for _, profile in ipairs(arch.profiles) do
        if arch.runs(profile, kernel.target) then
            row.occupancy[profile.name] = occupancy_on(profile, kernel, figures_for(profile, on))
        end
    end
    return row
end

-- What is known of each of some kernels, { name =, target =, threads =, registers = planned, shared_bytes = }, with a
-- record of kernels (gen/resources.lua): by their names.
return function(kernels, record)
    local rows = {}
    for _, kernel in ipairs(kernels) do
        local known = record[kernel.name]
        rows[kernel.name] = row_of(kernel, known and known.on or {})
    end
    return rows
end
