# SPDX-License-Identifier: Apache-2.0
"""libconvsmith.so by ctypes: its table and its plans. Pointers are plain integers; nothing here needs PyTorch."""

import ctypes
import os
import weakref
from ctypes import POINTER, byref, c_char_p, c_float, c_int, c_int32, c_int64, c_size_t, c_void_p

CPU, CUDA = 0, 1


# Parameters of a convolution, 0 for their defaults.
CONVOLUTION = ("stride_h", "stride_w", "pad_h", "pad_w", "dilation_h", "dilation_w", "conv_groups")


class Device(ctypes.Structure):
    _fields_ = [("kind", c_int), ("ordinal", c_int)]


class Key(ctypes.Structure):
    _fields_ = [(name, c_int32) for name in ("c_in", "kh", "kw", "c_out", *CONVOLUTION)] + [
        ("layout", c_int),
        ("dtype", c_int),
        ("math", c_int),
        ("epilogue", c_char_p),
        ("target", c_int),
    ]


class KernelInfo(ctypes.Structure):
    """The leading fields of convsmith_kernel_info; only ever read through a pointer."""

    _fields_ = [("name", c_char_p), ("key", Key), ("strategy", c_char_p)]


class Problem(ctypes.Structure):
    _fields_ = [(name, c_int64) for name in ("n", "c_in", "h", "w", "c_out", "kh", "kw", *CONVOLUTION, "groups")] + [
        ("eps", c_float),
        ("dtype", c_int),
        ("math", c_int),
        ("x_strides", c_int64 * 4),
        ("y_strides", c_int64 * 4),
        ("epilogue", c_char_p),
        ("table", c_void_p),
        ("tuning", c_void_p),
        ("autotune", c_char_p),
    ]


class Step(ctypes.Structure):
    _fields_ = [("values", c_void_p * 4), ("constants", c_float * 2)]


class Params(ctypes.Structure):
    _fields_ = [
        ("weight", c_void_p),
        ("weight_strides", c_int64 * 4),
        ("steps", POINTER(Step)),
        ("step_count", c_size_t),
        ("dtype", c_int),
    ]


class Args(ctypes.Structure):
    _fields_ = [("x", c_void_p), ("packed", c_void_p), ("y", c_void_p), ("tensors", c_void_p * 4)]


SIGNATURES = {
    "convsmith_status_string": (c_char_p, [c_int]),
    "convsmith_detail": (c_char_p, []),
    "convsmith_table_size": (c_size_t, [c_void_p]),
    "convsmith_table_at": (c_void_p, [c_void_p, c_size_t]),
    "convsmith_kernel_get_info": (POINTER(KernelInfo), [c_void_p]),
    "convsmith_dtype_name": (c_char_p, [c_int]),
    "convsmith_math_name": (c_char_p, [c_int]),
    "convsmith_target_supported": (c_int, [c_int, Device]),
    "convsmith_plan_create": (c_int, [POINTER(c_void_p), POINTER(Problem), Device]),
    "convsmith_plan_destroy": (None, [c_void_p]),
    "convsmith_plan_kernel": (c_void_p, [c_void_p]),
    "convsmith_plan_packed_size": (c_size_t, [c_void_p]),
    "convsmith_plan_workspace_size": (c_size_t, [c_void_p]),
    "convsmith_plan_prepack": (c_int, [c_void_p, POINTER(Params), c_void_p, c_void_p]),
    "convsmith_plan_run": (c_int, [c_void_p, POINTER(Args), c_void_p, c_void_p]),
}


class Library:
    """The loaded library; every failing call becomes a RuntimeError with the library's own words."""

    def __init__(self, path):
        """Raises OSError for a file that is no shared library, AttributeError for one that is not convsmith's."""
        self.c = ctypes.CDLL(os.path.abspath(path))
        for name, (result, arguments) in SIGNATURES.items():
            function = getattr(self.c, name)
            function.restype, function.argtypes = result, arguments

    def check(self, status):
        if status != 0:
            words = self.c.convsmith_status_string(status).decode()
            raise RuntimeError(f"convsmith: {words}: {self.c.convsmith_detail().decode()}")

    def offers(self, workload, device):
        """The (dtype, math) pairs that the built-in table has for a workload's shape and chain on `device`, as a
        dictionary from the library's names for them to its numbers; in the table's order."""
        wanted = (workload.c_in, workload.kernel, workload.kernel, workload.c_out, workload.chain)
        found = {}
        for index in range(self.c.convsmith_table_size(None)):
            key = self.c.convsmith_kernel_get_info(self.c.convsmith_table_at(None, index)).contents.key
            if (key.c_in, key.kh, key.kw, key.c_out, key.epilogue.decode()) != wanted:
                continue
            if self.c.convsmith_target_supported(key.target, device) == 0:
                names = (self.c.convsmith_dtype_name(key.dtype), self.c.convsmith_math_name(key.math))
                found[tuple(name.decode() for name in names)] = (key.dtype, key.math)
        return found


class Plan:
    """A plan for a workload (bench/workloads.py); dtype and math are the library's numbers, the strides those of x and
    y in elements."""

    def __init__(self, library, workload, x_strides, y_strides, eps, dtype, math, device):
        self._library, c = library, library.c
        n, c_in, h, w = workload.x_shape
        kernel, stride, padding, dilation = workload.kernel, workload.stride, workload.padding, workload.dilation
        problem = Problem(
            n=n, c_in=c_in, h=h, w=w, c_out=workload.c_out, kh=kernel, kw=kernel, stride_h=stride, stride_w=stride,
            pad_h=padding, pad_w=padding, dilation_h=dilation, dilation_w=dilation, conv_groups=workload.conv_groups,
            groups=workload.groups, eps=eps, dtype=dtype, math=math, epilogue=workload.chain.encode(),
        )  # fmt: skip
        problem.x_strides[:] = x_strides
        problem.y_strides[:] = y_strides
        handle = c_void_p()
        library.check(c.convsmith_plan_create(byref(handle), byref(problem), device))
        weakref.finalize(self, c.convsmith_plan_destroy, handle)
        self._handle = handle
        self._dtype = dtype
        self.packed_size = c.convsmith_plan_packed_size(handle)  # bytes
        self.workspace_size = c.convsmith_plan_workspace_size(handle)  # bytes
        self.kernel = c.convsmith_kernel_get_info(c.convsmith_plan_kernel(handle)).contents.name.decode()

    def prepack(self, weight, steps, packed, stream=None):
        """Enqueues the packing of pointers into `packed`: conv.weight, and for each step of the chain a tuple of its
        values. They are of the plan's dtype; the constants are in the chain."""
        array = (Step * len(steps))()
        for step, values in zip(array, steps):
            step.values[: len(values)] = values
        structure = Params(weight=weight, steps=array, step_count=len(steps), dtype=self._dtype)
        self._library.check(self._library.c.convsmith_plan_prepack(self._handle, byref(structure), packed, stream))

    def run(self, args, workspace, stream=None):
        """Enqueues one run with the pointers of `args`, an Args made once and used for many runs."""
        self._library.check(self._library.c.convsmith_plan_run(self._handle, byref(args), workspace, stream))
