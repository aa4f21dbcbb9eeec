-- SPDX-License-Identifier: Apache-2.0
--
-- The problem that is predicted: a row's reference, or the one that --problem names.
local convolution = require_module("gen/convolution.lua")
local fail = require_module("gen/fail.lua")

local MOST = 1 << 31

-- { n, h, w, groups or nil } of "N,H,W" or "N,H,W,GROUPS"; nil for nil.
local function read(text)
    if not text then
        return nil
    end
    local numbers = {}
    for part in string.gmatch(text .. ",", "([^,]*),") do
        local value = string.match(part, "^%d+$") and tonumber(part)
        if not value or value < 1 or value >= MOST then
            numbers = {}
            break
        end
        numbers[#numbers + 1] = value
    end
    if #numbers < 3 or #numbers > 4 then
        fail(nil, "--problem is N,H,W or N,H,W,GROUPS, whole numbers from 1 on, not '%s'", text)
    end
    return { n = numbers[1], h = numbers[2], w = numbers[3], groups = numbers[4] }
end

local sizes = {}

-- The size to predict a row's kernels for, { n, h, w, groups, is_reference }: `text` as --problem gives it, with the
-- row's groups where it has none, or the row's reference.
function sizes.of(row, text)
    local size = read(text) or row.reference
    local groups = size.groups or row.reference.groups
    if groups > 0 and row.c_out % groups ~= 0 then
        fail(row.where, "--problem has %d groups, which do not divide c_out = %d", groups, row.c_out)
    end
    local h_out, w_out = convolution.output(row, size.h, size.w)
    if h_out < 1 or w_out < 1 then
        fail(row.where, "--problem is %d high and %d wide, which with its padding is smaller than the kernel", size.h,
            size.w)
    end
    return { n = size.n, h = size.h, w = size.w, groups = groups, is_reference = text == nil }
end

return sizes
