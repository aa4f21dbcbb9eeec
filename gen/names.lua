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

-- The kernel's name. A CPU strategy has its target in its own name.
function names.kernel(plan, prefix)
    local key = plan.key
    local name = string.format("conv_%s_c%d_k%dx%d%s_o%d%s_%s_%s", key.dtype, key.c_in, key.kh, key.kw,
        convolution.code(plan.row), key.c_out, key.layout == "nchw" and "" or "_" .. key.layout,
        epilogue.code(plan.row.epilogue), plan.strategy)
    if plan.device == "cuda" then
        name = name .. "_" .. key.target
    end
    name = prefix and prefix .. "_" .. name or name
    if #name > MAX_NAME then
        fail(plan.row.where, "the kernel's name would have %d characters, more than %d; leave constants of its "
            .. "epilogue to be given at prepack, or choose a shorter --prefix", #name, MAX_NAME)
    end
    return name
end

return names
