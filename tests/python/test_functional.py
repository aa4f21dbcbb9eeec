# SPDX-License-Identifier: Apache-2.0
"""fused_conv2d against PyTorch's operators in float64."""

import threading

import pytest
import torch
from convsmith import binding
from convsmith.torch import KINDS, fused_conv2d
from convsmith.torch.operator import math_of
from convsmith.torch.steps import parse
from problems import BOUNDS, case_of, generator, tf32
from torch.autograd import forward_ad
from torch.nn import functional

EVERY_POINTWISE = [
    name + {0: "", 1: "(0.5)", 2: "(-0.5,0.75)"}[kind.constants]
    for name, kind in KINDS.items()
    if name not in ("mul_input_of", "group_norm", "instance_norm")
]
CHAINS = ["", "bias+softplus+tanh+mul_input_of(2)", "bias+add_channel+mul_channel+sigmoid+group_norm", "bias+bias"]
CHAINS += ["instance_norm+relu+add_tensor", "bias+add_tensor+gelu+group_norm+add_channel+add_tensor"]
CONVOLUTIONS = [
    {"stride": 2, "padding": (1, 2)},
    {"dilation": (2, 1), "padding": 3},
    {"groups": 4, "stride": (1, 3)},
]


def exact(case):
    return case.call(dtype=torch.float64)


@pytest.mark.parametrize("epilogue", CHAINS + EVERY_POINTWISE)
def test_chains_agree_with_pytorch(epilogue):
    case = case_of(epilogue, num_groups=2)
    torch.testing.assert_close(case.call(), exact(case).float(), **BOUNDS[torch.float32])


@pytest.mark.parametrize("options", CONVOLUTIONS, ids=str)
def test_convolutions_agree_with_pytorch(options):
    case = case_of("bias+silu", **options)
    torch.testing.assert_close(case.call(), exact(case).float(), **BOUNDS[torch.float32])


@pytest.mark.parametrize("parameters", ["their own", torch.float32])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_16_bits_are_rounded_once(dtype, parameters):
    case = case_of("bias+sigmoid+group_norm", num_groups=2)
    for name in ("input", "weight"):
        setattr(case, name, getattr(case, name).to(dtype).float())
    if parameters == "their own":
        case.values = {name: value.to(dtype).float() for name, value in case.values.items()}
    got = case.call(dtype=dtype, parameters=None if parameters == "their own" else parameters)
    assert got.dtype == dtype
    torch.testing.assert_close(got.double(), exact(case), **BOUNDS[dtype])


def test_the_reference_path_is_the_chain_of_modules():
    case = case_of("bias+batch_norm(1e-05)+hardswish", padding=1, seed=3)
    v = torch.nn.functional.conv2d(case.input, case.weight, case.values["conv.bias"], padding=1)
    norm = [case.values[f"batch_norm.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
    expected = torch.nn.functional.hardswish(torch.nn.functional.batch_norm(v, *norm))
    torch.testing.assert_close(exact(case).float(), expected, **BOUNDS[torch.float32])


def test_constants_may_be_given_apart_from_the_chain():
    case = case_of("bias+leaky_relu", constants=[0.25])
    fixed = case_of("bias+leaky_relu(0.25)")
    assert torch.equal(case.call(), fixed.call())


def test_a_norm_without_weight_and_bias_has_1_and_0():
    case = case_of("bias+group_norm", num_groups=4)
    whole = {**case.values, "group_norm.weight": torch.ones(8), "group_norm.bias": torch.zeros(8)}
    bare = {"conv.bias": case.values["conv.bias"], "group_norm.weight": None}
    results = [fused_conv2d(case.input, case.weight, case.epilogue, values, num_groups=4) for values in (whole, bare)]
    assert torch.equal(*results)


def test_a_value_of_one_element_is_every_channels():
    case = case_of("mul_channel")
    one = fused_conv2d(case.input, case.weight, "mul_channel", {"scale": torch.tensor([[[3.0]]])})
    each = fused_conv2d(case.input, case.weight, "mul_channel", {"scale": torch.full((8, 1, 1), 3.0)})
    assert torch.equal(one, each)


VIEWS = {
    "channels_last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "every other sample": lambda x: x.repeat_interleave(2, 0)[::2],
    "some of the channels": lambda x: torch.cat([x, x], 1)[:, : x.size(1)],
    "every other column": lambda x: x.repeat_interleave(2, 3)[..., ::2],
    "transposed": lambda x: x.transpose(2, 3).contiguous().transpose(2, 3),
    "channels_last, some of them": lambda x: torch.cat([x, x], 1).contiguous(memory_format=torch.channels_last)[:, :4],
    "not aligned": lambda x: torch.cat([x.new_zeros(1), x.flatten()])[1:].view(x.shape),
}


@pytest.mark.parametrize("view", VIEWS)
def test_inputs_of_any_strides(view):
    case = case_of("bias+relu+add_tensor")
    expected = case.call()
    case.input = VIEWS[view](case.input)
    torch.testing.assert_close(case.call(), expected, **BOUNDS[torch.float32])


def test_an_expanded_element_is_no_contiguous_input():
    case = case_of("")
    case.input = torch.full((1, 1, 1, 1), 2.0).expand(2, 4, 9, 11)
    torch.testing.assert_close(case.call(), exact(case).float(), **BOUNDS[torch.float32])


def test_a_result_is_channels_last_where_the_input_is():
    case = case_of("bias+relu")
    assert case.call().is_contiguous()
    case.input = VIEWS["channels_last"](case.input)
    assert case.call().is_contiguous(memory_format=torch.channels_last)


def test_weights_of_any_strides():
    case = case_of("bias")
    expected = case.call()
    case.weight = case.weight.contiguous(memory_format=torch.channels_last)
    assert torch.equal(case.call(), expected)


def test_a_batch_of_none_is_one():
    case = case_of("bias+relu")
    case.input = case.input[:0]
    assert case.call().shape == (0, 8, 7, 9)


def test_autocast_computes_in_its_dtype():
    case = case_of("bias+sigmoid+group_norm", num_groups=2)
    with torch.autocast(torch.get_default_device().type, torch.bfloat16):
        got = case.call()
    assert torch.equal(got, case.call(dtype=torch.bfloat16, parameters=torch.float32))


@pytest.mark.parametrize("allowed, math", [(False, "fp32"), (True, "tf32")])
def test_math_is_what_pytorchs_convolutions_may(allowed, math):
    with tf32(allowed):
        assert binding.MATHS[math_of(None)] == math


def test_threads_share_plans():
    cases = [case_of("bias+relu", size=(9 + i % 3, 11), seed=i) for i in range(12)]
    expected, got = [case.call() for case in cases], [None] * len(cases)

    def work(i):
        got[i] = cases[i].call()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(cases))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(a, b) for a, b in zip(got, expected))


