-- SPDX-License-Identifier: Apache-2.0
--
-- What profiles say, a rule a row:
--   name     its name in the output
--   bound    what it says that the kernel is bound by
--   reads    the keys of the counters (gen/advise/counters.lua) without which it says nothing
--   also     keys of counters that it reads where they are there
--   takes    whether it is for such a kernel at all, by its plan; left out: for every one
--   holds    whether it speaks
--   reason   why, in words; ${key} is a counter as the file has it
--   gain     the most of the kernel's time that the change can save, 0 to 1, and that arithmetic in words
--   change   the fields of the plan to change, the most promising first: { field, how, only }; `only` is the set of
--            kinds of kernels that it is for, left out: all. A rule without a change for a kernel is silent.
--            `steps` names those of the strategies' ladders (gen/reliefs.lua) that make the change where they do what
--            `aim` says (gen/advise/steps.lua); left out: a person makes it
--   untold   what is not told where counters are missing; left out: whether it is bound by that
--   is_unit  it speaks of a unit that is busy
-- `k` has v, the counters' values by key, the plan and more (gen/advise/kernel.lua). Of rules for the same gain, the
-- first ones are told first.
local rules = {}

for _, file in ipairs({ "units", "launch", "plan", "latency", "stalls" }) do
    for _, rule in ipairs(require_module("gen/advise/rules/" .. file .. ".lua")) do
        rules[#rules + 1] = rule
    end
end

return rules
