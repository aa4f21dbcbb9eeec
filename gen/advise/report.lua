-- SPDX-License-Identifier: Apache-2.0
--
-- What was advised, in words and as a table for JSON.
local json = require_module("gen/json.lua")
local units = require_module("gen/advise/units.lua")

local report = {}

local WIDTH = 100
local MAX_NAME = 200
local NAMED = 5 -- of what binds, in the first line
-- Fields of the manifest's row; the others are of the strategy's plan.
local row_fields = { layout = true, schedule = true, dtype = true, math = true, strategy = true, epilogue = true,
    reference = true }

-- Words of a file, fit for a terminal.
function report.printable(words)
    local short = #words > MAX_NAME and string.sub(words, 1, MAX_NAME) .. "..." or words
    return (string.gsub(short, "[%c\x7F-\xFF]", function(character)
        return ("\\x%02x"):format(string.byte(character))
    end))
end

-- Lines of `words`, the first behind `head`, the others below it.
local function wrapped(head, words)
    local lines, line, between = {}, head, ""
    for word in string.gmatch(words, "%S+") do
        if between ~= "" and #line + #between + #word > WIDTH then
            lines[#lines + 1] = line
            line, between = (" "):rep(#head), ""
        end
        line, between = line .. between .. word, " "
    end
    lines[#lines + 1] = line
    return table.concat(lines, "\n")
end

local function item(label, words)
    return wrapped(("    %-9s "):format(label), words)
end

-- What the kernel is bound by, each once: units that are busy, then the rest, the greatest gain first.
local function bounds_of(advised)
    local bounds, seen = {}, {}
    for _, is_unit in ipairs({ true, false }) do
        for _, advice in ipairs(advised.advice) do
            if is_unit == (advice.is_unit or false) and not seen[advice.bound] then
                bounds[#bounds + 1], seen[advice.bound] = advice.bound, true
            end
        end
    end
    return bounds
end

-- ---- In words ----------------------------------------------------------------------------------------------------

local function plan_words(plan)
    if not plan then
        return "none of this program's kernels: general advice"
    end
    local words = { ("strategy %s, schedule %s, dtype %s"):format(plan.strategy, plan.schedule, plan.dtype) }
    if plan.tile_c then
        words[#words + 1] = ("math %s, layout %s"):format(plan.math, plan.layout)
        words[#words + 1] = ("tile %dx%dx%d"):format(plan.tile_c, plan.tile_h, plan.tile_w)
        words[#words + 1] = ("%d threads, %d bytes of shared memory"):format(plan.threads, plan.shared_bytes)
        words[#words + 1] = plan.blocks_per_sm > 0 and ("%d block(s) an SM"):format(plan.blocks_per_sm) or nil
    else
        words[#words + 1] = "by its name, which is no row of this program's table"
    end
    if plan.counted_threads then
        words[#words + 1] = ("but the counters are of blocks of %.0f threads, of another build"):format(
            plan.counted_threads)
    end
    if plan.part then
        words[#words + 1] = ("of which this is the launch _%s"):format(plan.part)
    end
    return table.concat(words, ", ")
end

local function counter_words(cited)
    local words = {}
    for i, counter in ipairs(cited) do
        words[i] = ("%s %s %s"):format(counter.name, units.text(counter.value), counter.unit)
    end
    return (string.gsub(table.concat(words, ", "), " ,", ","))
end

local function add_advice(lines, number, advice)
    local title = ("%s: at most %.0f %% of the time (%s)"):format(advice.bound, 100 * advice.gain, advice.arithmetic)
    lines[#lines + 1] = wrapped(("    %d. "):format(number), title)
    lines[#lines + 1] = wrapped("       ", advice.reason)
    if #advice.counters > 0 then
        lines[#lines + 1] = wrapped("       counters  ", counter_words(advice.counters))
    end
    for _, change in ipairs(advice.changes) do
        local field = change.field .. (row_fields[change.field] and " of the row" or "")
        lines[#lines + 1] = wrapped("       change    ", ("%s: %s"):format(field, change.how))
    end
end

local function names_of(set)
    local names = {}
    for name in pairs(set) do
        names[#names + 1] = name
    end
    return names
end

local function add_missing(lines, missing)
    local sections = {}
    for _, section in ipairs(missing) do
        local untold = names_of(section.untold)
        local words = ("%s: %s"):format(section.section, table.concat(names_of(section.names), ", "))
        lines[#lines + 1] = item("missing", words ..
            (#untold > 0 and (" (untold: %s)"):format(table.concat(untold, ", ")) or ""))
        sections[#sections + 1] = "--section " .. section.section
    end
    if #sections > 0 then
        lines[#lines + 1] = item("take", ("ncu %s --csv --page raw PROGRAM"):format(table.concat(sections, " ")))
    end
end

-- The lines that are printed for a kernel.
function report.words(k, advised)
    local bounds = bounds_of(advised)
    local lines = { report.printable(k.name) .. (k.v.time and (" (%s)"):format(k.words("time")) or "") }
    lines[#lines + 1] = item("plan", plan_words(k.plan))
    lines[#lines + 1] = item("bound by", #bounds == 0 and "nothing that the rules know of"
        or table.concat(bounds, ", ", 1, math.min(#bounds, NAMED)))
    for number, advice in ipairs(advised.advice) do
        add_advice(lines, number, advice)
    end
    add_missing(lines, advised.missing)
    return table.concat(lines, "\n")
end

-- ---- As a table --------------------------------------------------------------------------------------------------

local function advice_table(advice)
    local cited, changes = {}, {}
    for _, counter in ipairs(advice.counters) do
        cited[counter.name] = { value = counter.value, unit = counter.unit }
    end
    for i, change in ipairs(advice.changes) do
        changes[i] = { field = change.field, how = change.how }
    end
    return { rule = advice.rule, bound = advice.bound, gain = advice.gain, arithmetic = advice.arithmetic,
        reason = advice.reason, counters = cited, changes = json.list(changes) }
end

function report.table(k, advised)
    local advice, missing = {}, {}
    for i, one in ipairs(advised.advice) do
        advice[i] = advice_table(one)
    end
    for i, section in ipairs(advised.missing) do
        missing[i] = { section = section.section, counters = json.list(names_of(section.names)),
            untold = json.list(names_of(section.untold)) }
    end
    return { kernel = k.name, plan = k.plan, bound_by = json.list(bounds_of(advised)), advice = json.list(advice),
        missing = json.list(missing) }
end

return report
