-- SPDX-License-Identifier: Apache-2.0
--
-- The steps of an epilogue chain, by name. A step has a kind, and what it reads:
--   affine       value * a + b: which fold it is (templates/parts/folds.lua); it costs nothing of its own at run time
--   pointwise    a function of the value, of src/device/steps.h or one of its own
--   normalises   by statistics; "group": of groups of channels, "instance": of each channel
--   curve        the function is of special functions, and its parts take registers
--   values       what it reads for each channel, in order, by the names of state dicts
--   constants    what a manifest's row may fix, in order; else they are given at prepack
--   fixed        the row must fix them
--   tensor       adds the next of the tensors that a run is given
--   input_of     multiplies by the value that the step of its constant's number received
--   rule         what the constants must be, beside finite numbers: one of those in gen/epilogue.lua
--   factor       a factor that its function wants the value to have already; it is folded into what comes before
--   letter, word its part of kernels' names: letters run together, a word (by default the step's name) stands alone.
--                No word may look like other steps' letters or words: "abs" would be add_channel, bias, sigmoid.
return {
    bias = { letter = "b", affine = "add", values = { "conv.bias" } },
    add_channel = { letter = "a", affine = "add", values = { "bias" } },
    sub_channel = { affine = "sub", values = { "sub" } },
    mul_channel = { letter = "m", affine = "mul", values = { "scale" } },
    div_channel = { affine = "div", values = { "divisor" } },
    add_const = { affine = "add", constants = { "c" } },
    sub_const = { affine = "sub", constants = { "c" } },
    mul_const = { affine = "mul", constants = { "c" } },
    div_const = { affine = "div", constants = { "c" }, rule = "not_zero" },
    batch_norm = {
        affine = "batch_norm",
        values = { "batch_norm.weight", "batch_norm.bias", "batch_norm.running_mean", "batch_norm.running_var" },
        constants = { "eps" },
        rule = "positive",
    },

    sigmoid = { letter = "s", pointwise = "sigmoid_exp2", factor = "-1.44269504088896341" }, -- -log2(e)
    min_const = { pointwise = "step_min_const", constants = { "c" } },
    max_const = { pointwise = "step_max_const", constants = { "c" } },
    clamp = { pointwise = "step_clamp", constants = { "lo", "hi" }, rule = "ascending" },
    relu = { pointwise = "step_relu" },
    leaky_relu = { pointwise = "step_leaky_relu", constants = { "slope" } },
    elu = { pointwise = "step_elu", curve = true, constants = { "alpha" } },
    tanh = { pointwise = "step_tanh", curve = true },
    silu = { pointwise = "step_silu", curve = true },
    mish = { pointwise = "step_mish", curve = true },
    hardswish = { pointwise = "step_hardswish" },
    hardsigmoid = { pointwise = "step_hardsigmoid" },
    softplus = { pointwise = "step_softplus", curve = true },
    gelu = { pointwise = "step_gelu", curve = true },
    gelu_tanh = { pointwise = "step_gelu_tanh", curve = true, word = "tanhgelu" },
    square = { pointwise = "step_square" },
    abs = { pointwise = "step_abs", word = "absolute" },
    add_tensor = { tensor = true },
    mul_input_of = { input_of = true, constants = { "k" }, fixed = true },

    group_norm = { letter = "g", normalises = "group", values = { "group_norm.weight", "group_norm.bias" } },
    instance_norm = { normalises = "instance", values = { "instance_norm.weight", "instance_norm.bias" } },
}
