-- SPDX-License-Identifier: Apache-2.0
--
-- Architecture profiles and what follows from them: occupancy and floor times.
local arithmetic = require_module("gen/arithmetic.lua")
local fail = require_module("gen/fail.lua")
local divide_up, round_up = arithmetic.divide_up, arithmetic.round_up

local arch = {}

-- Profiles in the order in which they are shown; each is data in gen/arch/<name>.lua.
local names = { "a100", "rtx3090", "rtx4090", "l40s", "h100", "h200", "b200", "rtx5090" }

arch.profiles = {}
for i, name in ipairs(names) do
    arch.profiles[i] = require_module("gen/arch/" .. name .. ".lua")
end

local WARP = 32
local REGISTER_GRANULE = 256 -- registers are given to a warp in units of this
local SHARED_RESERVED = 1024 -- bytes of shared memory a block takes beside its own, sm_80 and newer

-- The profile of that name, or nil and the list of names there are.
function arch.find(name)
    for _, profile in ipairs(arch.profiles) do
        if profile.name == name then
            return profile
        end
    end
    return nil, table.concat(names, ", ")
end

-- The profiles to predict for: the one of that name or, for nil, all.
function arch.chosen(name)
    if not name then
        return arch.profiles
    end
    local profile, known = arch.find(name)
    if not profile then
        fail(nil, "--arch %s is unknown; the profiles are %s", name, known)
    end
    return { profile }
end

-- Whether code for `target` ("sm80", "sm90a") runs on the profile: its own compute capability and newer ones, or, with
-- an "a", that one alone.
function arch.runs(profile, target)
    local capability, exactly = string.match(target, "^sm(%d+)(a?)$")
    capability = tonumber(capability)
    return profile.compute_capability == capability or exactly == "" and profile.compute_capability > capability
end

-- How many blocks of (threads, registers a thread, shared bytes a block) an SM holds, and what limits it.
-- Returns { blocks, warps, fraction, limit }.
function arch.occupancy(profile, threads, registers, shared)
    local warps = divide_up(threads, WARP)
    local limits = {
        { "registers", profile.registers_per_sm // (round_up(registers * WARP, REGISTER_GRANULE) * warps) },
        { "shared memory", profile.shared_per_sm // (shared + SHARED_RESERVED) },
        { "warps", profile.warps_per_sm // warps },
        { "blocks", profile.blocks_per_sm },
    }
    local least, by = math.huge, {}
    for _, limit in ipairs(limits) do
        if limit[2] < least then
            least, by = limit[2], {}
        end
        if limit[2] == least then
            by[#by + 1] = limit[1]
        end
    end
    local held = least * warps
    return {
        blocks = least,
        warps = held,
        fraction = held / profile.warps_per_sm,
        limit = table.concat(by, " and "),
    }
end

-- The shortest times in milliseconds that moving `bytes` and doing `flops` take on the profile, for a kernel whose
-- elements are `dtype`. It forms each product in `tensor_products` of the tensor cores; nil: without them.
function arch.floor(profile, bytes, flops, dtype, tensor_products)
    local rate = profile.fp32_tflops
    if tensor_products then
        rate = (dtype == "f32" and profile.tf32_tflops or profile.f16_tflops) / tensor_products
    end
    return { memory = bytes / profile.stream_gbs / 1e6, arithmetic = flops / rate / 1e9 }
end

return arch
