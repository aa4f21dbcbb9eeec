-- SPDX-License-Identifier: Apache-2.0
--
-- Rows whose kernels take the steps that a strategy has against too few registers: relieved.resources.lua says which.
local norm = { "bias", "sigmoid", "group_norm" }
defaults { epilogue = norm, math = { "fp32" }, schedule = { "recompute" } }

-- ffma
conv { c_in = 3, kernel = "3x3", c_out = 16, strategy = { "ffma" } }
conv { c_in = 4, kernel = "3x3", c_out = 12, strategy = { "ffma" } }

-- mma, mma3, mma16
conv { c_in = 3, kernel = "3x3", c_out = 16, math = { "tf32" } }
conv { c_in = 8, kernel = "3x3", c_out = 32, math = { "tf32" } }
conv { c_in = 3, kernel = "7x7", c_out = 64, stride = 2, padding = 3, math = { "tf32" } }
conv { c_in = 16, kernel = "3x3", c_out = 32, layout = { "nchw", "nhwc" }, strategy = { "mma3" } }
conv { c_in = 16, kernel = "3x3", c_out = 48, dtype = "f16", layout = { "nchw", "nhwc" } }
conv { c_in = 3, kernel = "3x3", c_out = 16, dtype = "bf16", epilogue = { "bias", "add_tensor", "relu" } }

-- depthwise
conv { c_in = 24, kernel = "5x5", c_out = 24, conv_groups = 24, padding = 2 }
conv { c_in = 40, kernel = "3x3", c_out = 40, conv_groups = 40, dtype = "f16" }
conv { c_in = 32, kernel = "3x3", c_out = 32, conv_groups = 32, dtype = "f16", padding = 1 }
conv { c_in = 64, kernel = "3x3", c_out = 64, conv_groups = 64, layout = "nhwc", dtype = "f16" }
conv { c_in = 40, kernel = "3x3", c_out = 40, conv_groups = 40, layout = "nhwc", dtype = "f16" }

-- wgmma
conv { c_in = 16, kernel = "3x3", c_out = 64, math = { "tf32" }, schedule = { "stored" } }
conv { c_in = 32, kernel = "1x1", c_out = 64, dtype = "f16", schedule = { "stored" }, epilogue = { "bias" } }

-- resident
conv { c_in = 8, kernel = "3x3", c_out = 24, math = { "tf32" }, schedule = { "resident" } }
conv { c_in = 3, kernel = "3x3", c_out = 16, dtype = "f16", schedule = { "resident" } }
conv { c_in = 4, kernel = "3x3", c_out = 24, schedule = { "resident" } }
