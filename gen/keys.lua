-- SPDX-License-Identifier: Apache-2.0
--
-- The dispatch table's keys: their enumerations, their order and their C text.
-- A key is { c_in, kh, kw, c_out, dtype, math, epilogue, target }.
local keys = {}

-- Each enumeration's names in the order of its enumerators in convsmith.h: the order of the table.
keys.enumerations = {
    dtype = { prefix = "CONVSMITH_", "f32", "f16", "bf16" },
    math = { prefix = "CONVSMITH_MATH_", "fp32", "tf32" },
    target = { prefix = "CONVSMITH_TARGET_", "host_base", "host_avx2", "host_avx512", "sm80", "sm90a" },
    schedule = { prefix = "CONVSMITH_SCHEDULE_", "recompute", "resident" },
}

-- The fields in the order in which they decide.
local fields = { "c_in", "kh", "kw", "c_out", "dtype", "math", "epilogue", "target" }

-- The place of `name` in an enumeration, or nil.
function keys.rank(enumeration, name)
    for i, known in ipairs(keys.enumerations[enumeration]) do
        if known == name then
            return i
        end
    end
    return nil
end

-- The C enumerator of a name.
function keys.enumerator(enumeration, name)
    return keys.enumerations[enumeration].prefix .. name:upper()
end

local function comparable(key, field)
    return keys.enumerations[field] and keys.rank(field, key[field]) or key[field]
end

-- Whether `a` comes before `b` in the table.
function keys.before(a, b)
    for _, field in ipairs(fields) do
        local left, right = comparable(a, field), comparable(b, field)
        if left ~= right then
            return left < right
        end
    end
    return false
end

-- A key as a C initialiser of convsmith_key.
function keys.initialiser(key)
    return string.format(
        "{.c_in = %d, .kh = %d, .kw = %d, .c_out = %d, .dtype = %s, .math = %s, .epilogue = \"%s\", .target = %s}",
        key.c_in, key.kh, key.kw, key.c_out, keys.enumerator("dtype", key.dtype), keys.enumerator("math", key.math),
        key.epilogue, keys.enumerator("target", key.target))
end

return keys
