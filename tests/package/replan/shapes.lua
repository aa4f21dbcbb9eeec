-- SPDX-License-Identifier: Apache-2.0
--
-- Rows that spill on purpose: values that a long chain comes back to, and tensors that are added between, are more than
-- a thread has registers for.
defaults {
    math = { "fp32" },
    epilogue = { "bias", "mish", { "mul_input_of", 1 }, "add_tensor", "gelu", { "mul_input_of", 2 }, "add_tensor",
        "mish", { "mul_input_of", 4 }, "add_tensor", { "mul_input_of", 8 }, "add_tensor", "group_norm" },
}

conv { c_in = 32, kernel = "5x5", c_out = 32, conv_groups = 32, dtype = "f16" }
conv { c_in = 16, kernel = "3x3", c_out = 32, strategy = { "mma3" } }
