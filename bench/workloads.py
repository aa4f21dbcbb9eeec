# SPDX-License-Identifier: Apache-2.0
"""What is measured, as data: the workloads, and the precisions with the bounds their results must keep."""

from dataclasses import dataclass

OPERATOR = "bias+add_channel+mul_channel+sigmoid+group_norm"


@dataclass(frozen=True)
class Workload:
    """One problem size: x is [n, c_in, size, size], the filter kernel x kernel, y has c_out channels; `groups` are
    those of a group_norm in the chain, "" is no epilogue."""

    name: str
    n: int
    c_in: int
    size: int
    c_out: int
    kernel: int
    groups: int = 1
    chain: str = OPERATOR
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    conv_groups: int = 1
    layout: str = "NCHW"  # of x and y: or "channels_last"
    precision: tuple[str, str] | None = None  # dtype and math; None: all that the library's table has
    graph: bool = False  # so small that launches bound a single call: replays of a CUDA graph are timed too

    @property
    def x_shape(self):
        return (self.n, self.c_in, self.size, self.size)

    @property
    def weight_shape(self):
        return (self.c_out, self.c_in // self.conv_groups, self.kernel, self.kernel)

    @property
    def y_shape(self):
        size = (self.size + 2 * self.padding - self.dilation * (self.kernel - 1) - 1) // self.stride + 1
        return (self.n, self.c_out, size, size)

    @property
    def what(self):
        """The size and the convolution in words."""
        words = [f"N={self.n}", f"{self.c_in}x{self.size}x{self.size} -> {self.c_out}", f"K={self.kernel}"]
        for name, value, default in (
            ("stride", self.stride, 1),
            ("padding", self.padding, 0),
            ("dilation", self.dilation, 1),
            ("conv_groups", self.conv_groups, 1),
        ):
            words += [f"{name} {value}"] if value != default else []
        words += [f"{self.groups} groups"] if "group_norm" in self.chain else []
        words += [self.layout] if self.layout != "NCHW" else []
        return ", ".join(words)


@dataclass(frozen=True)
class Bound:
    """|y - exact| <= absolute + relative * |exact|, for every element."""

    absolute: float
    relative: float


@dataclass(frozen=True)
class Precision:
    """The dtype of all tensors and how products may be formed, by the library's names, and what is right there."""

    dtype: str
    math: str
    torch_dtype: str
    allow_tf32: bool  # what PyTorch is permitted in this row
    library: Bound
    peer: Bound

    def bound(self, kind):
        """What a contender of this kind is held to."""
        return self.library if kind == "library" else self.peer


def sixteen_bit(dtype, torch_dtype, bits):
    """The precision of a 16-bit dtype whose numbers have `bits` bits. Products are exact in fp32.

    The library rounds once, at the end, which is off by u = 2^-bits of y at most. PyTorch in eager mode rounds what
    each of its operators writes, and the normalisation multiplies the errors of a sigmoid, about u each, by the
    reciprocal of its group's standard deviation: by tens. Computed in fp64 with those roundings put in, both workloads'
    results were off by up to 31 u beside the rounding of y, and by 7 u where the convolution's result is the only
    intermediate that is rounded.
    """
    u = 2.0**-bits
    return Precision(dtype, "fp32", torch_dtype, False, Bound(1e-4, 1e-4 + u), Bound(48 * u, 2 * u))


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("seed", n=128, c_in=8, size=256, c_out=32, kernel=3, groups=8),
        Workload("first", n=128, c_in=3, size=32, c_out=16, kernel=3, groups=8, graph=True),
    )
}

# A dtype's precisions stand together, the strictest first.
FP32, TF32 = Bound(1e-4, 1e-4), Bound(5e-3, 5e-3)
PRECISIONS = (
    Precision("f32", "fp32", "float32", allow_tf32=False, library=FP32, peer=FP32),
    Precision("f32", "tf32", "float32", allow_tf32=True, library=TF32, peer=TF32),
    sixteen_bit("f16", "float16", bits=11),
    sixteen_bit("bf16", "bfloat16", bits=8),
)


def precisions_of(dtype):
    """The precisions of a dtype, the strictest first."""
    return [precision for precision in PRECISIONS if precision.dtype == dtype]


def looseness(dtype, math):
    """0 for the strictest math of a dtype, and more for looser ones."""
    return [precision.math for precision in precisions_of(dtype)].index(math)
