-- SPDX-License-Identifier: Apache-2.0
--
-- The generator's flow: manifest -> rows -> plans -> text -> files, or an explanation of the plans.
local arch = require_module("gen/arch.lua")
local fail = require_module("gen/fail.lua")
local feedback = require_module("gen/feedback.lua")
local keys = require_module("gen/keys.lua")
local manifest = require_module("gen/manifest.lua")
local names = require_module("gen/names.lua")
local plan = require_module("gen/plan.lua")
local shards = require_module("gen/shards.lua")
local template = require_module("gen/template.lua")
local tunings = require_module("gen/tunings.lua")

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

local function plans_of(rows, record)
    local function known_of(name)
        return feedback.of(record, name)
    end
    local plans = {}
    for _, row in ipairs(rows) do
        host.step(nil)
        local kernels, gaps = plan.expand(row, options.prefix, known_of)
        for _, gap in ipairs(gaps) do
            host.warn(("%s:%d: %s"):format(row.where.file, row.where.line, gap))
        end
        for _, kernel in ipairs(kernels) do
            kernel.command = command()
            plans[#plans + 1] = kernel
        end
    end
    table.sort(plans, function(a, b)
        if keys.before(a.key, b.key) then
            return true
        end
        return not keys.before(b.key, a.key) and a.candidate < b.candidate
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

-- The plans, with what the file of --feedback says of their kernels, if there is one; the record of all that; and the
-- tuning records.
local function planned()
    local rows, named = manifest.load()
    local record, tuned = feedback.load(), tunings.load(named)
    local plans = selected(plans_of(rows, record))
    if options.feedback then
        local faulty, told = feedback.add(record, plans)
        plans = #faulty > 0 and selected(plans_of(rows, record)) or plans
        feedback.tell(faulty, record, plans, told)
    end
    return plans, record, tuned
end

local function emit(plans, record, tuned)
    local manifest_name = string.match(options.manifest, "[^/]*$")
    local texts = {}
    for i, kernel in ipairs(plans) do
        texts[i] = expand(kernel)
    end
    shards.emit_kernels(plans, texts)
    shards.emit_shards(plans, texts, plan.strategies, manifest_name, options.shards)
    shards.emit_table(plans, manifest_name)
    tunings.emit(tuned, plans, manifest_name)
    feedback.emit(record, plans, texts)
    shards.emit_rates(arch.profiles)
end

names.check_prefix(options.prefix)
local plans, record, tuned = planned()
if options.explain then
    require_module("gen/explain.lua").print(plans, tuned, options, host.print)
else
    emit(plans, record, tuned)
end
return true
