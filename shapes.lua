-- SPDX-License-Identifier: Apache-2.0
--
-- The default manifest: the shapes that the library is built for. One row, one shape: its kernels for the CPU and for
-- CUDA, its rows of the dispatch table, its tests and its benchmark all follow from it.
--
-- A row's fields, each with the default named here or in `defaults`:
--   c_in, c_out   channels, 1 to 1024
--   kernel        "KHxKW", each 1 to 15
--   stride, padding, dilation   a whole number for both, or a string of height and width, "2x1"; up to 64
--   conv_groups   of the convolution, a divisor of c_in and of c_out; c_in of them: depthwise
--   layout        what is contiguous in x and y: "nchw" (w), "nhwc" (c), or a list of them, one kernel each
--   dtype         the tensors' elements: "f32", "f16", "bf16", or a list of them, one kernel each
--   math          a list: how products of f32 elements may be formed, "fp32", "tf32", one kernel each; products of
--                 16-bit elements are exact in fp32, and their kernels are "fp32" whatever stands here; CPU kernels
--                 of f32 are "fp32" alone
--   schedule      a list: how a normalisation gets its statistics: "recompute" computes everything twice, and is for
--                 the CPU and every GPU; the others are for sm_90a and conv_groups 1. "resident" keeps a sample's
--                 values on the chip meanwhile: for group_norm or instance_norm, nothing behind it but steps that cost
--                 nothing there, NCHW, stride 1, no dilation, and up to 64 channels of y, where a problem fits the
--                 device. "stored" keeps them in registers or the workspace, with products of warpgroups, for many
--                 channels and any epilogue, also without a normalisation; not for f32 with math "fp32". Left out:
--                 "recompute" alone
--   candidates    how many kernels there may be side by side for one key: the strategies that serve it, in their order,
--                 and where a portable kernel would stand alone, a smaller one of its strategy; 1 to 4, left out: 2. A
--                 plan has the first that its device and problem allow, or the fastest by a tuning record
--   strategy      a list of the CUDA strategies to choose from: "resident", "resident3", "depthwise", "wgmma", "mma",
--                 "mma3", "mma16", "ffma"; left out: all of them
--   epilogue      the steps after the convolution, in order, at most 16: names, and { name, constants } where the row
--                 fixes a step's constants, { "clamp", 0, 6 }; else they are given when a plan is made. p is a value
--                 for each channel, c, lo, hi, slope, alpha and eps are constants:
--                     bias, add_channel    v + p       sub_channel   v - p      mul_channel   v * p
--                     div_channel          v / p       add_const(c), sub_const(c), mul_const(c), div_const(c)
--                     min_const(c), max_const(c), clamp(lo, hi), relu, leaky_relu(slope), elu(alpha), sigmoid, tanh,
--                     silu, mish, hardswish, hardsigmoid, softplus, gelu, gelu_tanh, square, abs
--                     batch_norm(eps)      of inference, with running statistics
--                     group_norm, instance_norm      one of them, once; right behind it steps that add, subtract,
--                                                    multiply or divide, and batch_norm, cost nothing
--                     add_tensor           plus a tensor of y's shape that each run is given; at most 4 of them, on
--                                          either side of a normalisation; not with schedule "resident"
--                     mul_input_of(k)      times the value that step number k, counted from 1, received, one before
--                                          it on the same side of a normalisation; k always stands here:
--                                          x * tanh(softplus(x)) is { "softplus", "tanh", { "mul_input_of", 1 } }
--                 gen/steps.lua has them all; convsmith-gen --explain says what of a chain is left to compute
--   reference     the problem size to plan and benchmark at: n, h, w and the groups of group_norm
--
-- `tuning "path"`, any number of times, names a record of `convsmith tune`, by its path from this folder on. The table
-- then has its times, by which plans on such a device choose among the kernels of a key.

defaults {
    dtype = "f32",
    math = { "fp32", "tf32" },
    epilogue = { "bias", "add_channel", "mul_channel", "sigmoid", "group_norm" },
    schedule = { "recompute", "resident" },
    reference = { n = 32, h = 128, w = 128 },
}

