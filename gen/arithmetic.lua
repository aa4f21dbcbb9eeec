-- SPDX-License-Identifier: Apache-2.0
--
-- Whole numbers, rounded up. Templates have these functions too.
local arithmetic = {}

function arithmetic.divide_up(a, b)
    return (a + b - 1) // b
end

function arithmetic.round_up(value, granule)
    return arithmetic.divide_up(value, granule) * granule
end

function arithmetic.greatest_divisor(a, b)
    while b ~= 0 do
        a, b = b, a % b
    end
    return a
end

return arithmetic
