-- SPDX-License-Identifier: Apache-2.0
--
-- `convsmith advise --apply`: advice as steps of the strategies' ladders (gen/reliefs.lua), written into the record of
-- the program's table (gen/resources.lua). The generator then plans with them, as with those that ptxas asks for.
--
-- A kernel's row is made of what the table has of it, so that what a step does is known before it is written.
local arch = require_module("gen/arch.lua")
local epilogue = require_module("gen/epilogue.lua")
local fail = require_module("gen/fail.lua")
local manifest = require_module("gen/manifest.lua")
local plan = require_module("gen/plan.lua")
local reliefs = require_module("gen/reliefs.lua")
local report = require_module("gen/advise/report.lua")
local resources = require_module("gen/resources.lua")
local aims = require_module("gen/advise/steps.lua").aims

local options = host.options

-- ---- Kernels -----------------------------------------------------------------------------------------------------

-- Why nothing can be made of the counters of a launch, or nil.
local function refusal_of(launched)
    if not launched then
        return "it is no kernel of this program's table"
    elseif not launched.name then
        return "it is a kernel of another table than this program's, which has none for GPUs where CUDA is left out"
    elseif launched.counted_threads then
        return ("its counters are of blocks of %.0f threads, of another build"):format(launched.counted_threads)
    end
    return nil
end

-- The profiles that a launch can have run on: that of --arch, or those of as many multiprocessors, or all.
local function profiles_of(v)
    local profiles, alike = arch.chosen(options.arch), {}
    for _, profile in ipairs(profiles) do
        alike[#alike + 1] = profile.sms == v.sms and profile or nil
    end
    return #alike > 0 and alike or profiles
end

local function is_of_more_gain(a, b)
    a, b = a.advice, b.advice
    return a.gain > b.gain or a.gain == b.gain and a.order < b.order
end

-- The kernels of the table that were launched, in that order, each { launched, list }, a list of { advice, seen }: what
-- is advised on each of its launches that convolve, the greatest gain first, and what aims of steps look at
-- (gen/advise/steps.lua). And lines about launches of other kernels.
local function kernels_of(results)
    local kernels, index, refused = {}, {}, {}
    for _, result in ipairs(results) do
        local k, advised = table.unpack(result)
        local refusal = refusal_of(k.plan)
        if refusal then
            refused[#refused + 1] = ("%s: %s"):format(report.printable(k.name), refusal)
        else
            local kernel = index[k.plan.name] or { launched = k.plan, list = {} }
            if not index[k.plan.name] then
                kernels[#kernels + 1], index[k.plan.name] = kernel, kernel
            end
            for _, advice in ipairs(k.plan.part and {} or advised.advice) do
                kernel.list[#kernel.list + 1] = { advice = advice, seen = { v = k.v, profiles = profiles_of(k.v) } }
            end
        end
    end
    for _, kernel in ipairs(kernels) do
        table.sort(kernel.list, is_of_more_gain)
    end
    return kernels, refused
end

local function pair(h, w)
    return ("%dx%d"):format(h, w)
end

-- The row that the table's kernel may be of.
local function row_of(k)
    return manifest.row({
        c_in = k.c_in, kernel = pair(k.kh, k.kw), c_out = k.c_out, stride = pair(k.stride_h, k.stride_w),
        padding = pair(k.pad_h, k.pad_w), dilation = pair(k.dilation_h, k.dilation_w), conv_groups = k.conv_groups,
        dtype = k.dtype, math = { k.math }, layout = k.layout, schedule = { k.schedule }, strategy = { k.strategy },
        epilogue = epilogue.given(k.epilogue),
        reference = { n = k.ref_n, h = k.ref_h, w = k.ref_w, groups = k.ref_groups > 0 and k.ref_groups or nil },
    })
end

-- ---- Steps -------------------------------------------------------------------------------------------------------

-- The first step that makes one of the changes of an advice; nil where a person has to.
local function step_of(kernel, advice, seen)
    for _, change in ipairs(advice.changes) do
        local function serves(after, before)
            return aims[change.aim](after, before, seen)
        end
        local step = change.steps and reliefs.next(kernel, serves, change.steps)
        if step then
            return step
        end
    end
    return nil
end

local function reason_of(advice)
    return ("a profile shows it bound by %s, at most %.0f %% of the time: %s"):format(advice.bound, 100 * advice.gain,
        advice.reason)
end

-- The step for the greatest gain, { name, done, because }; nil: there is none.
local function best_step(kernel, list)
    for _, item in ipairs(list) do
        local advice = item.advice
        local step = advice.gain > 0 and step_of(kernel, advice, item.seen)
        if step then
            return { name = step.name, done = step.done, because = reason_of(advice) }
        end
    end
    return nil
end

local nothing_known = { reliefs = {} }

-- Adds to the record what is advised for a kernel; whether that is something, and a line about it.
local function apply_to(record, launched, list)
    local name = launched.name
    local kernel = plan.kernel(row_of(launched), name, function(wanted)
        return record[wanted] or nothing_known
    end)
    if not kernel then
        return false, ("%s: nothing to apply: with what the record has it is not planned any more"):format(name)
    end
    local step = best_step(kernel, list)
    if not step then
        return false, ("%s: nothing to apply: no step that %s has left makes what is advised"):format(name,
            launched.strategy)
    end
    local entry = record[name] or { on = {}, reliefs = {} }
    entry.reliefs[#entry.reliefs + 1] = { name = step.name, because = step.because }
    record[name] = entry
    return true, ("%s: %s, since %s"):format(name, step.done, step.because)
end

-- ---- The record --------------------------------------------------------------------------------------------------

-- The record of the table; an empty one is a new one.
local function load_record()
    local record = resources.read(host.read_record(), options.apply)
    for name in pairs(record) do
        if host.kernel(name) then
            return record
        end
    end
    local other = next(record)
    if other then
        fail(nil, "%s is the record of another table: of the kernels that it names, such as %s, this program has none",
            options.apply, report.printable(other))
    end
    return record
end

local function check_kernels(kernels, refused)
    if #kernels == 0 then
        fail(nil, "nothing of %s can be applied: %s%s", options.file, refused[1],
            #refused > 1 and (" (and %d more)"):format(#refused - 1) or "")
    end
end

-- Applies what is advised on launches, a list of { k, advised }, and says what was done.
local function apply(results)
    local kernels, lines = kernels_of(results)
    check_kernels(kernels, lines)
    local record, count = load_record(), 0
    for _, kernel in ipairs(kernels) do
        local is_applied, line = apply_to(record, kernel.launched, kernel.list)
        count = count + (is_applied and 1 or 0)
        lines[#lines + 1] = line
    end
    if count > 0 then
        host.write_record(resources.text(record))
        lines[#lines + 1] = ("%d step(s) written to %s: build, then profile again"):format(count, options.apply)
    else
        lines[#lines + 1] = ("nothing to apply: %s stays as it is"):format(options.apply)
    end
    host.print(table.concat(lines, "\n"))
end

return apply
