-- SPDX-License-Identifier: Apache-2.0
--
-- Rows that are unusual on purpose, for the tests alone: epilogues without their usual parts, kernels as long as they
-- may be, channels that fill no tile and no chunk.
defaults { candidates = 1, math = { "fp32", "tf32" } }
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

-- The resident schedule: columns of no channel; an odd number of rows of k; k along columns, whole rows of k and such
-- that share taps; several planes; 8 to 64 columns of products.
local resident = { "bias", "sigmoid", "group_norm" }
conv { c_in = 3, kernel = "3x3", c_out = 20, dtype = every, schedule = { "resident" }, epilogue = resident }
conv { c_in = 1, kernel = "5x5", c_out = 48, dtype = every, schedule = { "resident" }, epilogue = resident }
conv { c_in = 2, kernel = "2x11", c_out = 6, dtype = every, schedule = { "resident" }, epilogue = resident }
conv { c_in = 21, kernel = "1x1", c_out = 64, dtype = every, schedule = { "resident" }, epilogue = resident }
conv { c_in = 10, kernel = "3x3", c_out = 8, schedule = { "resident" }, epilogue = resident,
    strategy = { "resident", "resident3" } }

-- Bands of several rows, each with a buffer of its own.
conv { c_in = 1, kernel = "5x5", c_out = 16, math = { "tf32" }, schedule = { "resident" }, epilogue = resident,
    reference = { n = 2, h = 512, w = 512, groups = 8 } }
conv { c_in = 3, kernel = "3x3", c_out = 40, padding = 1, dtype = "f16", schedule = { "resident" },
    epilogue = { "bias", "silu", "group_norm" }, reference = { n = 2, h = 224, w = 224, groups = 8 } }

-- The same with padding, and with values of any size: along channels and columns, on one side and on both.
local function padded(c_in, kernel, c_out, padding, epilogue, dtype)
    conv { c_in = c_in, kernel = kernel, c_out = c_out, padding = padding, dtype = dtype, schedule = { "resident" },
        epilogue = epilogue }
end
padded(3, "3x3", 20, 1, { "bias", "silu", "group_norm" }, every)
padded(1, "5x5", 12, 2, resident, every)
padded(2, "2x11", 12, "1x10", { "instance_norm" }, { "f32", "bf16" })
padded(1, "2x3", 6, "3x1", resident, "f32")
conv { c_in = 5, kernel = "1x3", c_out = 40, padding = "0x1", schedule = { "resident" },
    strategy = { "resident", "resident3" }, epilogue = { "bias", "tanh", "group_norm", "mul_channel" } }
padded(9, "3x1", 7, "1x0", { "mul_channel", "square", "group_norm" }, "f16")

-- Every step of an epilogue, in small kernels: constants given at prepack, and fixed; steps that stand several times;
-- as many as there may be; what folds into a normalisation; what leaves no operation at all.
local fp32 = { "fp32" }
local function chain(c_in, kernel, c_out, dtype, epilogue)
    conv { c_in = c_in, kernel = kernel, c_out = c_out, dtype = dtype, math = fp32, epilogue = epilogue }
end
chain(2, "1x1", 5, every, { "bias", "relu" })
chain(3, "1x2", 17, { "f32", "f16" }, { "bias", { "batch_norm", 1e-5 }, { "leaky_relu", 0.1 } })
chain(2, "2x1", 6, "f32", { "leaky_relu", "elu", "div_const", "min_const", "batch_norm" })
chain(2, "2x1", 6, "f32", { "bias", "add_const", "relu", "mul_const", "bias", "clamp", "add_channel", "mul_channel",
    "bias", "sub_const", "add_channel", "abs", "bias", "mul_channel", "bias", "max_const" })
chain(2, "2x1", 6, "bf16", { { "add_const", 0.5 }, { "mul_const", -1.25 }, { "leaky_relu", 0.2 },
    { "sub_const", 0.25 }, { "clamp", -0.5, 2 } })
chain(2, "2x1", 6, "f32", { { "div_const", 1.5 }, { "elu", 0.75 }, { "min_const", 2 }, { "max_const", -0.5 } })
chain(1, "1x1", 4, "f32", { { "add_const", 0.5 }, { "sub_const", 0.5 } })
chain(1, "1x2", 8, "f32", { "sub_channel", "silu", "div_channel", "tanh" })
chain(1, "1x2", 9, "f16", { "mish", "mul_channel", "softplus", "mul_channel", "sub_channel" })
chain(2, "1x1", 7, { "f32", "bf16" }, { "bias", "gelu", "mul_channel", "gelu_tanh" })
chain(2, "1x1", 12, "f32", { "hardswish", "add_channel", "hardsigmoid", "sigmoid", "square", "instance_norm" })
chain(2, "1x1", 3, { "f32", "f16" }, { "bias", "abs", "relu", "group_norm", "mul_channel", "add_channel",
    { "div_const", 4 }, "sub_const", "batch_norm" })
chain(1, "2x2", 10, "bf16", { "instance_norm", "sub_channel", "div_channel" })

-- Steps behind a normalisation that do not fold into it.
chain(2, "1x2", 6, every, { "bias", "sigmoid", "group_norm", "relu" })
chain(3, "2x1", 18, { "f32", "bf16" }, { "silu", "group_norm", "mul_channel", "bias", "mish", "div_channel",
    { "clamp", -0.25, 1.5 }, "leaky_relu" })
