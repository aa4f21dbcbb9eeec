-- SPDX-License-Identifier: Apache-2.0
--
-- Metrics files. read(text, path) -> launches, each { name, where, metrics }: `metrics` has what the file says of the
-- counters that rules read, by the counter's name there: { value or text, unit, where }. Which of the forms it has is
-- seen from the text.
local counters = require_module("gen/advise/counters.lua")
local fail = require_module("gen/fail.lua")
local units = require_module("gen/advise/units.lua")
local values = require_module("gen/values.lua")

local FORMS = 'JSON, { "kernel": { "metric": value } }, or what ncu prints with --csv, --page raw or --page details'

-- Adds one metric to a launch, unless it was not taken. The same metric may stand twice, with the same value.
local function add(launch, name, metric)
    if not counters.keys[name] or metric.text and units.is_absent(metric.text) then
        return
    end
    local before = launch.metrics[name]
    if before and (before.text ~= metric.text or before.unit ~= metric.unit) then
        fail(nil, "%s: %s of %s is %s, and %s before: they contradict each other", metric.where, name,
            values.shown(launch.name), metric.text, before.text)
    end
    launch.metrics[name] = metric
end

local function new_launch(name, where)
    return { name = name, where = where, metrics = {} }
end

-- ---- JSON --------------------------------------------------------------------------------------------------------

local function json_launch(name, metrics, path)
    if type(metrics) ~= "table" then
        fail(nil, "%s: %s is %s, not an object of a kernel's metrics", path, values.shown(name), values.shown(metrics))
    end
    local launch = new_launch(name, path)
    for metric, value in pairs(metrics) do
        if type(metric) ~= "string" or type(value) == "table" then
            fail(nil, "%s: the metrics of %s are no object of numbers by name", path, values.shown(name))
        elseif counters.keys[metric] and type(value) ~= "number" then
            fail(nil, "%s: %s of %s is %s, not a number", path, metric, values.shown(name), values.shown(value))
        end
        add(launch, metric, { value = value, unit = "", where = path })
    end
    return launch
end

