-- SPDX-License-Identifier: Apache-2.0
--
-- What ncu prints for people: metrics with --page raw, labels with --page details. read(text, path) -> launches.
local counters = require_module("gen/advise/counters.lua")
local fail = require_module("gen/fail.lua")
local launch = require_module("gen/advise/launch.lua")

-- Labels of the details page, the longest first: one may begin another.
local function labels()
    local found = {}
    for name in pairs(counters.keys) do
        if not string.find(name, "__", 1, true) then
            found[#found + 1] = name
        end
    end
    table.sort(found, function(a, b)
        return #a > #b or #a == #b and a < b
    end)
    return found
end

-- The metric or label that a line begins with, and what stands behind it.
local function name_in(line, known_labels)
    local metric, behind = string.match(line, "^%s+(%w+__%S+)(.*)$")
    if metric then
        return metric, behind
    end
    local words = string.match(line, "^%s+(.*)$") or ""
    for _, label in ipairs(known_labels) do
        if string.sub(words, 1, #label) == label and string.find(words, "^%s", #label + 1) then
            return label, string.sub(words, #label + 1)
        end
    end
    return nil
end

-- A line of a metric: its name, its unit, if it has one, its value.
local function add_line(found, line, number, known_labels)
    local name, behind = name_in(line, known_labels)
    if name == launch.DEVICE then
        found.device = string.match(behind, "^%s*(.*)$")
    end
    if not name or not counters.keys[name] then
        return
    end
    behind = string.gsub(behind, "%(!%) ", "") -- which stands before what could not be taken
    local unit, value = string.match(behind, "^%s+(%S+)%s+(%S+)%s*$")
    if not unit then
        unit, value = "", string.match(behind, "^%s+(%S+)%s*$")
    end
    if not value then
        fail(nil, "%s: %s has no value; is the file truncated?", launch.place(found, number), name)
    end
    launch.add(found, name, value, unit, number)
end

-- The kernel's name, where a line begins the metrics of a launch: "  name (grid)x(block), Context 1, Stream 7, ...".
local function kernel_in(line)
    local words = string.match(line, "^%s*(%S.-), Context %d+, Stream %d+")
    local behind = words and (string.find(words, " %(%d+, %d+, %d+%)x%(%d+, %d+, %d+%)$") or
        string.find(words, ", [%d%a-]+ [%d:]+$")) -- the date, of older versions
    return behind and string.sub(words, 1, behind - 1) or words
end

local function read(text, path)
    local launches, known_labels, number = {}, labels(), 0
    for line in string.gmatch(text, "([^\n]*)\n?") do
        number = number + 1
        local name = kernel_in(line)
        if name then
            launches[#launches + 1] = launch.new(name, path, number)
        elseif #launches > 0 then
            add_line(launches[#launches], line, number, known_labels)
        end
    end
    return launches
end

return read
