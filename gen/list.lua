-- SPDX-License-Identifier: Apache-2.0
--
-- `convsmith list`: the table's CUDA kernels (host.options), with the record of the shipped ones (host.resources), if
-- there is one -> JSON of what they take of a multiprocessor (host.result).
local json = require_module("gen/json.lua")
local occupancy = require_module("gen/occupancy.lua")
local resources = require_module("gen/resources.lua")

local record = resources.read(host.resources())
host.result(json.text(occupancy(host.options, record)))
return true
