-- SPDX-License-Identifier: Apache-2.0
--
-- The dispatch table's keys: their enumerations, their order and their C text.
-- A key is { c_in, kh, kw, c_out, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, conv_groups, layout, dtype,
-- math, epilogue, target }.
local keys = {}

-- Each enumeration's names in the order of its enumerators in convsmith.h: the order of the table.
keys.enumerations = {
    layout = { prefix = "CONVSMITH_", "nchw", "nhwc" },
    dtype = { prefix = "CONVSMITH_", "f32", "f16", "bf16" },
    math = { prefix = "CONVSMITH_MATH_", "fp32", "tf32" },
    target = { prefix = "CONVSMITH_TARGET_", "host_base", "host_avx2", "host_avx512", "sm80", "sm90a" },
    schedule = { prefix = "CONVSMITH_SCHEDULE_", "recompute", "resident", "stored" },
}

-- The fields in the order in which they decide, those with a default being left out of C's text where they have it.
local fields = {
    { name = "c_in" }, { name = "kh" }, { name = "kw" }, { name = "c_out" },
    { name = "stride_h", default = 1 }, { name = "stride_w", default = 1 },
    { name = "pad_h", default = 0 }, { name = "pad_w", default = 0 },
    { name = "dilation_h", default = 1 }, { name = "dilation_w", default = 1 },
    { name = "conv_groups", default = 1 }, { name = "layout", default = "nchw" },
    { name = "dtype" }, { name = "math" }, { name = "epilogue" }, { name = "target" },
}

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

local function comparable(key, name)
    return keys.enumerations[name] and keys.rank(name, key[name]) or key[name]
end

-- Whether `a` comes before `b` in the table.
function keys.before(a, b)
    for _, field in ipairs(fields) do
        local left, right = comparable(a, field.name), comparable(b, field.name)
        if left ~= right then
            return left < right
        end
    end
    return false
end

local function c_value(name, value)
    if keys.enumerations[name] then
        return keys.enumerator(name, value)
    end
    return type(value) == "string" and '"' .. value .. '"' or tostring(value)
end

-- A key as a C initialiser of convsmith_key.
function keys.initialiser(key)
    local parts = {}
    for _, field in ipairs(fields) do
        if key[field.name] ~= field.default then
            parts[#parts + 1] = ("." .. field.name .. " = ") .. c_value(field.name, key[field.name])
        end
    end
    return "{" .. table.concat(parts, ", ") .. "}"
end

-- The key of a row's kernel.
function keys.of(row, math, epilogue, target)
    local key = { math = math, epilogue = epilogue, target = target }
    for _, field in ipairs(fields) do
        key[field.name] = key[field.name] or row[field.name]
    end
    return key
end

return keys
