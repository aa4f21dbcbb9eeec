-- SPDX-License-Identifier: Apache-2.0
--
-- What ncu prints with --csv: a row a launch (--page raw), or a row a metric. read(text, path) -> launches.
local counters = require_module("gen/advise/counters.lua")
local fail = require_module("gen/fail.lua")
local launch = require_module("gen/advise/launch.lua")

-- The cell that begins at `from`, and where its comma or end of line is; nil: its quotes do not end there.
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
    local behind = stop and string.find(text, "^\r?[,\n]", stop + 1) or stop == #text and stop + 1
    if not behind then
        return nil
    end
    behind = string.find(text, "[,\n]", behind) or behind
    return string.gsub(string.sub(text, from + 1, stop - 1), '""', '"'), behind
end

-- The cells of the line that begins at `from`, and where the next one begins; nil where a quoted cell does not end.
local function cells_at(text, from)
    local cells = {}
    repeat
        local cell, stop = cell_at(text, from)
        if not cell then
            return nil
        end
        cells[#cells + 1] = cell
        from = stop + 1
    until string.sub(text, stop, stop) ~= ","
    return cells, from
end

-- Calls visit(cells, line) for each line that is none of ncu's own words.
local function for_rows(text, path, visit)
    local from, line = 1, 0
    while from <= #text do
        line = line + 1
        if string.find(text, "^==", from) or string.find(text, "^[ \t\r]*\n", from) then
            from = (string.find(text, "\n", from, true) or #text) + 1
        else
            local cells, behind = cells_at(text, from)
            if not cells then
                fail(nil, "%s:%d: a quoted cell does not end; is the file truncated?", path, line)
            end
            visit(cells, line)
            local _, breaks = string.gsub(table.concat(cells), "\n", "")
            line, from = line + breaks, behind
        end
    end
end

-- Where each column is, by its name.
local function columns_of(cells)
    local columns = {}
    for i, cell in ipairs(cells) do
        columns[cell] = i
    end
    return columns
end

-- A row a launch: under the metrics' names a row of units, then the values.
local function wide_reader(launches, path, columns)
    local unit_row
    return function(cells, line)
        if not unit_row then
            if cells[columns["Kernel Name"]] ~= "" then
                fail(nil, "%s:%d: the row of units, under the heading, is missing: without it no value is known", path,
                    line)
            end
            unit_row = cells
            return
        end
        local found = launch.new(cells[columns["Kernel Name"]], path, line)
        for name in pairs(counters.keys) do
            local column = columns[name]
            if column then
                launch.add(found, name, cells[column], unit_row[column], line)
            end
        end
        found.device = cells[columns[launch.DEVICE]]
        launches[#launches + 1] = found
    end
end

-- A row a metric; those of a launch have one ID.
local function long_reader(launches, path, columns)
    local found, id
    return function(cells, line)
        local function of(name)
            return columns[name] and cells[columns[name]] or ""
        end
        local this = of("ID") .. " " .. of("Kernel Name")
        if this ~= id then
            found, id = launch.new(of("Kernel Name"), path, line), this
            launches[#launches + 1] = found
        end
        launch.add(found, of("Metric Name"), of("Metric Value"), of("Metric Unit"), line)
    end
end

-- The reader that such a heading needs; nil: it is no heading, but a program's own output in front of one.
local function reader_of(columns)
    if columns["Metric Name"] and columns["Metric Value"] then
        return long_reader
    end
    return columns["Kernel Name"] and wide_reader or nil
end

local function read(text, path)
    local launches, head, read_row = {}, nil, nil
    for_rows(text, path, function(cells, line)
        if not read_row then
            local columns = columns_of(cells)
            local reader = reader_of(columns)
            head, read_row = cells, reader and reader(launches, path, columns)
        elseif #cells ~= #head then
            fail(nil, "%s:%d: there are %d cells under a heading of %d; is the file truncated?", path, line, #cells,
                #head)
        else
            read_row(cells, line)
        end
    end)
    return launches
end

return read
