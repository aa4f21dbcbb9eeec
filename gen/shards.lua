-- SPDX-License-Identifier: Apache-2.0
--
-- What gathers the kernels: shards, which are what is compiled, and kernels.inc, the rows of the dispatch table; and
-- rates.inc, what GPUs give.
local cost = require_module("gen/cost.lua")
local keys = require_module("gen/keys.lua")
local rates = require_module("gen/rates.lua")
local template = require_module("gen/template.lua")

local shards = {}

-- The shard of a kernel depends on its name alone, so that adding one changes no other's place.
local function shard_of(name, count)
    return tonumber(string.sub(host.hash(name), 9), 16) % count
end

local function kernel_file(plan)
    return string.format("kernels/%s.%s", plan.name, plan.extension)
end

-- Emits one file a kernel; texts[i] is the one of plans[i].
function shards.emit_kernels(plans, texts)
    for i, plan in ipairs(plans) do
        host.emit(kernel_file(plan), texts[i])
    end
end

local function members(plans, texts, name, shard, count)
    local files = {}
    for i, plan in ipairs(plans) do
        if (plan.shards or plan.strategy) == name and shard_of(plan.name, count) == shard then
            files[#files + 1] = { path = kernel_file(plan), hash = host.hash(texts[i]) }
        end
    end
    return files
end

local function emit_set(plans, texts, name, extension, manifest_name, count)
    for shard = 0, count - 1 do
        host.step(nil)
        host.emit(string.format("shard_%s_%02d.%s", name, shard, extension), template.expand("templates/shard.lua", {
            manifest = manifest_name, name = name, files = members(plans, texts, name, shard, count),
        }))
    end
end

-- Emits `count` shards of each name, the empty ones too: the build knows their names without reading the manifest.
function shards.emit_shards(plans, texts, strategies, manifest_name, count)
    local seen = {}
    for _, strategy in ipairs(strategies) do
        local name = strategy.shards or strategy.name
        if not seen[name] then
            seen[name] = true
            emit_set(plans, texts, name, strategy.shard_extension, manifest_name, count)
        end
    end
end

-- Emits kernels.inc; the plans are in the order of their keys.
function shards.emit_table(plans, manifest_name)
    host.emit("kernels.inc", template.expand("templates/kernels.inc.lua", {
        manifest = manifest_name, plans = plans, initialiser = keys.initialiser, enumerator = keys.enumerator,
        cost_initialiser = cost.initialiser,
    }))
end

-- A double as a C literal that reads back as the same.
local function double_literal(value)
    local text = ("%.17g"):format(value)
    return string.find(text, "[.e]") and text or text .. ".0"
end

-- Emits rates.inc; `profiles` are those of gen/arch.lua.
function shards.emit_rates(profiles)
    local rows = {}
    for i, profile in ipairs(profiles) do
        rows[i] = rates.of(profile)
    end
    host.emit("rates.inc", template.expand("templates/rates.inc.lua", {
        rows = rows, units = cost.units, number = double_literal,
    }))
end

return shards
