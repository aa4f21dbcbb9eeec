# SPDX-License-Identifier: Apache-2.0
"""The steps of an epilogue chain: what each reads, and what it computes in PyTorch's operators. The header
convsmith.h has the same table in words; the library itself says what is wrong with a chain."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch.nn import functional


@dataclass(frozen=True)
class Value:
    """What a step reads for each channel: its name in a state dict, and what it is where none is given; None: it must
    be given."""

    name: str
    default: float | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of step. `function(v, values, constants)` is its result for v [N, C_out, H, W] and its values [C_out]
    each, broadcast to v; None for steps that need more than that (reference.py)."""

    values: tuple[Value, ...] = ()
    constants: int = 0
    function: Callable | None = None


class Step(NamedTuple):
    """A step of one chain, of the kind KINDS[name]. `constants` is None where they are not part of the chain's text;
    `values` are the names of what it reads, ".2" behind them at the second step of its kind. Plain data: torch.compile
    takes it for a constant."""

    name: str
    constants: tuple[float, ...] | None
    values: tuple[str, ...]


def by_channel(name, function):
    return Kind((Value(name),), 0, lambda v, values, _: function(v, values[0]))


def pointwise(function, constants=0):
    """A step without values; its constants are the function's further arguments."""
    return Kind((), constants, lambda v, _, given: function(v, *given))


def of_norm(norm, **more):
    """The values of a normalisation: a weight and a bias, which need not be given."""
    return tuple(Value(f"{norm}.{name}", default) for name, default in {"weight": 1.0, "bias": 0.0, **more}.items())


def batch_norm(v, values, constants):
    weight, bias, mean, variance = values
    return (v - mean) * (torch.rsqrt(variance + constants[0]) * weight) + bias


KINDS = {
    "bias": by_channel("conv.bias", torch.add),
    "add_channel": by_channel("bias", torch.add),
    "sub_channel": by_channel("sub", torch.sub),
    "mul_channel": by_channel("scale", torch.mul),
    "div_channel": by_channel("divisor", torch.div),
    "add_const": pointwise(torch.add, 1),
    "sub_const": pointwise(torch.sub, 1),
    "mul_const": pointwise(torch.mul, 1),
    "div_const": pointwise(torch.div, 1),
    "min_const": pointwise(lambda v, c: torch.clamp(v, max=c), 1),
    "max_const": pointwise(lambda v, c: torch.clamp(v, min=c), 1),
    "clamp": pointwise(torch.clamp, 2),
    "relu": pointwise(functional.relu),
    "leaky_relu": pointwise(functional.leaky_relu, 1),
    "sigmoid": pointwise(torch.sigmoid),
    "tanh": pointwise(torch.tanh),
    "silu": pointwise(functional.silu),
    "mish": pointwise(functional.mish),
    "hardswish": pointwise(functional.hardswish),
    "hardsigmoid": pointwise(functional.hardsigmoid),
    "softplus": pointwise(functional.softplus),
    "gelu": pointwise(functional.gelu),
    "gelu_tanh": pointwise(lambda v: functional.gelu(v, approximate="tanh")),
    "elu": pointwise(functional.elu, 1),
    "square": pointwise(torch.square),
    "abs": pointwise(torch.abs),
    "batch_norm": Kind(of_norm("batch_norm", running_mean=None, running_var=None), 1, batch_norm),
    "group_norm": Kind(of_norm("group_norm")),
    "instance_norm": Kind(of_norm("instance_norm")),
    "add_tensor": Kind(),
    "mul_input_of": Kind(constants=1),
}

STEP = re.compile(r"(\w+)\s*(?:\(([^)]*)\))?")


def parse(chain):
    """The steps of a chain's text, "bias+clamp(0,6)", one that the library takes."""
    steps, seen = [], {}
    for name, constants in STEP.findall(chain):
        kind = KINDS[name]
        seen[name] = seen.get(name, 0) + 1
        suffix = f".{seen[name]}" if seen[name] > 1 else ""
        numbers = tuple(float(constant) for constant in constants.split(",")) if constants else None
        steps.append(Step(name, numbers, tuple(value.name + suffix for value in kind.values)))
    return tuple(steps)
