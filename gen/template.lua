-- SPDX-License-Identifier: Apache-2.0
--
-- The template language. A line whose first character that is not blank is '%' is Lua ("%%" stands for a literal '%');
-- any other line is text, in which ${expression} is a value.
--
-- A template becomes one Lua chunk with the same lines, so whatever goes wrong is reported at the template's own line:
-- a name that is not defined, a value that is neither a string nor a whole number, a mistake in the Lua.
--
-- A value of several lines that stands first on its line has all of its lines indented alike. A line that holds nothing
-- but one value which is empty is left out.
local template = {}

local MAX_DEPTH = 16
local compiled = {}

local function at(name, line, format, ...)
    error(string.format("%s:%d: %s", name, line, string.format(format, ...)), 0)
end

-- The index of the character that closes the string which opens at `open`.
local function skip_string(text, open)
    local quote, i = string.sub(text, open, open), open + 1
    while i <= #text do
        local c = string.sub(text, i, i)
        if c == quote then
            return i
        end
        i = i + (c == "\\" and 2 or 1)
    end
    return nil
end

-- The index of the '}' that closes the expression which begins at `first`, or nil.
local function closing_brace(text, first)
    local depth, i = 0, first
    while i and i <= #text do
        local c = string.sub(text, i, i)
        if c == '"' or c == "'" then
            i = skip_string(text, i)
            if not i then
                return nil
            end
        elseif c == "{" then
            depth = depth + 1
        elseif c == "}" then
            if depth == 0 then
                return i
            end
            depth = depth - 1
        end
        i = i + 1
    end
    return nil
end

-- Compiled by itself, so that what is wrong with it cannot reach into the rest of its line: bare, where a surplus
-- parenthesis shows, and in parentheses, where a comment or a second value does.
local function check_expression(expression, name, line)
    if not string.find(expression, "%S") then
        at(name, line, "${} is empty; write ${expression}")
    end
    local lines_above = string.rep("\n", line - 1)
    host.load(lines_above .. "return " .. expression, name)
    host.load(lines_above .. "return (" .. expression .. ")", name)
end

-- The Lua of one line of text: a call with literals and values in turn.
local function text_line(text, name, line)
    local arguments, position = {}, 1
    while true do
        local open = string.find(text, "${", position, true)
        arguments[#arguments + 1] = string.format("%q", string.sub(text, position, (open or 0) - 1))
        if not open then
            return "__line(" .. table.concat(arguments, ", ") .. ")"
        end
        local close = closing_brace(text, open + 2)
        if not close then
            at(name, line, "${ is not closed by } on its line")
        end
        local expression = string.sub(text, open + 2, close - 1)
        check_expression(expression, name, line)
        arguments[#arguments + 1] = string.format("__value((%s), %q)", expression, expression)
        position = close + 1
    end
end

local function translate_line(text, name, line)
    local blanks, rest = string.match(text, "^([ \t]*)%%(.*)$")
    if not blanks then
        return text_line(text, name, line)
    end
    if string.sub(rest, 1, 1) == "%" then
        return text_line(blanks .. rest, name, line)
    end
    return rest
end

-- Compiles a text to function(environment, __line, __value).
local function compile(text, name)
    local lines = {}
    for line in string.gmatch(string.gsub(text, "\n$", "") .. "\n", "([^\n]*)\n") do
        lines[#lines + 1] = translate_line(line, name, #lines + 1)
    end
    return host.load("local _ENV, __line, __value = ... ; " .. table.concat(lines, "\n"), name)
end

local function value_text(value, expression)
    if math.type(value) == "float" and value == math.floor(value) and math.tointeger(value) then
        error(string.format("${%s} is the float %s; use // or math.tointeger for a whole number", expression, value), 2)
    end
    if type(value) == "string" or math.type(value) == "integer" then
        return tostring(value)
    end
    local kind = math.type(value) == "float" and "the float " .. value or value == nil and "nil" or "a " .. type(value)
    error(string.format("${%s} is %s; a value is a string or a whole number", expression, kind), 2)
end

local function is_blank(text)
    return not string.find(text, "%S")
end

local function indented(text, indent)
    text = string.gsub(text, "\n$", "")
    return (string.gsub(text, "\n([^\n])", "\n" .. indent .. "%1"))
end

-- The function that gathers a template's lines in `lines`. Its arguments are literals and values in turn.
local function line_writer(lines)
    return function(...)
        local parts = { ... }
        if #parts == 3 and parts[2] == "" and is_blank(parts[1]) and is_blank(parts[3]) then
            return
        end
        if #parts > 1 and is_blank(parts[1]) then
            parts[2] = indented(parts[2], parts[1])
        end
        lines[#lines + 1] = table.concat(parts)
    end
end

local function require_that(condition, format, ...)
    if not condition then
        error(string.format(format, ...), 2)
    end
end

local function undefined(_, name)
    error(string.format("'%s' is not defined", tostring(name)), 2)
end

local function assigned(_, name)
    error(string.format("'%s' is assigned but not declared; write 'local %s'", tostring(name), tostring(name)), 2)
end

local standard = {
    assert = assert, error = error, ipairs = ipairs, math = math, next = next, pairs = pairs,
    require_that = require_that, select = select, string = string, table = table, tonumber = tonumber,
    tostring = tostring, type = type,
}

local function load_template(name, where)
    if not compiled[name] then
        compiled[name] = compile(host.read(name, where), name)
    end
    return compiled[name]
end

-- A table with the given names, and those of `outer` (a function of a name) behind them.
local function environment_of(own, outer)
    local environment = {}
    for name, value in pairs(own) do
        environment[name] = value
    end
    return setmetatable(environment, { __index = outer, __newindex = assigned })
end

local function run(name, environment, where)
    local lines = {}
    load_template(name, where)(environment, line_writer(lines), value_text)
    return table.concat(lines, "\n")
end

local function add_include(environment, name, depth)
    rawset(environment, "include", function(path, locals)
        local where = string.format("%s:%d: ", name, host.line(name))
        if type(path) ~= "string" then
            error("include takes the path of a template, not a " .. type(path), 2)
        end
        if depth == MAX_DEPTH then
            error(string.format("include(%q) is nested %d deep; does it include itself?", path, depth), 2)
        end
        local inner = environment_of(locals or {}, environment)
        add_include(inner, path, depth + 1)
        return run(path, inner, where)
    end)
    return environment
end

local function standard_environment(names)
    local environment = {}
    for name, value in pairs(standard) do
        environment[name] = value
    end
    for name, value in pairs(names) do
        if environment[name] ~= nil then
            error("a template's helper may not be named " .. name .. ", which every template has", 0)
        end
        environment[name] = value
    end
    return environment_of(environment, undefined)
end

-- Expands the template of that path with the given names defined; the text ends in one newline and has no blanks at
-- the ends of its lines.
function template.expand(path, names)
    local text = run(path, add_include(standard_environment(names), path, 1), "")
    text = string.gsub(text .. "\n", "[ \t\r]+\n", "\n")
    return (string.gsub(text, "\n+$", "\n"))
end

return template
