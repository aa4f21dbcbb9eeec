# SPDX-License-Identifier: Apache-2.0
"""fuse() on networks of all kinds: what it finds, and that nothing else changes."""

import copy
import io

import pytest
import torch
from convsmith.torch import fuse
from convsmith.torch.fuse import FusedChain
from problems import BOUNDS, SEED, Model, generator
from torch import nn
from torch.nn import functional


def chains(module):
    """The chains that a network's parts were fused to."""
    return [part.call.chain for part in module.modules() if isinstance(part, FusedChain)]


def x_of(c=4):
    return torch.randn(2, c, 10, 11, generator=generator(5))


def assert_agrees(fused, module, x=None):
    x = x_of() if x is None else x
    torch.testing.assert_close(fused(x), module(x), **BOUNDS[torch.float32])


class Block(nn.Module):
    """A convolution and a function of its result."""

    def __init__(self, function, **options):
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 3, **options)
        self.scale = nn.Parameter(torch.randn(8, 1, 1))
        self.shift = nn.Parameter(torch.randn(1, 8, 1, 1))
        self.columns = nn.Parameter(torch.randn(9))
        self.norm = nn.BatchNorm2d(8)
        self.function = function

    def forward(self, x):
        return self.function(self, self.conv(x))


FUNCTIONS = {
    "bias": lambda m, v: v,
    "bias+mul_channel+add_channel": lambda m, v: m.scale * v + m.shift,
    "bias+sub_channel+div_channel": lambda m, v: (v - m.shift) / m.scale,
    "bias+add_const(1)+mul_const(0.5)": lambda m, v: (1 + v) * 0.5,
    "bias+sub_const(2)+div_const(3)": lambda m, v: (v - 2) / 3,
    "bias+relu": lambda m, v: torch.relu(v),
    "bias+relu+tanh": lambda m, v: functional.relu(v, inplace=True).tanh(),
    "bias+leaky_relu(0.2)": lambda m, v: functional.leaky_relu(v, 0.2),
    "bias+elu(1)": lambda m, v: functional.elu(v),
    "bias+gelu_tanh": lambda m, v: functional.gelu(v, approximate="tanh"),
    "bias+clamp(0,6)": lambda m, v: v.clamp(0, max=6),
    "bias+max_const(-0.5)": lambda m, v: torch.clamp(v, min=-0.5),
    "bias+min_const(0.5)": lambda m, v: v.clamp_max(0.5),
    "bias+sigmoid+mul_input_of(2)": lambda m, v: v * torch.sigmoid(v),
    "bias+softplus+tanh+mul_input_of(2)+relu": lambda m, v: torch.relu(functional.softplus(v).tanh() * v),
    "bias+hardsigmoid+mul_input_of(2)+square": lambda m, v: torch.square(v * functional.hardsigmoid(v)),
}


@pytest.mark.parametrize("chain", FUNCTIONS)
def test_functions_become_steps(chain):
    torch.manual_seed(0)
    module = Block(FUNCTIONS[chain])
    fused = fuse(module)
    assert chains(fused) == [chain]
    assert_agrees(fused, module)


ENDS = {
    "softplus with another beta": lambda m, v: functional.softplus(v, beta=2),
    "a value of each column": lambda m, v: v * m.columns,
    "a constant less a value": lambda m, v: 1 - v,
    "a value that two read": lambda m, v: torch.relu(v) + torch.sigmoid(v),
    "pooling": lambda m, v: functional.max_pool2d(v, 2),
    "a sum with itself": lambda m, v: v + v,
    "alpha": lambda m, v: torch.add(v, m.scale, alpha=2),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_is_no_step_ends_a_chain(end):
    torch.manual_seed(0)
    module = Block(ENDS[end])
    fused = fuse(module)
    assert chains(fused) == ["bias"]
    assert_agrees(fused, module)


MODULES = {
    "bias+relu": [nn.ReLU()],
    "bias+clamp(0,6)": [nn.ReLU6(inplace=True)],
    "bias+clamp(-1,1)": [nn.Hardtanh()],
    "bias+group_norm+silu": [nn.GroupNorm(4, 8, eps=1e-3), nn.SiLU()],
    "bias+group_norm": [nn.GroupNorm(2, 8, affine=False)],
    "bias+instance_norm+leaky_relu(0.01)": [nn.InstanceNorm2d(8), nn.LeakyReLU()],
    "bias+batch_norm(0.001)+mish": [nn.BatchNorm2d(8, eps=1e-3).eval(), nn.Mish()],
    "bias+hardswish+softplus+hardsigmoid": [nn.Hardswish(), nn.Softplus(), nn.Hardsigmoid()],
    "bias+elu(1)+gelu+sigmoid+tanh": [nn.ELU(), nn.GELU(), nn.Sigmoid(), nn.Tanh()],
}


@pytest.mark.parametrize("chain", MODULES)
def test_modules_become_steps(chain):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(4, 8, 3), *MODULES[chain])
    fused = fuse(module)
    assert chains(fused) == [chain]
    assert_agrees(fused, module)


