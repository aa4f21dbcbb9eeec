-- SPDX-License-Identifier: Apache-2.0
--
-- How tensor-core kernels cut the k axis, C_in x KH x KW. A step of eight k is two quads of four. A quad spans either
-- four channels of one tap (axis "channel") or four columns of one row of taps (axis "column", "two_columns"); few
-- channels ask for columns. Elements of 16 bits come in pairs of either: a step is of sixteen k, a quad is four pairs.
--
-- An axis has a granule (the channels of a chunk are a multiple of it), counts the quads of `channels` channels, and
-- gives them in their order: where each begins (channel c, row ky, column kx) and how many of its four lanes it uses.
-- `shift`: the columns that are staged before the first tap's.
--
-- `apart`: columns between a lane's two fours of pixels (mma_shape in src/device/mma.cuh); `skew`: what a staged plane
-- has beyond a multiple of 16 elements. A warp's loads then fall into different banks, and its stores fill sectors.
-- `vector`: inputs of f32 that a load brings; `overhang`: taps behind the last one that loads bring for nothing.
local divide_up = require_module("gen/arithmetic.lua").divide_up

local axes = {}

-- Fills the last step when the number of quads is odd.
axes.nothing = { c = 0, ky = 0, kx = 0, lanes = 0, first = 0, after = 0, label = "nothing" }

axes.channel = { granule = 4, apart = 16, skew = 4, vector = 4 }

function axes.channel.count(row, channels)
    return row.kh * row.kw * channels // 4
end

function axes.channel.quads(row, channels)
    local quads = {}
    for ky = 0, row.kh - 1 do
        for kx = 0, row.kw - 1 do
            for c = 0, channels - 1, 4 do
                local label = ("tap (%d,%d) channels %d-%d"):format(ky, kx, c, c + 3)
                quads[#quads + 1] = { c = c, ky = ky, kx = kx, lanes = 4, label = label }
            end
        end
    end
    return quads
end

-- Pairs of channels.
axes.pair = { granule = 8, apart = 4, skew = 8 }

function axes.pair.count(row, channels)
    return row.kh * row.kw * channels // 8
end

function axes.pair.quads(row, channels)
    local quads = {}
    for ky = 0, row.kh - 1 do
        for kx = 0, row.kw - 1 do
            for c = 0, channels - 1, 8 do
                local label = ("tap (%d,%d) channels %d-%d"):format(ky, kx, c, c + 7)
                quads[#quads + 1] = { c = c, ky = ky, kx = kx, lanes = 4, label = label }
            end
        end
    end
    return quads
end

axes.column = { granule = 1, apart = 8, skew = 8, vector = 1, overhang = 3 }

function axes.column.count(row, channels)
    return channels * row.kh * divide_up(row.kw, 4)
end

function axes.column.quads(row, channels)
    local quads = {}
    for c = 0, channels - 1 do
        for ky = 0, row.kh - 1 do
            for kx = 0, row.kw - 1, 4 do
                local lanes = math.min(4, row.kw - kx)
                local label = ("channel %d taps (%d,%d)-(%d,%d)"):format(c, ky, kx, ky, kx + lanes - 1)
                quads[#quads + 1] = { c = c, ky = ky, kx = kx, lanes = lanes, label = label }
            end
        end
    end
    return quads
end

-- Eight neighbouring columns as two quads: the even ones, and the odd ones. With even strides a lane's two inputs of a
-- step lie together in shared memory, at a multiple of 8 bytes.
axes.two_columns = { granule = 1, apart = 8, skew = 8, vector = 2, overhang = 8 }

function axes.two_columns.takes(row)
    return row.layout == "nchw" and row.dilation_w == 1 and row.stride_w % 2 == 0
end

function axes.two_columns.count(row, channels, shift)
    return 2 * channels * row.kh * divide_up(row.kw + shift % 2, 8)
end

function axes.two_columns.quads(row, channels, shift)
    local quads = {}
    local function add(c, ky, kx)
        local whole = kx >= 0 and kx + 6 < row.kw
        local label = ("channel %d row %d every other tap from %d on"):format(c, ky, kx)
        quads[#quads + 1] = { c = c, ky = ky, kx = kx, lanes = 4, cut = not whole, label = label }
    end
    for c = 0, channels - 1 do
        for ky = 0, row.kh - 1 do
            for kx = -(shift % 2), row.kw - 1, 8 do
                add(c, ky, kx)
                add(c, ky, kx + 1)
            end
        end
    end
    return quads
end

-- Pairs of columns, for rows of taps that are neighbours in x. Pairs begin at even columns of what is staged, where
-- they are words: if the first tap does not, at the column before it.
axes.column_pair = { granule = 1, apart = 4, skew = 8, overhang = 8 }

function axes.column_pair.takes(row)
    return row.layout == "nchw" and row.dilation_w == 1
end

function axes.column_pair.count(row, channels, shift)
    return channels * row.kh * divide_up(row.kw + shift % 2, 8)
end

function axes.column_pair.quads(row, channels, shift)
    local quads = {}
    for c = 0, channels - 1 do
        for ky = 0, row.kh - 1 do
            for kx = -(shift % 2), row.kw - 1, 8 do
                local first, last = math.max(kx, 0), math.min(kx + 8, row.kw) - 1
                local label = ("channel %d taps (%d,%d)-(%d,%d)"):format(c, ky, first, ky, last)
                local quad = { c = c, ky = ky, kx = kx, label = label }
                quad.first, quad.after = first - kx, last + 1 - kx -- the columns that are taps
                quads[#quads + 1] = quad
            end
        end
    end
    return quads
end

return axes
