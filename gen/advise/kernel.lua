-- SPDX-License-Identifier: Apache-2.0
--
-- A launch as rules see it: of(launch, profile) -> k, with `v`, the values of its counters by key, `plan`, what is
-- known of it by its name, and functions of both.
local arch = require_module("gen/arch.lua")
local fail = require_module("gen/fail.lua")
local kinds = require_module("gen/advise/kinds.lua")
local place = require_module("gen/advise/launch.lua").place
local plan_of = require_module("gen/advise/plan.lua").of
local unit_rules = require_module("gen/advise/rules/units.lua")
local units = require_module("gen/advise/units.lua")
local values_of = require_module("gen/advise/values.lua")
local shown = require_module("gen/values.lua").shown

local kernel = {}

-- Base units that words need; the others count what is named.
local measures = { ["%"] = true, byte = true, ns = true, ["byte/ns"] = true }

-- What else reasons name, of the profile.
local profile_words = {
    stream = function(profile)
        return (", ${dram_rate} of %d GB/s that a plain stream gets (%s)"):format(profile.stream_gbs, profile.name)
    end,
    shared_rate = function(profile)
        return (" of %d bytes a cycle (%s)"):format(profile.shared_bytes_per_cycle, profile.name)
    end,
    special_rate = function(profile)
        return (", %d a cycle (%s),"):format(profile.special_per_cycle, profile.name)
    end,
}

-- Whether what the driver calls a GPU, "NVIDIA GeForce RTX 4090", has a profile's name in it.
local function is_named(device, profile)
    return string.find(string.lower(string.gsub(device, " ", "")), profile.name, 1, true) ~= nil
end

-- Whether a device's name is that of another profile than this one. Of a GPU without a profile one may be a stand-in.
local function is_of_another(device, profile)
    for _, other in ipairs(arch.profiles) do
        if is_named(device, other) and not is_named(device, profile) then
            return true
        end
    end
    return false
end

-- The counters must be those of the profile's GPU, as far as that shows: in its name, in its multiprocessors, and in
-- that it runs such a kernel.
local function check_profile(launch, v, plan, profile)
    local why = nil
    if v.sms and v.sms ~= profile.sms then
        why = ("ran on %.0f multiprocessors, and %s has %d"):format(v.sms, profile.name, profile.sms)
    elseif launch.device and is_of_another(launch.device, profile) then
        why = ("ran on %s, not on %s"):format(shown(launch.device), profile.name)
    elseif plan and plan.device == "cuda" and not arch.runs(profile, plan.target) then
        why = ("is for %s, which %s does not run"):format(plan.target, profile.name)
    end
    if why then
        fail(nil, "%s: %s %s: the counters are of another GPU", place(launch, launch.line), shown(launch.name), why)
    end
end

-- A row of the table may have changed since the counters were taken: notes that they are of other blocks than its.
local function with_threads(plan, threads)
    if plan and plan.threads and not plan.part and threads and threads ~= plan.threads then
        plan.counted_threads = threads
    end
    return plan
end

function kernel.of(launch, profile)
    local v, cited = values_of(launch)
    local k = { name = launch.name, v = v, cited = cited, plan = with_threads(plan_of(launch.name), v.threads) }
    if profile then
        check_profile(launch, v, k.plan, profile)
    end
    if profile and not v.sms then
        v.sms, cited.sms = profile.sms, { name = "sms of " .. profile.name, value = profile.sms, unit = "" }
    end

    -- Percent of what is to be had of a unit: of memory, where that is known, what a plain stream gets.
    function k.share(key)
        local most = key == "dram" and profile and profile.stream_gbs / profile.dram_gbs or 1
        return v[key] and math.min(100, v[key] / most) or 0
    end

    -- The share of the unit that is busiest beside that of `key`, and its name.
    function k.busiest_but(key)
        local most, bound = 0, "nothing that was counted"
        for _, rule in ipairs(unit_rules) do
            if rule.name ~= key and k.share(rule.name) > most then
                most, bound = k.share(rule.name), rule.bound
            end
        end
        return most, bound
    end

    -- Percent of what is to be had of the busiest unit; `sm` is that of any of a multiprocessor's.
    local function busiest()
        return math.max(v.sm or 0, (k.busiest_but(nil)))
    end

    -- Whether a unit is busy, and no other one much more so.
    function k.binds(key)
        return k.share(key) >= kinds.BUSY and k.share(key) >= kinds.NEARLY * busiest()
    end

    -- The share of the time that would be saved if the busiest unit were as busy as can be.
    function k.headroom()
        return math.max(0, 1 - busiest() / kinds.HAD)
    end

    function k.headroom_words()
        return ("1 - %.1f/%d, with the busiest unit at %d %%"):format(busiest(), kinds.HAD, kinds.HAD)
    end

    function k.is_idle()
        return k.headroom() >= kinds.LEAST_HEADROOM
    end

    function k.bound_of(key)
        for _, rule in ipairs(unit_rules) do
            if rule.name == key then
                return rule.bound
            end
        end
        return key
    end

    -- A counter in words, with its unit where that is more than what is counted.
    function k.words(key)
        local counter = assert(cited[key], key)
        local base = units.read(counter.unit)
        local unit = base == "byte/ns" and counter.unit or string.match(counter.unit, "^[^/]*")
        return units.text(counter.value) .. (measures[base] and " " .. unit or "")
    end

    -- A reason's words, its ${...} filled in.
    function k.filled(text)
        local function fill(name)
            local words = profile_words[name]
            if not words then
                return k.words(name)
            end
            return profile and (name ~= "stream" or cited.dram_rate) and k.filled(words(profile)) or ""
        end
        return (string.gsub(text, "%${([%w_]+)}", fill))
    end

    return k
end

return kernel
