-- SPDX-License-Identifier: Apache-2.0
--
-- The generator's flow: manifest -> rows -> plans -> text -> files, or an explanation of the plans.
local arch = require_module("gen/arch.lua")
local fail = require_module("gen/fail.lua")
local keys = require_module("gen/keys.lua")
local manifest = require_module("gen/manifest.lua")
local names = require_module("gen/names.lua")
local plan = require_module("gen/plan.lua")
local shards = require_module("gen/shards.lua")
local template = require_module("gen/template.lua")

local options = host.options

-- The command that generates the same again; paths are as a reader of the output would see them.
local function command()
    local words = { "convsmith-gen --manifest", string.match(options.manifest, "[^/]*$"), "--out generated" }
    if options.prefix then
        words[#words + 1] = "--prefix " .. options.prefix
    end
    words[#words + 1] = "--shards " .. options.shards
    return table.concat(words, " ")
end

local function plans_of(rows)
    local plans = {}
    for _, row in ipairs(rows) do
        host.step(nil)
        local kernels, gaps = plan.expand(row)
        for _, gap in ipairs(gaps) do
            host.warn(("%s:%d: %s"):format(row.where.file, row.where.line, gap))
        end
        for _, kernel in ipairs(kernels) do
            kernel.name = names.kernel(kernel, options.prefix)
            kernel.command = command()
            plans[#plans + 1] = kernel
        end
    end
    table.sort(plans, function(a, b)
        return keys.before(a.key, b.key)
    end)
    return plans
end

local function selected(plans)
    local kept = {}
    for _, kernel in ipairs(plans) do
        if not options.filter or host.glob(options.filter, kernel.name) then
            kept[#kept + 1] = kernel
        end
    end
    if #kept == 0 then
        fail(nil, "no kernel's name matches --filter '%s'; one name is %s", options.filter, plans[1].name)
    end
    return kept
end

local function expand(kernel)
    local where = kernel.row.where
    host.step(string.format("while expanding %s:%d", where.file, where.line))
    local environment = { plan = kernel }
    for name, value in pairs(plan.helpers) do
        environment[name] = value
    end
    local text = template.expand(kernel.template, environment)
    host.step(nil)
    return text
end

local function emit(plans)
    local manifest_name = string.match(options.manifest, "[^/]*$")
    local texts = {}
    for i, kernel in ipairs(plans) do
        texts[i] = expand(kernel)
    end
    shards.emit_kernels(plans, texts)
    shards.emit_shards(plans, texts, plan.strategies, manifest_name, options.shards)
    shards.emit_table(plans, manifest_name)
    shards.emit_rates(arch.profiles)
end

names.check_prefix(options.prefix)
local plans = selected(plans_of(manifest.load()))
if options.explain then
    require_module("gen/explain.lua").print(plans, options, host.print)
else
    emit(plans)
end
return true
