-- SPDX-License-Identifier: Apache-2.0
--
-- The manifest: Lua that is data. It calls `defaults { ... }` at most once, `conv { ... }` once a row and
-- `tuning "path"` once a tuning record (gen/tunings.lua); what it may use is in environment() below, what a field may
-- hold in the table of fields. Every mistake is an error at the line of its call.
local convolution = require_module("gen/convolution.lua")
local dtypes = require_module("gen/dtypes.lua")
local epilogue = require_module("gen/epilogue.lua")
local fail = require_module("gen/fail.lua")
local keys = require_module("gen/keys.lua")
local suggest = require_module("gen/suggest.lua")
local values = require_module("gen/values.lua")
local shown = values.shown

local manifest = {}

local MAX_CHANNELS, MAX_TAPS, MAX_REFERENCE, MAX_CANDIDATES = 1024, 15, 65536, 4
local PREFERRED_GROUPS = 8

local built_in_defaults = {
    dtype = { "f32" }, math = { "fp32" }, layout = { "nchw" }, schedule = { "recompute" },
    reference = { n = 16, h = 128, w = 128 }, candidates = 2,
}

-- ---- Values ------------------------------------------------------------------------------------------------------

local function whole_number(name, value, largest, where)
    local integer = type(value) == "number" and math.tointeger(value)
    if not integer or integer < 1 or integer > largest then
        fail(where, "%s is %s; a size is a whole number from 1 to %d", name, shown(value), largest)
    end
    return integer
end

local function channels(name, value, where)
    return whole_number(name, value, MAX_CHANNELS, where)
end

local function candidate_count(name, value, where)
    if math.type(value) ~= "integer" or value < 1 or value > MAX_CANDIDATES then
        fail(where, "%s is %s; it is how many kernels a key may have, 1 to %d", name, shown(value), MAX_CANDIDATES)
    end
    return value
end

local function kernel_size(name, value, where)
    local kh, kw
    if type(value) == "string" then
        kh, kw = string.match(value, "^(%d+)x(%d+)$")
    end
    if not kh then
        fail(where, '%s is %s; it is a string of height and width, like "3x3"', name, shown(value))
    end
    return {
        kh = whole_number(name .. "'s height", tonumber(kh), MAX_TAPS, where),
        kw = whole_number(name .. "'s width", tonumber(kw), MAX_TAPS, where),
    }
end

-- Raises an error unless `value` is a list of strings, without holes or other keys; returns a copy.
local function string_list(name, value, where)
    if type(value) ~= "table" then
        fail(where, '%s is %s; it is a list of strings, like { "a", "b" }', name, shown(value))
    end
    local list = {}
    for i, item in ipairs(value) do
        if type(item) ~= "string" then
            fail(where, "%s[%d] is %s; %s is a list of strings", name, i, shown(item), name)
        end
        list[i] = item
    end
    if not values.is_list(value) then
        fail(where, '%s has names or holes; it is a list of strings, like { "a", "b" }', name)
    end
    return list
end

local function enumerated(name, value, where)
    local known = keys.enumerations[name]
    if type(value) ~= "string" or not keys.rank(name, value) then
        fail(where, "%s %s is unknown; it is %s", name, shown(value), table.concat(known, " or "))
    end
    return value
end

local function enumerated_list(name, value, where)
    local list = string_list(name, value, where)
    if #list == 0 then
        fail(where, '%s is empty; it is a list of "%s"', name, table.concat(keys.enumerations[name], '" and "'))
    end
    local seen = {}
    for _, item in ipairs(list) do
        enumerated(name, item, where)
        if seen[item] then
            fail(where, '"%s" stands twice in %s', item, name)
        end
        seen[item] = true
    end
    return list
end

-- One name stands for a list of it.
local function enumerated_list_or_one(name, value, where)
    return type(value) == "table" and enumerated_list(name, value, where) or { enumerated(name, value, where) }
end

local function epilogue_chain(_, value, where)
    return epilogue.read(value, where)
end

-- ---- Fields ------------------------------------------------------------------------------------------------------

local function reference_size(name, value, where)
    return whole_number("reference." .. name, value, MAX_REFERENCE, where)
end

local reference_fields = { n = reference_size, h = reference_size, w = reference_size, groups = reference_size }

