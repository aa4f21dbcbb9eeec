-- SPDX-License-Identifier: Apache-2.0
--
-- Each rule of `convsmith advise`: counters that make it speak, with the gain that it promises, and others that do not.
local advise = require_module("gen/advise/engine.lua")
local counters = require_module("gen/advise/counters.lua")
local kernel = require_module("gen/advise/kernel.lua")
local kinds = require_module("gen/advise/kinds.lua")
local plan = require_module("gen/plan.lua")
local rules = require_module("gen/advise/rules.lua")
local steps = require_module("gen/advise/steps.lua")

local WGMMA = "conv_f16_c64_k3x3_p1x1_o64_b_silu_wgmma_sm90a"
local MMA, NORM = "conv_f32_c8_k3x3_o32_b_relu_mma_sm80", "conv_f32_c8_k3x3_o32_bamsg_mma_sm80"

-- By rule: the counters, by key, of a kernel (`name`; "kernel") that it speaks of, beside those of a kernel of which no
-- unit is busy; the gain; what is changed so that it is silent.
local idle = { sm = 40, dram = 30 }
local cases = {
    dram = { { dram = 80, l2 = 60 }, gain = 1 - 60 / 80, silent = { dram = 50 } },
    l2 = { { l2 = 80, l1 = 40 }, gain = 0.5, silent = { l2 = 59 } },
    l1 = { { l1 = 80, fma = 20, dram = 20 }, gain = 0.75, silent = { l1 = 30 } },
    tensor = { { tensor = 75, l1 = 45 }, gain = 0.4, silent = { tensor = 60, l1 = 70 } },
    fma = { { fma = 90, dram = 45 }, gain = 0.5, silent = { fma = 5 } },
    xu = { { xu = 60, dram = 30 }, gain = 0.5, silent = { xu = 59 }, name = NORM },
    alu = { { alu = 80, fma = 60 }, gain = 0.25, silent = { alu = 20 } },
    issue = { { issue = 80, alu = 60 }, gain = 0.25, silent = { issue = 50 } },

    few_blocks = { { grid = 33, sms = 132 }, gain = 0.75, silent = { grid = 132 } },
    tail = { { waves = 1.5 }, gain = 0.25, silent = { waves = 3 } },
    unfilled = { { waves = 0.7, grid = 264, sms = 132 }, gain = 0.3, silent = { waves = 1 } },
    uneven = { { cycles = 800, most_cycles = 1000, grid = 132, sms = 132 }, gain = 0.2, silent = { cycles = 990 } },
    short = { { time = 6000 }, gain = 0.5, silent = { time = 60000 } },

    copy = { {}, name = WGMMA .. "_copy", gain = 1, silent_name = WGMMA },
    recompute = { {}, name = NORM, gain = 0.5, silent_name = MMA },
    spills = { { spills = 100, spill_share = 20, registers = 255 }, gain = 0.2, silent = { spills = 0 } },

    index_arithmetic = { { l2_hits = 86 }, gain = 1 - 40 / 90, silent = { l2_hits = 40 } },
    latency = { {}, gain = 1 - 40 / 90, silent = { sm = 85 } },
    occupancy = { { warps = 16, sm = 9 }, gain = 0.5, silent = { warps = 80 } },
    registers = { { registers = 200, limit_registers = 2, warps = 12, limit_shared = 3, sm = 9 }, gain = 1 / 3,
        silent = { limit_shared = 1 } },
    shared_memory = { { limit_shared = 1, limit_registers = 4, warps = 12, sm = 9 }, gain = 0.5,
        silent = { limit_registers = 0 } },
}

-- Half of the time of warps, and then a tenth.
for _, stall in ipairs({ "long_scoreboard", "short_scoreboard", "wait", "barrier", "gmma", "math_pipe_throttle",
    "mio_throttle", "lg_throttle", "no_instruction", "branch_resolving", "membar", "sleeping" }) do
    local key = "stall_" .. stall
    cases[stall] = { { [key] = 5, warp_latency = 10, sm = 9 }, gain = 0.5, silent = { [key] = 1 },
        name = (stall == "gmma" or stall == "sleeping") and WGMMA or MMA }
end

local function launch_of(name, ...)
    local metrics = {}
    for _, values in ipairs({ ... }) do
        for key, value in pairs(values) do
            metrics[counters.by_key[key].names[1]] = { value = value, unit = "" }
        end
    end
    return { name = name, path = "test", metrics = metrics }
