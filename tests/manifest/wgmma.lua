-- SPDX-License-Identifier: Apache-2.0
--
-- Kernels on the copy engine and Hopper's products, small ones: every width of a pixel's row (32, 64, 128 bytes) in
-- one chunk and in several, stages of one tap and of more, channels that fill no chunk and no block, products of few
-- columns (small references) and of many.
defaults { candidates = 1, math = { "tf32" }, schedule = { "stored" }, epilogue = {},
    reference = { n = 1, h = 14, w = 14 } }
local wgmma = { "wgmma" }
local sixteen = { "f16", "bf16" }
local large = { n = 16, h = 60, w = 60 }

-- One chunk.
conv { c_in = 16, kernel = "3x3", c_out = 64, dtype = sixteen, padding = 1, strategy = wgmma }
conv { c_in = 24, kernel = "3x3", c_out = 50, dtype = "f16", dilation = 2, padding = 2, strategy = wgmma,
    epilogue = { "bias", "group_norm" } }
conv { c_in = 64, kernel = "3x3", c_out = 64, dtype = "bf16", padding = 1, strategy = wgmma,
    epilogue = { "bias", "silu", "group_norm" } }
conv { c_in = 8, kernel = "3x2", c_out = 40, strategy = wgmma, epilogue = { "bias", "relu" } }
conv { c_in = 13, kernel = "2x5", c_out = 64, dilation = "2x1", padding = "1x0", strategy = wgmma,
    epilogue = { "group_norm" } }
conv { c_in = 32, kernel = "1x1", c_out = 70, strategy = wgmma, epilogue = { "mul_channel" } }

-- Several: the last one full, or with channels that x does not have.
conv { c_in = 40, kernel = "3x1", c_out = 80, dtype = "f16", padding = "1x0", strategy = wgmma,
    epilogue = { "bias", "sigmoid", "instance_norm" } }
conv { c_in = 90, kernel = "1x3", c_out = 64, dtype = "bf16", padding = "0x1", strategy = wgmma }
conv { c_in = 128, kernel = "1x1", c_out = 130, dtype = "f16", strategy = wgmma, epilogue = { "group_norm" } }
conv { c_in = 21, kernel = "2x2", c_out = 48, strategy = wgmma }
conv { c_in = 48, kernel = "3x3", c_out = 64, dilation = 3, padding = 2, strategy = wgmma }
conv { c_in = 64, kernel = "1x2", c_out = 64, strategy = wgmma, epilogue = { "bias", "gelu", "group_norm" } }

-- One tap of 16 bits, which reads planes: channels that fill one chunk, and that do not fill the last of several.
conv { c_in = 16, kernel = "1x1", c_out = 64, dtype = "f16", strategy = wgmma }
conv { c_in = 72, kernel = "1x1", c_out = 80, dtype = "bf16", strategy = wgmma, reference = large,
    epilogue = { "bias", "add_tensor", "relu" } }

-- So many products a pixel that the blocks copy x beside them: channels that fill the last 64, and that do not.
conv { c_in = 128, kernel = "3x3", c_out = 140, dtype = "f16", padding = 1, strategy = wgmma }
conv { c_in = 72, kernel = "3x3", c_out = 200, padding = 1, strategy = wgmma }

-- Tensors like y, and steps behind a normalisation.
conv { c_in = 16, kernel = "2x3", c_out = 72, dtype = "f16", padding = 1, strategy = wgmma,
    epilogue = { "bias", "add_tensor", "relu" } }
conv { c_in = 16, kernel = "3x3", c_out = 44, padding = 1, strategy = wgmma,
    epilogue = { "bias", "sigmoid", "group_norm", "add_tensor", "relu", "mul_channel" } }

-- Products of more columns.
conv { c_in = 16, kernel = "3x3", c_out = 128, dtype = "f16", padding = 1, strategy = wgmma, reference = large,
    epilogue = { "bias", "add_channel", "mul_channel", "sigmoid", "group_norm" } }
conv { c_in = 32, kernel = "3x3", c_out = 64, padding = 1, strategy = wgmma, reference = large }
conv { c_in = 64, kernel = "5x1", c_out = 60, dtype = "bf16", padding = "2x0", dilation = "2x1", strategy = wgmma,
    reference = { n = 8, h = 96, w = 40 }, epilogue = { "bias", "group_norm" } }

-- Strides: every tap of a direction in a box of its own, several in one, with dilation; boxes of which several end in a
-- stage of weights; and pixels that no tap reads.
local strided = { n = 4, h = 30, w = 34 }
conv { c_in = 16, kernel = "3x3", c_out = 64, dtype = "f16", stride = 2, padding = 1, strategy = wgmma,
    reference = strided, epilogue = { "bias", "relu" } }
conv { c_in = 72, kernel = "3x4", c_out = 80, dtype = "bf16", stride = "2x3", padding = "0x2", strategy = wgmma,
    reference = strided, epilogue = { "bias", "group_norm" } }
conv { c_in = 32, kernel = "2x2", c_out = 64, dtype = "f16", stride = 2, strategy = wgmma, reference = strided }
conv { c_in = 24, kernel = "4x3", c_out = 48, stride = "3x2", dilation = "2x4", padding = "3x1", strategy = wgmma,
    reference = strided }
conv { c_in = 16, kernel = "1x1", c_out = 64, dtype = "bf16", layout = "nhwc", stride = 4, strategy = wgmma,
    reference = strided, epilogue = { "bias", "add_tensor", "relu" } }
conv { c_in = 40, kernel = "3x2", c_out = 64, dtype = "f16", layout = "nhwc", stride = "1x2", dilation = "1x3",
    padding = 1, strategy = wgmma, reference = strided, epilogue = { "bias", "silu" } }

-- Contiguous channels: pixels that the copy engine reads where they lie, and those that are copied (f32; channels of an
-- odd number), one of 16 bytes at a time and less; one block of channels and several, the last one not full.
conv { c_in = 16, kernel = "3x3", c_out = 64, dtype = sixteen, layout = "nhwc", padding = 1, strategy = wgmma }
conv { c_in = 24, kernel = "2x3", c_out = 100, dtype = "f16", layout = "nhwc", padding = 1, strategy = wgmma,
    epilogue = { "bias", "add_tensor", "relu" } }
conv { c_in = 13, kernel = "3x2", c_out = 45, dtype = "bf16", layout = "nhwc", dilation = 2, padding = 2,
    strategy = wgmma, epilogue = { "bias", "sigmoid", "group_norm", "add_tensor", "relu", "mul_channel" } }
conv { c_in = 40, kernel = "1x3", c_out = 130, layout = "nhwc", padding = "0x1", strategy = wgmma,
    epilogue = { "bias", "gelu" } }
conv { c_in = 72, kernel = "3x1", c_out = 64, dtype = "f16", layout = "nhwc", padding = "1x0", strategy = wgmma,
    reference = large, epilogue = { "bias", "group_norm", "relu" } }
