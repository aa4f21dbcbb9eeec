-- SPDX-License-Identifier: Apache-2.0
--
-- The parameters of a convolution beside its sizes: what a manifest's row may say of them, what follows from them, and
-- how kernels' names and messages put them.
local fail = require_module("gen/fail.lua")
local values = require_module("gen/values.lua")

local convolution = {}

local MAX_PARAMETER = 64

-- ---- Fields of a row -----------------------------------------------------------------------------------------------

-- A whole number for both, or "HxW": { h, w }, each from `least` on.
local function pair(name, value, least, where)
    local h, w = value, value
    if type(value) == "string" then
        h, w = string.match(value, "^(%d+)x(%d+)$")
        h, w = tonumber(h), tonumber(w)
    end
    local read = { h = type(h) == "number" and math.tointeger(h), w = type(w) == "number" and math.tointeger(w) }
    for _, side in ipairs({ "h", "w" }) do
        local size = read[side]
        if not size or size < least or size > MAX_PARAMETER then
            fail(where, '%s is %s; it is a whole number from %d to %d, or a string of two, of height and width, like '
                .. '"2x1"', name, values.shown(value), least, MAX_PARAMETER)
        end
    end
    return read
end

function convolution.read_pair(name, value, where)
    return pair(name, value, 1, where)
end

function convolution.read_padding(name, value, where)
    return pair(name, value, 0, where)
end

function convolution.read_groups(name, value, where)
    local groups = type(value) == "number" and math.tointeger(value)
    if not groups or groups < 1 then
        fail(where, "%s is %s; it is a whole number that divides c_in and c_out", name, values.shown(value))
    end
    return groups
end

-- ---- What follows --------------------------------------------------------------------------------------------------

local function check_groups(row)
    for _, name in ipairs({ "c_in", "c_out" }) do
        if row[name] % row.conv_groups ~= 0 then
            fail(row.where, "conv_groups is %d, which does not divide %s = %d", row.conv_groups, name, row[name])
        end
    end
end

-- Gives a row its parameters, one name each, and what follows from them:
-- stride_*, pad_*, dilation_*, conv_groups; group_c_in and group_c_out, the channels of a group; reach_h and reach_w,
-- the pixels of x from a kernel's first tap to its last one.
function convolution.settle(row)
    local one = { h = 1, w = 1 }
    local stride, padding, dilation = row.stride or one, row.padding or { h = 0, w = 0 }, row.dilation or one
    row.stride, row.padding, row.dilation = nil, nil, nil
    row.stride_h, row.stride_w = stride.h, stride.w
    row.pad_h, row.pad_w = padding.h, padding.w
    row.dilation_h, row.dilation_w = dilation.h, dilation.w
    row.conv_groups = row.conv_groups or 1
    check_groups(row)
    row.group_c_in, row.group_c_out = row.c_in // row.conv_groups, row.c_out // row.conv_groups
    row.reach_h = (row.kh - 1) * row.dilation_h + 1
    row.reach_w = (row.kw - 1) * row.dilation_w + 1
end

-- The height and width of y for h x w of x, less than 1 where the padded x is smaller than the kernel.
function convolution.output(row, h, w)
    return (h + 2 * row.pad_h - row.reach_h) // row.stride_h + 1, (w + 2 * row.pad_w - row.reach_w) // row.stride_w + 1
end

-- ---- Words ---------------------------------------------------------------------------------------------------------

-- The parameters that are not the default: name, letter in kernels' names, text.
local function named(row)
    local list = {}
    local function add(name, letter, default, text)
        if text ~= default then
            list[#list + 1] = { name = name, letter = letter, text = text }
        end
    end
    add("stride", "s", "1x1", row.stride_h .. "x" .. row.stride_w)
    add("padding", "p", "0x0", row.pad_h .. "x" .. row.pad_w)
    add("dilation", "d", "1x1", row.dilation_h .. "x" .. row.dilation_w)
    add("conv_groups", "g", "1", tostring(row.conv_groups))
    return list
end

-- Their part of a kernel's name, "" or for example "_s2x2_p1x1".
function convolution.code(row)
    local parts = {}
    for _, parameter in ipairs(named(row)) do
        parts[#parts + 1] = "_" .. parameter.letter .. parameter.text
    end
    return table.concat(parts)
end

-- In words: "valid, stride 1", or for example "stride 2x2, padding 1x1, conv_groups 4".
function convolution.words(row)
    local list, padded, strided = {}, false, false
    for _, parameter in ipairs(named(row)) do
        list[#list + 1] = parameter.name .. " " .. parameter.text
        padded = padded or parameter.name == "padding"
        strided = strided or parameter.name == "stride"
    end
    if not strided then
        table.insert(list, 1, "stride 1")
    end
    if not padded then
        table.insert(list, 1, "valid")
    end
    if row.layout == "nhwc" then
        list[#list + 1] = "NHWC"
    end
    return table.concat(list, ", ")
end

-- The first parameter that is not the default and not in `taken`, a set of names; or nil.
function convolution.beyond(row, taken)
    for _, parameter in ipairs(named(row)) do
        if not taken[parameter.name] then
            return parameter.name, parameter.text
        end
    end
    return nil
end

return convolution
