-- SPDX-License-Identifier: Apache-2.0
--
-- Shapes that convsmith's own table does not have.
defaults {
    math = { "fp32", "tf32" },
    epilogue = { "bias", "add_channel", "mul_channel", "sigmoid", "group_norm" },
}

conv { c_in = 6, kernel = "3x3", c_out = 10 }
conv { c_in = 2, kernel = "1x4", c_out = 7 }
