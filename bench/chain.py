# SPDX-License-Identifier: Apache-2.0
"""The epilogue chains of workloads.py and sweep.py in PyTorch: what each kind of step reads and computes. Their steps
are those of convsmith.h; a workload with another kind needs that kind here."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

STEP = re.compile(r"(\w+)(?:\(([^)]*)\))?$")


@dataclass(frozen=True)
class Kind:
    """A kind of step: its values [C_out] by their names in a state dict, and its function of the value, what it reads
    (a dictionary by those names, broadcast to [C_out, 1, 1]) and its constants."""

    values: tuple[str, ...]
    function: Callable


def pointwise(function):
    """A step that has no values; its constants are the function's further arguments."""
    return Kind((), lambda v, _, constants: function(v, *constants))


def by_channel(name, function):
    return Kind((name,), lambda v, values, _: function(v, values[name]))


KINDS = {
    "bias": by_channel("conv.bias", torch.add),
    "add_channel": by_channel("bias", torch.add),
    "mul_channel": by_channel("scale", torch.mul),
    "relu": pointwise(functional.relu),
    "leaky_relu": pointwise(functional.leaky_relu),
    "elu": pointwise(functional.elu),
    "sigmoid": pointwise(torch.sigmoid),
    "silu": pointwise(functional.silu),
    "mish": pointwise(functional.mish),
    "hardswish": pointwise(functional.hardswish),
    "gelu": pointwise(functional.gelu),
    "batch_norm": Kind(
        tuple(f"batch_norm.{name}" for name in ("weight", "bias", "running_mean", "running_var")),
        lambda v, values, constants: functional.batch_norm(
            v,
            values["batch_norm.running_mean"].flatten(),
            values["batch_norm.running_var"].flatten(),
            values["batch_norm.weight"].flatten(),
            values["batch_norm.bias"].flatten(),
            eps=constants[0],
        ),
    ),
    "group_norm": Kind(("group_norm.weight", "group_norm.bias"), None),  # its groups are the model's
}


def parse(text):
    """The steps of a chain: (name, constants) each."""
    steps = []
    for part in filter(None, text.split("+")):
        name, constants = STEP.match(part).groups()
        steps.append((name, tuple(float(c) for c in constants.split(",")) if constants else ()))
    return steps


class Model(torch.nn.Module):
    """conv2d and a workload's chain. The convolution has a first step's bias, as in the PyTorch that people write; a
    chain has a kind of step with values once."""

    def __init__(self, workload):
        super().__init__()
        self.steps = parse(workload.chain)
        self.own_bias = bool(self.steps) and self.steps[0][0] == "bias"
        self.groups = workload.groups
        self.conv = torch.nn.Conv2d(
            workload.c_in,
            workload.c_out,
            workload.kernel,
            stride=workload.stride,
            padding=workload.padding,
            dilation=workload.dilation,
            groups=workload.conv_groups,
            bias=self.own_bias,
        )
        self.names = [name for step, _ in self.steps for name in KINDS[step].values if name != "conv.bias"]
        for name in self.names:
            near_one = name.endswith(("weight", "running_var"))
            values = torch.empty(workload.c_out, 1, 1)
            values = values.uniform_(0.75, 1.25) if near_one else values.normal_()
            self.register_parameter(name.replace(".", "_"), torch.nn.Parameter(values))

    def state(self):
        """Its parameters as a state dict has them: conv.weight, conv.bias, and every step's values, those of a
        normalisation [C_out], the others [C_out, 1, 1]."""
        values = {name: v.flatten() if "." in name else v for name, v in self.values().items()}
        return {"conv.weight": self.conv.weight, **values}

    def values(self):
        """Every value by its name in a state dict, [C_out, 1, 1] each."""
        values = {name: getattr(self, name.replace(".", "_")) for name in self.names}
        if self.own_bias:
            values["conv.bias"] = self.conv.bias
        return values

    def forward(self, x):
        v, values = self.conv(x), self.values()
        for step, constants in self.steps[1:] if self.own_bias else self.steps:
            if step == "group_norm":
                weight, bias = (values[name].flatten() for name in KINDS[step].values)
                v = functional.group_norm(v, self.groups, weight, bias)
            else:
                v = KINDS[step].function(v, values, constants)
        return v