# ---- Gradients -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "epilogue",
    ["", "bias+add_channel+mul_channel+sigmoid+group_norm", "batch_norm(1e-05)+softplus+tanh+mul_input_of(2)"]
    + ["bias+div_channel+instance_norm+gelu+add_tensor"],
)
def test_gradients_of_the_reference_path(epilogue):
    case = case_of(epilogue, size=(5, 6), c_in=2, c_out=4, num_groups=2, padding=1)
    leaves = [leaf.double().requires_grad_() for leaf in case.leaves()]
    names = list(case.values)

    def function(x, weight, *rest):
        values = dict(zip(names, rest))
        return fused_conv2d(x, weight, epilogue, values, rest[len(names) :], **case.options)

    assert torch.autograd.gradcheck(function, leaves, nondet_tol=1e-9)


@pytest.mark.parametrize("epilogue", CHAINS)
def test_gradients_agree_with_the_reference_path(epilogue):
    case = case_of(epilogue, num_groups=2)
    gradient = torch.randn(case.call().shape, generator=generator(1))

    def gradients(dtype):
        moved = case_of(epilogue, num_groups=2)
        moved.input, moved.weight = (t.to(dtype).requires_grad_() for t in (moved.input, moved.weight))
        moved.values = {name: value.to(dtype).requires_grad_() for name, value in moved.values.items()}
        moved.tensors = [tensor.to(dtype).requires_grad_() for tensor in moved.tensors]
        return torch.autograd.grad(moved.call(), moved.leaves(), gradient.to(dtype))

    for got, expected in zip(gradients(torch.float32), gradients(torch.float64)):
        torch.testing.assert_close(got, expected.float(), atol=1e-3, rtol=1e-3)


def test_gradients_of_gradients():
    def second(dtype):
        case = case_of("bias+tanh", size=(4, 4), c_in=1, c_out=2)
        case.input, case.weight = case.input.to(dtype).requires_grad_(), case.weight.to(dtype)
        case.values = {name: value.to(dtype) for name, value in case.values.items()}
        (first,) = torch.autograd.grad(case.call().sum(), case.input, create_graph=True)
        return torch.autograd.grad(first.square().sum(), case.input)[0]

    torch.testing.assert_close(second(torch.float32), second(torch.float64).float(), atol=1e-4, rtol=1e-4)


def test_only_what_needs_a_gradient_gets_one():
    case = case_of("bias+relu")
    case.values["conv.bias"].requires_grad_()
    case.call().sum().backward()
    assert case.values["conv.bias"].grad is not None and case.weight.grad is None


# ---- What is refused -------------------------------------------------------------------------------------------------


def refused(exception, words, epilogue="bias", **options):
    """What a good call with this changed raises."""
    case = case_of("bias")
    case.epilogue, case.options = epilogue, options
    with pytest.raises(exception, match=words):
        case.call()