def test_the_seeds_model_is_one_call_of_a_kernel_of_the_table():
    torch.manual_seed(0)
    module = Model(*SEED)
    fused = fuse(module, table_only=True)
    assert chains(fused) == ["bias+add_channel+mul_channel+sigmoid+group_norm"]
    assert_agrees(fused, module, x_of(8))


def test_a_shape_that_is_not_in_the_table_is_left_where_only_that_is_wanted():
    module = nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU())
    assert fuse(module, table_only=True) is module


@pytest.mark.parametrize(
    "options", [{"stride": 2, "padding": 1}, {"padding": "same", "dilation": 2}, {"groups": 4}], ids=str
)
def test_parameters_of_the_convolution_are_kept(options):
    module = Block(FUNCTIONS["bias+relu"], **options)
    assert_agrees(fuse(module), module)


@pytest.mark.parametrize(
    "options", [{"padding": 1, "padding_mode": "reflect"}, {"padding": "same", "kernel_size": 2}], ids=str
)
def test_padding_that_the_library_has_not_is_left(options):
    module = nn.Sequential(nn.Conv2d(4, 8, **{"kernel_size": 3, **options}), nn.ReLU())
    assert fuse(module) is module


def test_seventeen_steps_are_sixteen_and_one():
    module = nn.Sequential(nn.Conv2d(4, 8, 3, bias=False), *(nn.Tanh() for _ in range(17)))
    fused = fuse(module)
    assert chains(fused) == ["+".join(["tanh"] * 16)]
    assert_agrees(fused, module)


def test_a_second_normalisation_is_left():
    module = nn.Sequential(nn.Conv2d(4, 8, 3), nn.GroupNorm(2, 8), nn.GroupNorm(4, 8))
    fused = fuse(module)
    assert chains(fused) == ["bias+group_norm"]
    assert_agrees(fused, module)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm_one = nn.BatchNorm2d(4)
        self.two = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm_two = nn.BatchNorm2d(4)
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        v = functional.relu(self.norm_one(self.one(x)))
        return functional.relu(self.norm_two(self.two(v)) + x)


def trained():
    """A network whose running statistics are not those of the beginning."""
    torch.manual_seed(0)
    module = Residual()
    module(x_of())
    return module


def test_a_residual_is_a_tensor_of_the_call():
    module = trained().eval()
    fused = fuse(module)
    assert chains(fused) == ["batch_norm(1e-05)+relu", "batch_norm(1e-05)+add_tensor+relu"]
    assert_agrees(fused, module)


class Joined(nn.Module):
    """A function of two convolutions of the same shape."""

    def __init__(self, function):
        super().__init__()
        self.one, self.two = (nn.Conv2d(4, 4, 3, padding=1, bias=False) for _ in range(2))
        self.norm_one, self.norm_two = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        self.scale = nn.Parameter(torch.randn(4, 1, 1))
        self.gate = nn.Hardsigmoid(inplace=True)
        self.function = function

    def forward(self, x):
        return self.function(self, x)


def add_to_relu(m, x):
    v = torch.relu(m.one(x))
    return m.two(v) + v


def add_in_place(m, x):
    """As ResNets have it, with the convolution of a downsample."""
    v = m.norm_one(m.one(x))
    v += m.norm_two(m.two(x))
    return functional.relu(v, inplace=True)


