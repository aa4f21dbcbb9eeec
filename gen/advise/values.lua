-- SPDX-License-Identifier: Apache-2.0
--
-- From what a file says to the counters' values: of(launch) -> { value, cited }, both by key; cited[key] is
-- the counter's name in the file, its value and its unit as they stand there. What cannot be is an error.
local counters = require_module("gen/advise/counters.lua")
local fail = require_module("gen/fail.lua")
local place = require_module("gen/advise/launch.lua").place
local numbers = require_module("gen/numbers.lua")
local shown = require_module("gen/values.lua").shown
local units = require_module("gen/advise/units.lua")

local ROUNDING = 2 -- percentage points: ncu takes the parts of a quotient in different passes

local function refuse(metric, name, launch, why)
    local unit = metric.unit == "" and "" or " " .. metric.unit
    local value = metric.text and shown(metric.text .. unit) or tostring(metric.value)
    fail(nil, "%s: %s of %s is %s: %s", place(launch, metric.line), name, shown(launch.name), value, why)
end

local function value_of(metric, name, counter, launch)
    local value = metric.value or units.number(metric.text)
    if not value or not numbers.is_finite(value) then
        refuse(metric, name, launch, "that is no number (ncu prints 1,234.5 with LC_ALL=C)")
    elseif value < 0 then
        refuse(metric, name, launch, "it cannot be negative")
    elseif counter.unit == "%" and value > 100 + ROUNDING then
        refuse(metric, name, launch, "more than all cannot be")
    end
    local base, scale = units.read(counter.unit)
    if metric.unit ~= "" then
        local given
        given, scale = units.read(metric.unit)
        if given ~= base and base ~= "" then
            refuse(metric, name, launch, ("it is counted in %s"):format(counter.unit))
        end
    end
    return value * scale
end

local function check_whole(key, value, metric, name, launch)
    local least, most = table.unpack(counters.whole[key] or {})
    if least and (value ~= math.floor(value) or value < least or value > most) then
        local range = most < math.huge and ("from %d to %d"):format(least, most) or ("of at least %d"):format(least)
        refuse(metric, name, launch, "it is a whole number " .. range)
    end
end

local function check_order(launch, values, cited)
    for _, pair in ipairs(counters.ordered) do
        local low, high = table.unpack(pair)
        if values[low] and values[high] and values[low] > values[high] * (1 + ROUNDING / 100) + ROUNDING then
            fail(nil, "%s: counters of %s contradict each other: %s %s, but %s %s", place(launch, launch.line),
                shown(launch.name), cited[low].name, units.text(cited[low].value), cited[high].name,
                units.text(cited[high].value))
        end
    end
end

local function of(launch)
    local values, cited = {}, {}
    for key, counter in pairs(counters.by_key) do
        for _, name in ipairs(counter.names) do
            local metric = launch.metrics[name]
            if metric and not values[key] then
                local unit = metric.unit == "" and counter.unit or metric.unit
                values[key] = value_of(metric, name, counter, launch)
                check_whole(key, values[key], metric, name, launch)
                cited[key] = { name = name, value = metric.value or units.number(metric.text), unit = unit }
            end
        end
    end
    if not next(values) then
        fail(nil, "%s: there is no counter of %s here that a rule reads; take them with %s", place(launch, launch.line),
            shown(launch.name), "ncu --set full --csv --page raw")
    end
    check_order(launch, values, cited)
    return values, cited
end

return of
