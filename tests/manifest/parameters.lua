-- SPDX-License-Identifier: Apache-2.0
--
-- Rows of every strategy and parameter of a convolution, for the tests alone. Without an epilogue results are exact;
-- group_norm shows what is counted.
defaults { candidates = 1, math = { "fp32", "tf32" }, epilogue = {}, reference = { n = 2, h = 40, w = 40 } }
local every, some = { "f32", "f16", "bf16" }, { "f32", "f16" }

local function convolution(c_in, kernel, c_out, dtype, parameters)
    local row = { c_in = c_in, kernel = kernel, c_out = c_out, dtype = dtype }
    for name, value in pairs(parameters) do
        row[name] = value
    end
    conv(row)
end
local function plain(c_in, kernel, c_out, parameters)
    parameters.strategy, parameters.math = { "ffma" }, { "fp32" }
    convolution(c_in, kernel, c_out, "f32", parameters)
end

-- Nothing but strides of tensors.
convolution(6, "3x2", 9, every, { epilogue = { "group_norm" } })
convolution(40, "1x2", 33, "f32", {})
plain(5, "3x3", 12, {})

-- Stride, padding and dilation, alone and together, in one direction and in both, for every strategy; padding of more
-- than the kernel's reach; strides of more than the kernel's size.
convolution(9, "3x3", 20, every, { stride = 2, padding = 1 })
convolution(2, "3x3", 20, some, { padding = "1x0" })
convolution(2, "3x3", 20, "f32", { padding = "0x1", epilogue = { "group_norm" } })
convolution(8, "3x2", 17, some, { dilation = "2x3", padding = "3x2" })
convolution(8, "1x1", 16, some, { stride = "3x2" })
convolution(2, "7x7", 12, "f32", { stride = 2, padding = 3, reference = { h = 80, w = 80 } })
convolution(40, "3x1", 33, "f32", { stride = "2x1", padding = 1, epilogue = { "group_norm" } })
convolution(2, "2x2", 5, some, { padding = "5x9", stride = "1x3" })
plain(5, "3x3", 12, { stride = 2, padding = 1 })
plain(3, "3x2", 9, { stride = "1x3", padding = "4x2", dilation = "3x2", epilogue = { "group_norm" } })
plain(300, "1x1", 9, { stride = "3x1", padding = "1x0" })

-- Groups: of whole tiles, of a part of one, of channels that fill no step; for the CPU alone; in parts of channels.
convolution(8, "3x3", 64, some, { conv_groups = 2, padding = 1 })
convolution(12, "1x3", 48, some, { conv_groups = 3, stride = 2, epilogue = { "group_norm" } })
plain(24, "3x3", 24, { conv_groups = 6 })
plain(20, "3x3", 30, { conv_groups = 10, stride = 2 })
plain(1024, "1x1", 8, { conv_groups = 2 })

-- One input channel an output channel: one and several outputs of each, tiles of each width, taps in registers and not.
local function depthwise(channels, kernel, several, dtype, parameters)
    parameters.conv_groups, parameters.math = channels, { "fp32" }
    convolution(channels, kernel, channels * several, dtype, parameters)
end
depthwise(6, "3x3", 1, every, { padding = 1 })
depthwise(5, "3x2", 3, some, { stride = 2, epilogue = { "group_norm" }, reference = { h = 14, w = 14 } })
depthwise(3, "5x7", 1, "f32", { stride = "1x2", padding = "2x3", dilation = "2x1", reference = { h = 7, w = 7 } })
depthwise(2, "15x9", 2, some, { padding = "7x1" })

-- Few channels of 16 bits: pairs of columns that begin at the first tap or before it, in one quad and in two.
convolution(3, "7x7", 40, "f16", { stride = 2, padding = 3 })
convolution(2, "3x9", 16, "bf16", { padding = "1x4", epilogue = { "bias", "silu", "group_norm" } })
convolution(1, "2x15", 20, "f16", { padding = "0x7", stride = "1x3" })
convolution(6, "3x3", 32, "bf16", { padding = 1, conv_groups = 2 })

-- Contiguous channels.
local function nhwc(c_in, kernel, c_out, dtype, parameters)
    parameters.layout = "nhwc"
    convolution(c_in, kernel, c_out, dtype, parameters)
end
nhwc(16, "3x3", 40, every, { padding = 1 })
nhwc(24, "3x2", 20, some, { stride = 2, padding = "0x1", epilogue = { "group_norm" } })
nhwc(3, "3x5", 9, some, { dilation = "1x2", stride = "2x1" })
nhwc(12, "1x3", 64, some, { conv_groups = 2, padding = "0x2" })
nhwc(200, "1x1", 17, "f32", { stride = 2, math = { "tf32" } })
conv { c_in = 6, kernel = "3x3", c_out = 12, layout = { "nchw", "nhwc" }, padding = 1, math = { "fp32" },
    strategy = { "ffma" } }
conv { c_in = 5, kernel = "2x3", c_out = 9, layout = "nhwc", stride = 2, math = { "fp32" }, strategy = { "ffma" },
    epilogue = { "group_norm" } }
nhwc(40, "3x3", 40, some, { conv_groups = 40, padding = 1, math = { "fp32" } })
nhwc(5, "3x2", 10, "f32", { conv_groups = 5, stride = "2x3", dilation = "1x2", padding = 2, math = { "fp32" },
    epilogue = { "group_norm" } })
nhwc(37, "3x2", 37, some, { conv_groups = 37, stride = 2, padding = 1, math = { "fp32" },
    epilogue = { "bias", "group_norm", "relu" } })
nhwc(34, "2x3", 68, "f16", { conv_groups = 34, dilation = 2, math = { "fp32" },
    epilogue = { "bias", "add_tensor", "sigmoid", "group_norm", "add_tensor" } })
nhwc(3, "15x9", 3, "f16", { conv_groups = 3, math = { "fp32" } })