JOINED = {
    "two convolutions": (lambda m, x: m.one(x) + m.two(x), ["add_tensor", ""]),
    "a fused value and what is made of it": (add_to_relu, ["relu", "add_tensor"]),
    "a downsample": (add_in_place, ["batch_norm(1e-05)+add_tensor+relu", "batch_norm(1e-05)"]),
}


@pytest.mark.parametrize("case", JOINED)
def test_a_sum_of_two_chains_is_the_step_of_one(case):
    function, expected = JOINED[case]
    torch.manual_seed(0)
    module = Joined(function).eval()
    fused = fuse(module)
    assert chains(fused) == expected
    assert_agrees(fused, module)


def write_to_input(m, x):
    v = m.one(x)
    x.mul_(2)
    return torch.relu(v)


def write_to_input_by_position(m, x):
    v = m.one(x)
    return m.norm_one(v) + functional.relu(x, True)


def write_to_parameter(m, x):
    v = m.one(x)
    m.scale.add_(1)
    return v * m.scale


def add_to_another_value(m, x):
    v = other = torch.tanh(x)
    v += m.one(v)
    return other * 2


def add_method_of_another_value(m, x):
    v = torch.tanh(x)
    v.add_(m.one(v))
    return v * v


def write_to_own_input(m, x):
    v = m.one(x)
    return v * v.sigmoid_()


def module_that_writes_to_own_input(m, x):
    v = m.one(x)
    return v * m.gate(v)


def write_to_output_argument(m, x):
    v = m.one(x)
    torch.mul(x, 2, out=x)
    return torch.relu(v)


# In-place operations, and the chain that is found before them.
WRITES = {
    write_to_input: [""],
    write_to_input_by_position: ["batch_norm(1e-05)"],
    write_to_parameter: [""],
    add_to_another_value: [""],
    add_method_of_another_value: [""],
    write_to_own_input: [""],
    module_that_writes_to_own_input: [""],
    write_to_output_argument: [""],
}


@pytest.mark.parametrize("function", WRITES, ids=lambda function: function.__name__)
def test_what_is_written_in_place_ends_a_chain(function):
    torch.manual_seed(0)
    module = Joined(function).eval()
    fused = fuse(copy.deepcopy(module))
    with torch.no_grad():
        assert chains(fused) == WRITES[function]
        torch.testing.assert_close(fused(x_of()), module(x_of()), **BOUNDS[torch.float32])


def test_a_number_that_is_added_to_stays_what_it_was_elsewhere():
    def function(m, x):
        columns = rows = x.size(2)
        columns += 1
        return m.one(x) * rows + columns

    module = Joined(function)
    assert_agrees(fuse(module), module)


def test_a_write_to_the_chains_own_value_is_a_step():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU(inplace=True), nn.Hardswish(inplace=True))
    fused = fuse(module)
    assert chains(fused) == ["bias+relu+hardswish"]
    assert_agrees(fused, module)


def test_a_tensor_that_is_broadcast_is_added_by_pytorch():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 3)

        def forward(self, x):
            return self.conv(x) + x.mean(dim=(2, 3), keepdim=True)

    module = Sum()
    fused = fuse(module)
    assert chains(fused) == ["bias+add_tensor"]
    assert_agrees(fused, module)


def test_training_updates_running_statistics_as_before():
    module = trained()
    fused = fuse(copy.deepcopy(module))
    for step in range(2):
        assert_agrees(fused, module, x_of() + step)
    for name, value in module.state_dict().items():
        torch.testing.assert_close(fused.state_dict()[name], value)
    assert_agrees(fused.eval(), module.eval())


def test_a_frozen_batch_norm_of_a_network_in_training_stays_frozen():
    module = trained()
    fused = fuse(module).train()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eval()
    before = module.norm_one.running_mean.clone()
    assert_agrees(fused, module)
    assert torch.equal(module.norm_one.running_mean, before)


def test_gradients_are_the_networks():
    module = trained().eval()
    fused = fuse(module)
    parameters = [parameter for name, parameter in module.named_parameters() if "unused" not in name]
    gradients = [torch.autograd.grad(call(x_of()).square().mean(), parameters) for call in (module, fused)]
    for got, expected in zip(*gradients):
        torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