def test_an_unknown_step_is_refused_in_the_librarys_words():
    refused(ValueError, "epilogue step 2, 'swish' is unknown; the steps, joined by '.', are bias", "bias+swish")


def test_an_epilogue_that_is_no_text_is_refused():
    refused(TypeError, "an epilogue is a str", None)


def test_a_value_that_is_not_read_is_refused():
    refused(ValueError, "values has 'conv.bias', but those of 'relu' are none", "relu")


def test_a_missing_value_is_refused():
    refused(ValueError, "values lacks 'scale'", "bias+mul_channel")


def test_a_missing_tensor_is_refused():
    refused(ValueError, "tensors has 0; 'bias.add_tensor' takes 1", "bias+add_tensor")


def test_a_missing_constant_is_refused():
    refused(ValueError, "constants has 0; 'bias.leaky_relu' takes 1", "bias+leaky_relu")


def test_a_wrong_constant_is_refused_in_the_librarys_words():
    refused(ValueError, "c must not be 0", "bias+div_const", constants=[0.0])


def test_an_unknown_math_is_refused():
    refused(ValueError, "math is 'tf16'", math="tf16")


@pytest.mark.parametrize(
    "options", [{"stride": 0}, {"padding": -1}, {"dilation": (1, 0)}, {"groups": 0}, {"stride": (1, 2, 3)}], ids=str
)
def test_parameters_that_no_convolution_has_are_refused(options):
    refused(ValueError, next(iter(options)), **options)


def test_groups_of_a_norm_that_do_not_divide_are_refused():
    refused(ValueError, "num_groups is 3; it must divide the 8 channels", "bias+group_norm", num_groups=3)


def test_an_eps_of_0_is_refused_in_the_librarys_words():
    refused(ValueError, "problem->eps is 0; it must be positive", "bias+group_norm", num_groups=2, eps=0.0)


def test_what_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match="input is a Tensor, not list"):
        fused_conv2d([], torch.zeros(1, 1, 1, 1))


@pytest.mark.parametrize(
    "function, words",
    [
        (lambda x: x[0], "Expected 4D input"),
        (lambda x: x[:, :3], "to have 4 channels, but got 3 channels instead"),
        (lambda x: x[:, :, :2], "Kernel size can't be greater than actual input size"),
        (lambda x: x.to(torch.int32), "input is torch.int32"),
        (lambda x: x.double(), "should be the same"),
        (lambda x: x.to("meta"), "input is on meta"),
    ],
)
def test_inputs_that_cannot_be_are_refused(function, words):
    case = case_of("bias")
    case.input = function(case.input)
    with pytest.raises(RuntimeError, match=words):
        fused_conv2d(case.input, case.weight, "bias", case.values)


def test_values_of_another_size_are_refused():
    case = case_of("bias")
    with pytest.raises(RuntimeError, match=r"conv.bias is \[7\]; it has a value for each of 8 channels"):
        fused_conv2d(case.input, case.weight, "bias", {"conv.bias": torch.ones(7)})


def test_tensors_of_another_shape_are_refused():
    case = case_of("bias")
    with pytest.raises(RuntimeError, match=r"tensors\[0\] is \[2, 8, 7, 1\]; it has the result's shape"):
        fused_conv2d(case.input, case.weight, "add_tensor", tensors=[torch.zeros(2, 8, 7, 1)])


def test_chains_are_taken_apart_as_the_library_does():
    steps = parse(" bias + clamp( -1e+05 , 6)+bias")
    assert [(step.name, step.constants, step.values) for step in steps] == [
        ("bias", None, ("conv.bias",)),
        ("clamp", (-1e5, 6.0), ()),
        ("bias", None, ("conv.bias.2",)),
    ]


def tangent_by_jvp(function, x):
    return torch.func.jvp(function, (x,), (torch.ones_like(x),))[1]


def tangent_of_a_dual(function, x):
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(function(forward_ad.make_dual(x, torch.ones_like(x)))).tangent


TRANSFORMS = {
    "jvp": tangent_by_jvp,
    "a dual tensor": tangent_of_a_dual,
    "vmap": lambda function, x: torch.func.vmap(function)(torch.stack([x, x + 1])),
    "grad": lambda function, x: torch.func.grad(lambda v: function(v).square().mean())(x),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_transforms_are_of_what_pytorch_computes(transform):
    case = case_of("bias+sigmoid+group_norm", num_groups=2)

    def expected(x):
        v = functional.conv2d(x, case.weight, case.values["conv.bias"]).sigmoid()
        return functional.group_norm(v, 2, case.values["group_norm.weight"], case.values["group_norm.bias"])

    def fused(x):
        return fused_conv2d(x, case.weight, case.epilogue, case.values, num_groups=2)

    apply = TRANSFORMS[transform]
    torch.testing.assert_close(apply(fused, case.input), apply(expected, case.input), atol=1e-4, rtol=1e-4)
