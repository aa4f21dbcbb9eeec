-- SPDX-License-Identifier: Apache-2.0
--
-- Rows at the limits of what registers hold, compiled for sm_90a to see what ptxas makes of them, not run. Those of the
-- resident schedule have as many steps as find registers, for 8 to 64 columns, along channels and columns, in one piece
-- and in two; those on the copy engine products of the most columns, and much to do with them.
defaults {
    epilogue = { "bias", "add_channel", "mul_channel", "sigmoid", "group_norm" },
    schedule = { "resident" },
    reference = { n = 32, h = 64, w = 64, groups = 1 },
}

-- Two pieces: nine steps of full planes, eight of others.
conv { c_in = 8, kernel = "3x3", c_out = 8, math = { "fp32" } }
conv { c_in = 12, kernel = "2x3", c_out = 16, math = { "fp32" } }
conv { c_in = 36, kernel = "2x1", c_out = 40, math = { "fp32" } }
conv { c_in = 1, kernel = "8x7", c_out = 24, math = { "fp32" } }
conv { c_in = 7, kernel = "2x4", c_out = 16, math = { "fp32" } }
conv { c_in = 2, kernel = "4x8", c_out = 64, math = { "fp32" } }
conv { c_in = 5, kernel = "8x1", c_out = 32, math = { "fp32" } }

-- One piece: eighteen steps of full planes, sixteen of others.
conv { c_in = 16, kernel = "3x3", c_out = 8, math = { "tf32" } }
conv { c_in = 16, kernel = "3x3", c_out = 32, math = { "tf32" } }
conv { c_in = 18, kernel = "6x1", c_out = 16, math = { "tf32" } }
conv { c_in = 1, kernel = "10x9", c_out = 33, math = { "tf32" } }
conv { c_in = 2, kernel = "8x8", c_out = 64, math = { "tf32" } }
conv { c_in = 18, kernel = "2x5", c_out = 16, dtype = "f16" }
conv { c_in = 32, kernel = "3x3", c_out = 32, dtype = "bf16" }
conv { c_in = 18, kernel = "2x5", c_out = 64, dtype = "f16" }

-- Six steps in one piece and eight in two, with padding and values of any size: what has the most to keep.
for _, c_out in ipairs({ 16, 32 }) do
    conv { c_in = 8, kernel = "2x4", c_out = c_out, padding = 1, math = { "fp32" },
        epilogue = { "bias", "gelu", "group_norm" } }
end
for _, c_out in ipairs({ 16, 32, 64 }) do
    conv { c_in = 16, kernel = "2x3", c_out = c_out, padding = 1, dtype = "bf16",
        epilogue = { "bias", "mul_channel", "gelu", "group_norm" } }
end
for _, c_out in ipairs({ 16, 32 }) do
    conv { c_in = 2, kernel = "2x15", c_out = c_out, padding = 1, dtype = "f16",
        epilogue = { "bias", "mish", "instance_norm" } }
end

-- The copy engine: up to 256 columns, 240 of them normalised at once; pixels of 32, 64 and 128 bytes.
local function stored(c_in, kernel, c_out, dtype, epilogue, reference, layout)
    conv { c_in = c_in, kernel = kernel, c_out = c_out, dtype = dtype, math = { "tf32" }, epilogue = epilogue,
        padding = 1, schedule = { "stored" }, strategy = { "wgmma" }, reference = reference, layout = layout }
end
local every = { "f32", "f16", "bf16" }
local plain, normalised = { n = 64, h = 64, w = 62 }, { n = 64, h = 64, w = 62, groups = 1 }
local at_once = { n = 64, h = 64, w = 58, groups = 1 }
stored(64, "3x3", 64, every, {}, plain)
stored(64, "3x3", 128, every, { "bias", "add_channel", "mul_channel", "sigmoid", "group_norm" }, at_once)
stored(32, "3x3", 64, every, { "bias", "mish", "group_norm", "add_tensor", "mul_channel", "relu" }, normalised)
stored(16, "3x3", 96, every, { "bias", "gelu", "add_tensor", "tanh" }, plain)
stored(16, "3x3", 64, "f32", { "add_tensor", "group_norm", "relu",
    "add_tensor", "add_tensor", "add_tensor" }, normalised)
stored(8, "5x5", 64, "f32", { "bias", "silu", "instance_norm" }, plain)
stored(64, "3x3", 64, every, { "bias", "gelu", "group_norm", "mul_channel" }, at_once, { "nchw", "nhwc" })
