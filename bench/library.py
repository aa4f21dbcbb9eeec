# SPDX-License-Identifier: Apache-2.0
"""The library for a workload (workloads.py): what its table has, and a plan. Pointers are plain integers; nothing here
needs PyTorch."""

import sys
from pathlib import Path

# The checkout's package: it is the one that knows the library that is measured.
sys.path.insert(0, str(Path(__file__).parent.parent / "python"))

from convsmith.binding import CUDA, DTYPES, MATHS, Args, Device, Library, Plan, Problem  # noqa: E402

__all__ = ["CUDA", "DTYPES", "MATHS", "Args", "Device", "Library", "offers", "plan_of"]


def offers(library, workload, device):
    """The (dtype, math) pairs that the built-in table has for a workload's shape and chain on `device`, as a dictionary
    from the library's names for them to its numbers; in the table's order."""
    c = library.c
    wanted = (workload.c_in, workload.kernel, workload.kernel, workload.c_out, workload.chain)
    found = {}
    for index in range(c.convsmith_table_size(None)):
        key = c.convsmith_kernel_get_info(c.convsmith_table_at(None, index)).contents.key
        if (key.c_in, key.kh, key.kw, key.c_out, key.epilogue.decode()) != wanted:
            continue
        if c.convsmith_target_supported(key.target, device) == 0:
            names = (c.convsmith_dtype_name(key.dtype), c.convsmith_math_name(key.math))
            found[tuple(name.decode() for name in names)] = (key.dtype, key.math)
    return found


def plan_of(library, workload, x_strides, y_strides, eps, dtype, math, device):
    """A plan for a workload; dtype and math are the library's numbers, the strides those of x and y in elements."""
    n, c_in, h, w = workload.x_shape
    kernel, stride, padding, dilation = workload.kernel, workload.stride, workload.padding, workload.dilation
    problem = Problem(
        n=n, c_in=c_in, h=h, w=w, c_out=workload.c_out, kh=kernel, kw=kernel, stride_h=stride, stride_w=stride,
        pad_h=padding, pad_w=padding, dilation_h=dilation, dilation_w=dilation, conv_groups=workload.conv_groups,
        groups=workload.groups, eps=eps, dtype=dtype, math=math, epilogue=workload.chain.encode(),
    )  # fmt: skip
    problem.x_strides[:] = x_strides
    problem.y_strides[:] = y_strides
    return Plan(library, problem, device)
