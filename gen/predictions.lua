-- SPDX-License-Identifier: Apache-2.0
--
-- Predicted times (gen/predict.lua) for people, a part of --explain, and for machines.
local arch = require_module("gen/arch.lua")
local json = require_module("gen/json.lua")
local predict = require_module("gen/predict.lua")
local sizes = require_module("gen/sizes.lua")

local predictions = {}

-- The launch that takes the longest, and all of them where there are several.
local function launches_words(launches)
    local longest, parts = launches[1], {}
    for i, launch in ipairs(launches) do
        longest = launch.seconds > longest.seconds and launch or longest
        parts[i] = ("%s %.4f"):format(launch.what, launch.seconds * 1000)
    end
    local list = #launches > 1 and (" (%s)"):format(table.concat(parts, ", ")) or ""
    return ("%s by %s%s"):format(longest.what, longest.bound, list)
end

-- In words: the time, and what of it takes the longest, by what.
function predictions.words(kernel, profile, size)
    local prediction, why = predict.of(kernel, profile, size)
    if not prediction then
        return "no launch: " .. why
    end
    return ("%.4f ms, %s"):format(prediction.seconds * 1000, launches_words(prediction.launches))
end

-- The predicted times of a kernel, for machines: one entry a profile that it runs on.
local function entries_of(kernel, profiles, size)
    local list = {}
    for _, profile in ipairs(profiles) do
        if arch.runs(profile, kernel.key.target) then
            local prediction, why = predict.of(kernel, profile, size)
            local info = kernel.info
            local held = arch.occupancy(profile, info.threads, kernel.cost.registers, info.shared_bytes)
            list[#list + 1] = { name = kernel.name, arch = profile.name, n = size.n, h = size.h, w = size.w,
                groups = size.groups, tile = json.list({ info.tile_c, info.tile_h, info.tile_w }),
                blocks_per_sm = held.blocks, refused = why, seconds = prediction and prediction.seconds,
                launches = prediction and json.list(prediction.launches) }
        end
    end
    return list
end

-- Prints the predicted times alone, of all plans for CUDA. `problem`: as --problem gives it, or nil.
function predictions.print_json(plans, profiles, problem, print_line)
    local all = {}
    for _, kernel in ipairs(plans) do
        host.step(nil)
        if kernel.device == "cuda" then
            local list = entries_of(kernel, profiles, sizes.of(kernel.row, problem))
            table.move(list, 1, #list, #all + 1, all)
        end
    end
    print_line(json.text(json.list(all)))
end

return predictions
