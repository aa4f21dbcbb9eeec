-- SPDX-License-Identifier: Apache-2.0
--
-- `convsmith advise`: metrics file -> launches -> the rules -> words, JSON, or steps in a record.
local advise = require_module("gen/advise/engine.lua")
local apply = require_module("gen/advise/apply.lua")
local arch = require_module("gen/arch.lua")
local fail = require_module("gen/fail.lua")
local json = require_module("gen/json.lua")
local kernel = require_module("gen/advise/kernel.lua")
local read = require_module("gen/advise/read.lua")
local report = require_module("gen/advise/report.lua")
local shown = require_module("gen/values.lua").shown

local options = host.options

local function profile_for(name)
    local profile, known = arch.find(name)
    if name and not profile then
        fail(nil, "--arch %s is unknown; the profiles are %s", shown(name), known)
    end
    return profile
end

local function selected(launches)
    local kept = {}
    for _, launch in ipairs(launches) do
        if not options.kernel or host.glob(options.kernel, launch.name) then
            kept[#kept + 1] = launch
        end
    end
    if #kept == 0 then
        fail(nil, "no kernel's name matches --kernel %s; one name is %s", shown(options.kernel),
            shown(launches[1].name))
    end
    return kept
end

local function print_words(results)
    for i, result in ipairs(results) do
        host.print((i > 1 and "\n" or "") .. report.words(table.unpack(result)))
    end
end

local function print_json(results)
    local tables = {}
    for i, result in ipairs(results) do
        tables[i] = report.table(table.unpack(result))
    end
    host.print(json.text(json.list(tables)))
end

local function main()
    if options.json and options.apply then
        fail(nil, "--json prints the advice, --apply what is made of it: one of them")
    end
    local profile = profile_for(options.arch)
    local results = {}
    for i, launch in ipairs(selected(read(host.metrics(), options.file))) do
        local k = kernel.of(launch, profile)
        results[i] = { k, advise(k) }
    end
    local tell = options.apply and apply or options.json and print_json or print_words
    tell(results)
end

main()
return true
