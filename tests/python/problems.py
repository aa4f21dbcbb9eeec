# SPDX-License-Identifier: Apache-2.0
"""What the tests share: the model that FusedConvGroupNorm replaces, and calls of all kinds of chains."""

import contextlib
from dataclasses import dataclass, field

import torch
from convsmith.torch import KINDS, fused_conv2d
from workloads import PRECISIONS

SEED = (8, 32, 3, 8, (32, 1, 1), (32, 1, 1))  # the constructor's arguments of the seed workload's model

# |y - exact| <= absolute + relative * |exact|, for outputs of unit variance.
BOUNDS = {
    getattr(torch, precision.torch_dtype): {"atol": precision.library.absolute, "rtol": precision.library.relative}
    for precision in PRECISIONS
    if precision.math == "fp32"
}


def generator(seed):
    """Random numbers on the device that the tests run on."""
    return torch.Generator(torch.get_default_device()).manual_seed(seed)


@contextlib.contextmanager
def tf32(allowed):
    """Whether convolutions may use TF32, for a while."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


class Model(torch.nn.Module):
    """Level 2 problem 21 of KernelBench."""

    def __init__(self, in_channels, out_channels, kernel_size, num_groups, bias_shape, scale_shape):
        super().__init__()
        self.conv = torch.nn.Conv2d(in_channels, out_channels, kernel_size)
        self.bias = torch.nn.Parameter(torch.randn(bias_shape))
        self.scale = torch.nn.Parameter(torch.randn(scale_shape))
        self.group_norm = torch.nn.GroupNorm(num_groups, out_channels)

    def forward(self, x):
        return self.group_norm(torch.sigmoid((self.conv(x) + self.bias) * self.scale))


@dataclass
class Case:
    """A call of fused_conv2d: its tensors and its other arguments."""

    epilogue: str
    input: torch.Tensor
    weight: torch.Tensor
    values: dict
    tensors: list
    options: dict = field(default_factory=dict)

    def call(self, *, dtype=None, parameters=None):
        """The result with the input and the tensors of a dtype, and the parameters of one."""
        return fused_conv2d(
            self.input.to(dtype),
            self.weight.to(parameters or dtype),
            self.epilogue,
            {name: value.to(parameters or dtype) for name, value in self.values.items()},
            [tensor.to(dtype) for tensor in self.tensors],
            **self.options,
        )

    def leaves(self):
        """Every tensor, that gradients be asked for."""
        return [self.input, self.weight, *self.values.values(), *self.tensors]


def case_of(epilogue, *, c_in=4, c_out=8, kernel=3, size=(9, 11), n=2, seed=0, **options):
    """Random tensors for a chain; `options` are those of fused_conv2d."""
    numbers = generator(seed)

    def random(*shape):
        return torch.randn(shape, generator=numbers)

    def value(name):
        near_one = name.partition(".2")[0].endswith(("weight", "var", "divisor"))
        return random(c_out).mul(0.1).add(1) if near_one else random(c_out)

    weight = random(c_out, c_in // options.get("groups", 1), kernel, kernel) / (kernel * c_in**0.5)
    values, tensors, seen = {}, [], {}
    shape = fused_conv2d(torch.zeros(n, c_in, *size), weight, **convolution_of(options)).shape
    for step in epilogue.split("+") if epilogue else ():
        kind = step.partition("(")[0]
        seen[kind] = seen.get(kind, 0) + 1
        suffix = f".{seen[kind]}" if seen[kind] > 1 else ""
        values.update({known.name + suffix: value(known.name) for known in KINDS[kind].values})
        tensors += [random(*shape)] if kind == "add_tensor" else []
    return Case(epilogue, random(n, c_in, *size), weight, values, tensors, options)


def convolution_of(options):
    return {name: options[name] for name in ("stride", "padding", "dilation", "groups") if name in options}
