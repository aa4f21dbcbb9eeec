-- SPDX-License-Identifier: Apache-2.0
--
-- Rows that are unusual on purpose, for the tests alone: epilogues without their usual parts, kernels as long as they
-- may be, channels that fill no tile and no chunk.
defaults { math = { "fp32", "tf32" } }
local every = { "f32", "f16", "bf16" }

conv { c_in = 1, kernel = "1x1", c_out = 1, dtype = every, epilogue = { "bias", "sigmoid", "group_norm" } }
conv { c_in = 8, kernel = "3x3", c_out = 32, dtype = every, epilogue = {} }
conv { c_in = 6, kernel = "3x3", c_out = 65, dtype = every, epilogue = { "group_norm" } }
conv { c_in = 4, kernel = "3x2", c_out = 9, epilogue = { "bias", "sigmoid" } }
conv { c_in = 7, kernel = "2x2", c_out = 33, dtype = every,
    epilogue = { "mul_channel", "sigmoid", "add_channel", "group_norm" } }

conv { c_in = 3, kernel = "15x1", c_out = 16, epilogue = { "sigmoid" } }
conv { c_in = 2, kernel = "1x15", c_out = 20, epilogue = { "add_channel", "group_norm" } }
conv { c_in = 1, kernel = "15x15", c_out = 5, epilogue = { "bias", "mul_channel" } }

conv { c_in = 130, kernel = "3x2", c_out = 10, dtype = every, epilogue = { "bias", "group_norm" } }
conv { c_in = 300, kernel = "1x1", c_out = 9, epilogue = { "sigmoid", "group_norm" } }
conv { c_in = 513, kernel = "3x1", c_out = 6, epilogue = { "bias" } }

-- Plain fp32 where tensor cores could serve, in the two register tiles.
local plain = { "ffma" }
conv { c_in = 5, kernel = "3x3", c_out = 20, math = { "fp32" }, strategy = plain, epilogue = { "bias", "group_norm" } }
conv { c_in = 3, kernel = "7x7", c_out = 16, math = { "fp32" }, strategy = plain, epilogue = { "sigmoid" } }

-- The resident schedule: columns of no channel; an odd number of rows of k; k along columns, in planes of one kind and
-- of two; several planes; 8 to 64 columns of products.
local resident = { "bias", "sigmoid", "group_norm" }
conv { c_in = 3, kernel = "3x3", c_out = 20, dtype = every, schedule = { "resident" }, epilogue = resident }
conv { c_in = 1, kernel = "5x5", c_out = 48, dtype = every, schedule = { "resident" }, epilogue = resident }
conv { c_in = 2, kernel = "2x11", c_out = 6, dtype = every, schedule = { "resident" }, epilogue = resident }
conv { c_in = 21, kernel = "1x1", c_out = 64, dtype = every, schedule = { "resident" }, epilogue = resident }
conv { c_in = 10, kernel = "3x3", c_out = 8, schedule = { "resident" }, epilogue = resident }
