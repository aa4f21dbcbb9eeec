# SPDX-License-Identifier: Apache-2.0
"""What PyTorch asks of an operator: opcheck, and torch.compile of whole graphs."""

import pytest
import torch
from convsmith.torch import FusedConvGroupNorm, clear_packed, fused_conv2d, plans
from convsmith.torch.operator import fused_conv2d_operator
from problems import BOUNDS, SEED, case_of, generator

OPERANDS = {
    "plain": {},
    "channels_last": {"form": torch.channels_last},
    "bfloat16": {"dtype": torch.bfloat16},
    "gradients": {"gradient": True},
}


@pytest.mark.parametrize("operands", OPERANDS)
@pytest.mark.parametrize("epilogue", ["", "bias+sigmoid+group_norm", "leaky_relu+add_tensor"])
def test_opcheck(operands, epilogue):
    if operands == "gradients" and "group_norm" in epilogue and torch.__version__ < "2.6":
        pytest.skip("this PyTorch's own group_norm has no gradients for symbolic sizes")

    def prepared(tensor, form=torch.contiguous_format, dtype=torch.float32, gradient=False):
        tensor = tensor.to(dtype, memory_format=form if tensor.dim() == 4 else torch.preserve_format)
        return tensor.requires_grad_(gradient)

    case = case_of(epilogue, constants=[0.1] if "leaky" in epilogue else [])
    x, weight = (prepared(tensor, **OPERANDS[operands]) for tensor in (case.input, case.weight))
    values, tensors = (
        [prepared(tensor, **OPERANDS[operands]) for tensor in given] for given in (case.values.values(), case.tensors)
    )
    call = (epilogue, [1, 1], [0, 0], [1, 1], 1, 2, 1e-5, case.options["constants"], None, False)
    torch.library.opcheck(fused_conv2d_operator, (x, weight, values, tensors, *call))


@pytest.fixture
def compiled():
    torch.compiler.reset()
    torch.manual_seed(0)
    fused = FusedConvGroupNorm(*SEED)
    return fused, torch.compile(fused, fullgraph=True)


def x_of(n=2, size=12):
    return torch.randn(n, 8, size, size, generator=generator(3))


def test_a_compiled_module_computes_the_same(compiled):
    fused, module = compiled
    with torch.no_grad():
        assert torch.equal(module(x_of()), fused(x_of()))


def test_a_compiled_module_sees_changed_parameters(compiled):
    fused, module = compiled
    with torch.no_grad():
        before = module(x_of())
        fused.bias.add_(1)
        assert torch.equal(module(x_of()), fused(x_of())) and not torch.equal(module(x_of()), before)


def test_a_compiled_module_keeps_no_packed_parameters(compiled):
    """They would be in the memory of torch.compile's own CUDA graphs."""
    clear_packed()
    with torch.no_grad():
        compiled[1](x_of())
    assert len(plans.PACKS) == 0


def test_a_compiled_module_takes_other_sizes(compiled):
    fused, module = compiled
    with torch.no_grad():
        for n, size in ((2, 12), (3, 14), (1, 17)):
            assert torch.equal(module(x_of(n, size)), fused(x_of(n, size)))


def test_a_compiled_modules_gradients_are_the_same(compiled):
    fused, module = compiled
    x = x_of().requires_grad_()
    leaves = [x, *fused.parameters()]
    expected, got = (torch.autograd.grad(call(x).square().mean(), leaves) for call in (fused, module))
    for one, other in zip(got, expected):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)


def test_a_compiled_module_obeys_autocast(compiled):
    fused, module = compiled
    with torch.no_grad(), torch.autocast(torch.get_default_device().type, torch.bfloat16):
        got = module(x_of())
        assert got.dtype == torch.bfloat16 and torch.equal(got, fused(x_of()))


@pytest.mark.parametrize("epilogue", ["bias+mul_const(0.5)+group_norm", "bias+mul_const+mul_input_of(1)"])
def test_a_call_of_float64_compiles(epilogue):
    torch.compiler.reset()
    case = case_of(epilogue, constants=[] if "(0.5)" in epilogue else [0.5])
    compiled = torch.compile(lambda: case.call(dtype=torch.float64), fullgraph=True)
    torch.testing.assert_close(compiled(), case.call(dtype=torch.float64))


def test_what_stands_around_the_operator_is_compiled_with_it():
    torch.compiler.reset()
    case = case_of("bias+silu")

    def function(x):
        return fused_conv2d(x * 2, case.weight, case.epilogue, case.values) + 1

    got = torch.compile(function, fullgraph=True)(case.input)
    torch.testing.assert_close(got, function(case.input), **BOUNDS[torch.float32])


@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last], ids=str)
def test_convolutions_around_the_module_may_choose_their_layout(form):
    torch.compiler.reset()
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), FusedConvGroupNorm(*SEED), torch.nn.Conv2d(32, 8, 3), FusedConvGroupNorm(*SEED)
    ).to(memory_format=form)
    x = torch.randn(2, 3, 16, 17, generator=generator(4)).to(memory_format=form)
    compiled = torch.compile(network, fullgraph=True)
    for context in (torch.no_grad, torch.enable_grad):
        with context():
            torch.testing.assert_close(compiled(x), network(x), **BOUNDS[torch.float32])
