-- SPDX-License-Identifier: Apache-2.0
--
-- Rows of every strategy and parameter of a convolution, for the tests alone. Without an epilogue results are exact;
-- group_norm shows what is counted.
defaults { math = { "fp32", "tf32" }, epilogue = {}, reference = { n = 2, h = 40, w = 40 } }
local every = { "f32", "f16", "bf16" }

conv { c_in = 6, kernel = "3x3", c_out = 20, dtype = every }
conv { c_in = 6, kernel = "3x2", c_out = 9, dtype = every, epilogue = { "group_norm" } }
conv { c_in = 40, kernel = "3x3", c_out = 33, dtype = "f32" }
conv { c_in = 5, kernel = "3x3", c_out = 12, math = { "fp32" }, strategy = { "ffma" } }