local every = { "f32", "f16", "bf16" }
conv { c_in = 8, kernel = "3x3", c_out = 32, dtype = every, reference = { n = 128, h = 256, w = 256, groups = 8 } }
conv { c_in = 3, kernel = "3x3", c_out = 16, dtype = every, reference = { n = 128, h = 32, w = 32, groups = 8 } }
conv { c_in = 3, kernel = "3x3", c_out = 64 }
conv { c_in = 8, kernel = "3x3", c_out = 64 }
conv { c_in = 16, kernel = "3x3", c_out = 64 }
conv { c_in = 64, kernel = "3x3", c_out = 64 }
conv { c_in = 64, kernel = "3x3", c_out = 128 }
conv { c_in = 3, kernel = "7x7", c_out = 64 }
conv { c_in = 1, kernel = "5x5", c_out = 16 }
conv { c_in = 32, kernel = "1x1", c_out = 64 }
-- Named, resident3 takes more steps than it otherwise would: for this shape they fit the registers.
conv { c_in = 5, kernel = "3x5", c_out = 24, strategy = { "resident", "resident3", "mma", "mma3" } }

-- The layers of bench/sweep.py. Each reference is the sweep's size.
local fast = { "recompute", "resident", "stored" }
local function layer(dtype, math, n, c_in, size, c_out, kernel, epilogue, more)
    local row = { c_in = c_in, kernel = kernel, c_out = c_out, dtype = dtype, math = { math }, schedule = fast,
        epilogue = epilogue, reference = { n = n, h = size, w = size } }
    for name, value in pairs(more or {}) do
        row[name] = value
    end
    conv(row)
end
local sigmoid_norm = { "bias", "sigmoid", "group_norm" }
local bn_relu = { { "batch_norm", 1e-5 }, "relu" }
local same = { padding = 1 }
layer("f32", "fp32", 8, 1, 512, 16, "5x5", { "bias", { "leaky_relu", 0.1 } }, { padding = 2 })
layer("f32", "tf32", 8, 1, 512, 16, "5x5", sigmoid_norm)
layer("bf16", "fp32", 16, 3, 512, 16, "3x3", { "bias", "hardswish" }, same)
layer("f16", "fp32", 64, 3, 224, 32, "3x3", { "bias", "silu", "group_norm" }, same)
layer({ "f16", "f32" }, "tf32", 32, 3, 224, 64, "7x7", bn_relu, { stride = 2, padding = 3 })
layer("f32", "fp32", 256, 16, 14, 32, "3x3", { "bias", "gelu" }, same)
layer("f32", "tf32", 32, 16, 128, 64, "3x3", sigmoid_norm)
layer("f32", "fp32", 32, 32, 64, 64, "3x3", { "bias", "relu" }, same)
layer("f16", "fp32", 64, 32, 64, 64, "3x3", { "bias", "mish", "group_norm" }, same)
layer("f32", "fp32", 32, 32, 128, 64, "1x1", { "bias", "mish" })
layer("f16", "fp32", 32, 48, 64, 48, "3x3", { "bias", { "elu", 1 } }, { padding = 2, dilation = 2 })
layer("f16", "fp32", 64, 128, 56, 128, "3x3", { "bias", "silu" },
    { padding = 1, conv_groups = 128, layout = { "nchw", "nhwc" } })
layer("bf16", "fp32", 32, 64, 56, 64, "3x3", bn_relu, { padding = 1, conv_groups = 4 })
layer({ "f16", "f32" }, "tf32", 32, 64, 112, 64, "3x3", sigmoid_norm, same)
layer("bf16", "fp32", 64, 64, 56, 128, "3x3", { "bias", "silu" }, { padding = 1, layout = { "nchw", "nhwc" } })
layer("f32", "tf32", 64, 128, 28, 128, "3x3", bn_relu, same)
layer("f16", "fp32", 128, 256, 14, 256, "3x3", bn_relu, same)
layer("f16", "fp32", 32, 256, 56, 256, "3x3", sigmoid_norm, same)
layer("bf16", "fp32", 32, 128, 56, 256, "3x3", bn_relu, { stride = 2, padding = 1 })
layer("f16", "fp32", 32, 256, 56, 64, "1x1", bn_relu)
layer("f16", "fp32", 32, 64, 56, 256, "1x1", bn_relu, { layout = "nhwc" })

-- What `convsmith tune` measured of these kernels.
tuning "tuning/h200.lua"