-- Checks a table against a table of fields { name = function(name, value, where) -> value }; returns the checked copy.
local function checked(what, given, fields, where)
    local result = {}
    for name in next, given do
        if type(name) ~= "string" then
            fail(where, "%s has a value without a name; write name = value", what)
        end
    end
    for name, value in pairs(given) do
        if not fields[name] then
            fail(where, "%s has no field %s; %s", what, shown(name), suggest(name, fields))
        end
        result[name] = fields[name](name, value, where)
    end
    return result
end

local function reference_table(_, value, where)
    if type(value) ~= "table" then
        fail(where, "reference is %s; it is a table like { n = 16, h = 128, w = 128, groups = 8 }", shown(value))
    end
    return checked("reference", value, reference_fields, where)
end

local default_fields = {
    dtype = enumerated_list_or_one, math = enumerated_list, layout = enumerated_list_or_one, schedule = enumerated_list,
    epilogue = epilogue_chain, reference = reference_table, candidates = candidate_count,
}
local row_fields = {
    c_in = channels, c_out = channels, kernel = kernel_size,
    stride = convolution.read_pair, padding = convolution.read_padding, dilation = convolution.read_pair,
    conv_groups = convolution.read_groups,
    dtype = enumerated_list_or_one, math = enumerated_list, layout = enumerated_list_or_one, schedule = enumerated_list,
    epilogue = epilogue_chain, reference = reference_table, strategy = string_list, candidates = candidate_count,
}
local required_fields = { "c_in", "kernel", "c_out", "epilogue" }

-- ---- Rows --------------------------------------------------------------------------------------------------------

-- The fields of `first`, and those of `second` that it lacks.
local function merged(first, second)
    local result = {}
    for name, value in pairs(second) do
        result[name] = value
    end
    for name, value in pairs(first) do
        result[name] = value
    end
    return result
end

local function largest_divisor(number, limit)
    for divisor = math.min(number, limit), 2, -1 do
        if number % divisor == 0 then
            return divisor
        end
    end
    return 1
end

local function reference_groups(row, given, where)
    local norm = epilogue.normalisation(row.epilogue)
    if not norm or norm.step.normalises ~= "group" then
        if given.groups then
            fail(where, "reference.groups is %d, but the epilogue has no group_norm; leave it out", given.groups)
        end
        return 0
    end
    local groups = row.reference.groups
    local fitting = largest_divisor(row.c_out, PREFERRED_GROUPS)
    if groups and row.c_out % groups ~= 0 then
        fail(where, "reference.groups is %d%s, which does not divide c_out = %d; give this row "
            .. "reference = { groups = %d }", groups, given.groups and "" or " by default", row.c_out, fitting)
    end
    return groups or fitting
end

local function finish_reference(row, given, where)
    local reference = row.reference
    reference.groups = reference_groups(row, given, where)
    reference.h_out, reference.w_out = convolution.output(row, reference.h, reference.w)
    if reference.h_out < 1 or reference.w_out < 1 then
        fail(where, "reference is %d high and %d wide%s, smaller than the %dx%d kernel%s", reference.h, reference.w,
            row.pad_h + row.pad_w > 0 and (", with padding %d and %d"):format(reference.h + 2 * row.pad_h,
                reference.w + 2 * row.pad_w) or "", row.kh, row.kw,
            row.reach_h * row.reach_w > row.kh * row.kw and (", which reaches over %dx%d"):format(row.reach_h,
                row.reach_w) or "")
    end
end

local function require_table(name, example, given, where)
    if type(given) ~= "table" then
        local words = given == nil and "nothing" or shown(given)
        fail(where, "%s takes a table, like %s %s, not %s", name, name, example, words)
    end
end

local function read_row(given, defaults, where)
    require_table("conv", '{ c_in = 8, kernel = "3x3", c_out = 32 }', given, where)
    local own = checked("a row", given, row_fields, where)
    local row = merged(own, defaults)
    for _, name in ipairs(required_fields) do
        if row[name] == nil then
            fail(where, "%s is missing", name)
        end
    end
    row.where = where
    row.kh, row.kw, row.kernel = row.kernel.kh, row.kernel.kw, nil
    convolution.settle(row)
    row.reference = merged(own.reference or {}, defaults.reference)
    finish_reference(row, own.reference or {}, where)
    return row
end

