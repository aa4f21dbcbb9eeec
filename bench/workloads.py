# SPDX-License-Identifier: Apache-2.0
"""What is measured, as data: the workloads, and the precisions with the bounds their results must keep."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    """One problem size: x is [n, c_in, size, size], the filter kernel x kernel, y has c_out channels in groups."""

    name: str
    n: int
    c_in: int
    size: int
    c_out: int
    kernel: int
    groups: int
    graph: bool  # so small that launches bound a single call: replays of a CUDA graph are timed too

    @property
    def x_shape(self):
        return (self.n, self.c_in, self.size, self.size)

    @property
    def y_shape(self):
        size = self.size - self.kernel + 1
        return (self.n, self.c_out, size, size)

    @property
    def what(self):
        return f"N={self.n}, {self.c_in}x{self.size}x{self.size} -> {self.c_out}, K={self.kernel}, {self.groups} groups"


@dataclass(frozen=True)
class Precision:
    """The dtype of all tensors and how products may be formed, by the library's names, and what is right there."""

    dtype: str
    math: str
    torch_dtype: str
    allow_tf32: bool  # what PyTorch is permitted in this row
    absolute: float  # |y - exact| <= absolute + relative * |exact|, for every element
    relative: float


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("seed", n=128, c_in=8, size=256, c_out=32, kernel=3, groups=8, graph=False),
        Workload("first", n=128, c_in=3, size=32, c_out=16, kernel=3, groups=8, graph=True),
    )
}

# A dtype's precisions stand together, the strictest first.
PRECISIONS = (
    Precision("f32", "fp32", "float32", allow_tf32=False, absolute=1e-4, relative=1e-4),
    Precision("f32", "tf32", "float32", allow_tf32=True, absolute=5e-3, relative=5e-3),
)


def precisions_of(dtype):
    """The precisions of a dtype, the strictest first."""
    return [precision for precision in PRECISIONS if precision.dtype == dtype]


def looseness(dtype, math):
    """0 for the strictest math of a dtype, and more for looser ones."""
    return [precision.math for precision in precisions_of(dtype)].index(math)
