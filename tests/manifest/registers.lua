-- SPDX-License-Identifier: Apache-2.0
--
-- Rows at the limits of what the resident schedule takes: as many steps as find registers, for 8 to 64 columns, along
-- channels and columns, in one piece and in two. They are compiled for sm_90a to see what ptxas makes of them, not run.
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