-- The row once for each of its dtypes, which has the maths that there are for it, and layouts.
local function split(row)
    local rows = {}
    for _, name in ipairs(row.dtype) do
        for _, layout in ipairs(row.layout) do
            rows[#rows + 1] = merged({ dtype = name, math = dtypes[name].maths or row.math, layout = layout }, row)
        end
    end
    return rows
end

-- Notes each kernel that the row asks for in `seen`; asking twice is an error.
local function refuse_duplicates(row, seen)
    for _, mode in ipairs(row.math) do
        local key = string.format("%d %dx%d %s %d %s %s %s %s", row.c_in, row.kh, row.kw, convolution.code(row),
            row.c_out, row.layout, row.dtype, mode, epilogue.name(row.epilogue))
        if seen[key] then
            fail(row.where, 'this row repeats line %d: c_in = %d, kernel = "%dx%d", c_out = %d, dtype "%s", math "%s", '
                .. 'layout "%s" and the same stride, padding, dilation, conv_groups and epilogue', seen[key], row.c_in,
                row.kh, row.kw, row.c_out, row.dtype, mode, row.layout)
        end
        seen[key] = row.where.line
    end
end

-- The row of these fields, of one dtype and layout, as if a manifest without defaults had it.
function manifest.row(given)
    return split(read_row(given, built_in_defaults, nil))[1]
end

-- The path of a tuning record, from the manifest's folder on, so that both can move together.
local function record_path(path, where)
    if type(path) ~= "string" or not string.find(path, "^[^/%c][^%c]*$") then
        fail(where, 'tuning takes the path of a record from this folder on, like tuning "tuning/h200.lua", not %s',
            path == nil and "nothing" or shown(path))
    end
    return path
end

-- ---- The file ----------------------------------------------------------------------------------------------------

local function chosen(library, names)
    local copy = {}
    for _, name in ipairs(names) do
        copy[name] = library[name]
    end
    return copy
end

-- All that a manifest can name. Tables are copies, so that nothing it does to them is seen elsewhere.
local function environment(conv, defaults, tuning)
    local names = {
        conv = conv, defaults = defaults, tuning = tuning,
        assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs, select = select,
        tonumber = tonumber, tostring = tostring, type = type,
        string = chosen(string, { "format", "len", "lower", "rep", "sub", "upper" }),
        table = chosen(table, { "concat", "insert", "remove", "sort", "unpack" }),
        math = chosen(math, { "abs", "ceil", "floor", "huge", "max", "min" }),
    }
    return setmetatable(names, {
        __index = function(_, name)
            error(string.format("'%s' is not defined; %s", tostring(name), suggest(name, names)), 2)
        end,
    })
end

-- Reads the manifest of the command line. Returns its rows in their order, one for each dtype and layout, each
-- { c_in, kh, kw, c_out, dtype, layout, math = { ... }, schedule = { ... }, epilogue = a chain (gen/epilogue.lua),
-- reference = { n, h, w, h_out, w_out, groups }, strategy = { ... } or nil, candidates, where }, and what
-- gen/convolution.lua adds; and the tuning records that it names, each { path, where }.
function manifest.load()
    local file = host.options.manifest
    local rows, seen, defaults, tunings = {}, {}, nil, {}

    local function here()
        return { file = file, line = host.line(file) }
    end

    local function conv(given)
        for _, row in ipairs(split(read_row(given, defaults or built_in_defaults, here()))) do
            refuse_duplicates(row, seen)
            rows[#rows + 1] = row
        end
    end

    local function set_defaults(given)
        local where = here()
        require_table("defaults", '{ dtype = "f16" }', given, where)
        if defaults then
            fail(where, "defaults is called a second time; it may be called once")
        end
        if #rows > 0 then
            fail(where, "defaults comes after a row; it must come first")
        end
        defaults = merged(checked("defaults", given, default_fields, where), built_in_defaults)
        defaults.reference = merged(defaults.reference, built_in_defaults.reference)
    end

    local function tuning(path, ...)
        if select("#", ...) > 0 then
            fail(here(), "tuning takes one path, not %d arguments; call it once for each record", 1 + select("#", ...))
        end
        tunings[#tunings + 1] = { path = record_path(path, here()), where = here() }
    end

    host.call_manifest(host.load(host.read_manifest(), file, environment(conv, set_defaults, tuning)))
    if #rows == 0 then
        fail({ file = file, line = 1 }, "there is no row; add one: conv { c_in = 8, kernel = \"3x3\", c_out = 32 }")
    end
    return rows, tunings
end

return manifest
