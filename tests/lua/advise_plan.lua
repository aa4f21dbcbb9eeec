-- SPDX-License-Identifier: Apache-2.0
--
-- What kernels' names say: of each a name, the strategy, its dtype, and whether it normalises.
local plan = require_module("gen/advise/plan.lua")

local names = {
    { "conv_f32_c8_k3x3_o32_b_relu_mma_sm80", "mma", "f32", false },
    { "conv_f16_c8_k3x3_s2x2_p1x1_o32_nhwc_bamsg_mma16_sm80", "mma16", "f16", true },
    { "conv_bf16_c8_k3x3_o32_b_mma16_small_sm80", "mma16", "bf16", false },
    { "mine_conv_f32_c8_k3x3_o32_bsg_resident3_sm90a", "resident3", "f32", true },
    { "conv_f32_c8_k3x3_o32_instance_norm_ffma_small_sm80", "ffma", "f32", true },
}
for _, case in ipairs(names) do
    local name, strategy, dtype, normalises = table.unpack(case)
    local known = assert(plan.of(name), name .. " should be known")
    assert(known.strategy == strategy, ("%s is of strategy %s"):format(name, known.strategy))
    assert(known.dtype == dtype and known.normalises == normalises, name)
end

assert(plan.of("conv_f32_c8_k3x3_o32_b_ffma_small_sm80_merge").part == "merge", "a part of a smaller kernel")
assert(not plan.of("conv_f32_c8_k3x3_o32_b_small_sm80"), "a kernel of no strategy")
assert(not plan.of("fused_conv2d_kernel"), "a kernel of somebody else's")
return true
