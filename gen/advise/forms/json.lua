-- SPDX-License-Identifier: Apache-2.0
--
-- JSON: { "kernel": { "metric": value } }, of any number of kernels, or a list of such objects. read(text, path) ->
-- launches.
local counters = require_module("gen/advise/counters.lua")
local fail = require_module("gen/fail.lua")
local launch = require_module("gen/advise/launch.lua")
local shown = require_module("gen/values.lua").shown

local function json_launch(name, metrics, path)
    if type(metrics) ~= "table" then
        fail(nil, "%s: %s is %s, not an object of a kernel's metrics", path, shown(name), shown(metrics))
    end
    local found = launch.new(name, path)
    for metric, value in pairs(metrics) do
        if type(metric) ~= "string" or type(value) == "table" then
            fail(nil, "%s: the metrics of %s are no object of numbers by name", path, shown(name))
        elseif metric == launch.DEVICE then
            found.device = tostring(value)
        elseif counters.keys[metric] and type(value) ~= "number" then
            fail(nil, "%s: %s of %s is %s, not a number", path, metric, shown(name), shown(value))
        elseif counters.keys[metric] then
            launch.add_value(found, metric, value)
        end
    end
    return found
end

-- An object of kernels by name, or a list of such.
local function read(text, path)
    local document = host.json(text)
    local objects = document[1] and document or { document }
    local launches = {}
    for _, object in ipairs(objects) do
        if type(object) ~= "table" then
            fail(nil, "%s: the list holds %s, not objects of metrics by a kernel's name", path, shown(object))
        end
        for name, metrics in pairs(object) do
            launches[#launches + 1] = json_launch(tostring(name), metrics, path)
        end
    end
    return launches
end

return read
