-- SPDX-License-Identifier: Apache-2.0
--
-- A launch of a kernel, as a file has it: { name, path, line, metrics, device }; metrics are { value or text, unit,
-- line } by the counter's name there, those that rules read alone; device is what the driver calls the GPU, or nil.
-- JSON has no lines.
local counters = require_module("gen/advise/counters.lua")
local fail = require_module("gen/fail.lua")
local units = require_module("gen/advise/units.lua")
local shown = require_module("gen/values.lua").shown

local launch = {}

launch.DEVICE = "device__attribute_display_name"

function launch.new(name, path, line)
    return { name = name, path = path, line = line, metrics = {} }
end

-- The file and line, in messages.
function launch.place(self, line)
    return line and ("%s:%d"):format(self.path, line) or self.path
end

-- Adds what a line says of a metric, unless it was not taken. The same metric may stand twice, with the same value.
function launch.add(self, name, text, unit, line)
    if name == launch.DEVICE then
        self.device = text
    end
    if not counters.keys[name] or units.is_absent(text) then
        return
    end
    local before = self.metrics[name]
    if before and (before.text ~= text or before.unit ~= unit) then
        fail(nil, "%s: %s of %s is %s, and %s before: they contradict each other", launch.place(self, line), name,
            shown(self.name), shown(text), shown(before.text))
    end
    self.metrics[name] = { text = text, unit = unit, line = line }
end

-- Adds a number in the counter's own unit.
function launch.add_value(self, name, value)
    self.metrics[name] = { value = value, unit = "" }
end

return launch
