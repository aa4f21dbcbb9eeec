-- SPDX-License-Identifier: Apache-2.0
--
-- `convsmith report`: the table's CUDA kernels (host.options), with the record of what nvcc made of them
-- (host.resources), if there is one -> JSON of the architecture profiles and of what the kernels take (host.result).
local arch = require_module("gen/arch.lua")
local json = require_module("gen/json.lua")
local occupancy = require_module("gen/occupancy.lua")
local resources = require_module("gen/resources.lua")

local record = resources.read(host.resources())
local kernels = occupancy(host.options, record)
for name, row in pairs(kernels) do
    row.compiled = record[name] and record[name].on or {}
end
host.result(json.text({ profiles = json.list(arch.profiles), kernels = kernels }))
return true