-- An object of kernels by name, or a list of such.
local function read_json(text, path)
    local document = host.json(text)
    local objects = document[1] and document or { document }
    local launches = {}
    for _, object in ipairs(objects) do
        if type(object) ~= "table" then
            fail(nil, "%s: the list holds %s, not objects of metrics by a kernel's name", path, values.shown(object))
        end
        for name, metrics in pairs(object) do
            launches[#launches + 1] = json_launch(tostring(name), metrics, path)
        end
    end
    return launches
end

-- ---- CSV ---------------------------------------------------------------------------------------------------------

-- The cell that begins at `from`, and where its comma or end of line is; nil: its quotes are not closed.
local function cell_at(text, from)
    if string.sub(text, from, from) ~= '"' then
        local stop = string.find(text, "[,\n]", from) or #text + 1
        return string.gsub(string.sub(text, from, stop - 1), "\r$", ""), stop
    end
    local stop = from
    repeat
        stop = string.find(text, '"', stop + 1, true)
        local doubled = stop and string.sub(text, stop + 1, stop + 1) == '"'
        stop = doubled and stop + 1 or stop
    until not doubled
    if not stop then
        return nil
    end
    local behind = string.find(text, "[,\n]", stop) or #text + 1
    return string.gsub(string.sub(text, from + 1, stop - 1), '""', '"'), behind
end

-- The cells of the line that begins at `from`, and where the next one begins.
local function cells_at(text, from, where)
    local cells = {}
    repeat
        local cell, stop = cell_at(text, from)
        if not cell then
            fail(nil, "%s: a quoted cell does not end; is the file truncated?", where)
        end
        cells[#cells + 1] = cell
        from = stop + 1
    until string.sub(text, stop, stop) ~= ","
    return cells, from
end

-- Calls visit(cells, where) for each line that is none of ncu's own words.
local function for_rows(text, path, visit)
    local from, line = 1, 0
    while from <= #text do
        line = line + 1
        local where = ("%s:%d"):format(path, line)
        if string.find(text, "^==", from) or string.find(text, "^[ \t\r]*\n", from) then
            from = (string.find(text, "\n", from, true) or #text) + 1
        else
            local cells, behind = cells_at(text, from, where)
            local _, breaks = string.gsub(table.concat(cells), "\n", "")
            line, from = line + breaks, behind
            visit(cells, where)
        end
    end
end

local function columns_of(cells)
    local columns = {}
    for i, cell in ipairs(cells) do
        columns[cell] = i
    end
    return columns
end

local function check_count(cells, count, where)
    if #cells ~= count then
        fail(nil, "%s: there are %d cells under a heading of %d; is the file truncated?", where, #cells, count)
    end
end

-- A row a launch: under the metrics' names a row of units, then the values.
local function wide_reader(launches, head, columns)
    local unit_row
    return function(cells, where)
        check_count(cells, #head, where)
        if not unit_row and cells[columns["Kernel Name"]] == "" then
            unit_row = cells
            return
        end
        local launch = new_launch(cells[columns["Kernel Name"]], where)
        for i, name in ipairs(head) do
            add(launch, name, { text = cells[i], unit = unit_row and unit_row[i] or "", where = where })
        end
        launches[#launches + 1] = launch
    end
end

-- A row a metric; those of a launch have one ID.
local function long_reader(launches, head, columns)
    local launch, id
    return function(cells, where)
        check_count(cells, #head, where)
        local function of(name)
            return columns[name] and cells[columns[name]] or ""
        end
        local this = of("ID") .. " " .. of("Kernel Name")
        if this ~= id then
            launch, id = new_launch(of("Kernel Name"), where), this
            launches[#launches + 1] = launch
        end
        add(launch, of("Metric Name"), { text = of("Metric Value"), unit = of("Metric Unit"), where = where })
    end
end

local function read_csv(text, path)
    local launches, reader = {}, nil
    for_rows(text, path, function(cells, where)
        local columns = columns_of(cells)
        if reader then
            reader(cells, where)
        elseif columns["Metric Name"] and columns["Metric Value"] then
            reader = long_reader(launches, cells, columns)
        elseif columns["Kernel Name"] then
            reader = wide_reader(launches, cells, columns)
        end -- a program's own output, in front
    end)
    return launches
end

-- ---- Text --------------------------------------------------------------------------------------------------------

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
local function add_line(launch, line, known_labels, where)
    local name, behind = name_in(line, known_labels)
    if not name or not counters.keys[name] then
        return
    end
    local unit, value = string.match(behind, "^%s+(%S+)%s+(%S.-)%s*$")
    if not unit then
        unit, value = "", string.match(behind, "^%s+(%S+)%s*$")
    end
    if not value then
        fail(nil, "%s: %s has no value; is the file truncated?", where, name)
    end
    add(launch, name, { text = value, unit = unit, where = where })
end

-- The kernel's name, where a line begins the metrics of a launch: "  name (grid)x(block), Context 1, Stream 7, ...".
local function kernel_in(line)
    local words = string.match(line, "^%s*(%S.-), Context %d+, Stream %d+")
    return words and (string.match(words, "^(.-)%s+%(%d+, %d+, %d+%)x%(%d+, %d+, %d+%)$") or
        string.match(words, "^(.-), [%d%a-]+ [%d:]+$") or words)
end

local function read_text(text, path)
    local launches, known_labels, number = {}, labels(), 0
    for line in string.gmatch(text, "([^\n]*)\n?") do
        number = number + 1
        local where = ("%s:%d"):format(path, number)
        local name = kernel_in(line)
        if name then
            launches[#launches + 1] = new_launch(name, where)
        elseif #launches > 0 then
            add_line(launches[#launches], line, known_labels, where)
        end
    end
    return launches
end

-- ---- All of them -------------------------------------------------------------------------------------------------

local function form_of(text)
    if string.find(text, "^[%s%[]*{") or string.find(text, "^%s*%[%s*%]") then
        return read_json
    elseif string.find(text, '"Metric Name"', 1, true) or string.find(text, "Kernel Name", 1, true) then
        return read_csv
    elseif string.find(text, ", Context %d+, Stream %d+") then
        return read_text
    end
    return nil
end

local function read(text, path)
    text = string.gsub(text, "^\xEF\xBB\xBF", "")
    if not string.find(text, "%S") then
        fail(nil, "%s: the file is empty; metrics are %s", path, FORMS)
    elseif string.find(text, "^NVR%z") then
        fail(nil, "%s: this is a report of ncu: ncu -i FILE --csv --page raw prints its metrics", path)
    end
    local reader = form_of(text)
    local launches = reader and reader(text, path) or {}
    if #launches == 0 then
        fail(nil, "%s: there are no metrics of a kernel here; they are %s", path, FORMS)
    end
    return launches
end

return read
