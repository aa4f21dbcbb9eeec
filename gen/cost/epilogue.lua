-- SPDX-License-Identifier: Apache-2.0
--
-- What the steps in front of a normalisation ask for, a value.
local RESULTS = 2 -- of special functions, of a curve: an exponential and a reciprocal or a logarithm

-- { curves, special }: steps that are computed with special functions, and their results.
return function(side)
    local curves = 0
    for _, op in ipairs(side.ops) do
        if op.curve or op.kind == "sigmoid" then
            curves = curves + 1
        end
    end
    return { curves = curves, special = RESULTS * curves }
end
