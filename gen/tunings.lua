-- SPDX-License-Identifier: Apache-2.0
--
-- The tuning records that a manifest names: times of kernels on devices, by which plans on such a device choose. The
-- table has of them what it can use (tunings.inc), and --explain shows them.
local convolution = require_module("gen/convolution.lua")
local fail = require_module("gen/fail.lua")
local template = require_module("gen/template.lua")

local tunings = {}

local LEAST_KERNELS = 2 -- of a problem: one alone has no order

-- ---- Reading -----------------------------------------------------------------------------------------------------

-- No two devices have the same.
local function identity(record)
    return ("%s, %d, %d"):format(record.device, record.compute_capability, record.multiprocessors)
end

-- The records of the manifest's calls, { path =, where = } each, as host.read_tuning gives them.
function tunings.load(calls)
    local records, seen = {}, {}
    for i, call in ipairs(calls) do
        host.step(nil)
        local where = call.where
        local record = host.read_tuning(call.path, ("%s:%d: "):format(where.file, where.line))
        local first = seen[identity(record)]
        if first then
            fail(where, "%s is a record of %s, as is that of line %d; name one of them", record.path, record.device,
                first.line)
        end
        seen[identity(record)] = where
        record.where = where
        records[i] = record
    end
    return records
end

-- ---- A kernel's times --------------------------------------------------------------------------------------------

local function time_of(problem, name)
    for _, kernel in ipairs(problem.kernels) do
        if kernel.name == name then
            return kernel.us
        end
    end
    return nil
end

local function outputs(row, size)
    local h_out, w_out = convolution.output(row, size.h, size.w)
    return size.n * h_out * w_out
end

-- The time of a kernel at the recorded size nearest to `size` in outputs, however far: it is shown with that size.
-- Plans, which ask no size too far from theirs, take all times of a choice from one (src/order.c).
local function nearest_time(record, kernel, size)
    local wanted, found, least = outputs(kernel.row, size), nil, math.huge
    for _, problem in ipairs(record.problems) do
        local us = time_of(problem, kernel.name)
        local there = us and outputs(kernel.row, problem)
        local times_apart = us and math.max(there, wanted) / math.min(there, wanted)
        if us and times_apart < least then
            found, least = { us = us, problem = problem, device = record.device }, times_apart
        end
    end
    return found
end

-- A kernel's measured times, one a device that has any, each { us, problem, device }.
function tunings.times(records, kernel, size)
    local times = {}
    for _, record in ipairs(records) do
        times[#times + 1] = nearest_time(record, kernel, size)
    end
    return times
end

-- ---- What the table has ------------------------------------------------------------------------------------------

local function is_generic(name)
    return string.sub(name, 1, #"generic_") == "generic_"
end

-- The kernels that are in a set of names, and the generic ones, which every table has behind its own; nil where they
-- leave nothing to choose.
local function kept_kernels(kernels, names)
    local kept, is_known = {}, false
    for _, kernel in ipairs(kernels) do
        if names[kernel.name] or is_generic(kernel.name) then
            kept[#kept + 1] = kernel
            is_known = is_known or names[kernel.name]
        end
    end
    return is_known and #kept >= LEAST_KERNELS and kept or nil
end

local function kept_problems(record, names)
    local kept = {}
    for _, problem in ipairs(record.problems) do
        local kernels = kept_kernels(problem.kernels, names)
        if kernels then
            kept[#kept + 1] = { n = problem.n, h = problem.h, w = problem.w, groups = problem.groups,
                kernels = kernels }
        end
    end
    return kept
end

local function names_of(plans)
    local names = {}
    for _, plan in ipairs(plans) do
        names[plan.name] = true
    end
    return names
end

-- ---- Writing -----------------------------------------------------------------------------------------------------

-- A text as C has it: what could mean something else there is written as its code.
local function string_literal(text)
    return '"' .. string.gsub(text, "[^%w _.,:;()/@+-]", function(character)
        return ("\\%03o"):format(string.byte(character))
    end) .. '"'
end

-- More digits than a record has.
local function number_literal(value)
    return ("%.9g"):format(value)
end

-- Emits tunings.inc. A record of which the table has nothing is told: it is that of another table.
function tunings.emit(records, plans, manifest_name)
    local names, devices = names_of(plans), {}
    for _, record in ipairs(records) do
        local problems = kept_problems(record, names)
        if #problems > 0 then
            devices[#devices + 1] = { name = record.device, compute_capability = record.compute_capability,
                multiprocessors = record.multiprocessors, problems = problems }
        elseif not host.options.filter then
            host.warn(("%s:%d: %s has no problem with times of two kernels of this table"):format(record.where.file,
                record.where.line, record.path))
        end
    end
    host.step(nil)
    host.emit("tunings.inc", template.expand("templates/tunings.inc.lua", {
        manifest = manifest_name, devices = devices, text = string_literal, number = number_literal,
    }))
end

return tunings