def test_the_state_dict_has_the_same_keys_and_tensors():
    module = trained()
    fused = fuse(module)
    assert set(fused.state_dict()) == set(module.state_dict())
    fused.load_state_dict(Residual().state_dict(), strict=True)
    assert torch.equal(fused.state_dict()["one.weight"], module.one.weight)


def saved(fused):
    file = io.BytesIO()
    torch.save(fused, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("copied", [copy.deepcopy, saved])
def test_a_fused_network_can_be_copied(copied):
    module = trained().eval()
    other = copied(fuse(module))
    assert_agrees(other, module)
    with torch.no_grad():
        other.one.weight.add_(1)
    assert not torch.equal(other(x_of()), module(x_of()))


def test_a_copy_in_training_updates_its_own_statistics():
    module = trained()
    other = copy.deepcopy(fuse(module))
    before = module.norm_one.running_mean.clone()
    other(x_of())
    assert torch.equal(module.norm_one.running_mean, before)
    assert not torch.equal(other.norm_one.running_mean, before)


class Untraceable(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())
        self.nothing = None

    def forward(self, x):
        while x.abs().max() > 1:
            x = self.block(x) / 4
        return x


def test_the_parts_of_what_cannot_be_traced_are_fused():
    module = Untraceable()
    fused = fuse(module)
    assert chains(fused) == ["bias+relu"] and chains(module) == []
    assert_agrees(fused, module)


def test_modules_with_hooks_are_left():
    module = nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU(), nn.Tanh())
    module[1].register_forward_hook(lambda *_: None)
    assert chains(fuse(module)) == ["bias"]


def hooked(module, calls):
    module.register_forward_hook(lambda *_: calls.append("behind"))
    module.register_forward_pre_hook(lambda part, arguments: (arguments[0] * 2,))
    return module


def test_hooks_of_the_module_itself_run_and_its_children_are_fused():
    calls = []
    module = hooked(nn.Sequential(nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU()), nn.Tanh()), calls)
    fused = fuse(module)
    assert chains(fused) == ["bias+relu"]
    assert_agrees(fused, module)
    assert calls == ["behind"] * 2


def test_hooks_of_a_part_that_has_parts_run():
    calls = []
    module = nn.Sequential(nn.Conv2d(4, 8, 3), hooked(nn.Sequential(nn.ReLU(), nn.Tanh()), calls))
    fused = fuse(module)
    assert chains(fused) == ["bias"] and calls == []
    assert_agrees(fused, module)
    assert calls == ["behind"] * 2


def test_a_fused_network_compiles_as_one_graph():
    torch.compiler.reset()
    module = trained().eval()
    compiled = torch.compile(fuse(module), fullgraph=True)
    with torch.no_grad():
        assert_agrees(compiled, module)


def test_a_fused_network_in_training_compiles_as_one_graph():
    torch.compiler.reset()
    module, fused = trained(), fuse(trained())
    compiled = torch.compile(fused, fullgraph=True)
    assert_agrees(compiled, module)
    torch.testing.assert_close(fused.norm_one.running_var, module.norm_one.running_var)


def test_a_broadcast_tensor_compiles_as_one_graph():
    torch.compiler.reset()
    torch.manual_seed(0)
    module = Joined(lambda m, x: m.one(x) + x.mean(dim=(2, 3), keepdim=True))
    assert_agrees(torch.compile(fuse(module), fullgraph=True), module)


@pytest.mark.parametrize("dtype", [torch.int32, torch.float64], ids=str)
def test_an_input_of_another_dtype_is_refused(dtype):
    module = trained()
    for mode in (True, False):
        with pytest.raises(RuntimeError, match=r"Input type \(.*\) and weight type \(.*\) should be the same"):
            fuse(module).train(mode)(x_of().to(dtype))


def test_constants_are_those_of_float64():
    module = Joined(lambda m, x: m.one(x) * (1 / 3)).double()
    x = x_of().double()
    torch.testing.assert_close(fuse(module)(x), module(x), atol=0, rtol=1e-14)


def test_what_is_no_module_is_refused():
    with pytest.raises(TypeError, match="fuse takes a Module, not function"):
        fuse(lambda x: x)
