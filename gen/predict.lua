-- SPDX-License-Identifier: Apache-2.0
--
-- Predicted times of plans, on GPUs that need not be there: what src/predict.c says of a plan's cost (gen/cost/) and
-- a profile's rates (gen/rates.lua).
local convolution = require_module("gen/convolution.lua")
local cost = require_module("gen/cost.lua")
local keys = require_module("gen/keys.lua")
local rates = require_module("gen/rates.lua")

local function enumerator(enumeration, name)
    return keys.rank(enumeration, name) - 1
end

-- A copy of `fields` with the numbers that C has for its enumerations.
local function numbered(fields, enumerations)
    local copy = {}
    for name, value in pairs(fields) do
        copy[name] = value
    end
    for _, name in ipairs(enumerations) do
        copy[name] = enumerator(name, fields[name])
    end
    return copy
end

-- The cost in numbers alone: units are numbered in their order.
local function cost_of(kernel)
    local counted = numbered(kernel.cost, {})
    for i, name in ipairs(cost.units) do
        if name == counted.unit then
            counted.unit = i - 1
            return counted
        end
    end
    error("the cost's unit is unknown: " .. tostring(counted.unit))
end

-- `size`: { n, h, w, groups }.
local function problem_of(kernel, size)
    local row, chain = kernel.row, kernel.epilogue
    local problem = numbered(row, { "dtype" })
    problem.n, problem.h, problem.w = size.n, size.h, size.w
    problem.groups = chain.norm and chain.norm.kind == "instance" and row.c_out or size.groups
    problem.h_out, problem.w_out = convolution.output(row, size.h, size.w)
    problem.normalises = chain.normalises
    problem.tensors = chain.before.tensors + chain.behind.tensors
    return problem
end

local predict = {}

-- The prediction of a kernel for a problem of that size: { seconds, launches = { { what, seconds, bound }, ... } },
-- the seconds of a call from the start of its first launch to the end of its last; or nil, and why there is none.
function predict.of(kernel, profile, size)
    return host.predict({
        info = numbered(kernel.info, { "schedule" }),
        key = numbered(kernel.key, { "layout", "dtype", "math", "target" }),
        resident = kernel.resident,
        gemm = kernel.gemm,
        cost = cost_of(kernel),
        problem = problem_of(kernel, size),
        rates = rates.of(profile),
    })
end

return predict
