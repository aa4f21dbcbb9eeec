# SPDX-License-Identifier: Apache-2.0
"""What one call computes, without its tensors."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import torch

from ..binding import CPU, Device, Plan, Problem, library
from .steps import KINDS, parse

OPERATOR = "bias+add_channel+mul_channel+sigmoid+group_norm"


class Reads(NamedTuple):
    """What a chain is to be given: the names of its values, in order, with what they are where they are left out; how
    many tensors it adds; how many constants its text does not give; whether it has a group_norm."""

    names: tuple[str, ...]
    defaults: tuple[float | None, ...]
    tensors: int
    constants: int
    group_norm: bool


@functools.lru_cache(maxsize=256)
def steps_of(text):
    """The steps of a chain. Raises InvalidArgument (a ValueError) with the library's words."""
    if not isinstance(text, str):
        raise TypeError(f"convsmith: an epilogue is a str such as {OPERATOR!r}, not {type(text).__name__}")
    one = {name: 1 for name in ("n", "c_in", "h", "w", "c_out", "kh", "kw", "groups")}
    Plan(library(), Problem(**one, eps=1e-5, epilogue=text.encode()), Device(CPU, 0))  # which checks it
    return parse(text)


@torch.compiler.assume_constant_result  # torch.compile cannot look into it
def constant_steps_of(text):
    """As steps_of, for what torch.compile compiles."""
    return steps_of(text)


@torch.compiler.assume_constant_result
def reads_of(text):
    """What the chain of that text reads. Raises as steps_of does."""
    steps = steps_of(text)
    return Reads(
        names=tuple(name for step in steps for name in step.values),
        defaults=tuple(value.default for step in steps for value in KINDS[step.name].values),
        tensors=sum(step.name == "add_tensor" for step in steps),
        constants=sum(KINDS[step.name].constants for step in steps if step.constants is None),
        group_norm=any(step.name == "group_norm" for step in steps),
    )


@dataclass(frozen=True)
class Convolution:
    """The parameters of a convolution, each a pair of height and width, and its groups."""

    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int

    def output_size(self, size, kernel):
        """H_out and W_out of an input and a kernel of these sizes, pairs of height and width; symbolic ones, too."""
        return tuple(
            (size[i] + 2 * self.padding[i] - self.dilation[i] * (kernel[i] - 1) - 1) // self.stride[i] + 1
            for i in range(2)
        )


@dataclass(frozen=True)
class Call:
    """All but the tensors. `constants` are those that the chain's text does not give, in its order; num_groups and eps
    are of a group_norm or instance_norm."""

    chain: str
    convolution: Convolution
    num_groups: int
    eps: float
    constants: tuple[float, ...]

    def steps(self):
        """The steps, each with its kind and its constants."""
        given = iter(self.constants)
        for step in constant_steps_of(self.chain):
            kind, own = KINDS[step.name], step.constants
            yield step, kind, tuple(next(given) for _ in range(kind.constants)) if own is None else own
