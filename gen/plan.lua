-- SPDX-License-Identifier: Apache-2.0
--
-- From a manifest row to plans, one a kernel: which strategies serve the row, and what each lays out. Kernels of one
-- key are candidates: side by side in the table, in the order in which the runtime asks them.
local convolution = require_module("gen/convolution.lua")
local cost_of = require_module("gen/cost/init.lua")
local dtypes = require_module("gen/dtypes.lua")
local fail = require_module("gen/fail.lua")
local keys = require_module("gen/keys.lua")
local lower = require_module("gen/lower.lua")
local names = require_module("gen/names.lua")
local reliefs = require_module("gen/reliefs.lua")

local plan = {}

-- Added to the environment of every template.
plan.helpers = require_module("gen/arithmetic.lua")

-- A strategy is { name, math, dtypes, takes, device, target, schedule, template, ... }; `takes` is the set of the
-- layouts that it has kernels for and of the parameters of a convolution that need not be the default. A file gives a
-- list of them, in the order in which they are asked. Those with the same `shards` are compiled together; without any,
-- a strategy has its own. plan(row, lowered, reliefs) and refuses(row, lowered, reliefs) take a set of the names that
-- its `reliefs` have (gen/reliefs.lua), mostly an empty one.
plan.strategies = {}
for _, file in ipairs({ "resident", "depthwise", "wgmma", "mma", "ffma", "host" }) do
    for _, strategy in ipairs(require_module("gen/strategies/" .. file .. ".lua")) do
        plan.strategies[#plan.strategies + 1] = strategy
    end
end

local function contains(list, value)
    for _, item in ipairs(list) do
        if item == value then
            return true
        end
    end
    return false
end

local function key_for(row, lowered, strategy)
    return keys.of(row, strategy.math, lowered.name, strategy.target)
end

-- Where each part of the packed parameters begins, in floats: weights, the channels' constants, group_norm's weight
-- and bias.
local function packed_layout(row, lowered, sizes)
    local norm = sizes.weights + sizes.constants
    local floats = norm + (lowered.normalises and 2 * row.c_out or 0)
    return {
        weights = sizes.weights,
        constants = sizes.weights,
        norm_weight = norm,
        norm_bias = norm + row.c_out,
        bytes = plan.helpers.round_up(4 * floats, 16),
    }
end

local function expand_one(row, lowered, strategy, name, known)
    local geometry = strategy.plan(row, lowered, reliefs.set(known.reliefs))
    local packed = packed_layout(row, lowered, geometry.packed)
    return {
        name = name,
        row = row,
        reliefs = reliefs.in_words(strategy, known.reliefs, name),
        planned_by = strategy,
        strategy = strategy.name,
        shards = strategy.shards,
        template = geometry.template or strategy.template,
        extension = strategy.extension,
        shard_extension = strategy.shard_extension,
        device = strategy.device,
        dtype = dtypes[row.dtype],
        convolution = convolution.words(row),
        epilogue = lowered,
        geometry = geometry,
        packed = packed,
        resident = geometry.resident,
        gemm = geometry.gemm,
        key = key_for(row, lowered, strategy),
        info = {
            tile_c = geometry.tile_c,
            tile_h = geometry.tile_h,
            tile_w = geometry.tile_w,
            threads = geometry.threads,
            blocks_per_sm = geometry.blocks_per_sm or 0,
            registers = geometry.registers or 0,
            shared_bytes = geometry.shared_bytes,
            packed_bytes = packed.bytes,
            schedule = strategy.schedule,
            multiply_adds = row.group_c_in * row.kh * row.kw * row.c_out,
        },
    }
end

-- Whether a strategy has the row's dtype, one of its maths and one of its schedules, and is one of the row's CUDA
-- strategies, if it names some.
local function is_asked_for(strategy, row)
    return strategy.dtypes[row.dtype] and contains(row.math, strategy.math) and
        contains(row.schedule, strategy.schedule) and
        (not row.strategy or strategy.device ~= "cuda" or contains(row.strategy, strategy.name))
end

-- Why a strategy has no kernel for the row, or nil: it does not take the row's kind, or its sizes, or ptxas has found
-- no room for its kernel, whatever was done about that.
local function refusal_of(strategy, row, lowered, known)
    if not strategy.takes[row.layout] then
        return ("it has no kernels for layout %s"):format(row.layout)
    end
    local name, text = convolution.beyond(row, strategy.takes)
    if name then
        return ("it takes no %s of %s"):format(name, text)
    end
    if known.refused then
        return ("there is no room for its kernel: %s"):format(known.refused)
    end
    return strategy.refuses and strategy.refuses(row, lowered, reliefs.set(known.reliefs))
end

local function check_names(row)
    local known = {}
    for _, strategy in ipairs(plan.strategies) do
        if strategy.device == "cuda" and not contains(known, strategy.name) then
            known[#known + 1] = strategy.name
        end
    end
    for _, name in ipairs(row.strategy or {}) do
        if not contains(known, name) then
            fail(row.where, "strategy %q is unknown; those for CUDA are %s", name, table.concat(known, ", "))
        end
    end
end

-- The refusals that tell why a kernel is what it is: those of its math, for a CUDA kernel or where there is none.
local function refusals_behind(kernel, refusals, has_cuda)
    local behind = {}
    for _, refusal in ipairs(refusals) do
        if refusal.math == kernel.key.math and (kernel.device == "cuda" or not has_cuda[refusal.math]) then
            behind[#behind + 1] = refusal
        end
    end
    return behind
end

-- What a row asks for and does not get: a line for each math that has CUDA strategies for the row's dtype, none of
-- which serves. What may be tf32 may be exact, too.
local function gaps_of(row, refusals, has_cuda)
    local gaps, seen = {}, {}
    for _, strategy in ipairs(plan.strategies) do
        local math = strategy.math
        local wanted = strategy.device == "cuda" and strategy.dtypes[row.dtype] and contains(row.math, math)
        local stand_in = math == "tf32" and has_cuda.fp32
        if wanted and not has_cuda[math] and not stand_in and not seen[math] then
            seen[math] = true
            local reason = "none of the row's schedules and strategies has one"
            for _, refusal in ipairs(refusals) do
                if refusal.math == math then -- the last strategy takes the most rows: its reason says the most
                    reason = refusal.strategy .. ": " .. refusal.reason
                end
            end
            gaps[#gaps + 1] = ("no CUDA kernel of dtype %s with math %s (%s)"):format(row.dtype, math, reason)
        end
    end
    return gaps
end

-- ---- Candidates --------------------------------------------------------------------------------------------------

local PORTABLE = "sm80" -- what every GPU runs: on others the smaller kernel is one of these

-- How many kernels can serve on every GPU where `math` is asked for: what may be tf32 may be exact, too.
local function portable_count(kernels, math)
    local count = 0
    for _, kernel in ipairs(kernels) do
        local serves = kernel.key.math == math or math == "tf32"
        count = count + (serves and kernel.key.target == PORTABLE and 1 or 0)
    end
    return count
end

-- The same strategy's kernel with one relief more, if it can be one of less shared memory; nil: there is none.
local function smaller_beside(kernel, prefix, known_of)
    local step = reliefs.next(kernel, reliefs.less_shared) or reliefs.next(kernel)
    local name = names.kernel(kernel.row, kernel.planned_by, kernel.key, prefix, "small")
    local known = known_of(name)
    if not step or known.refused then
        return nil
    end
    local taken = reliefs.joined(kernel.reliefs, { { name = step.name } }, known.reliefs)
    return expand_one(kernel.row, kernel.epilogue, kernel.planned_by, name, { reliefs = taken })
end

-- Where one portable kernel would stand alone, a smaller one beside it: for GPUs and problems that it is too much for.
local function add_smaller(kernels, most, prefix, known_of)
    for i = 1, #kernels do
        local key = kernels[i].key
        if key.target == PORTABLE and portable_count(kernels, key.math) < most then
            kernels[#kernels + 1] = smaller_beside(kernels[i], prefix, known_of)
        end
    end
end

-- Tells each kernel which one of its key's it is.
local function number_candidates(kernels)
    local counts = {}
    for _, kernel in ipairs(kernels) do
        local key = kernel.key.math .. " " .. kernel.key.target
        counts[key] = (counts[key] or 0) + 1
        kernel.candidate = counts[key]
    end
end

-- ---- A row -------------------------------------------------------------------------------------------------------

-- Raises an error where a row has no kernel at all.
local function require_kernels(row, kernels, refusals)
    if #kernels == 0 then
        local refusal = refusals[#refusals] -- the last strategy takes the most rows: its reason says the most
        fail(
            row.where,
            "no strategy serves dtype %s with math %s and schedule %s%s",
            row.dtype,
            table.concat(row.math, ", "),
            table.concat(row.schedule, ", "),
            refusal and (" (%s: %s)"):format(refusal.strategy, refusal.reason) or ""
        )
    end
end

-- The plans of a row, up to row.candidates a key: the first strategies that are asked for and do not refuse the row.
-- Each plan knows who refused, and why. Second, a list of lines: the kernels that the row does not get.
-- `known_of(name)`: what the record has of the kernel of that name, { reliefs =, refused = } (gen/resources.lua).
function plan.expand(row, prefix, known_of)
    check_names(row)
    local lowered = lower(row.epilogue)
    local plans, refusals, served, has_cuda = {}, {}, {}, {}
    for _, strategy in ipairs(plan.strategies) do
        local key = strategy.math .. " " .. strategy.target
        if is_asked_for(strategy, row) then
            local name = names.kernel(row, strategy, key_for(row, lowered, strategy), prefix)
            local known = known_of(name)
            served[key] = served[key] or {}
            local enough = #served[key] >= row.candidates and table.concat(served[key], " and ") .. " come before it"
            local reason = enough or refusal_of(strategy, row, lowered, known)
            if reason then
                refusals[#refusals + 1] = { strategy = strategy.name, math = strategy.math, reason = reason }
            else
                plans[#plans + 1] = expand_one(row, lowered, strategy, name, known)
                served[key][#served[key] + 1] = strategy.name
                has_cuda[strategy.math] = has_cuda[strategy.math] or strategy.device == "cuda"
            end
        end
    end
    require_kernels(row, plans, refusals)
    add_smaller(plans, row.candidates, prefix, known_of)
    number_candidates(plans)
    for _, kernel in ipairs(plans) do
        kernel.refusals = refusals_behind(kernel, refusals, has_cuda)
        kernel.cost = cost_of(kernel)
    end
    return plans, gaps_of(row, refusals, has_cuda)
end

-- The plan of a row's kernel of that name, which has no prefix: a strategy's first one, or the smaller one beside it.
-- nil: no strategy that the row asks for has one.
function plan.kernel(row, name, known_of)
    local lowered = lower(row.epilogue)
    for _, strategy in ipairs(plan.strategies) do
        local first = names.kernel(row, strategy, key_for(row, lowered, strategy))
        local known = known_of(first)
        if is_asked_for(strategy, row) and not refusal_of(strategy, row, lowered, known) then
            local kernel = expand_one(row, lowered, strategy, first, known)
            kernel = first == name and kernel or smaller_beside(kernel, nil, known_of)
            if kernel and kernel.name == name then
                return kernel
            end
        end
    end
    return nil
end

return plan
