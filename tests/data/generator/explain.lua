-- SPDX-License-Identifier: Apache-2.0
--
-- Stands in for gen/explain.lua in the generator's tests: a line a plan.
local explain = {}

function explain.print(plans, _, options, print)
    for _, kernel in ipairs(plans) do
        print(string.format("%s line %d arch %s", kernel.name, kernel.row.where.line, options.arch or "all"))
    end
end

return explain
