-- SPDX-License-Identifier: Apache-2.0
--
-- The elements of tensors, by name. c: the type as device code writes it (src/device/ptx.cuh); element: its enumerator
-- in src/device/args.h; maths: the only maths there are, where a manifest's row has no say. Products of 16-bit elements
-- are exact in fp32, so that there is nothing to choose.
return {
    f32 = { name = "f32", c = "float", bytes = 4, element = "CS_F32" },
    f16 = { name = "f16", c = "f16", bytes = 2, element = "CS_F16", maths = { "fp32" } },
    bf16 = { name = "bf16", c = "bf16", bytes = 2, element = "CS_BF16", maths = { "fp32" } },
}
