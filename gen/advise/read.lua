-- SPDX-License-Identifier: Apache-2.0
--
-- Metrics files: read(text, path) -> launches (gen/advise/launch.lua). Which of the forms a file has is seen from its
-- text. Patterns here and in forms/ take time in proportion to the text, whatever it is: none is counted while it runs.
local fail = require_module("gen/fail.lua")

local FORMS = 'JSON, { "kernel": { "metric": value } }, or what ncu prints with --csv, --page raw or --page details'

local function form_of(text)
    if string.find(text, "^[%s%[]*{") or string.find(text, "^%s*%[%s*%]") then
        return "json"
    elseif string.find(text, '"Metric Name"', 1, true) or string.find(text, "Kernel Name", 1, true) then
        return "csv"
    elseif string.find(text, ", Context %d+, Stream %d+") then
        return "text"
    end
    return nil
end

local function read(text, path)
    text = string.gsub(text, "^\xEF\xBB\xBF", "")
    if not string.find(text, "%S") then
        fail(nil, "%s: the file is empty; metrics are %s", path, FORMS)
    elseif string.find(text, "^NVR%z") then
        fail(nil, "%s: this is a report of ncu: ncu -i FILE --csv --page raw prints its metrics", path)
    end
    local form = form_of(text)
    local launches = form and require_module("gen/advise/forms/" .. form .. ".lua")(text, path) or {}
    if #launches == 0 then
        fail(nil, "%s: there are no metrics of a kernel here; they are %s", path, FORMS)
    end
    return launches
end

return read