chain(1, "1x1", 33, { "f32", "f16" }, { "instance_norm", "sigmoid" })
conv { c_in = 2, kernel = "2x2", c_out = 12, math = fp32, strategy = plain,
    epilogue = { "gelu", "group_norm", "elu", "batch_norm" } }

-- Values that are needed twice: softplus and tanh make a mish; affine steps from inside; what the norm made of them.
chain(2, "1x1", 7, every, { "bias", "mul_channel", "softplus", "tanh", { "mul_input_of", 3 } })
chain(2, "2x1", 20, { "f32", "bf16" }, { "bias", "add_channel", "mul_channel", "sigmoid", { "mul_input_of", 3 },
    { "mul_input_of", 1 }, "group_norm", "mul_channel", "bias", "tanh", { "mul_input_of", 9 }, { "mul_input_of", 8 } })
conv { c_in = 3, kernel = "1x2", c_out = 5, math = fp32, strategy = plain,
    epilogue = { "sigmoid", { "mul_input_of", 1 }, "group_norm", "sigmoid", { "mul_input_of", 4 }, "bias" } }

-- Tensors that are added: alone; before and behind a norm, with what folds around them; as many as there may be.
chain(2, "1x1", 5, every, { "add_tensor" })
chain(2, "2x2", 33, every, { "bias", "add_tensor", "sigmoid", "group_norm", "mul_channel", "add_tensor", "relu" })
chain(3, "1x2", 18, "f32", { "bias", "tanh", "add_tensor", { "mul_const", 0.5 }, "add_tensor", "group_norm",
    { "mul_const", 0.25 }, "add_tensor", { "mul_input_of", 8 }, "add_tensor" })
conv { c_in = 3, kernel = "1x2", c_out = 13, math = fp32, strategy = plain,
    epilogue = { "add_tensor", "silu", "group_norm", "add_tensor", "tanh" } }

-- Constants whose products no float holds: nothing becomes a NaN of it.
chain(2, "1x1", 6, "f32", { { "mul_const", 3e38 }, "sigmoid" })
chain(2, "1x1", 6, "f32", { { "mul_const", 1e30 }, { "mul_const", 1e30 }, "tanh" })
chain(2, "1x1", 6, "f32", { { "div_const", 1e-40 }, { "clamp", -2, 2 } })
chain(2, "1x1", 6, "f32", { "bias", { "mul_const", -1e30 }, "mul_channel", { "mul_const", 1e8 }, "tanh" })
chain(2, "1x1", 6, "f32", { "silu", "group_norm", { "mul_const", 2e38 }, "sigmoid" })

-- The resident schedule with what it folds.
local function resident_chain(c_in, kernel, c_out, dtype, epilogue)
    conv { c_in = c_in, kernel = kernel, c_out = c_out, dtype = dtype, schedule = { "resident" }, epilogue = epilogue }
end
resident_chain(3, "2x2", 12, "f32",
    { "bias", "relu", "sub_channel", "sigmoid", "instance_norm", "mul_channel", "bias" })
resident_chain(2, "2x2", 16, "f32", { "bias", "tanh", { "mul_input_of", 2 }, "sigmoid", "group_norm" })
resident_chain(4, "1x1", 8, "f16", { { "sub_const", 0.5 }, "sigmoid", "group_norm", { "mul_const", 3 } })

-- The parameters of a convolution, in each strategy. (tests/manifest/parameters.lua has more of them.)
local function parameters(c_in, kernel, c_out, dtype, epilogue, more)
    local row = { c_in = c_in, kernel = kernel, c_out = c_out, dtype = dtype, math = fp32, epilogue = epilogue }
    for name, value in pairs(more) do
        row[name] = value
    end
    conv(row)
end
parameters(4, "3x3", 9, every, { "bias", "silu", "group_norm" }, { stride = 2, padding = 1 })
parameters(3, "2x3", 17, "f32", { "bias", "relu" }, { dilation = "3x2", padding = "1x2", math = { "tf32" } })
parameters(6, "3x3", 8, "f32", { "batch_norm", "relu" }, { conv_groups = 2, padding = 1, strategy = plain })
parameters(4, "3x3", 32, { "f32", "f16" }, { "instance_norm" }, { conv_groups = 2, stride = "1x2" })
parameters(7, "3x3", 7, every, { "bias", "hardswish" }, { conv_groups = 7, padding = 1, stride = "2x1" })
parameters(5, "1x3", 5, { "f32", "f16" }, { "bias", "add_tensor", "group_norm", "silu", "add_tensor", "mul_channel" },
    { conv_groups = 5, padding = "0x1" })
parameters(6, "3x1", 12, "f32", { "add_tensor", "instance_norm", "relu", "mul_channel" },
    { conv_groups = 3, stride = 2 })
parameters(3, "5x2", 6, { "f32", "bf16" }, { "mul_channel", "instance_norm" }, { conv_groups = 3, dilation = 2 })
parameters(8, "3x3", 20, every, { "bias", "add_tensor", "silu", "group_norm", "add_tensor", "relu" },
    { layout = "nhwc", padding = 1 })
parameters(3, "3x2", 6, "f32", { "bias", "add_tensor", "instance_norm", "add_tensor", "tanh", "mul_channel" },
    { layout = "nhwc", stride = 2, strategy = plain })
parameters(9, "3x3", 9, { "f32", "f16" }, { "bias", "add_tensor", "instance_norm", "relu", "mul_channel" },
    { layout = "nhwc", conv_groups = 9, padding = 1 })

tuning "odd_tuning.lua"