end

-- What the rule of that name says of a kernel; nil when it is silent.
local function said(rule_name, launch)
    local advised = advise(kernel.of(launch))
    for i, advice in ipairs(advised.advice) do
        local before = advised.advice[i - 1]
        assert(advice.gain >= 0 and advice.gain <= 1, advice.rule .. " promises a gain of " .. advice.gain)
        assert(not before or before.gain >= advice.gain, advice.rule .. " is told too late")
        assert(#advice.changes > 0, advice.rule .. " has nothing to change")
    end
    for _, advice in ipairs(advised.advice) do
        if advice.rule == rule_name then
            return advice
        end
    end
    return nil
end

local function cites(advice, keys)
    for _, key in ipairs(keys) do
        local name, found = counters.by_key[key].names[1], false
        for _, counter in ipairs(advice.counters) do
            found = found or counter.name == name
        end
        assert(found, ("%s does not cite %s"):format(advice.rule, name))
    end
end

local function check(rule)
    local case = assert(cases[rule.name], "the rule " .. rule.name .. " has no test")
    local name = case.name or "kernel"
    local advice = said(rule.name, launch_of(name, idle, case[1]))
    assert(advice, rule.name .. " should speak")
    assert(math.abs(advice.gain - case.gain) < 1e-9, ("%s promises %s"):format(rule.name, advice.gain))
    cites(advice, rule.reads)
    assert(not string.find(advice.reason, "${", 1, true), rule.name .. " says: " .. advice.reason)
    assert(not said(rule.name, launch_of(case.silent_name or name, idle, case[1], case.silent or {})),
        rule.name .. " should be silent")
end

-- Without a counter that it needs, a rule is silent, and the counter is named.
local function check_missing(rule)
    local case = cases[rule.name]
    for _, key in ipairs(rule.reads) do
        local launch = launch_of(case.name or "kernel", { limit_warps = 4 }, idle, case[1])
        launch.metrics[counters.by_key[key].names[1]] = nil
        assert(not said(rule.name, launch), ("%s speaks without %s"):format(rule.name, key))
        local named = false
        for _, section in ipairs(advise(kernel.of(launch)).missing) do
            named = named or section.names[counters.by_key[key].family or counters.by_key[key].names[1]]
        end
        assert(named, ("%s is missing, and not named"):format(key))
    end
end

local count = 0
for _, rule in ipairs(rules) do
    check(rule)
    check_missing(rule)
    count = count + 1
end
for name in pairs(cases) do
    count = count - 1
    assert(count >= 0, name .. " may be a test of no rule")
end

-- Every strategy is of one of the kinds that rules speak of.
for _, strategy in ipairs(plan.strategies) do
    local name = strategy.name
    assert(strategy.device ~= "cuda" or kinds.threads[name] or kinds.roles[name], name .. " is of no kind")
end

-- Steps are those of strategies' ladders, and a change that names some is for a kernel that has one.
local rungs = {}
for _, strategy in ipairs(plan.strategies) do
    for _, rung in ipairs(strategy.reliefs or {}) do
        rungs[rung.name] = rungs[rung.name] or {}
        rungs[rung.name][strategy.name] = true
    end
end

local function has_kernels(step, only)
    for strategy in pairs(rungs[step]) do
        if not only or only[strategy] then
            return true
        end
    end
    return false
end

local function check_steps(rule, change)
    local some = false
    for step in pairs(change.steps) do
        assert(rungs[step], ("%s: no strategy has a step %s"):format(rule.name, step))
        some = some or has_kernels(step, change[3])
    end
    assert(some, ("%s: none of the kernels for which it says %q has one of its steps"):format(rule.name, change[2]))
    assert(steps.aims[change.aim], ("%s: a change by steps has no aim"):format(rule.name))
end

local changes_by_steps = 0
for _, rule in ipairs(rules) do
    for _, change in ipairs(rule.change) do
        if change.steps then
            check_steps(rule, change)
            changes_by_steps = changes_by_steps + 1
        end
    end
end
assert(changes_by_steps > 0, "no change is made by steps")

-- What a profile knows: memory is as busy as it can be when it is as fast as a stream.
local h200 = require_module("gen/arch.lua").find("h200")
local stream = kernel.of(launch_of("kernel", { dram = 80 }), h200)
assert(stream.share("dram") > 95, "80 % of an H200's peak is nearly all that a stream gets")

return true
