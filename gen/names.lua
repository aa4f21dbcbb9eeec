-- SPDX-License-Identifier: Apache-2.0
--
-- A kernel's name is its function's, its file's and what it is:
-- [<prefix>_]conv_<dtype>_c<C_in>_k<KH>x<KW>[_s<SH>x<SW>][_p<PH>x<PW>][_d<DH>x<DW>][_g<conv_groups>]_o<C_out>[_nhwc]
-- _<epilogue code>_<strategy>[_<target>], in one word; what is in brackets only where it is not the default.
local convolution = require_module("gen/convolution.lua")
local epilogue = require_module("gen/epilogue.lua")
local fail = require_module("gen/fail.lua")

local names = {}

local MAX_PREFIX = 64
local MAX_NAME = 200 -- which leaves room in file names, of 255 characters at most

-- Raises an error unless `prefix`, which may be nil, can begin a C identifier.
function names.check_prefix(prefix)
    if prefix and (#prefix > MAX_PREFIX or not string.find(prefix, "^%a[%w_]*$")) then
        fail(nil, "--prefix is '%s'; it is a letter, then letters, digits and '_', at most %d in all", prefix,
            MAX_PREFIX)
    end
end

-- The name of a strategy's kernel for a row; `variant` tells it from the strategy's first one for the same row. A CPU
-- strategy has its target in its own name. What a prefix and the sizes leave room for is enough for any epilogue's
-- code.
function names.kernel(row, strategy, key, prefix, variant)
    local head = string.format("%sconv_%s_c%d_k%dx%d%s_o%d%s_", prefix and prefix .. "_" or "", key.dtype, key.c_in,
        key.kh, key.kw, convolution.code(row), key.c_out, key.layout == "nchw" and "" or "_" .. key.layout)
    local tail = "_" .. strategy.name .. (variant and "_" .. variant or "") ..
        (strategy.device == "cuda" and "_" .. key.target or "")
    return head .. epilogue.code(row.epilogue, MAX_NAME - #head - #tail) .. tail
end

return names
